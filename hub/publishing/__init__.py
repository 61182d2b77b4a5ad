"""The engine: how a post gets out once, on time, or a person is told why.

content   what a post says, and the hash that approval is bound to
grants    the account's tokens: sealed, refreshed by one at a time
claims    who may publish a post: lease and fence
reading   everything a claim needs, in one statement
attempts  every outgoing call: written before it is made, closed with what came back
walk      claim, prepare, write the intent, send, store the answer
crew      the threads in which a worker process walks
endings   what each outcome means for the post, and what the person is told
looks     how an outcome that nobody knows ends: ask the platform, then decide by the evidence
recovery  what becomes of a post whose worker cannot go on
sweep     finds what is stuck, whatever the reason
patience  storing what is known, though the hub goes away just then
"""
