"""What Instagram and Threads share, because both are Meta's Graph API: refusals, containers, insights, calls (PLAT-1).

Neither platform knows the other; both may know this.
"""
