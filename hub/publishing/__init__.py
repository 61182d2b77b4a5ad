"""The engine: how a post gets out once, on time, or a person is told why.

content   what a post says, and the hash that approval is bound to
checks    whether the platform would take it, looked at when it is written and once more before the first call
addresses where platforms that fetch media can fetch them
grants    the way to a platform as an account: with a token that is good
keeping   a grant's row: sealed, replaced as a whole, lost only once
renewing  the next pair of tokens: asked for by one process at a time, stored before use
ageing    grants renewed ahead of their end, and warnings of those that cannot be
quota     never more in a day than the platform or the user allows
claims    who may publish a post: lease and fence
reading   everything a claim needs, in one statement
attempts  every outgoing call: written before it is made, closed with what came back
walk      claim, prepare, write the intent, send, store the answer
crew      the threads in which a worker process walks
endings   what each outcome means for the post, and what the person is told
repeats   whether a part may be live already, and whether the same call may be made again
looks     how an outcome that nobody knows ends: ask the platform, then decide by the evidence
deleting  a live post taken off its platform, as a person asked
recovery  what becomes of a post whose worker cannot go on
sweep     finds what is stuck, whatever the reason
patience  storing what is known, though the hub goes away just then
"""
