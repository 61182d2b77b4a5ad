"""`python -m tests.sandbox.toy serve …`: the sandbox with one platform more."""

from __future__ import annotations

import sys

from sandbox.__main__ import main
from sandbox.platforms.registry import PLATFORMS

PLATFORMS["toy"] = "tests.sandbox.toy"
sys.exit(main())
