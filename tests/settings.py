"""Settings of the tests: the product's own, on a throw-away hub.

`default__owner` makes the test database and migrates; every other alias mirrors it under a login of its own, so tests run under the
same policies as users do. (Django gives a test database to the login that creates it: without this, tests would run unprotected.)
"""

import os
import secrets
import tempfile
from pathlib import Path

from psn.config.hub import HubConfig, write_hub_config
from psn.config.workspace import Workspace
from psn.crypto import create_key
from psn.providers.local import choose_socket_dir

HOME = Path(tempfile.mkdtemp(prefix="psn-tests-"))
if os.geteuid() == 0:
    HOME.chmod(0o711)  # as root the server runs as an OS user of its own, who must get through
os.environ["PSN_HOME"] = str(HOME / "home")
os.environ["PSN_WORKSPACE"] = str(HOME / "workspace")
_data = HOME / "home" / "hub-tests" / "pg"
write_hub_config(
    Workspace(HOME / "workspace"),
    HubConfig(
        data=_data, socket_dir=choose_socket_dir(_data), key=create_key().to_text(), secret_key=secrets.token_hex(20)
    ),
)

from psn.settings import *  # noqa: E402, F403
from psn.settings import DATABASES, Q_CLUSTER  # noqa: E402

_mirror = {"TEST": {"MIRROR": "default__owner"}, "CONN_MAX_AGE": 0}
for _alias in ("default", "queue"):
    DATABASES[_alias] |= _mirror
DATABASES["default__owner"] |= {"TEST": {}}
DATABASES["another"] = {**DATABASES["default"], "USER": "psn_another"}  # a second person's login
DATABASES["worker"] = {
    **DATABASES["default"],
    "USER": "psn_worker",
    "PSN": {**DATABASES["default"]["PSN"], "identity": "setting"},
}

Q_CLUSTER["sync"] = False
