from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

from hub.rls.operations import HubSql, Law, OwnedForeignKey

# What was approved stays as it was (POST-4), and what is gone from the platform stays gone.
POSTS_KEEP = """
  IF NEW.options IS DISTINCT FROM OLD.options AND (OLD.status <> 'draft' OR NEW.status <> 'draft') THEN
    RAISE EXCEPTION 'options change only in a draft' USING ERRCODE = 'check_violation', CONSTRAINT = 'posts_keep_options';
  END IF;
  IF OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS DISTINCT FROM OLD.deleted_at THEN
    RAISE EXCEPTION 'a deleted post stays deleted' USING ERRCODE = 'check_violation', CONSTRAINT = 'posts_keep_options';
  END IF;
  RETURN NEW;
"""
ATTEMPTS_KEEP = """
  IF NEW.reference <> OLD.reference AND OLD.reference <> '' THEN
    RAISE EXCEPTION 'an attempt keeps its reference' USING ERRCODE = 'check_violation', CONSTRAINT = 'attempts_keep_reference';
  END IF;
  RETURN NEW;
"""

# A look may find that a person must finish the post in the platform's app, and a post that waits for the same call to be made again
# may be found too late for that: it may be live.
POSTS_CHANGE = import_module("hub.migrations.0003_posts").POSTS_CHANGE
CHANGE = """
CREATE OR REPLACE FUNCTION hub_api.posts_change_legally() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp
AS $law$ BEGIN BODY END $law$
"""
NOW_LEGAL = POSTS_CHANGE.replace(
    "'unknown published',", "'unknown published', 'unknown delivered', 'scheduled unknown',"
)

# The two writes around the call that cannot be taken back (0006), which now also keep the call's reference, what is left of the
# platform's limits, and whether a person must finish the post in the app. The former ones stay for workers that still run on them.
STEPS = """
CREATE FUNCTION hub_api.write_intent(
  me uuid, post uuid, fence bigint, lease interval, part uuid, attempt uuid, worker text, fingerprint text, reference text)
RETURNS boolean LANGUAGE plpgsql SET search_path = public, pg_temp AS $f$
#variable_conflict use_column
BEGIN
  PERFORM set_config('app.current_user_id', write_intent.me::text, true);
  UPDATE posts p SET phase = 'sending', lease_until = now() + write_intent.lease
    WHERE p.id = write_intent.post AND p.fence = write_intent.fence AND p.status = 'publishing' AND p.lease_until > now();
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO attempts (id, user_id, post_id, part_id, kind, fence, worker, fingerprint, reference, outcome, remote_id, request_id, detail)
    VALUES (write_intent.attempt, write_intent.me, write_intent.post, write_intent.part, 'commit', write_intent.fence,
      write_intent.worker, write_intent.fingerprint, write_intent.reference, '', '', '', '');
  RETURN true;
END
$f$;
CREATE FUNCTION hub_api.store_answer(
  me uuid, post uuid, fence bigint, part uuid, attempt uuid, remote_id text, url text, http_status integer, request_id text,
  is_last boolean, late interval, gap interval, told text, limits jsonb, wait interval)
RETURNS boolean LANGUAGE plpgsql SET search_path = public, pg_temp AS $f$
#variable_conflict use_column
DECLARE
  ended record;
  ended_as text := CASE WHEN store_answer.told = '' THEN 'published' ELSE 'delivered' END;
BEGIN
  PERFORM set_config('app.current_user_id', store_answer.me::text, true);
  UPDATE attempts a SET finished_at = now(), outcome = 'ok', remote_id = store_answer.remote_id,
      http_status = store_answer.http_status, request_id = store_answer.request_id
    WHERE a.id = store_answer.attempt AND a.finished_at IS NULL;
  UPDATE post_parts q SET state = ended_as, platform_post_id = store_answer.remote_id, url = store_answer.url,
      published_at = now()
    WHERE q.id = store_answer.part AND q.state = 'waiting';
  IF store_answer.limits IS NOT NULL THEN
    UPDATE accounts a SET rate_limits = a.rate_limits || store_answer.limits,
        next_allowed_at = greatest(a.next_allowed_at, now() + store_answer.wait)
      FROM posts p WHERE p.id = store_answer.post AND a.id = p.account_id;
  END IF;
  IF NOT is_last THEN
    RETURN true;
  END IF;
  SELECT p.account_id, p.due_at, p.updated_at, p.lease_owner, q.platform_post_id, q.url INTO ended
    FROM posts p JOIN post_parts q ON q.user_id = p.user_id AND q.post_id = p.id AND q.index = 0
    WHERE p.id = store_answer.post AND p.fence = store_answer.fence AND p.status = 'publishing' FOR UPDATE OF p;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE posts p SET status = ended_as, published_at = now(), platform_post_id = ended.platform_post_id, url = ended.url,
      phase = '', lease_until = NULL, lease_owner = '', error_code = '', error_message = '', updated_at = now()
    WHERE p.id = store_answer.post;
  INSERT INTO audit_log (id, user_id, actor, action, subject, subject_id, from_state, to_state, detail)
    VALUES (gen_random_uuid(), store_answer.me, ended.lease_owner, 'post.' || ended_as, 'post', store_answer.post::text,
      'publishing', ended_as, '{}');
  IF store_answer.told <> '' THEN
    INSERT INTO notices (id, user_id, post_id, level, code, message)
      VALUES (gen_random_uuid(), store_answer.me, store_answer.post, 'act', 'post.delivered', store_answer.told);
  END IF;
  IF ended.updated_at - ended.due_at > store_answer.late THEN
    UPDATE accounts a SET next_catch_up_at = now() + store_answer.gap WHERE a.id = ended.account_id;
  END IF;
  RETURN true;
END
$f$;
REVOKE ALL ON FUNCTION hub_api.write_intent(uuid, uuid, bigint, interval, uuid, uuid, text, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION hub_api.store_answer(
  uuid, uuid, bigint, uuid, uuid, text, text, integer, text, boolean, interval, interval, text, jsonb, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hub_api.write_intent(uuid, uuid, bigint, interval, uuid, uuid, text, text, text)
  TO {prefix}_member, {prefix}_service;
GRANT EXECUTE ON FUNCTION hub_api.store_answer(
  uuid, uuid, bigint, uuid, uuid, text, text, integer, text, boolean, interval, interval, text, jsonb, interval)
  TO {prefix}_member, {prefix}_service;
"""
NO_STEPS = """
DROP FUNCTION hub_api.write_intent(uuid, uuid, bigint, interval, uuid, uuid, text, text, text);
DROP FUNCTION hub_api.store_answer(
  uuid, uuid, bigint, uuid, uuid, text, text, integer, text, boolean, interval, interval, text, jsonb, interval);
"""

# What the sweep looks for besides: deletions that were asked for and not done, grants that end soon. Ids alone, as in 0006.
LEFT_OVER = """
SET LOCAL ROLE {prefix}_definer;
CREATE FUNCTION hub_api.find_undeleted(patience interval, wanted integer)
RETURNS TABLE (id uuid, user_id uuid) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $f$
  SELECT p.id, p.user_id FROM public.posts p
  WHERE p.delete_asked_at < pg_catalog.now() - patience AND p.deleted_at IS NULL AND (SELECT hub_api.is_service())
  ORDER BY p.delete_asked_at LIMIT wanted
$f$;
CREATE FUNCTION hub_api.find_grants()
RETURNS TABLE (account_id uuid, user_id uuid) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $f$
  SELECT a.id, a.user_id FROM public.accounts a WHERE a.status = 'active' AND (SELECT hub_api.is_service()) ORDER BY a.id
$f$;
REVOKE ALL ON FUNCTION hub_api.find_undeleted(interval, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION hub_api.find_grants() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hub_api.find_undeleted(interval, integer) TO {prefix}_service;
GRANT EXECUTE ON FUNCTION hub_api.find_grants() TO {prefix}_service;
RESET ROLE;
DROP POLICY engine_select ON posts;
CREATE POLICY engine_select ON posts FOR SELECT TO {prefix}_definer
  USING (status IN ('scheduled', 'publishing', 'unknown') OR delete_asked_at IS NOT NULL);
"""
NO_LEFT_OVER = """
SET LOCAL ROLE {prefix}_definer;
DROP FUNCTION hub_api.find_undeleted(interval, integer);
DROP FUNCTION hub_api.find_grants();
RESET ROLE;
DROP POLICY engine_select ON posts;
CREATE POLICY engine_select ON posts FOR SELECT TO {prefix}_definer USING (status IN ('scheduled', 'publishing', 'unknown'));
"""


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0006_engine"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="postpart",
            name="post_parts_published_has_remote_id",
        ),
        migrations.AddField(
            model_name="account",
            name="capabilities",
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="account",
            name="daily_cap",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="account",
            name="profile_url",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="account",
            name="rate_limits",
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="attempt",
            name="reference",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="oauthtoken",
            name="client_secret_sealed",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="oauthtoken",
            name="lease_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="oauthtoken",
            name="refresh_expires_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="oauthtoken",
            name="warned_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="post",
            name="campaign",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="post",
            name="delete_asked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="post",
            name="deleted_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="post",
            name="options",
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="postmedia",
            name="facts",
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AlterField(
            model_name="postpart",
            name="state",
            field=models.TextField(
                choices=[("waiting", "Waiting"), ("published", "Published"), ("delivered", "Delivered")],
                default="waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(
                models.F("account"),
                models.F("published_at"),
                condition=models.Q(("published_at__isnull", False)),
                name="posts_of_day",
            ),
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(
                models.F("campaign"), condition=models.Q(("campaign__isnull", False)), name="posts_campaign"
            ),
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(
                models.F("delete_asked_at"),
                condition=models.Q(("delete_asked_at__isnull", False), ("deleted_at", None)),
                name="posts_to_delete",
            ),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "delivered"), _negated=True),
                    models.Q(models.Q(("platform_post_id", ""), _negated=True), ("published_at__isnull", False)),
                    _connector="OR",
                ),
                name="posts_delivered_has_remote_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("delete_asked_at", None), ("deleted_at", None)),
                    models.Q(("delete_asked_at__isnull", False), ("status", "published")),
                    _connector="OR",
                ),
                name="posts_deletes_what_is_out",
            ),
        ),
        migrations.AddConstraint(
            model_name="postpart",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("published_at__isnull", False),
                        ("state__in", ["published", "delivered"]),
                        models.Q(("platform_post_id", ""), _negated=True),
                    ),
                    models.Q(("platform_post_id", ""), ("state", "waiting")),
                    _connector="OR",
                ),
                name="post_parts_published_has_remote_id",
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="account",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="hub.account",
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="post",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="hub.post",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(("post__isnull", False), ("account__isnull", False), _connector="OR"),
                name="notices_are_about_something",
            ),
        ),
        OwnedForeignKey("notices", "account_id", references="accounts"),
        HubSql(CHANGE.replace("BODY", NOW_LEGAL), reverse=CHANGE.replace("BODY", POSTS_CHANGE)),
        Law("posts_keep_options", table="posts", events="UPDATE", body=POSTS_KEEP),
        Law("attempts_keep_reference", table="attempts", events="UPDATE", body=ATTEMPTS_KEEP),
        HubSql(STEPS, reverse=NO_STEPS),
        HubSql(LEFT_OVER, reverse=NO_LEFT_OVER),
    ]
