"""Secrets, and what only the worker and the hub's own functions read and run."""

from __future__ import annotations

from tests.teams.attacks.attack import REFUSED, Attack, attack, insert

SECRETS: dict[str, Attack] = {
    "read logins": attack("SELECT * FROM logins"),
    "read tokens": attack("SELECT * FROM oauth_tokens"),
    "read tokens as an admin": attack("SELECT * FROM oauth_tokens", who="ann"),
    "read one column of tokens": attack("SELECT access_token_sealed FROM oauth_tokens"),
    "count tokens": attack("SELECT count(*) FROM oauth_tokens"),
    "read keys": attack("SELECT * FROM api_keys"),
    "read keys as an admin": attack("SELECT * FROM api_keys", who="ann"),
    "store a key": attack(insert("api_keys", name="mine", key_sealed="x")),
    "replace a token": attack("UPDATE oauth_tokens SET access_token_sealed = 'mine'"),
    "delete tokens": attack("DELETE FROM oauth_tokens"),
    "read invites": attack("SELECT * FROM invites", ends=REFUSED),
    "read invites as an approver": attack("SELECT * FROM invites", who="cat", ends=REFUSED),
    "read passwords": attack("SELECT rolpassword FROM pg_authid"),
    "read the passwords of logins": attack("SELECT passwd FROM pg_shadow"),
    "read the hub's own settings": attack("SELECT * FROM hub_api.setting"),
    "change the hub's own settings": attack("UPDATE hub_api.setting SET value = 'personal'"),
    "read the queue": attack("SELECT * FROM django_q_ormq"),
    "ring a bell": attack("INSERT INTO django_q_ormq (key, payload, lock) VALUES ('psn', '{{}}', now())"),
    "ring a bell as an admin": attack(
        "INSERT INTO django_q_ormq (key, payload, lock) VALUES ('psn', '{{}}', now())", who="ann"
    ),
    "silence the bells": attack("DELETE FROM django_q_ormq"),
    "take a number of the queue": attack("SELECT nextval('django_q_ormq_id_seq')"),
    "read failed tasks": attack("SELECT * FROM django_q_task"),
    "plant a pickle": attack("INSERT INTO django_q_task (id, name, func) VALUES ('9', 'x', 'x')"),
    "read recurring tasks": attack("SELECT * FROM django_q_schedule"),
    "add a recurring task": attack("INSERT INTO django_q_schedule (func) VALUES ('os.system')"),
    "rewrite migrations": attack("DELETE FROM django_migrations"),
    "claim posts": attack("SELECT * FROM hub_api.claim_posts('w', '1 h', '1 h', 10, NULL)"),
    "claim his own post": attack("SELECT * FROM hub_api.claim_posts('w', '1 h', '1 h', 10, '{bobs_scheduled}')"),
    "look for what is stuck": attack("SELECT * FROM hub_api.find_stuck('w', '1', '1 h', '1 s', 100)"),
    "look for what is to be deleted": attack("SELECT * FROM hub_api.find_undeleted('1 s', 100)"),
    "look for accounts with grants": attack("SELECT * FROM hub_api.find_grants()"),
    "look for owners of files": attack("SELECT * FROM hub_api.find_chunk_owners()"),
    "write the intent of a call": attack(
        "SELECT hub_api.write_intent('{company}', '{bobs_publishing}', 1, '1 h', '{bobs_publishing_part}', "
        "gen_random_uuid(), 'w', 'f', 'key')"
    ),
    "write the intent of a call in the former way": attack(
        "SELECT hub_api.write_intent('{company}', '{bobs_publishing}', 1, '1 h', '{bobs_publishing_part}', gen_random_uuid(), 'w', 'f')"
    ),
    "answer a call for the platform": attack(
        "SELECT hub_api.store_answer('{company}', '{bobs_publishing}', 1, '{bobs_publishing_part}', gen_random_uuid(), "
        "'7', '', 200, '', true, '1 h', '1 h', '', NULL, NULL)"
    ),
    "answer a call in the former way": attack(
        "SELECT hub_api.store_answer('{company}', '{bobs_publishing}', 1, '{bobs_publishing_part}', gen_random_uuid(), "
        "'7', '', 200, '', true, '1 h', '1 h')"
    ),
    "pretend to be a living worker": attack(
        insert("worker_heartbeats", user_id=None, name="x@y", incarnation="1", host="h", pid=1, version="1")
    ),
    "silence the worker's signs of life": attack("DELETE FROM worker_heartbeats"),
}
