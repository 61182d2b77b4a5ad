"""The least that a publisher can do and still keep its word: psycopg and httpx2, no framework, no rows' laws, no threads.

One process of it makes the same durable writes as the engine, in the same three commits around the same one call: claim with its
audit row; intent; answer, part, post and audit. It reads nothing but what it needs, seals nothing, checks no approval.
`python -m benchmarks.bare` runs one until nothing is due; environment `BARE_DSN`, `BARE_URL`.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import httpx2
import psycopg

CLAIM = """
WITH due AS MATERIALIZED (
  SELECT p.id FROM posts p JOIN accounts a ON a.id = p.account_id
  WHERE p.status = 'scheduled' AND p.due_at <= now() AND p.approved_hash = p.content_hash
    AND NOT EXISTS (SELECT FROM posts b WHERE b.account_id = p.account_id AND b.status = 'publishing')
  ORDER BY p.due_at, p.id LIMIT 1 FOR UPDATE OF p SKIP LOCKED),
claimed AS (
  UPDATE posts p SET status = 'publishing', phase = 'claimed', fence = fence + 1, tries = tries + 1, lease_owner = 'bare',
    lease_until = now() + interval '60 s', updated_at = now() FROM due WHERE p.id = due.id RETURNING p.id, p.user_id, p.fence),
noted AS (
  INSERT INTO audit_log (id, user_id, actor, action, subject, subject_id, from_state, to_state, detail)
  SELECT gen_random_uuid(), user_id, 'bare', 'post.claimed', 'post', id::text, 'scheduled', 'publishing', '{}' FROM claimed)
SELECT c.id, c.user_id, c.fence, q.id, q.text FROM claimed c JOIN post_parts q ON q.post_id = c.id
"""
LEASE = """
UPDATE posts SET phase = 'sending', lease_until = now() + interval '90 s'
WHERE id = %s AND fence = %s AND status = 'publishing' AND lease_until > now()
"""
INTENT = """
INSERT INTO attempts (id, user_id, post_id, part_id, kind, fence, worker, fingerprint, outcome, remote_id, request_id, detail)
VALUES (gen_random_uuid(), %s, %s, %s, 'commit', %s, 'bare', '', '', '', '', '') RETURNING id
"""
ANSWER = "UPDATE attempts SET finished_at = now(), outcome = 'ok', remote_id = %s, http_status = %s WHERE id = %s"
PART = "UPDATE post_parts SET state = 'published', platform_post_id = %s, published_at = now() WHERE id = %s"
END = """
UPDATE posts SET status = 'published', phase = '', lease_until = NULL, lease_owner = '', platform_post_id = %s, published_at = now(),
  updated_at = now() WHERE id = %s AND fence = %s AND status = 'publishing'
"""
NOTE = """
INSERT INTO audit_log (id, user_id, actor, action, subject, subject_id, from_state, to_state, detail)
VALUES (gen_random_uuid(), %s, 'bare', 'post.published', 'post', %s, 'publishing', 'published', '{}')
"""


def main() -> None:
    """Publish until nothing is due."""
    with (
        psycopg.connect(os.environ["BARE_DSN"]) as connection,
        httpx2.Client(
            trust_env=False,
            limits=httpx2.Limits(
                max_keepalive_connections=0
            ),  # the same call: on a connection of its own, or nobody knows what it met
        ) as web,
    ):
        _wait_for_work(connection)
        while row := _claim(connection):
            post_id, user_id, fence, part_id, text = row
            connection.execute(LEASE, [post_id, fence])
            intent = connection.execute(INTENT, [user_id, post_id, part_id, fence]).fetchone()
            connection.commit()
            assert intent is not None
            reply = web.post(
                os.environ["BARE_URL"] + "/2/tweets", json={"text": text}, headers={"authorization": "Bearer bench"}
            )
            remote_id = json.loads(reply.content)["data"]["id"]
            connection.execute(ANSWER, [remote_id, reply.status_code, intent[0]])
            connection.execute(PART, [remote_id, part_id])
            connection.execute(END, [remote_id, post_id, fence])
            connection.execute(NOTE, [user_id, str(post_id)])
            connection.commit()


def _wait_for_work(connection: psycopg.Connection[Any]) -> None:
    """Wait until posts are due, so that all processes begin together, warm."""
    while not connection.execute("SELECT FROM posts WHERE status = 'scheduled' AND due_at <= now() LIMIT 1").fetchall():
        connection.rollback()
        time.sleep(0.005)
    connection.rollback()


def _claim(connection: psycopg.Connection[Any]) -> Any:
    """Claim the next post; another process may be claiming one of the same account."""
    while True:
        try:
            row = connection.execute(CLAIM).fetchone()
            connection.commit()
        except psycopg.errors.UniqueViolation:
            connection.rollback()
        else:
            return row


if __name__ == "__main__":
    main()
