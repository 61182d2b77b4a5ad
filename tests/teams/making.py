"""Makes a company's hub in a process of its own, by the product's own steps: `python -m tests.teams.making <name>`.

Takes a JSON object on its input: `slug`, `admin` (the address of a role that may create others), `ca`.
"""

from __future__ import annotations

import json
import sys

import django


def main() -> None:
    """Bring every step of making a team about in the workspace that the environment names."""
    asked = json.loads(sys.stdin.read())
    django.setup()
    # Django's models can be imported only now
    from django.conf import settings

    from hub.actions.sources import Source
    from hub.actions.team.founding import Founding, found_team
    from psn.config.database import read_url

    founding = Founding(
        workspace=settings.WORKSPACE,
        slug=asked["slug"],
        name="Acme Ltd",
        timezone="Europe/Madrid",
        admin_name="Ann",
        provider="url",
        find_source=lambda: Source(admin=read_url(asked["admin"])),
        ssl_root_cert=asked.get("ca", ""),
    )
    for event in found_team(founding):
        print(event.position, event.step.name, event.outcome, event.detail, flush=True)


if __name__ == "__main__":
    main()
