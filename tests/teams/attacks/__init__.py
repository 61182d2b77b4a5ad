"""What a hostile member tries, one sentence each (SPEC TEAM-1, POST-4, HUB-9): all of it changes nothing and shows nothing."""

from __future__ import annotations

from tests.teams.attacks.attack import Attack, Watch
from tests.teams.attacks.identity import IDENTITY
from tests.teams.attacks.invited import INVITED
from tests.teams.attacks.locks import LOCKS
from tests.teams.attacks.parts import PARTS
from tests.teams.attacks.posts import POSTS
from tests.teams.attacks.powers import POWERS
from tests.teams.attacks.secrets import SECRETS
from tests.teams.attacks.team import TEAM
from tests.teams.attacks.verdicts import VERDICTS

ATTACKS: dict[str, Attack] = {
    **IDENTITY,
    **POWERS,
    **SECRETS,
    **POSTS,
    **PARTS,
    **VERDICTS,
    **TEAM,
    **LOCKS,
    **INVITED,
}

__all__ = ["ATTACKS", "Attack", "Watch"]
