import datetime

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import hub.models.base
from hub.rls.operations import HubSql, OwnedForeignKey, SecureTable
from hub.rls.policies import granted, owned

# What may go out now, by the database's clock: approved as it stands, not older than the account's grace, the account not told to
# wait, and nothing of it in flight. What an outage made late waits for its turn besides. `p` is the post, `a` its account.
CLAIMABLE = """
  p.status = 'scheduled' AND p.due_at <= pg_catalog.now() AND p.approved_hash = p.content_hash
  AND p.scheduled_at > pg_catalog.now() - a.grace
  AND (a.next_allowed_at IS NULL OR a.next_allowed_at <= pg_catalog.now())
  AND (p.due_at > pg_catalog.now() - late OR a.next_catch_up_at IS NULL OR a.next_catch_up_at <= pg_catalog.now())
  AND NOT EXISTS (SELECT FROM public.posts b WHERE b.account_id = p.account_id AND b.status = 'publishing')
"""

# The claim: one conditional update. A bell's own post is waited for, should somebody just be changing it; of the others, what
# somebody else holds is left to them. Two posts of one account claimed at the same moment meet in the unique index.
CLAIM = """
SET LOCAL ROLE {prefix}_definer;
CREATE FUNCTION hub_api.claim_posts(worker text, lease interval, late interval, wanted integer, post uuid)
RETURNS TABLE (id uuid, user_id uuid, fence bigint) LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $f$
#variable_conflict use_column
DECLARE
  everybody boolean := hub_api.is_service();
  me uuid := CASE WHEN NOT everybody THEN hub_api.current_user_id() END;
  found uuid[];
  taken uuid[];
BEGIN
  FOR look IN 1..3 LOOP
    BEGIN
      IF post IS NOT NULL THEN
        SELECT pg_catalog.array_agg(q.id) INTO found FROM (
          SELECT p.id FROM public.posts p JOIN public.accounts a ON a.id = p.account_id
          WHERE p.id = post AND (everybody OR p.user_id = me) AND CLAIMABLE FOR UPDATE OF p) q;
      ELSE
        SELECT pg_catalog.array_agg(d.id) INTO found FROM (
          SELECT DISTINCT ON (q.account_id) q.id FROM (
            SELECT p.id, p.account_id, p.due_at FROM public.posts p JOIN public.accounts a ON a.id = p.account_id
            WHERE (everybody OR p.user_id = me) AND CLAIMABLE
            ORDER BY p.due_at, p.id LIMIT wanted FOR UPDATE OF p SKIP LOCKED) q
          ORDER BY q.account_id, q.due_at, q.id) d;
      END IF;
      IF found IS NULL THEN
        RETURN;
      END IF;
      WITH claimed AS (
        UPDATE public.posts p SET status = 'publishing', phase = 'claimed', fence = p.fence + 1, tries = p.tries + 1,
          lease_owner = worker, lease_until = pg_catalog.now() + lease, updated_at = pg_catalog.now()
        WHERE p.id = ANY (found) RETURNING p.id, p.user_id, p.fence, p.tries),
      noted AS (
        INSERT INTO public.audit_log (id, user_id, actor, action, subject, subject_id, from_state, to_state, detail)
        SELECT pg_catalog.gen_random_uuid(), c.user_id, worker, 'post.claimed', 'post', c.id::text, 'scheduled', 'publishing',
          pg_catalog.jsonb_build_object('fence', c.fence, 'try', c.tries) FROM claimed c)
      SELECT pg_catalog.array_agg(c.id) INTO taken FROM claimed c;
      RETURN QUERY SELECT p.id, p.user_id, p.fence FROM public.posts p WHERE p.id = ANY (taken);
      RETURN;
    EXCEPTION WHEN unique_violation THEN
      NULL;  -- another post of the account was claimed at this very moment: look again, now it is seen
    END;
  END LOOP;
END
$f$;
REVOKE ALL ON FUNCTION hub_api.claim_posts(text, interval, interval, integer, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hub_api.claim_posts(text, interval, interval, integer, uuid) TO {prefix}_member, {prefix}_service;
RESET ROLE;
""".replace("CLAIMABLE", CLAIMABLE)
NO_CLAIM = """
SET LOCAL ROLE {prefix}_definer;
DROP FUNCTION hub_api.claim_posts(text, interval, interval, integer, uuid);
RESET ROLE;
"""

# The two writes around the call that cannot be taken back, each one statement that commits by itself, so that neither half of either
# is ever without the other, and a hub far away costs one round trip. They run as the caller: rows' policies and laws hold.
STEPS = """
CREATE FUNCTION hub_api.write_intent(
  me uuid, post uuid, fence bigint, lease interval, part uuid, attempt uuid, worker text, fingerprint text)
RETURNS boolean LANGUAGE plpgsql SET search_path = public, pg_temp AS $f$
#variable_conflict use_column
BEGIN
  PERFORM set_config('app.current_user_id', write_intent.me::text, true);
  UPDATE posts p SET phase = 'sending', lease_until = now() + write_intent.lease
    WHERE p.id = write_intent.post AND p.fence = write_intent.fence AND p.status = 'publishing' AND p.lease_until > now();
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO attempts (id, user_id, post_id, part_id, kind, fence, worker, fingerprint, outcome, remote_id, request_id, detail)
    VALUES (write_intent.attempt, write_intent.me, write_intent.post, write_intent.part, 'commit', write_intent.fence,
      write_intent.worker, write_intent.fingerprint, '', '', '', '');
  RETURN true;
END
$f$;
CREATE FUNCTION hub_api.store_answer(
  me uuid, post uuid, fence bigint, part uuid, attempt uuid, remote_id text, url text, http_status integer, request_id text,
  is_last boolean, late interval, gap interval)
RETURNS boolean LANGUAGE plpgsql SET search_path = public, pg_temp AS $f$
#variable_conflict use_column
DECLARE
  ended record;
BEGIN
  PERFORM set_config('app.current_user_id', store_answer.me::text, true);
  UPDATE attempts a SET finished_at = now(), outcome = 'ok', remote_id = store_answer.remote_id,
      http_status = store_answer.http_status, request_id = store_answer.request_id
    WHERE a.id = store_answer.attempt AND a.finished_at IS NULL;
  UPDATE post_parts q SET state = 'published', platform_post_id = store_answer.remote_id, url = store_answer.url, published_at = now()
    WHERE q.id = store_answer.part AND q.state = 'waiting';
  IF NOT is_last THEN
    RETURN true;
  END IF;
  SELECT p.account_id, p.due_at, p.updated_at, p.lease_owner, q.platform_post_id, q.url INTO ended
    FROM posts p JOIN post_parts q ON q.user_id = p.user_id AND q.post_id = p.id AND q.index = 0
    WHERE p.id = store_answer.post AND p.fence = store_answer.fence AND p.status = 'publishing' FOR UPDATE OF p;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE posts p SET status = 'published', published_at = now(), platform_post_id = ended.platform_post_id, url = ended.url,
      phase = '', lease_until = NULL, lease_owner = '', error_code = '', error_message = '', updated_at = now()
    WHERE p.id = store_answer.post;
  INSERT INTO audit_log (id, user_id, actor, action, subject, subject_id, from_state, to_state, detail)
    VALUES (gen_random_uuid(), store_answer.me, ended.lease_owner, 'post.published', 'post', store_answer.post::text,
      'publishing', 'published', '{}');
  IF ended.updated_at - ended.due_at > store_answer.late THEN
    UPDATE accounts a SET next_catch_up_at = now() + store_answer.gap WHERE a.id = ended.account_id;
  END IF;
  RETURN true;
END
$f$;
REVOKE ALL ON FUNCTION hub_api.write_intent(uuid, uuid, bigint, interval, uuid, uuid, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION hub_api.store_answer(uuid, uuid, bigint, uuid, uuid, text, text, integer, text, boolean, interval, interval)
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hub_api.write_intent(uuid, uuid, bigint, interval, uuid, uuid, text, text)
  TO {prefix}_member, {prefix}_service;
GRANT EXECUTE ON FUNCTION
  hub_api.store_answer(uuid, uuid, bigint, uuid, uuid, text, text, integer, text, boolean, interval, interval)
  TO {prefix}_member, {prefix}_service;
"""
NO_STEPS = """
DROP FUNCTION hub_api.write_intent(uuid, uuid, bigint, interval, uuid, uuid, text, text);
DROP FUNCTION hub_api.store_answer(uuid, uuid, bigint, uuid, uuid, text, text, integer, text, boolean, interval, interval);
"""

# What the sweep looks for, as ids alone: the worker's login sees nobody's rows before it acts for somebody.
STUCK = """
SET LOCAL ROLE {prefix}_definer;
DROP FUNCTION IF EXISTS hub_api.held_posts(text, text);  -- of hubs made before this
CREATE FUNCTION hub_api.find_stuck(worker text, incarnation text, late interval, patience interval, wanted integer)
RETURNS TABLE (id uuid, user_id uuid, trouble text) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $f$
  (SELECT p.id, p.user_id, 'orphaned' FROM public.posts p
   WHERE p.status = 'publishing' AND (SELECT hub_api.is_service()) AND (p.lease_until < pg_catalog.now() - patience
     OR pg_catalog.split_part(p.lease_owner, ':', 1) = worker AND pg_catalog.split_part(p.lease_owner, ':', 2) <> incarnation)
   ORDER BY p.lease_until LIMIT wanted)
  UNION ALL
  (SELECT p.id, p.user_id, 'missed' FROM public.posts p JOIN public.accounts a ON a.id = p.account_id
   WHERE p.status = 'scheduled' AND (SELECT hub_api.is_service()) AND p.due_at <= pg_catalog.now()
     AND p.scheduled_at <= pg_catalog.now() - a.grace
   ORDER BY p.due_at LIMIT wanted)
  UNION ALL
  (SELECT p.id, p.user_id, 'unseen' FROM public.posts p
   WHERE p.status = 'unknown' AND (SELECT hub_api.is_service()) AND p.look_at < pg_catalog.now() - patience
   ORDER BY p.look_at LIMIT wanted)
  UNION ALL
  (SELECT p.id, p.user_id, 'unclaimed' FROM public.posts p JOIN public.accounts a ON a.id = p.account_id
   WHERE (SELECT hub_api.is_service()) AND p.due_at < pg_catalog.now() - patience AND CLAIMABLE
   ORDER BY p.due_at LIMIT wanted)
$f$;
REVOKE ALL ON FUNCTION hub_api.find_stuck(text, text, interval, interval, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hub_api.find_stuck(text, text, interval, interval, integer) TO {prefix}_service;
RESET ROLE;
""".replace("CLAIMABLE", CLAIMABLE)
NO_STUCK = """
SET LOCAL ROLE {prefix}_definer;
DROP FUNCTION hub_api.find_stuck(text, text, interval, interval, integer);
RESET ROLE;
"""

# A bell that is due is found by its index, whatever lies in the future. A recurring task takes no arguments: one that cannot be read
# would keep all others from running.
QUEUE = """
DELETE FROM django_q_ormq;  -- signed pickles, which nobody reads any more: ring anew
INSERT INTO django_q_ormq (key, payload, lock)
  SELECT 'psn', pg_catalog.jsonb_build_object('task', 'publish_post', 'ids', pg_catalog.jsonb_build_object('post_id', id)), due_at
  FROM posts WHERE status = 'scheduled';
CREATE INDEX django_q_ormq_due ON django_q_ormq (key, lock);
ALTER TABLE django_q_schedule ADD CONSTRAINT django_q_schedule_is_plain CHECK (
  func ~ '^hub[.]tasks[.][a-z_]+$' AND schedule_type = 'I' AND coalesce(minutes, 0) >= 1 AND repeats = -1
  AND coalesce(args, '') = '' AND coalesce(kwargs, '') = '' AND hook IS NULL AND cluster IS NULL AND intended_date_kwarg IS NULL);
"""
NO_QUEUE = """
ALTER TABLE django_q_schedule DROP CONSTRAINT django_q_schedule_is_plain;
DROP INDEX django_q_ormq_due;
"""

OF_DEFINER = """
DROP POLICY held_select ON posts;
CREATE POLICY engine_select ON posts FOR SELECT TO {prefix}_definer USING (status IN ('scheduled', 'publishing', 'unknown'));
CREATE POLICY engine_claim ON posts FOR UPDATE TO {prefix}_definer USING (status = 'scheduled') WITH CHECK (status = 'publishing');
GRANT UPDATE ON posts TO {prefix}_definer;
CREATE POLICY engine_select ON post_parts FOR SELECT TO {prefix}_definer USING (true);  -- the law of what is published looks there
GRANT SELECT ON post_parts TO {prefix}_definer;
CREATE POLICY engine_select ON accounts FOR SELECT TO {prefix}_definer USING (true);
GRANT SELECT ON accounts TO {prefix}_definer;
CREATE POLICY engine_note ON audit_log FOR INSERT TO {prefix}_definer WITH CHECK (action = 'post.claimed');
GRANT INSERT ON audit_log TO {prefix}_definer;
"""
NOT_OF_DEFINER = """
REVOKE INSERT ON audit_log FROM {prefix}_definer;
DROP POLICY engine_note ON audit_log;
REVOKE SELECT ON accounts FROM {prefix}_definer;
DROP POLICY engine_select ON accounts;
REVOKE SELECT ON post_parts FROM {prefix}_definer;
DROP POLICY engine_select ON post_parts;
REVOKE UPDATE ON posts FROM {prefix}_definer;
DROP POLICY engine_claim ON posts;
DROP POLICY engine_select ON posts;
CREATE POLICY held_select ON posts FOR SELECT TO {prefix}_definer USING (status = 'publishing');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0005_queue"),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hub.models.base.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("level", models.TextField(choices=[("act", "Act"), ("know", "Know")])),
                ("code", models.TextField()),
                ("message", models.TextField()),
                ("seen_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "notices",
            },
        ),
        migrations.AddField(
            model_name="account",
            name="grace",
            field=models.DurationField(db_default=datetime.timedelta(days=2), default=datetime.timedelta(days=2)),
        ),
        migrations.AddField(
            model_name="account",
            name="next_catch_up_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="post",
            name="look_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="workerheartbeat",
            name="swept_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.RemoveIndex(model_name="post", name="posts_due"),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(
                models.F("due_at"), models.F("id"), condition=models.Q(("status", "scheduled")), name="posts_due"
            ),
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(models.F("look_at"), condition=models.Q(("status", "unknown")), name="posts_look"),
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(
                models.F("published_at"), condition=models.Q(("status", "published")), name="posts_published"
            ),
        ),
        migrations.AddIndex(
            model_name="postpart",
            index=models.Index(
                models.F("user"),
                models.F("platform_post_id"),
                condition=models.Q(("platform_post_id", ""), _negated=True),
                name="post_parts_remote",
            ),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=models.CheckConstraint(
                condition=models.Q(("look_at__isnull", True), ("status", "unknown"), _connector="OR"),
                name="posts_looks_when_unknown",
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="post",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="hub.post",
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="user",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="hub.user"
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                models.F("user"), models.OrderBy(models.F("at"), descending=True), name="notices_newest"
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                models.F("user"), models.F("at"), condition=models.Q(("seen_at__isnull", True)), name="notices_unseen"
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(condition=models.Q(("level__in", ["act", "know"])), name="notices_level"),
        ),
        OwnedForeignKey("notices", "post_id", references="posts"),
        SecureTable(
            "Notice", policies=owned("SELECT", "INSERT", "UPDATE"), grants=granted("SELECT", "INSERT", "UPDATE")
        ),
        HubSql(OF_DEFINER, reverse=NOT_OF_DEFINER),
        HubSql(CLAIM, reverse=NO_CLAIM),
        HubSql(STEPS, reverse=NO_STEPS),
        HubSql(STUCK, reverse=NO_STUCK),
        HubSql(QUEUE, reverse=NO_QUEUE),
    ]
