from django.db import migrations

from hub.rls.operations import HubSql

# A member's post goes out when the company's policy says so (TEAM-2), and only as it was seen (POST-4). These functions are the only
# way: whatever a member writes into the row himself takes the approval away. They raise with a code of ours: PN403 not allowed,
# PN404 not found, PN409 something else by now, PN422 cannot be; the hint is the stable code that commands show.
APPROVING = """
SET LOCAL ROLE {prefix}_definer;
-- In an older snapshot a right that was taken away is still there.
CREATE FUNCTION hub_api.check_isolation() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $f$
BEGIN
  IF pg_catalog.current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'This works in READ COMMITTED alone.' USING ERRCODE = 'PN409', HINT = 'team.isolation';
  END IF;
END
$f$;
CREATE FUNCTION hub_api.find_post_of_company(post uuid) RETURNS public.posts
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $f$
DECLARE
  p public.posts;
BEGIN
  PERFORM hub_api.check_isolation();
  SELECT * INTO p FROM public.posts q WHERE q.id = post AND q.user_id = hub_api.current_company_id() FOR UPDATE;
  IF p.id IS NULL THEN
    RAISE EXCEPTION 'There is no post %.', post USING ERRCODE = 'PN404', HINT = 'post.not_found';
  END IF;
  RETURN p;
END
$f$;
CREATE FUNCTION hub_api.note_post(p public.posts, verb text, from_state text, to_state text, detail jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $f$
  INSERT INTO public.audit_log (id, user_id, actor, action, subject, subject_id, from_state, to_state, detail)
  VALUES (pg_catalog.gen_random_uuid(), (p).user_id, hub_api.current_user_id()::text, 'post.' || verb, 'post', (p).id::text, from_state,
    to_state, detail)
$f$;
CREATE FUNCTION hub_api.tell_author(p public.posts, level text, code text, message text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $f$
  INSERT INTO public.notices (id, user_id, post_id, recipient_id, level, code, message)
  SELECT pg_catalog.gen_random_uuid(), (p).user_id, (p).id, (p).author_id, level, code, message
  WHERE (p).author_id <> hub_api.current_user_id()
$f$;
CREATE FUNCTION hub_api.ring(task text, post uuid, at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $f$
  INSERT INTO public.django_q_ormq (key, payload, lock) VALUES ('psn',
    pg_catalog.jsonb_build_object('task', task, 'ids', pg_catalog.jsonb_build_object('post_id', post)
      || CASE task WHEN 'publish_post' THEN '{}' ELSE pg_catalog.jsonb_build_object('user_id', hub_api.current_company_id()) END)::text,
    at);
  SELECT pg_catalog.pg_notify('psn_bell', '')
$f$;
-- What was said yes or no to, as the database has it: an edit overwrites the parts.
CREATE FUNCTION hub_api.content_of(p public.posts) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $f$
  SELECT pg_catalog.jsonb_build_object(
    'scheduled_at', pg_catalog.to_char((p).scheduled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
    'options', (p).options,
    'parts', coalesce((SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('index', q.index, 'kind', q.kind, 'text', q.text,
        'media', coalesce((SELECT pg_catalog.jsonb_agg(
            pg_catalog.jsonb_build_object('sha256', m.sha256, 'mime_type', m.mime_type, 'alt_text', m.alt_text) ORDER BY m.index)
          FROM public.post_media m WHERE m.part_id = q.id), '[]')) ORDER BY q.index)
      FROM public.post_parts q WHERE q.post_id = (p).id), '[]'))
$f$;

CREATE FUNCTION hub_api.approve_post(post uuid, seen text, feedback text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET lock_timeout = '2s' AS $f$
#variable_conflict use_column
DECLARE
  me uuid := hub_api.current_user_id();
  decides boolean := hub_api.current_role_is('approver', 'admin');
  p public.posts := hub_api.find_post_of_company(post);
  c public.companies;
BEGIN
  feedback := coalesce(feedback, '');
  IF pg_catalog.length(feedback) > 4000 THEN
    RAISE EXCEPTION 'A note has at most 4,000 characters.' USING ERRCODE = 'PN422', HINT = 'approve.feedback';
  END IF;
  SELECT * INTO c FROM public.companies q WHERE q.user_id = p.user_id;
  IF NOT decides AND (c.posting_policy = 'approval' OR p.author_id IS DISTINCT FROM me) THEN
    RAISE EXCEPTION 'Only an approver or an admin of % approves this post.', c.slug USING ERRCODE = 'PN403', HINT = 'approve.not_approver';
  END IF;
  IF p.author_id = me AND c.posting_policy = 'approval' AND NOT c.self_approval THEN
    RAISE EXCEPTION 'You wrote this post, so somebody else has to approve it.' USING ERRCODE = 'PN403', HINT = 'approve.own_post';
  END IF;
  IF p.status <> 'pending_approval' OR p.scheduled_at IS NULL THEN
    RAISE EXCEPTION 'Post % is %, so there is nothing to approve.', p.id, p.status USING ERRCODE = 'PN409', HINT = 'post.state';
  END IF;
  IF p.content_hash IS DISTINCT FROM seen THEN
    RAISE EXCEPTION 'Post % is not what was shown: it was changed since. Look at it again.', p.id
      USING ERRCODE = 'PN409', HINT = 'post.changed';
  END IF;
  IF p.scheduled_at < pg_catalog.clock_timestamp() - interval '15 minutes' THEN
    RAISE EXCEPTION 'The time this post was meant for has passed. Its author has to give it another.'
      USING ERRCODE = 'PN422', HINT = 'time.past';
  END IF;
  IF c.posting_policy <> 'free' AND NOT EXISTS (
    SELECT FROM public.slots s JOIN public.accounts a ON a.platform = s.platform
    JOIN public.users u ON u.id = p.user_id
    WHERE s.user_id = p.user_id AND a.id = p.account_id AND s.claimed_by_id = p.author_id
      AND s.on = (p.scheduled_at AT TIME ZONE u.timezone)::date)
  THEN
    RAISE EXCEPTION 'Its author has not claimed that day for this platform.' USING ERRCODE = 'PN422', HINT = 'approve.no_slot';
  END IF;
  INSERT INTO public.approvals (id, user_id, post_id, by_id, verdict, feedback, content_hash, content)
    VALUES (pg_catalog.gen_random_uuid(), p.user_id, p.id, me, 'approved', feedback, p.content_hash, hub_api.content_of(p));
  UPDATE public.posts q SET status = 'approved', approved_hash = p.content_hash, approved_by = me::text, approved_at = pg_catalog.now(),
      updated_at = pg_catalog.now() WHERE q.id = p.id;
  UPDATE public.posts q SET status = 'scheduled', tries = 0, error_code = '', error_message = '' WHERE q.id = p.id;
  PERFORM hub_api.note_post(p, 'approved', p.status, 'scheduled', pg_catalog.jsonb_build_object('content_hash', p.content_hash));
  PERFORM hub_api.tell_author(p, 'know', 'approve.approved', 'Your post was approved. It goes out at its time.'
    || CASE WHEN feedback = '' THEN '' ELSE ' ' || feedback END);
  PERFORM hub_api.ring('publish_post', p.id, p.due_at);
END
$f$;

CREATE FUNCTION hub_api.reject_post(post uuid, feedback text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET lock_timeout = '2s' AS $f$
#variable_conflict use_column
DECLARE
  p public.posts := hub_api.find_post_of_company(post);
BEGIN
  IF NOT hub_api.current_role_is('approver', 'admin') THEN
    RAISE EXCEPTION 'Only an approver or an admin sends a post back.' USING ERRCODE = 'PN403', HINT = 'approve.not_approver';
  END IF;
  IF feedback IS NULL OR pg_catalog.btrim(feedback) = '' OR pg_catalog.length(feedback) > 4000 THEN
    RAISE EXCEPTION 'Say in 1 to 4,000 characters what has to change.' USING ERRCODE = 'PN422', HINT = 'approve.no_feedback';
  END IF;
  IF p.status NOT IN ('pending_approval', 'scheduled') THEN
    RAISE EXCEPTION 'Post % is %, so it cannot be sent back.', p.id, p.status USING ERRCODE = 'PN409', HINT = 'post.state';
  END IF;
  INSERT INTO public.approvals (id, user_id, post_id, by_id, verdict, feedback, content_hash, content)
    VALUES (pg_catalog.gen_random_uuid(), p.user_id, p.id, hub_api.current_user_id(), 'rejected', feedback, p.content_hash,
      hub_api.content_of(p));
  UPDATE public.posts q SET status = 'draft', approved_hash = '', approved_by = '', approved_at = NULL, updated_at = pg_catalog.now()
    WHERE q.id = p.id;
  PERFORM hub_api.note_post(p, 'rejected', p.status, 'draft', pg_catalog.jsonb_build_object('content_hash', p.content_hash));
  PERFORM hub_api.tell_author(p, 'act', 'approve.rejected', 'Your post was sent back: ' || feedback);
END
$f$;

CREATE FUNCTION hub_api.ask_deletion(post uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET lock_timeout = '2s' AS $f$
#variable_conflict use_column
DECLARE
  p public.posts := hub_api.find_post_of_company(post);
BEGIN
  IF p.author_id IS DISTINCT FROM hub_api.current_user_id() AND NOT hub_api.current_role_is('approver', 'admin') THEN
    RAISE EXCEPTION 'Only its author, an approver or an admin has this post deleted.' USING ERRCODE = 'PN403', HINT = 'post.not_author';
  END IF;
  IF p.status <> 'published' THEN
    RAISE EXCEPTION 'Post % is %, so there is nothing to delete.', p.id, p.status USING ERRCODE = 'PN409', HINT = 'post.state';
  END IF;
  IF p.delete_asked_at IS NULL THEN
    UPDATE public.posts q SET delete_asked_at = pg_catalog.now() WHERE q.id = p.id;
    PERFORM hub_api.note_post(p, 'delete_asked', p.status, p.status, '{}');
  END IF;
  PERFORM hub_api.ring('delete_post', p.id, pg_catalog.now());
END
$f$;

-- Whoever decides is told about a post that waits for him, until it does not any more.
CREATE FUNCTION hub_api.posts_ask_approvers() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $f$
BEGIN
  IF OLD.status = 'pending_approval' THEN
    UPDATE public.notices n SET seen_at = pg_catalog.now()
      WHERE n.user_id = NEW.user_id AND n.post_id = NEW.id AND n.code = 'approve.wanted' AND n.seen_at IS NULL;
  ELSIF EXISTS (SELECT FROM public.companies c WHERE c.user_id = NEW.user_id AND c.posting_policy = 'approval') THEN
    INSERT INTO public.notices (id, user_id, post_id, recipient_id, level, code, message)
    SELECT pg_catalog.gen_random_uuid(), NEW.user_id, NEW.id, u.id, 'act', 'approve.wanted',
      'A post of ' || coalesce((SELECT a.name FROM public.users a WHERE a.id = NEW.author_id), 'a member') || ' waits for your approval.'
    FROM public.users u, public.companies c
    WHERE c.user_id = NEW.user_id AND u.kind = 'person' AND u.is_active AND u.role IN ('approver', 'admin')
      AND (u.id IS DISTINCT FROM NEW.author_id OR c.self_approval);
  END IF;
  RETURN NULL;
END
$f$;
REVOKE ALL ON FUNCTION hub_api.check_isolation(), hub_api.find_post_of_company(uuid), hub_api.note_post(public.posts, text, text, text, jsonb),
  hub_api.tell_author(public.posts, text, text, text), hub_api.ring(text, uuid, timestamptz), hub_api.content_of(public.posts), hub_api.approve_post(uuid, text, text),
  hub_api.reject_post(uuid, text), hub_api.ask_deletion(uuid), hub_api.posts_ask_approvers() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hub_api.approve_post(uuid, text, text), hub_api.reject_post(uuid, text), hub_api.ask_deletion(uuid)
  TO {prefix}_team;
GRANT EXECUTE ON FUNCTION hub_api.posts_ask_approvers() TO {prefix}_owner;
RESET ROLE;
CREATE TRIGGER posts_ask_approvers AFTER UPDATE OF status ON posts FOR EACH ROW
  WHEN (NEW.status <> OLD.status AND 'pending_approval' IN (OLD.status, NEW.status)) EXECUTE FUNCTION hub_api.posts_ask_approvers();

CREATE POLICY decide_select ON posts FOR SELECT TO {prefix}_definer USING (author_id IS NOT NULL);
CREATE POLICY decide_update ON posts FOR UPDATE TO {prefix}_definer
  USING (author_id IS NOT NULL)
  WITH CHECK (status IN ('draft', 'approved', 'scheduled', 'published') AND author_id IS NOT NULL);
CREATE POLICY decide_insert ON audit_log FOR INSERT TO {prefix}_definer
  WITH CHECK (action IN ('post.approved', 'post.rejected', 'post.delete_asked'));
CREATE POLICY decide_select ON notices FOR SELECT TO {prefix}_definer USING (code LIKE 'approve.%');
CREATE POLICY decide_insert ON notices FOR INSERT TO {prefix}_definer WITH CHECK (code LIKE 'approve.%');
CREATE POLICY decide_update ON notices FOR UPDATE TO {prefix}_definer USING (code = 'approve.wanted') WITH CHECK (code = 'approve.wanted');
GRANT SELECT, INSERT, UPDATE ON notices TO {prefix}_definer;
CREATE POLICY decide_select ON post_media FOR SELECT TO {prefix}_definer USING (true);
GRANT SELECT ON post_media TO {prefix}_definer;
GRANT INSERT ON django_q_ormq TO {prefix}_definer;
"""
NO_APPROVING = """
REVOKE SELECT ON post_media FROM {prefix}_definer;
DROP POLICY decide_select ON post_media;
REVOKE INSERT ON django_q_ormq FROM {prefix}_definer;
REVOKE SELECT, INSERT, UPDATE ON notices FROM {prefix}_definer;
DROP POLICY decide_update ON notices;
DROP POLICY decide_insert ON notices;
DROP POLICY decide_select ON notices;
DROP POLICY decide_insert ON audit_log;
DROP POLICY decide_update ON posts;
DROP POLICY decide_select ON posts;
DROP TRIGGER posts_ask_approvers ON posts;
SET LOCAL ROLE {prefix}_definer;
DROP FUNCTION hub_api.posts_ask_approvers();
DROP FUNCTION hub_api.ask_deletion(uuid);
DROP FUNCTION hub_api.reject_post(uuid, text);
DROP FUNCTION hub_api.approve_post(uuid, text, text);
DROP FUNCTION hub_api.content_of(public.posts);
DROP FUNCTION hub_api.ring(text, uuid, timestamptz);
DROP FUNCTION hub_api.tell_author(public.posts, text, text, text);
DROP FUNCTION hub_api.note_post(public.posts, text, text, text, jsonb);
DROP FUNCTION hub_api.find_post_of_company(uuid);
DROP FUNCTION hub_api.check_isolation();
RESET ROLE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0008_teams"),
    ]

    operations = [HubSql(APPROVING, reverse=NO_APPROVING)]
