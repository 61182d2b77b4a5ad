from django.db import migrations

from hub.rls.operations import HubSql

# How people come into a company's team and leave it (TEAM-1). The provisioner owns these functions: it may make logins, and manages
# only those that it made. It exists in companies' hubs alone.
#
# An invite is a login that can do nothing but redeem it. Passwords are made in here, so they stand in no statement, and nobody but the
# one who redeems learns the one that stays.
RIGHTS = """
GRANT SELECT, INSERT, UPDATE ON users, logins, invites TO {prefix}_provisioner;
GRANT SELECT, UPDATE ON companies TO {prefix}_provisioner;
GRANT INSERT ON audit_log TO {prefix}_provisioner;
CREATE POLICY team_all_select ON users FOR SELECT TO {prefix}_provisioner USING (true);
CREATE POLICY team_all_insert ON users FOR INSERT TO {prefix}_provisioner WITH CHECK (kind = 'person');
CREATE POLICY team_all_update ON users FOR UPDATE TO {prefix}_provisioner USING (true) WITH CHECK (true);
CREATE POLICY team_all_select ON logins FOR SELECT TO {prefix}_provisioner USING (kind = 'member');
CREATE POLICY team_all_insert ON logins FOR INSERT TO {prefix}_provisioner WITH CHECK (kind = 'member');
CREATE POLICY team_all_update ON logins FOR UPDATE TO {prefix}_provisioner USING (kind = 'member') WITH CHECK (kind = 'member');
CREATE POLICY team_all_select ON invites FOR SELECT TO {prefix}_provisioner USING (true);
CREATE POLICY team_all_insert ON invites FOR INSERT TO {prefix}_provisioner WITH CHECK (true);
CREATE POLICY team_all_update ON invites FOR UPDATE TO {prefix}_provisioner USING (true) WITH CHECK (true);
CREATE POLICY team_all_select ON companies FOR SELECT TO {prefix}_provisioner USING (true);
CREATE POLICY team_all_update ON companies FOR UPDATE TO {prefix}_provisioner USING (true) WITH CHECK (true);
CREATE POLICY team_note ON audit_log FOR INSERT TO {prefix}_provisioner
  WITH CHECK (action LIKE 'team.%' OR action LIKE 'invite.%' OR action LIKE 'member.%');
SET LOCAL ROLE {prefix}_definer;
GRANT EXECUTE ON FUNCTION hub_api.current_user_id(), hub_api.current_company_id(), hub_api.current_role_is(text[]),
  hub_api.is_service(), hub_api.check_isolation() TO {prefix}_provisioner;
RESET ROLE;
GRANT EXECUTE ON FUNCTION hub_api.writes_as_member() TO {prefix}_provisioner;
"""
NO_RIGHTS = """
REVOKE EXECUTE ON FUNCTION hub_api.writes_as_member() FROM {prefix}_provisioner;
SET LOCAL ROLE {prefix}_definer;
REVOKE EXECUTE ON FUNCTION hub_api.current_user_id(), hub_api.current_company_id(), hub_api.current_role_is(text[]),
  hub_api.is_service(), hub_api.check_isolation() FROM {prefix}_provisioner;
RESET ROLE;
DROP POLICY team_note ON audit_log;
DROP POLICY team_all_update ON companies;
DROP POLICY team_all_select ON companies;
DROP POLICY team_all_update ON invites;
DROP POLICY team_all_insert ON invites;
DROP POLICY team_all_select ON invites;
DROP POLICY team_all_update ON logins;
DROP POLICY team_all_insert ON logins;
DROP POLICY team_all_select ON logins;
DROP POLICY team_all_update ON users;
DROP POLICY team_all_insert ON users;
DROP POLICY team_all_select ON users;
REVOKE ALL ON users, logins, invites, companies, audit_log FROM {prefix}_provisioner;
"""

JOINING = """
SET LOCAL ROLE {prefix}_provisioner;
CREATE FUNCTION hub_api.note_team(owner uuid, verb text, subject_id uuid, detail jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $f$
  INSERT INTO public.audit_log (id, user_id, actor, action, subject, subject_id, from_state, to_state, detail)
  VALUES (pg_catalog.gen_random_uuid(), owner, coalesce(hub_api.current_user_id()::text, 'worker'), verb,
    pg_catalog.split_part(verb, '.', 1), subject_id::text, '', '', detail)
$f$;
CREATE FUNCTION hub_api.check_admin() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $f$
BEGIN
  PERFORM hub_api.check_isolation();
  IF hub_api.current_company_id() IS NULL OR NOT hub_api.current_role_is('admin') THEN
    RAISE EXCEPTION 'Only an admin of the team may do this.' USING ERRCODE = 'PN403', HINT = 'team.not_admin';
  END IF;
END
$f$;
CREATE FUNCTION hub_api.new_password() RETURNS text LANGUAGE sql VOLATILE SET search_path = '' AS $f$
  SELECT 'aA1!' || pg_catalog.replace(pg_catalog.gen_random_uuid()::text || pg_catalog.gen_random_uuid()::text, '-', '')
$f$;

-- Whoever changes roles locks them until he commits. One who begins such a change and never ends it would hold the whole team up, so
-- whoever comes next waits two seconds for him and then ends his connection. It looks at locks, so it waits for none itself. The
-- provisioner is a member of every login that it makes: that permits to end its connections.
CREATE FUNCTION hub_api.clear_the_way() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $f$
DECLARE
  holders integer[];
BEGIN
  FOR round IN 1..20 LOOP
    SELECT pg_catalog.array_agg(DISTINCT l.pid) INTO holders FROM pg_catalog.pg_locks l
    WHERE l.granted AND l.pid <> pg_catalog.pg_backend_pid()
      AND (l.locktype = 'object' AND l.classid = 'pg_catalog.pg_authid'::pg_catalog.regclass
        OR l.locktype = 'relation' AND l.mode NOT IN ('AccessShareLock', 'SIReadLock') AND l.relation IN (
          'public.companies'::pg_catalog.regclass, 'public.invites'::pg_catalog.regclass, 'public.logins'::pg_catalog.regclass,
          'pg_catalog.pg_authid'::pg_catalog.regclass, 'pg_catalog.pg_auth_members'::pg_catalog.regclass));
    EXIT WHEN holders IS NULL;
    PERFORM pg_catalog.pg_stat_clear_snapshot();
    SELECT pg_catalog.array_agg(a.pid) INTO holders FROM pg_catalog.pg_stat_activity a
    WHERE a.pid = ANY (holders) AND pg_catalog.starts_with(a.usename::text, '{prefix}_m_');
    EXIT WHEN holders IS NULL;
    IF round = 20 THEN
      PERFORM pg_catalog.pg_terminate_backend(h, 1000) FROM pg_catalog.unnest(holders) h;
    END IF;
    PERFORM pg_catalog.pg_sleep(0.1);
  END LOOP;
END
$f$;
-- Ends a login's connections: one that is in an old snapshot still sees rights that were taken away. Their locks are gone when they are.
-- (The wait that pg_terminate_backend offers takes steps of a tenth of a second.)
CREATE FUNCTION hub_api.end_connections(login text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $f$
DECLARE
  pids integer[];
BEGIN
  PERFORM pg_catalog.pg_stat_clear_snapshot();
  SELECT coalesce(pg_catalog.array_agg(a.pid), '{}') INTO pids FROM pg_catalog.pg_stat_activity a
    WHERE a.usename = login AND a.pid <> pg_catalog.pg_backend_pid();
  PERFORM pg_catalog.pg_terminate_backend(p) FROM pg_catalog.unnest(pids) p;
  FOR round IN 1..1000 LOOP
    PERFORM pg_catalog.pg_stat_clear_snapshot();
    EXIT WHEN NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.pid = ANY (pids) AND a.usename = login);
    PERFORM pg_catalog.pg_sleep(0.001);
  END LOOP;
  RETURN pg_catalog.cardinality(pids);
END
$f$;
-- Ends a login's connections and lets in no new one. First the connections, so that no lock they hold can stop the rest, and once more
-- at the end for one that came in between.
CREATE FUNCTION hub_api.shut_out(login text, rights text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $f$
DECLARE
  ended integer := hub_api.end_connections(login);
BEGIN
  EXECUTE pg_catalog.format('ALTER ROLE %I NOLOGIN CONNECTION LIMIT 0', login);
  EXECUTE pg_catalog.format('REVOKE %I FROM %I', rights, login);
  RETURN ended + hub_api.end_connections(login);
END
$f$;
CREATE FUNCTION hub_api.end_invite(invite public.invites) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $f$
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = invite.login_role) THEN
    PERFORM hub_api.shut_out(invite.login_role, '{prefix}_invited');
  END IF;
  UPDATE public.invites i SET revoked_at = pg_catalog.now() WHERE i.id = invite.id AND i.revoked_at IS NULL AND i.redeemed_at IS NULL;
  IF NOT FOUND THEN
    RETURN;  -- it was redeemed at the last moment: the login is a member's by now, and goes with him
  END IF;
  BEGIN
    EXECUTE pg_catalog.format('DROP ROLE IF EXISTS %I', invite.login_role);
  EXCEPTION WHEN dependent_objects_still_exist THEN
    NULL;  -- it left something of its own behind; shut out it is
  END;
END
$f$;
CREATE FUNCTION hub_api.end_invites_of(admin uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $f$
  SELECT hub_api.end_invite(i) FROM public.invites i
  WHERE i.created_by_id = admin AND i.redeemed_at IS NULL AND i.revoked_at IS NULL
$f$;
-- Whoever changes who is an admin waits here for the others who do, and is asked for his own rights once more after that.
CREATE FUNCTION hub_api.find_member(member uuid) RETURNS public.users
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $f$
DECLARE
  u public.users;
BEGIN
  PERFORM hub_api.check_isolation();
  PERFORM FROM public.companies c FOR UPDATE;
  SELECT * INTO u FROM public.users q WHERE q.id = member AND q.kind = 'person' AND q.is_active;
  IF u.id IS NULL THEN
    RAISE EXCEPTION 'There is no member % in this team.', member USING ERRCODE = 'PN404', HINT = 'team.no_member';
  END IF;
  RETURN u;
END
$f$;
CREATE FUNCTION hub_api.keep_an_admin(member uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $f$
BEGIN
  IF NOT EXISTS (SELECT FROM public.users u WHERE u.is_active AND u.kind = 'person' AND u.role = 'admin' AND u.id <> member) THEN
    RAISE EXCEPTION 'A team needs an admin: make somebody else one first.' USING ERRCODE = 'PN409', HINT = 'team.last_admin';
  END IF;
END
$f$;

CREATE FUNCTION hub_api.create_invite(name text, role text, ttl interval, member uuid DEFAULT NULL)
RETURNS TABLE (invite_id uuid, login_role text, one_time_password text, expires_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET createrole_self_grant = '' AS $f$
#variable_conflict use_variable
DECLARE
  company uuid := hub_api.current_company_id();
  former public.users;
BEGIN
  PERFORM hub_api.check_admin();
  IF member IS NOT NULL THEN
    former := hub_api.find_member(member);
    name := former.name;
    role := former.role;
  END IF;
  IF role IS NULL OR role NOT IN ('member', 'approver', 'admin') THEN
    RAISE EXCEPTION 'A role is one of: member, approver, admin.' USING ERRCODE = 'PN422', HINT = 'team.role';
  END IF;
  IF name IS NULL OR pg_catalog.btrim(name) = '' OR pg_catalog.length(name) > 100 OR name ~ '[[:cntrl:]]' THEN
    RAISE EXCEPTION 'A name has 1 to 100 characters on one line.' USING ERRCODE = 'PN422', HINT = 'team.name';
  END IF;
  IF ttl IS NULL OR ttl < interval '1 second' OR ttl > interval '30 days' THEN
    RAISE EXCEPTION 'An invite lives for at most 30 days.' USING ERRCODE = 'PN422', HINT = 'invite.days';
  END IF;
  PERFORM hub_api.clear_the_way();
  invite_id := pg_catalog.gen_random_uuid();
  login_role := '{prefix}_m_' || pg_catalog.left(pg_catalog.replace(pg_catalog.gen_random_uuid()::text, '-', ''), 12);
  one_time_password := hub_api.new_password();
  expires_at := pg_catalog.clock_timestamp() + ttl;
  EXECUTE pg_catalog.format('CREATE ROLE %I LOGIN CONNECTION LIMIT 10 PASSWORD %L', login_role, one_time_password);
  EXECUTE pg_catalog.format('GRANT %I TO {prefix}_provisioner WITH INHERIT TRUE, SET FALSE', login_role);
  EXECUTE pg_catalog.format('GRANT {prefix}_invited TO %I', login_role);
  INSERT INTO public.invites (id, user_id, login_role, name, role, member_id, created_by_id, expires_at)
    VALUES (invite_id, company, login_role, name, role, member, hub_api.current_user_id(), expires_at);
  PERFORM hub_api.note_team(company, 'invite.created', invite_id, pg_catalog.jsonb_build_object('name', name, 'role', role));
  RETURN NEXT;
END
$f$;

CREATE FUNCTION hub_api.redeem() RETURNS TABLE (member_id uuid, password text, slug text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $f$
#variable_conflict use_variable
DECLARE
  i public.invites;
BEGIN
  PERFORM hub_api.check_isolation();
  PERFORM hub_api.clear_the_way();
  SELECT * INTO i FROM public.invites q WHERE q.login_role = session_user FOR UPDATE;
  IF i.id IS NULL OR i.redeemed_at IS NOT NULL OR i.revoked_at IS NOT NULL OR i.expires_at < pg_catalog.clock_timestamp()
    OR NOT EXISTS (SELECT FROM public.users u WHERE u.id = i.created_by_id AND u.is_active AND u.role = 'admin')
    OR i.member_id IS NOT NULL AND NOT EXISTS (SELECT FROM public.users u WHERE u.id = i.member_id AND u.is_active)
  THEN
    RAISE EXCEPTION 'This invite was used, has expired, or was taken back. Ask an admin for another.'
      USING ERRCODE = 'PN403', HINT = 'invite.invalid';
  END IF;
  member_id := coalesce(i.member_id, pg_catalog.gen_random_uuid());
  password := hub_api.new_password();
  slug := (SELECT c.slug FROM public.companies c);
  IF i.member_id IS NULL THEN
    INSERT INTO public.users (id, name, timezone, is_active, created_at, kind, role)
      SELECT member_id, i.name, u.timezone, true, pg_catalog.now(), 'person', i.role FROM public.users u WHERE u.id = i.user_id;
  END IF;
  INSERT INTO public.logins (login_role, kind, user_id, is_active) VALUES (session_user, 'member', member_id, true);
  UPDATE public.invites q SET redeemed_at = pg_catalog.now(), redeemed_by_id = member_id WHERE q.id = i.id;
  EXECUTE pg_catalog.format('ALTER ROLE %I PASSWORD %L', session_user, password);
  EXECUTE pg_catalog.format('ALTER ROLE %I SET jit = off', session_user);
  EXECUTE pg_catalog.format('GRANT {prefix}_team TO %I', session_user);
  EXECUTE pg_catalog.format('REVOKE {prefix}_invited FROM %I', session_user);
  PERFORM hub_api.note_team(i.user_id, 'member.joined', member_id, pg_catalog.jsonb_build_object('invite', i.id));
  RETURN NEXT;
END
$f$;

CREATE FUNCTION hub_api.revoke_invite(invite uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $f$
DECLARE
  i public.invites;
BEGIN
  PERFORM hub_api.check_admin();
  PERFORM hub_api.end_connections(q.login_role) FROM public.invites q WHERE q.id = invite AND q.redeemed_at IS NULL;
  PERFORM hub_api.clear_the_way();
  SELECT * INTO i FROM public.invites q WHERE q.id = invite FOR UPDATE;
  IF i.id IS NULL THEN
    RAISE EXCEPTION 'There is no invite %.', invite USING ERRCODE = 'PN404', HINT = 'invite.not_found';
  END IF;
  IF i.redeemed_at IS NOT NULL THEN
    RAISE EXCEPTION '% has joined with this invite already; to end that, remove the member.', i.name
      USING ERRCODE = 'PN409', HINT = 'invite.redeemed';
  END IF;
  PERFORM hub_api.end_invite(i);
  PERFORM hub_api.note_team(i.user_id, 'invite.revoked', i.id, '{}');
END
$f$;

CREATE FUNCTION hub_api.expire_invites() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $f$
DECLARE
  i public.invites;
  expired integer := 0;
BEGIN
  IF NOT hub_api.is_service() THEN
    PERFORM hub_api.check_admin();
  END IF;
  PERFORM hub_api.clear_the_way();
  FOR i IN SELECT * FROM public.invites q
    WHERE q.redeemed_at IS NULL AND q.revoked_at IS NULL AND q.expires_at < pg_catalog.clock_timestamp() FOR UPDATE SKIP LOCKED
  LOOP
    PERFORM hub_api.end_invite(i);
    PERFORM hub_api.note_team(i.user_id, 'invite.expired', i.id, '{}');
    expired := expired + 1;
  END LOOP;
  RETURN expired;
END
$f$;

-- Roles change last: every look at a policy after that has to find out anew in which of a thousand logins the provisioner is.
CREATE FUNCTION hub_api.let_go(member uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET lock_timeout = '2s' AS $f$
DECLARE
  roles text[];
  role text;
  ended integer := 0;
BEGIN
  SELECT coalesce(pg_catalog.array_agg(l.login_role), '{}') INTO roles FROM public.logins l WHERE l.user_id = member AND l.is_active;
  FOREACH role IN ARRAY roles LOOP
    ended := ended + hub_api.end_connections(role);
  END LOOP;
  UPDATE public.users u SET is_active = false, removed_at = pg_catalog.now() WHERE u.id = member;
  UPDATE public.logins l SET is_active = false WHERE l.user_id = member;
  PERFORM hub_api.end_invites_of(member);
  FOREACH role IN ARRAY roles LOOP
    ended := ended + hub_api.shut_out(role, '{prefix}_team');
  END LOOP;
  RETURN ended;
END
$f$;

CREATE FUNCTION hub_api.remove_member(member uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $f$
DECLARE
  u public.users;
  company uuid := hub_api.current_company_id();
  ended integer;
BEGIN
  PERFORM hub_api.check_admin();
  SELECT coalesce(pg_catalog.sum(hub_api.end_connections(l.login_role)), 0) INTO ended FROM public.logins l
    WHERE l.user_id = member AND l.is_active AND member <> hub_api.current_user_id();
  PERFORM hub_api.clear_the_way();
  u := hub_api.find_member(member);
  PERFORM hub_api.check_admin();
  PERFORM hub_api.keep_an_admin(member);
  PERFORM hub_api.note_team(company, 'member.removed', member, pg_catalog.jsonb_build_object('name', u.name, 'connections_ended', ended));
  RETURN ended + hub_api.let_go(member);
END
$f$;

CREATE FUNCTION hub_api.leave_team() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $f$
DECLARE
  company uuid := hub_api.current_company_id();
  u public.users;
BEGIN
  IF company IS NULL THEN
    RAISE EXCEPTION 'You are in no team here.' USING ERRCODE = 'PN403', HINT = 'team.no_member';
  END IF;
  PERFORM hub_api.clear_the_way();
  u := hub_api.find_member(hub_api.current_user_id());
  PERFORM hub_api.keep_an_admin(u.id);
  PERFORM hub_api.note_team(company, 'member.left', u.id, pg_catalog.jsonb_build_object('name', u.name));
  PERFORM hub_api.let_go(u.id);
END
$f$;

CREATE FUNCTION hub_api.set_role(member uuid, role text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $f$
#variable_conflict use_variable
DECLARE
  u public.users;
BEGIN
  PERFORM hub_api.check_admin();
  IF role IS NULL OR role NOT IN ('member', 'approver', 'admin') THEN
    RAISE EXCEPTION 'A role is one of: member, approver, admin.' USING ERRCODE = 'PN422', HINT = 'team.role';
  END IF;
  PERFORM hub_api.clear_the_way();
  u := hub_api.find_member(member);
  PERFORM hub_api.check_admin();
  IF role <> 'admin' THEN
    PERFORM hub_api.keep_an_admin(member);
    PERFORM hub_api.end_invites_of(member);
  END IF;
  UPDATE public.users q SET role = set_role.role WHERE q.id = member;
  IF u.role <> 'member' AND role <> 'admin' AND role <> u.role AND member <> hub_api.current_user_id() THEN
    PERFORM hub_api.end_connections(l.login_role) FROM public.logins l WHERE l.user_id = member AND l.is_active;
  END IF;
  PERFORM hub_api.note_team(hub_api.current_company_id(), 'member.role', member, pg_catalog.jsonb_build_object('from', u.role, 'to', role));
END
$f$;

CREATE FUNCTION hub_api.set_policy(policy text, own boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $f$
BEGIN
  PERFORM hub_api.check_admin();
  IF policy IS NULL OR policy NOT IN ('free', 'calendar', 'approval') OR own IS NULL THEN
    RAISE EXCEPTION 'A policy is one of: free, calendar, approval.' USING ERRCODE = 'PN422', HINT = 'team.policy';
  END IF;
  PERFORM hub_api.clear_the_way();
  PERFORM hub_api.check_admin();
  UPDATE public.companies c SET posting_policy = policy, self_approval = own;
  PERFORM hub_api.note_team(hub_api.current_company_id(), 'team.policy', hub_api.current_company_id(),
    pg_catalog.jsonb_build_object('policy', policy, 'self_approval', own));
END
$f$;

-- How a member, or for an admin the company, is called, and in which zone he lives.
CREATE FUNCTION hub_api.set_name(whose uuid, called text, zone text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $f$
BEGIN
  IF hub_api.current_company_id() IS NULL OR whose IS DISTINCT FROM hub_api.current_user_id() THEN
    PERFORM hub_api.check_admin();
  END IF;
  IF called IS NULL OR pg_catalog.btrim(called) = '' OR pg_catalog.length(called) > 100 OR called ~ '[[:cntrl:]]' THEN
    RAISE EXCEPTION 'A name has 1 to 100 characters on one line.' USING ERRCODE = 'PN422', HINT = 'team.name';
  END IF;
  IF zone IS NULL OR zone ~ '^(posix|right|localtime|Factory)' OR NOT EXISTS (
    SELECT FROM pg_catalog.pg_timezone_names z WHERE z.name = zone)
  THEN
    RAISE EXCEPTION 'This is no IANA time zone that the hub knows.' USING ERRCODE = 'PN422', HINT = 'time.zone';
  END IF;
  UPDATE public.users u SET name = called, timezone = zone
    WHERE u.id = whose AND u.id IN (hub_api.current_user_id(), hub_api.current_company_id());
  IF NOT FOUND THEN
    RAISE EXCEPTION 'Everybody says himself how he is called.' USING ERRCODE = 'PN403', HINT = 'team.no_member';
  END IF;
END
$f$;

REVOKE ALL ON FUNCTION hub_api.note_team(uuid, text, uuid, jsonb), hub_api.check_admin(), hub_api.new_password(),
  hub_api.clear_the_way(), hub_api.end_connections(text), hub_api.shut_out(text, text), hub_api.end_invite(public.invites),
  hub_api.end_invites_of(uuid), hub_api.find_member(uuid),
  hub_api.keep_an_admin(uuid), hub_api.create_invite(text, text, interval, uuid), hub_api.redeem(), hub_api.revoke_invite(uuid),
  hub_api.expire_invites(), hub_api.let_go(uuid), hub_api.remove_member(uuid), hub_api.leave_team(), hub_api.set_role(uuid, text),
  hub_api.set_policy(text, boolean), hub_api.set_name(uuid, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hub_api.create_invite(text, text, interval, uuid), hub_api.revoke_invite(uuid), hub_api.expire_invites(),
  hub_api.remove_member(uuid), hub_api.leave_team(), hub_api.set_role(uuid, text), hub_api.set_policy(text, boolean),
  hub_api.set_name(uuid, text, text) TO {prefix}_team;
GRANT EXECUTE ON FUNCTION hub_api.expire_invites() TO {prefix}_service;
GRANT EXECUTE ON FUNCTION hub_api.redeem() TO {prefix}_invited;
RESET ROLE;
"""
NO_JOINING = """
SET LOCAL ROLE {prefix}_provisioner;
DROP FUNCTION hub_api.set_name(uuid, text, text);
DROP FUNCTION hub_api.set_policy(text, boolean);
DROP FUNCTION hub_api.set_role(uuid, text);
DROP FUNCTION hub_api.leave_team();
DROP FUNCTION hub_api.remove_member(uuid);
DROP FUNCTION hub_api.let_go(uuid);
DROP FUNCTION hub_api.expire_invites();
DROP FUNCTION hub_api.revoke_invite(uuid);
DROP FUNCTION hub_api.redeem();
DROP FUNCTION hub_api.create_invite(text, text, interval, uuid);
DROP FUNCTION hub_api.keep_an_admin(uuid);
DROP FUNCTION hub_api.find_member(uuid);
DROP FUNCTION hub_api.end_invites_of(uuid);
DROP FUNCTION hub_api.end_invite(public.invites);
DROP FUNCTION hub_api.shut_out(text, text);
DROP FUNCTION hub_api.clear_the_way();
DROP FUNCTION hub_api.end_connections(text);
DROP FUNCTION hub_api.new_password();
DROP FUNCTION hub_api.check_admin();
DROP FUNCTION hub_api.note_team(uuid, text, uuid, jsonb);
RESET ROLE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0009_approving"),
    ]

    operations = [
        HubSql(RIGHTS, reverse=NO_RIGHTS, only="company"),
        HubSql(JOINING, reverse=NO_JOINING, only="company"),
    ]
