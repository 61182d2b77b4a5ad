"""The team: roles, rules, invites, days, configuration, audit and notices (TEAM-1)."""

from __future__ import annotations

from psycopg import sql

from tests.teams.attacks.attack import AGAINST_A_LAW, NOT_ALLOWED, OF_TEAMS, REFUSED, Attack, attack, insert
from tests.teams.trying import NOTHING


def invitation(name: str = "'x'", role: str = "'member'", ttl: str = "'7 days'", member: str = "NULL") -> str:
    return f"SELECT * FROM hub_api.create_invite({name}, {role}, {ttl}, {member})"


TEAM: dict[str, Attack] = {
    "make himself admin": attack("UPDATE users SET role = 'admin' WHERE id = '{bob}'", ends=REFUSED),
    "demote the admin": attack("UPDATE users SET role = 'member' WHERE id = '{ann}'", ends=REFUSED),
    "deactivate the admin": attack("UPDATE users SET is_active = false WHERE id = '{ann}'", ends=REFUSED),
    "rename the admin": attack("UPDATE users SET name = 'Bob' WHERE id = '{ann}'", ends=REFUSED),
    "rename the company": attack("UPDATE users SET name = 'Bob Ltd' WHERE id = '{company}'", ends=REFUSED),
    "add a person": attack(insert("users", user_id=None, id="nobody", name="x", timezone="UTC", is_active=True)),
    "remove a person": attack("DELETE FROM users"),
    "add a login for himself": attack("INSERT INTO logins (login_role, kind, user_id, is_active) VALUES ('x', 'member', '{ann}', true)"),
    "make his login the admin's": attack("UPDATE logins SET user_id = '{ann}'"),
    "make his login the worker's": attack("UPDATE logins SET kind = 'service', user_id = NULL"),
    "loosen the rules": attack("UPDATE companies SET posting_policy = 'free'", ends=REFUSED),
    "allow himself to approve": attack("UPDATE companies SET self_approval = true", ends=REFUSED),
    "loosen the rules as an approver": attack("UPDATE companies SET posting_policy = 'free'", who="cat", ends=REFUSED),
    "make another company": attack(insert("companies", user_id="bob", slug="mine", posting_policy="free")),
    "make the company another one": attack("UPDATE companies SET user_id = '{bob}'", who="ann", ends=(NOT_ALLOWED, NOTHING)),
    **{
        f"{what} as {article}": attack(statement, who=who, ends="PN403")
        for who, article in {"bob": "a member", "cat": "an approver"}.items()
        for what, statement in {
            "invite somebody": invitation(),
            "invite an admin": invitation(role="'admin'"),
            "invite himself once more": invitation(member=f"'{{{who}}}'"),
            "invite a new login of the admin": invitation(role="'admin'", member="'{ann}'"),
            "take an invite back": "SELECT hub_api.revoke_invite('{open_invite}')",
            "remove the admin": "SELECT hub_api.remove_member('{ann}')",
            "remove a colleague": "SELECT hub_api.remove_member('{eve}')",
            "give himself a role": f"SELECT hub_api.set_role('{{{who}}}', 'admin')",
            "take the admin's role": "SELECT hub_api.set_role('{ann}', 'member')",
        }.items()
    },
    **{
        f"call {name} by hand": attack(f"SELECT hub_api.{call}", who="ann")
        for name, call in {
            "what ends connections": "end_connections('{bobs_login}')", "what shuts out": "shut_out('{bobs_login}', '{slug}_team')",
            "what lets go": "let_go('{bob}')", "what ends invites": "end_invites_of('{ann}')", "what clears the way": "clear_the_way()",
            "what makes passwords": "new_password()", "what writes down": "note_team('{company}', 'member.removed', '{bob}', '{{}}')",
            "what finds members": "find_member('{bob}')", "what rings": "ring('publish_post', '{bobs_draft}', now())",
            "what tells authors": "tell_author((SELECT p FROM posts p LIMIT 1), 'act', 'approve.x', 'x')",
            "what notes posts": "note_post((SELECT p FROM posts p LIMIT 1), 'approved', 'a', 'b', '{{}}')",
            "what finds posts": "find_post_of_company('{bobs_draft}')",
        }.items()
    },
    "rename a colleague": attack("SELECT hub_api.set_name('{eve}', 'Bob', 'UTC')", ends="PN403"),
    "rename the company by the function": attack("SELECT hub_api.set_name('{company}', 'Bob Ltd', 'UTC')", ends="PN403"),
    "rename a colleague as an admin": attack("SELECT hub_api.set_name('{eve}', 'Bob', 'UTC')", who="ann", ends=(*OF_TEAMS, NOTHING)),
    "live in no zone": attack("SELECT hub_api.set_name('{bob}', 'Bob', 'Mars/Base')", ends="PN422"),
    "have the company live in no place": attack("SELECT hub_api.set_name('{company}', 'Acme', 'Factory')", who="ann", ends="PN422"),
    "loosen the rules by the function": attack("SELECT hub_api.set_policy('free', true)", ends="PN403"),
    "loosen the rules by the function as an approver": attack("SELECT hub_api.set_policy('free', true)", who="cat", ends="PN403"),
    "make rules that are none": attack("SELECT hub_api.set_policy('anarchy', true)", who="ann", ends="PN422"),
    "make no rules": attack("SELECT hub_api.set_policy(NULL, NULL)", who="ann", ends="PN422"),
    "sweep invites as a member": attack("SELECT hub_api.expire_invites()", ends=("PN403", NOT_ALLOWED)),
    "remove the company": attack("SELECT hub_api.remove_member('{company}')", who="ann", ends="PN404"),
    "give the company a role": attack("SELECT hub_api.set_role('{company}', 'member')", who="ann", ends="PN404"),
    "invite a login that is the company": attack(invitation(role="'admin'", member="'{company}'"), who="ann", ends="PN404"),
    "invite a login of nobody": attack(invitation(member="'{nobody}'"), who="ann", ends="PN404"),
    "remove nobody": attack("SELECT hub_api.remove_member('{nobody}')", who="ann", ends="PN404"),
    "remove null": attack("SELECT hub_api.remove_member(NULL)", who="ann", ends=("PN404", "PN422")),
    "give nobody a role": attack("SELECT hub_api.set_role('{nobody}', 'admin')", who="ann", ends="PN404"),
    "give a role that is none": attack("SELECT hub_api.set_role('{bob}', 'owner')", who="ann", ends="PN422"),
    "give no role": attack("SELECT hub_api.set_role('{bob}', NULL)", who="ann", ends="PN422"),
    "take no invite back": attack("SELECT hub_api.revoke_invite('{nobody}')", who="ann", ends="PN404"),
    **{
        f"invite {what}": attack(invitation(**values), who="ann", ends="PN422")
        for what, values in {
            "without a name": {"name": "''"}, "without any name": {"name": "NULL"}, "with a blank name": {"name": "'   '"},
            "with a name of a megabyte": {"name": "repeat('x', 1000000)"}, "to be an owner": {"role": "'owner'"},
            "to be nothing": {"role": "NULL"}, "until yesterday": {"ttl": "'-1 day'"}, "until now": {"ttl": "'0'"},
            "for ever": {"ttl": "NULL"}, "for a thousand years": {"ttl": "'1000 years'"},
        }.items()
    },
    "write an invite by hand": attack(
        insert("invites", login_role="x", name="x", role="admin", created_by_id="ann", expires_at="2031-01-01"), who="ann"
    ),
    "prolong an invite by hand": attack("UPDATE invites SET expires_at = '2031-01-01'", who="ann"),
    "remove invites by hand": attack("DELETE FROM invites", who="ann"),
    "add an account": attack(insert("accounts", platform="x", platform_account_id="9", handle="h", status="active")),
    "add an account as an admin": attack(
        insert("accounts", platform="x", platform_account_id="9", handle="h", status="active"), who="ann"
    ),
    "disconnect an account": attack("UPDATE accounts SET status = 'disconnected'"),
    "hold an account back": attack("UPDATE accounts SET next_allowed_at = 'infinity'"),
    "claim a day for another": attack(insert("slots", on="2031-03-01", platform="x", claimed_by_id="eve")),
    "claim a day that is taken": attack(insert("slots", on="2031-01-01", platform="x", claimed_by_id="bob"), ends="23505"),
    "claim a day for an owner of his own": attack(insert("slots", user_id="bob", on="2031-03-01", platform="x", claimed_by_id="bob")),
    "claim the end of time": attack(insert("slots", on="infinity", platform="x", claimed_by_id="bob"), ends=AGAINST_A_LAW),
    "claim a day before the calendar": attack(insert("slots", on="0001-01-01 BC", platform="x", claimed_by_id="bob"), ends=AGAINST_A_LAW),
    "claim a day on a platform of a megabyte": attack(
        insert("slots", on="2031-03-01", platform="x" * 1_000_000, claimed_by_id="bob"), ends=(AGAINST_A_LAW, "54000")
    ),
    "take another's day over": attack("UPDATE slots SET claimed_by_id = '{bob}'"),
    "take another's day over by its key": attack(
        lambda stage: stage.insert("slots", on="2031-01-01", platform="x", claimed_by_id=stage.people["bob"].id)
        + sql.SQL(' ON CONFLICT (user_id, "on", platform) DO UPDATE SET claimed_by_id = excluded.claimed_by_id')
    ),
    "release another's day": attack("DELETE FROM slots WHERE claimed_by_id <> '{bob}'", ends=NOTHING),
    "configure the company": attack(insert("hub_settings", name="company", version=1)),
    "configure the company as an approver": attack(insert("hub_settings", name="company", version=1), who="cat"),
    "configure the last version that there can be": attack(
        insert("hub_settings", name="company", version=2_147_483_647), who="ann", ends="23505"
    ),
    "configure a megabyte": attack(
        insert("hub_settings", name="company", version=1, value={"x": "x" * 1_000_000}), who="ann", ends=AGAINST_A_LAW
    ),
    "configure under a name of a megabyte": attack(
        insert("hub_settings", name="x" * 1_000_000, version=1), who="ann", ends=(AGAINST_A_LAW, "54000")
    ),
    "write a megabyte into the audit": attack(
        insert("audit_log", actor="bob", action="post.created", subject="post", subject_id="1", detail={"x": "x" * 1_000_000}),
        ends=AGAINST_A_LAW,
    ),
    "configure another owner": attack(insert("hub_settings", user_id="ann", name="company", version=1), who="ann"),
    "rewrite configuration": attack("UPDATE hub_settings SET value = '{{}}'", who="ann"),
    "thin configuration out": attack("DELETE FROM hub_settings", who="ann"),
    "rewrite the audit": attack("UPDATE audit_log SET actor = 'nobody'"),
    "thin the audit out": attack("DELETE FROM audit_log"),
    "rewrite the audit as an admin": attack("UPDATE audit_log SET actor = 'nobody'", who="ann"),
    "write down for another owner": attack(
        insert("audit_log", user_id="stranger", actor="x", action="note", subject="post", subject_id="1")
    ),
    **{
        f"write down that {action}": attack(insert("audit_log", actor="ann", action=action, subject="post", subject_id="1"))
        for action in (
            "post.approved", "post.rejected", "post.claimed", "post.published", "team.removed", "invite.created", "account.connected",
        )
    },
    "write a notice": attack(insert("notices", post_id="bobs_draft", level="act", code="x", message="send money", recipient_id="ann")),
    "read another's notices": attack("SELECT * FROM notices WHERE recipient_id <> '{bob}'", ends=NOTHING),
    "hide another's notice": attack("UPDATE notices SET seen_at = now() WHERE id = '{eves_notice}'", ends=NOTHING),
    "reword his notice": attack("UPDATE notices SET message = 'all is well' WHERE id = '{bobs_notice}'"),
    "pass his notice on": attack("UPDATE notices SET recipient_id = '{ann}' WHERE id = '{bobs_notice}'"),
}  # fmt: skip
