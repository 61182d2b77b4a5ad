"""Tests of the queue. Each law was broken once on purpose; this is what went red.

| broken on purpose | noticed by |
|---|---|
| a bell that was taken stays in the queue | `test_broker.TestABellThatIsDue` |
| a bell is taken before its time | `test_broker.TestABellForLater` |
| the broker does not listen | `test_broker.TestABellThatIsRungWhileTheBrokerWaits` |
| statements are prepared behind a pooler | `test_pooler.TestTheBroker` |
| a killed process does not end its cluster | `test_survival.TestKilling` |
| processes do not end with their parent | `test_survival.TestKilling`, and the end of every test there |
| the supervisor does not notice silence | `test_survival.TestStopping` |
"""
