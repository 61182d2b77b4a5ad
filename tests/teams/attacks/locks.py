"""Locks: nobody stands in the way of his own removal, or of everybody's identity."""

from __future__ import annotations

from tests.teams.attacks.attack import NOT_ALLOWED, Attack, attack

LOCKS: dict[str, Attack] = {
    f"lock the table {table}": attack(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    for table in (
        "users", "logins", "companies", "invites", "oauth_tokens", "api_keys", "accounts", "approvals", "attempts",
        "django_q_ormq", "django_migrations", "hub_api.setting",
    )
} | {
    "lock his own person": attack("SELECT 1 FROM users WHERE id = '{bob}' FOR UPDATE", ends=NOT_ALLOWED),
    "lock the company": attack("SELECT 1 FROM companies FOR UPDATE", ends=NOT_ALLOWED),
    "lock the company as an admin": attack("SELECT 1 FROM companies FOR UPDATE", who="ann", ends=NOT_ALLOWED),
    "lock an invite as an admin": attack("SELECT 1 FROM invites FOR UPDATE", who="ann", ends=NOT_ALLOWED),
}  # fmt: skip
