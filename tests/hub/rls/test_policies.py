"""Policies refuse nonsense before any database sees it, and can be written into a migration."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.migrations.writer import MigrationWriter

from hub.rls import policies, roles
from hub.rls.policies import ME, Grant, Policy, granted, owned

MINE = f"user_id = {ME}"


class TestPolicy:
    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            ({"command": "SELECT"}, "USING"),
            ({"command": "SELECT", "using": MINE, "check": MINE}, "WITH CHECK"),
            ({"command": "INSERT"}, "WITH CHECK"),
            ({"command": "INSERT", "using": MINE, "check": MINE}, "USING"),
            ({"command": "UPDATE", "using": MINE}, "WITH CHECK"),
            ({"command": "UPDATE", "check": MINE}, "USING"),
            ({"command": "DELETE"}, "USING"),
            ({"command": "DELETE", "using": MINE, "check": MINE}, "WITH CHECK"),
            ({"command": "SELECT", "using": "user_id = hub_api.current_user_id()"}, "once per statement"),
            ({"command": "INSERT", "check": "hub_api.is_service()"}, "once per statement"),
            ({"command": "SELECT", "using": f"{MINE} OR hub_api.is_service()"}, "once per statement"),
        ],
        ids=[
            "nothing to see",
            "select with a check",
            "insert of anything",
            "insert with a using",
            "update to anything",
            "update of anything",
            "delete of anything",
            "delete with a check",
            "function per row",
            "function per new row",
            "function per row beside a good one",
        ],
    )
    def test_refuses(self, values: dict[str, Any], reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            Policy(name="p", **values)

    def test_for_all_commands_does_not_exist(self) -> None:
        with pytest.raises(ValueError):
            Policy(name="p", command="ALL", using=MINE, check=MINE)  # type: ignore[arg-type]

    def test_is_written_down_as_it_is(self) -> None:
        for value in (*owned("SELECT", "INSERT", "UPDATE", "DELETE"), *granted("SELECT", "DELETE")):
            text, imports = MigrationWriter.serialize(value)
            assert imports == {"import hub.rls.policies"}
            assert eval(text, {"hub": _namespace()}) == value


class TestOwned:
    def test_compares_the_owner_wherever_a_command_can(self) -> None:
        assert [(p.command, p.using, p.check) for p in owned("SELECT", "INSERT", "UPDATE", "DELETE")] == [
            ("SELECT", MINE, ""),
            ("INSERT", "", MINE),
            ("UPDATE", MINE, MINE),
            ("DELETE", MINE, ""),
        ]

    def test_is_for_people_and_worker_alone(self) -> None:
        assert {policy.groups for policy in owned("SELECT", "INSERT")} == {("member", "service")}
        assert granted("SELECT") == (Grant("member", ("SELECT",)), Grant("service", ("SELECT",)))


class TestCheckPrefix:
    @pytest.mark.parametrize("prefix", ["psn", "acme_2", "a" * 30])
    def test_takes_a_plain_name(self, prefix: str) -> None:
        roles.check_prefix(prefix)

    @pytest.mark.parametrize("prefix", ["", "Psn", "1a", "a b", 'a"; DROP ROLE x; --', "a" * 31, "psn\n"])
    def test_refuses_what_would_have_to_be_quoted(self, prefix: str) -> None:
        with pytest.raises(ValueError, match="prefix"):
            roles.check_prefix(prefix)


def _namespace() -> Any:
    """`hub.rls.policies`, as a migration's imports make it."""
    return type("hub", (), {"rls": type("rls", (), {"policies": policies})})
