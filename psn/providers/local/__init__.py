"""The personal hub's own Postgres: created, started and stopped here, used by every process of this computer (HUB-2).

One data directory, one server, no port and no password. It listens on a Unix socket in a private directory, and
the kernel tells it who connects. It keeps running when the process that started it ends: web, worker and commands
share it.

    places.py     where things lie, and who can reach them
    accounts.py   which OS user the server runs as: Postgres refuses root
    binaries.py   where Postgres itself comes from, and how its tools are run
    cluster.py    makes a data directory, writes its configuration
    processes.py  which processes work on a data directory; leftovers of killed ones
    locks.py      one process at a time creates, starts or stops
    server.py     LocalServer, which puts these together

Linux and macOS. Not for network or synchronized folders: Postgres needs real file locks and real fsync.
"""

from psn.providers.local.binaries import binary
from psn.providers.local.places import PORT, choose_socket_dir, default_home
from psn.providers.local.server import LocalServer, ServerStatus

__all__ = ["PORT", "LocalServer", "ServerStatus", "binary", "choose_socket_dir", "default_home"]
