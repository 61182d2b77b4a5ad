"""Tests of the engine. Each law was broken once on purpose; this is what went red.

| broken on purpose | noticed by |
|---|---|
| the claim takes a post whatever its state, time or account say | `test_claims.TestWhen`, `test_claim.TestAPostThatIsNotToBeHad` |
| a person may claim anybody's post | `test_claims.TestWhoMayClaim` |
| the claim locks nothing and passes nothing by | `test_claims.TestClaimNext` |
| a claim that was answered may be lost in a crash | `test_claims.TestClaimPost.test_that_was_answered_survives_a_crash_of_the_server` |
| the intent is written after the call | `test_walk.TestTheIntent`, `test_claim.TestALostClaim`, `test_leases.TestAZombie` |
| an unknown outcome is tried again blindly | `test_outcomes.TestALostAnswer`, `test_looks.TestAPostWhoseAnswerWasLost` |
| one look that shows nothing is evidence enough | `test_looks.TestAPostWhoseAnswerWasLost` |
| a platform that cannot be asked counts as absence | `test_looks.TestAPlatformThatCannotBeAsked` |
| the lease is not looked at | `test_claim.TestALostClaim`, `test_leases`, `models.test_posts.TestHeld` |
| the fence is not looked at | `test_claim.TestALostClaim`, `models.test_posts.TestHeld` |
| the last moment before the bytes leave is not looked at | `test_claim.TestALostClaim`, `test_leases.TestAZombie` |
| a lease is not renewed during an upload | `test_leases.TestAnUploadThatTakesLongerThanTheLease` |
| the sweep takes what a living worker holds | `test_sweep.TestAnOrphan` |
| the sweep does not know earlier incarnations | `test_sweep.TestAnOrphan` |
| what an outage held up is not paced | `test_sweep.TestCatchingUp` |
| a connection is held while a platform answers | `test_crew.TestConnections` |
| a bell that found no free thread is forgotten | `test_crew.TestMoreBellsThanThreads` |
| a job that stumbles ends its thread | `test_crew.TestAThread` |
| a new yes ends a doubt | `test_repeats.TestAPostThatWaitsForTheSameCall` |
| what keeps the same call from being made again is a failure | `test_repeats.TestARepeatThatCannotBeMade` |
| one look of several is evidence when the key is forgotten | `test_repeats.TestOneLookOfSeveral` |
| two posts are linked to the same one | `test_repeats.TestADuplicate`, `test_repeats.TestTwoPostsOfTheSameWords` |
| two workers delete one post, or a success counts as a failure | `test_deleting` |
| a thread that has begun waits for the next day | `test_quota.TestTheUsersCap` |
"""
