"""Who he is: nothing that he says of himself counts; the login does."""

from __future__ import annotations

from tests.teams.attacks.attack import Attack, attack
from tests.teams.trying import NOTHING

_SOMEBODY_ELSE = """
    SELECT 'he is somebody else' WHERE hub_api.is_service() OR hub_api.current_role_is('admin', 'approver')
      OR hub_api.current_user_id() IS DISTINCT FROM '{bob}' OR hub_api.current_company_id() IS DISTINCT FROM '{company}'
      OR hub_api.current_owner_id() IS DISTINCT FROM '{company}'
"""
IDENTITY: dict[str, Attack] = {
    f"say that he is {what}": attack(*claims, _SOMEBODY_ELSE, ends=NOTHING)
    for what, claims in {
        "the admin, for the session": ("SET app.current_user_id = '{ann}'",),
        "the admin, for the transaction": ("SET LOCAL app.current_user_id = '{ann}'",),
        "the company": ("SET app.current_user_id = '{company}'",),
        "the admin, by set_config": ("SELECT set_config('app.current_user_id', '{ann}', false)",),
        "the maintenance": ("SET app.maintenance = 'on'",),
        "the admin under maintenance": ("SET app.maintenance = 'on'", "SET app.current_user_id = '{ann}'"),
        "the worker's setting": ("SET app.is_service = 'on'", "SET psn.login = 'worker'"),
        "on another search path": ("SET search_path = hub_api, pg_temp, public",),
        "his group": ("SET LOCAL ROLE {slug}_team",),
        "an admin by the catalog's name": ("SET LOCAL application_name = '{anns_login}'",),
    }.items()
} | {
    "see what is hidden under maintenance": attack("SET LOCAL app.maintenance = 'on'", "SELECT * FROM logins"),
    "see another owner's rows under maintenance": attack(
        "SET LOCAL app.maintenance = 'on'", "SELECT 1 FROM accounts WHERE user_id <> '{company}'", ends=NOTHING
    ),
    "see another owner's rows by naming him": attack(
        "SET LOCAL app.current_user_id = '{stranger}'", "SELECT 1 FROM accounts WHERE user_id = '{stranger}'", ends=NOTHING
    ),
    "look with row-level security off": attack("SET LOCAL row_security = off", "SELECT * FROM posts"),
    **{
        f"become {what}": attack(f"SET ROLE {role}")
        for what, role in {
            "the admin's login": '"{anns_login}"', "the owner": "{slug}_owner", "the definer": "{slug}_definer",
            "the provisioner": "{slug}_provisioner", "the worker": "{slug}_worker", "the worker's group": "{slug}_service",
            "the person of a personal hub": "{slug}_member", "an invited": "{slug}_invited", "the host": "{slug}_host",
            "the superuser": "postgres",
        }.items()
    },
    "become the admin's session": attack('SET SESSION AUTHORIZATION "{anns_login}"'),
    "become the owner's session": attack("SET SESSION AUTHORIZATION {slug}_owner"),
    "become who sees all data": attack("SET ROLE pg_read_all_data"),
}  # fmt: skip
