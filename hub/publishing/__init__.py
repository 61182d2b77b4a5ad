"""The engine: how a post gets out once, on time, or a person is told why.

content   what a post says, and the hash that approval is bound to
grants    the account's tokens: sealed, refreshed by one at a time
attempts  every outgoing call: written before it is made, closed with what came back
walk      claim, prepare, write the intent, send, store the answer
endings   what each outcome means for the post
recovery  what a killed predecessor left in flight
patience  storing what is known, though the hub goes away just then
"""
