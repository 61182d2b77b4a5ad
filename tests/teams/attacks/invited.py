"""Somebody who was only invited, and the worker's login in other hands."""

from __future__ import annotations

from tests.teams.attacks.attack import NOT_ALLOWED, Attack, attack
from tests.teams.attacks.team import invitation
from tests.teams.trying import NOTHING

INVITED: dict[str, Attack] = {
    **{
        f"read {table} with an invite": attack(f"SELECT * FROM public.{table}", who="open")
        for table in ("users", "posts", "accounts", "invites", "companies", "logins", "oauth_tokens", "django_migrations", "audit_log")
    },
    "ask who he is with an invite": attack("SELECT hub_api.current_user_id()", who="open"),
    "invite somebody with an invite": attack(invitation(), who="open"),
    "become a member with an invite": attack("SET ROLE {slug}_team", who="open"),
    "join his group with an invite": attack('GRANT {slug}_team TO "{open_login}"', who="open"),
    "leave with an invite": attack("SELECT hub_api.leave_team()", who="open"),
    "name himself with an invite": attack("SELECT hub_api.set_name('{nobody}', 'x', 'UTC')", who="open"),
    "redeem an invite that is too old": attack("SELECT * FROM hub_api.redeem()", who="late", ends=("PN403", "PN409")),
    "redeem as a member": attack("SELECT * FROM hub_api.redeem()", ends=(NOT_ALLOWED, "PN403", "PN409")),
    "invite with the worker's login": attack(invitation(), who="worker", ends=(NOT_ALLOWED, "PN403")),
    "invite with the worker's login as the admin": attack(
        "SET LOCAL app.current_user_id = '{ann}'", invitation(), who="worker", ends=(NOT_ALLOWED, "PN403")
    ),
    "remove with the worker's login as the admin": attack(
        "SET LOCAL app.current_user_id = '{ann}'", "SELECT hub_api.remove_member('{bob}')", who="worker", ends=(NOT_ALLOWED, "PN403")
    ),
    "read the company's posts with the worker's login as a member": attack(
        "SET LOCAL app.current_user_id = '{bob}'", "SELECT 1 FROM posts", who="worker", ends=NOTHING
    ),
    "read logins with the worker's login": attack("SELECT * FROM logins", who="worker"),
    "become the owner with the worker's login": attack("SET ROLE {slug}_owner", who="worker"),
    "become a member with the worker's login": attack('SET ROLE "{bobs_login}"', who="worker"),
}  # fmt: skip
