"""Settings of a worker under chaos: the product's own, with short times, and a proxy between it and its hub."""

import os
from datetime import timedelta

from psn.settings import *  # noqa: F403
from psn.settings import DATABASES
from tests.chaos import pace

for _alias in ("default", "queue"):
    DATABASES[_alias]["HOST"] = os.environ["CHAOS_PROXY"]

LEASE = timedelta(seconds=pace.LEASE_SECONDS)
CALL_TIMEOUT_SECONDS = pace.CALL_SECONDS
SWEEP_SECONDS = pace.SWEEP_SECONDS
PATIENCE = timedelta(seconds=pace.PATIENCE_SECONDS)
