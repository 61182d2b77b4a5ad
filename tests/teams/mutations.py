"""Does the hostile suite notice? One protection at a time is taken away, in a copy of the hub, and something must turn red.

    python -m tests.teams.mutations             every mutation against every attack: a table of who caught it (minutes)
    python -m tests.teams.mutations "the name"  one

`test_mutations.py` runs each mutation against the attack that has to catch it.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from hub.rls.audit import CHECKS
from tests.teams.attacks import ATTACKS, Watch
from tests.teams.company import copy_company
from tests.teams.conftest import GROUNDS, make_stage
from tests.teams.protections import MUTATIONS, Mutation, Probe
from tests.teams.stage import Stage


@contextlib.contextmanager
def mutated(stage: Stage, mutation: Mutation | None) -> Iterator[tuple[Stage, psycopg.Connection[Any]]]:
    """Copy the hub and take a protection away in the copy. Nobody may be connected to the hub itself."""
    name = f"{stage.company.slug}_copy"
    with (
        copy_company(stage.company, name) as company,
        contextlib.closing(company.enter(stage.people["ann"])) as ann,
        company.enter_as_superuser() as superuser,
    ):
        here = {"database": name, "anns_pid": str(ann.info.backend_pid)}
        copy = replace(stage, company=company, names=stage.names | here)
        if mutation is not None:
            mutation.change(superuser, copy)
        try:
            yield copy, superuser
        finally:
            restore_logins(stage, superuser)


def restore_logins(stage: Stage, superuser: psycopg.Connection[Any]) -> None:
    """Give everybody the login that he had: roles are the server's, so a copy of the hub has the same ones."""
    slug = stage.company.slug
    known = {member.login: (member.password, "team") for member in stage.people.values()}
    known |= {
        invited.login: (invited.password, "invited") for name, invited in stage.invites.items() if name != "revoked"
    }
    asked = "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)"
    found = {name for (name,) in superuser.execute(asked, [f"{slug}_m_"]).fetchall()}
    superuser.execute(f"SET ROLE {slug}_provisioner")
    for login in found - known.keys():
        superuser.execute(f'DROP ROLE "{login}"')
    for login, (password, group) in known.items():
        if login not in found:
            superuser.execute(f'CREATE ROLE "{login}"')
            superuser.execute(f'GRANT "{login}" TO {slug}_provisioner WITH INHERIT TRUE, SET FALSE')
        superuser.execute(f"ALTER ROLE \"{login}\" LOGIN CONNECTION LIMIT 10 PASSWORD '{password}'")
        superuser.execute(f'REVOKE {slug}_team, {slug}_invited FROM "{login}"')
        superuser.execute(f'GRANT {slug}_{group} TO "{login}"')
    superuser.execute("RESET ROLE")


def attack_is_refused(watch: Watch, name: str) -> bool:
    return watch.run(ATTACKS[name]) in ATTACKS[name].ends


def probe_holds(probe: Probe, stage: Stage, superuser: psycopg.Connection[Any]) -> bool:
    try:
        probe(stage, superuser)
    except (AssertionError, psycopg.Error, pytest.fail.Exception):
        return False
    return True


def findings(superuser: psycopg.Connection[Any]) -> set[str]:
    """What the catalog audit says, as codes."""
    return {code for code, query in CHECKS.items() if superuser.execute(query.encode()).fetchall()}


def main() -> None:
    """Print who caught what; fail when something caught nothing."""
    chosen = {name: mutation for name, mutation in MUTATIONS.items() if len(sys.argv) < 2 or name in sys.argv[1:]}
    missed = 0
    with make_stage(GROUNDS["18"]) as stage:
        for name, mutation in chosen.items():
            began = time.monotonic()
            with mutated(stage, mutation) as (copy, superuser):
                told = findings(superuser)
                watch = Watch(copy, superuser)
                caught = [attack for attack in ATTACKS if not attack_is_refused(watch, attack)]
                failed = sum(not probe_holds(probe, copy, superuser) for probe in mutation.probes)
            red = bool(told or caught or failed)
            missed += not red
            took = time.monotonic() - began
            told_text = ", ".join(sorted(told)) or "-"
            print(
                f"{'caught' if red else 'MISSED'}  {name}: {len(caught)} attacks, {failed} tests, audit: {told_text} ({took:.0f} s)"
            )
            print(*(f"          {one}" for one in caught[:4]), sep="\n", flush=True)
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
