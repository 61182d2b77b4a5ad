import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import hub.models.base
from hub.rls.operations import HubSql, Law, OpenFurther, OwnedForeignKey, SecureTable
from hub.rls.policies import COMPANY, IS_ADMIN, ME, Grant, Policy, granted, of_team, owned

# The group of a company's members, in hubs that were made before there was one; and by which name it is told what kind of hub this is.
TEAM = """
DO $do$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '{prefix}_team') THEN
    CREATE ROLE {prefix}_team NOLOGIN;
  END IF;
END $do$;
GRANT USAGE ON SCHEMA public, hub_api TO {prefix}_team;
INSERT INTO hub_api.setting VALUES ('kind', 'personal') ON CONFLICT DO NOTHING;
"""

# Whose rows a login works with. A member of a team acts as himself on the company's rows; everybody else on his own. All of it ends with
# the login or the person. Laws ask whether a member writes with his own hands, or through one of the hub's functions.
IDENTITY = """
SET LOCAL ROLE {prefix}_definer;
CREATE FUNCTION hub_api.current_company_id() RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE SET search_path = '' AS $f$
  SELECT c.user_id
  FROM public.logins l JOIN public.users u ON u.id = l.user_id CROSS JOIN public.companies c
  WHERE l.login_role = session_user AND l.kind = 'member' AND l.is_active AND u.is_active
$f$;
CREATE FUNCTION hub_api.current_owner_id() RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE SET search_path = '' AS $f$
  SELECT coalesce(hub_api.current_company_id(), hub_api.current_user_id())
$f$;
CREATE FUNCTION hub_api.current_role_is(VARIADIC roles text[]) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE SET search_path = '' AS $f$
  SELECT EXISTS (SELECT FROM public.users u WHERE u.id = hub_api.current_user_id() AND u.kind = 'person' AND u.role = ANY (roles))
$f$;
CREATE FUNCTION hub_api.find_company_id() RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE SET search_path = '' AS $f$
  SELECT c.user_id FROM public.companies c WHERE (SELECT hub_api.is_service())
$f$;
REVOKE ALL ON FUNCTION hub_api.current_company_id(), hub_api.current_owner_id(), hub_api.current_role_is(text[]),
  hub_api.find_company_id() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hub_api.find_company_id() TO {prefix}_service;
GRANT EXECUTE ON FUNCTION hub_api.current_company_id(), hub_api.current_owner_id(), hub_api.current_role_is(text[])
  TO {prefix}_member, {prefix}_team, {prefix}_service, {prefix}_owner;
GRANT EXECUTE ON FUNCTION hub_api.current_user_id(), hub_api.is_service() TO {prefix}_team;
RESET ROLE;
CREATE FUNCTION hub_api.writes_as_member() RETURNS boolean LANGUAGE sql STABLE SET search_path = '' AS $f$
  SELECT current_user NOT IN ('{prefix}_definer', '{prefix}_provisioner', '{prefix}_owner', '{prefix}_worker')
    AND hub_api.current_company_id() IS NOT NULL
$f$;
REVOKE ALL ON FUNCTION hub_api.writes_as_member() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hub_api.writes_as_member() TO {prefix}_member, {prefix}_team, {prefix}_service, {prefix}_definer;
"""
NO_IDENTITY = """
DROP FUNCTION hub_api.writes_as_member();
SET LOCAL ROLE {prefix}_definer;
REVOKE EXECUTE ON FUNCTION hub_api.current_user_id(), hub_api.is_service() FROM {prefix}_team;
DROP FUNCTION hub_api.find_company_id();
DROP FUNCTION hub_api.current_role_is(text[]);
DROP FUNCTION hub_api.current_owner_id();
DROP FUNCTION hub_api.current_company_id();
RESET ROLE;
"""

# What members may not do by writing rows, whatever a policy lets through: be somebody else, change what only the engine or an approval
# changes, call their own what others did.
POSTS_OF_MEMBERS = """
  IF NOT hub_api.writes_as_member() THEN
    RETURN NEW;
  END IF;
  NEW.updated_at := now();
  IF NOT (coalesce(NEW.scheduled_at, now()) BETWEEN '2000-01-01Z' AND '2200-01-01Z'
      AND coalesce(NEW.due_at, now()) BETWEEN '2000-01-01Z' AND '2200-01-01Z')
    OR greatest(length(NEW.scheduled_zone), length(NEW.scheduled_wall), length(NEW.content_hash)) > 64
    OR octet_length(NEW.options::text) > 65536 OR jsonb_typeof(NEW.options) <> 'object'
    OR jsonb_path_exists(NEW.options, '$.* ? (@.type() != "string")')
  THEN
    RAISE EXCEPTION 'no sensible time, or too much of something' USING ERRCODE = 'check_violation', CONSTRAINT = 'posts_of_members';
  END IF;
  IF TG_OP = 'INSERT' THEN
    NEW.created_at := now();
    IF NEW.author_id IS DISTINCT FROM hub_api.current_user_id() THEN
      RAISE EXCEPTION 'a member writes posts of his own' USING ERRCODE = '42501';
    END IF;
    IF (NEW.approved_hash, NEW.approved_by, NEW.platform_post_id, NEW.url, NEW.error_code, NEW.error_message) <> ('', '', '', '', '', '')
      OR num_nonnulls(NEW.approved_at, NEW.published_at, NEW.look_at, NEW.delete_asked_at, NEW.deleted_at) > 0
    THEN
      RAISE EXCEPTION 'a draft has not been approved or published' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
  END IF;
  IF to_jsonb(NEW) - hub_api.columns_of_authors() IS DISTINCT FROM to_jsonb(OLD) - hub_api.columns_of_authors()
    OR NEW.approved_hash <> '' OR NEW.approved_by NOT IN ('', OLD.approved_by)
    OR (NEW.approved_at IS NOT NULL AND NEW.approved_at IS DISTINCT FROM OLD.approved_at)
    OR NEW.tries NOT IN (0, OLD.tries) OR NEW.error_code NOT IN ('', OLD.error_code) OR NEW.error_message NOT IN ('', OLD.error_message)
  THEN
    RAISE EXCEPTION 'a member changes what he wrote, and its time' USING ERRCODE = '42501';
  END IF;
  RETURN NEW;
"""
# Enough for what any platform takes, and too little to spoil everybody's lists.
PARTS_OF_MEMBERS = """
  IF hub_api.writes_as_member() AND (octet_length(NEW.text) > 262144 OR NEW.index > 1000) THEN
    RAISE EXCEPTION 'a part has at most 256 KiB' USING ERRCODE = 'check_violation', CONSTRAINT = 'post_parts_of_members';
  END IF;
  RETURN NEW;
"""
MEDIA_OF_MEMBERS = """
  IF hub_api.writes_as_member() AND (greatest(length(NEW.path), length(NEW.sha256), length(NEW.mime_type)) > 200
    OR octet_length(NEW.alt_text) > 65536 OR octet_length(NEW.facts::text) > 65536 OR NEW.index > 1000 OR NEW.size_bytes < 0)
  THEN
    RAISE EXCEPTION 'this describes no file' USING ERRCODE = 'check_violation', CONSTRAINT = 'post_media_of_members';
  END IF;
  RETURN NEW;
"""
SLOTS_OF_MEMBERS = """
  IF hub_api.writes_as_member() THEN
    NEW.claimed_at := now();
    IF NOT NEW.on BETWEEN '2000-01-01' AND '2200-01-01' OR NEW.platform !~ '^[a-z]{1,30}$' THEN
      RAISE EXCEPTION 'no day, or no platform' USING ERRCODE = 'check_violation', CONSTRAINT = 'slots_of_members';
    END IF;
    IF (SELECT count(*) FROM slots s WHERE s.user_id = NEW.user_id AND s.claimed_by_id = NEW.claimed_by_id AND s.on >= current_date) >= 200
      AND NOT EXISTS (SELECT FROM slots s WHERE (s.user_id, s.on, s.platform) = (NEW.user_id, NEW.on, NEW.platform))
    THEN
      RAISE EXCEPTION 'You hold 200 days to come already. Give some of them back first.' USING ERRCODE = 'PN409', HINT = 'slot.too_many';
    END IF;
  END IF;
  RETURN NEW;
"""
COLUMNS = """
CREATE FUNCTION hub_api.columns_of_authors() RETURNS text[] LANGUAGE sql IMMUTABLE SET search_path = '' AS $f$
  SELECT ARRAY['status', 'content_hash', 'scheduled_at', 'scheduled_zone', 'scheduled_wall', 'due_at', 'options', 'campaign', 'updated_at',
    'approved_hash', 'approved_by', 'approved_at', 'tries', 'error_code', 'error_message']
$f$;
REVOKE ALL ON FUNCTION hub_api.columns_of_authors() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hub_api.columns_of_authors() TO {prefix}_team;
"""
AUDIT_OF_MEMBERS = """
  IF hub_api.writes_as_member() THEN
    IF NEW.action ~ '^(post|account|team|invite|member)[.]'
      AND NEW.action NOT IN ('post.created', 'post.draft', 'post.pending_approval', 'post.cancelled')
    THEN
      RAISE EXCEPTION 'what the hub does is written down by the hub' USING ERRCODE = '42501';
    END IF;
    IF octet_length(NEW.detail::text) > 65536
      OR greatest(length(NEW.action), length(NEW.subject), length(NEW.subject_id), length(NEW.from_state), length(NEW.to_state)) > 100
    THEN
      RAISE EXCEPTION 'too much to write down' USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_names_its_writer';
    END IF;
    NEW.actor := hub_api.current_user_id()::text;
    NEW.at := clock_timestamp();
  END IF;
  RETURN NEW;
"""
NOTICES_OF_MEMBERS = """
  IF hub_api.writes_as_member() AND to_jsonb(NEW) - 'seen_at' IS DISTINCT FROM to_jsonb(OLD) - 'seen_at' THEN
    RAISE EXCEPTION 'a notice is only seen' USING ERRCODE = '42501';
  END IF;
  IF hub_api.writes_as_member() AND NEW.seen_at IS DISTINCT FROM OLD.seen_at THEN
    NEW.seen_at := now();
  END IF;
  RETURN NEW;
"""
NOTICES_FIND_THEIR_READER = """
  IF NEW.recipient_id IS NULL AND NEW.post_id IS NOT NULL THEN
    NEW.recipient_id := (SELECT p.author_id FROM posts p WHERE p.id = NEW.post_id);
  END IF;
  RETURN NEW;
"""
SETTINGS_NAME_THEIR_WRITER = """
  IF hub_api.writes_as_member() THEN
    NEW.created_by_id := hub_api.current_user_id();
    NEW.created_at := now();
    IF NEW.version <> 1 + coalesce((
      SELECT max(s.version) FROM hub_settings s WHERE s.user_id = NEW.user_id AND s.name = NEW.name), 0)
    THEN
      RAISE EXCEPTION 'versions follow each other without a gap' USING ERRCODE = 'unique_violation';
    END IF;
    IF octet_length(NEW.value::text) > 131072 OR octet_length(NEW.name) > 100 OR octet_length(NEW.note) > 1000 THEN
      RAISE EXCEPTION 'a document has at most 128 KiB' USING ERRCODE = 'check_violation', CONSTRAINT = 'hub_settings_size';
    END IF;
  END IF;
  RETURN NEW;
"""
CHUNKS_NAME_THEIR_UPLOADER = """
  NEW.uploaded_by_id := coalesce(hub_api.current_user_id(), NEW.uploaded_by_id);
  NEW.created_at := now();
  IF (SELECT count(*) FROM media_chunks c WHERE c.user_id = NEW.user_id AND c.uploaded_by_id = NEW.uploaded_by_id) >= 1024 THEN
    RAISE EXCEPTION 'You have 1 GiB of media in this hub. Files are forgotten seven days after their posts went out.'
      USING ERRCODE = 'PN422', HINT = 'media.hub_full';
  END IF;
  RETURN NEW;
"""
USERS_KEEP_THEIR_STANDING = """
  IF current_user NOT IN ('{prefix}_owner', '{prefix}_provisioner')
    AND (NEW.id, NEW.kind, NEW.role, NEW.is_active, NEW.removed_at) IS DISTINCT FROM (OLD.id, OLD.kind, OLD.role, OLD.is_active, OLD.removed_at)
  THEN
    RAISE EXCEPTION 'role and activity change through the hub alone' USING ERRCODE = '42501';
  END IF;
  RETURN NEW;
"""
CHUNKS = """
ALTER TABLE media_chunks ALTER content SET STORAGE EXTERNAL;  -- media do not compress
ALTER TABLE media_chunks ADD CONSTRAINT media_chunks_size CHECK (octet_length(content) BETWEEN 1 AND 1048576);
CREATE POLICY owners_select ON media_chunks FOR SELECT TO {prefix}_definer USING (true);
GRANT SELECT ON media_chunks TO {prefix}_definer;
SET LOCAL ROLE {prefix}_definer;
CREATE FUNCTION hub_api.find_chunk_owners() RETURNS TABLE (user_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $f$
  SELECT DISTINCT c.user_id FROM public.media_chunks c WHERE (SELECT hub_api.is_service())
$f$;
REVOKE ALL ON FUNCTION hub_api.find_chunk_owners() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hub_api.find_chunk_owners() TO {prefix}_service;
RESET ROLE;
"""
NO_CHUNKS = """
SET LOCAL ROLE {prefix}_definer;
DROP FUNCTION hub_api.find_chunk_owners();
RESET ROLE;
"""
UNSENT = "state = 'waiting' AND platform_post_id = '' AND url = '' AND published_at IS NULL"
# Whoever may change a row may also lock it: nobody may hold up what a colleague has in hand, or the worker.
OF_OWN_DRAFT = f"EXISTS (SELECT FROM posts p WHERE p.id = post_id AND p.author_id = {ME} AND p.status = 'draft')"


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0007_platforms"),
    ]

    operations = [
        migrations.CreateModel(
            name="Approval",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hub.models.base.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("verdict", models.TextField(choices=[("approved", "Approved"), ("rejected", "Rejected")])),
                ("feedback", models.TextField(blank=True, default="")),
                ("content_hash", models.TextField()),
                ("content", models.JSONField(db_default={}, default=dict)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "approvals",
            },
        ),
        migrations.CreateModel(
            name="Company",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="hub.user",
                    ),
                ),
                ("slug", models.TextField()),
                (
                    "posting_policy",
                    models.TextField(
                        choices=[("free", "Free"), ("calendar", "Calendar"), ("approval", "Approval")],
                        db_default="free",
                        default="free",
                    ),
                ),
                ("self_approval", models.BooleanField(db_default=False, default=False)),
            ],
            options={
                "db_table": "companies",
            },
        ),
        migrations.CreateModel(
            name="Invite",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hub.models.base.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("login_role", models.TextField()),
                ("name", models.TextField()),
                (
                    "role",
                    models.TextField(choices=[("member", "Member"), ("approver", "Approver"), ("admin", "Admin")]),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("expires_at", models.DateTimeField()),
                ("redeemed_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "invites",
            },
        ),
        migrations.CreateModel(
            name="MediaChunk",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hub.models.base.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("sha256", models.TextField()),
                ("index", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "media_chunks",
            },
        ),
        migrations.CreateModel(
            name="Slot",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hub.models.base.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("on", models.DateField()),
                ("platform", models.TextField()),
                ("claimed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "slots",
            },
        ),
        migrations.AddField(
            model_name="hubsetting",
            name="created_by",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="hub.user",
            ),
        ),
        migrations.AddField(
            model_name="hubsetting",
            name="note",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="notice",
            name="recipient",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="hub.user",
            ),
        ),
        migrations.AddField(
            model_name="post",
            name="author",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="hub.user",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="kind",
            field=models.TextField(
                choices=[("person", "Person"), ("company", "Company")], db_default="person", default="person"
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="removed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="user",
            name="role",
            field=models.TextField(
                choices=[("member", "Member"), ("approver", "Approver"), ("admin", "Admin")],
                db_default="admin",
                default="admin",
            ),
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(
                models.F("user"),
                models.F("scheduled_at"),
                condition=models.Q(("scheduled_at__isnull", False)),
                name="posts_calendar",
            ),
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(
                models.F("user"),
                models.F("due_at"),
                condition=models.Q(("status", "pending_approval")),
                name="posts_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["member", "approver", "admin"])), name="users_role"
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["person", "company"])), name="users_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(
                models.F("kind"), condition=models.Q(("kind", "company")), name="users_one_company"
            ),
        ),
        migrations.AddField(
            model_name="approval",
            name="by",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="hub.user"
            ),
        ),
        migrations.AddField(
            model_name="approval",
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
            model_name="approval",
            name="user",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="hub.user"
            ),
        ),
        migrations.AddConstraint(
            model_name="company",
            constraint=models.CheckConstraint(
                condition=models.Q(("posting_policy__in", ["free", "calendar", "approval"])), name="companies_policy"
            ),
        ),
        migrations.AddField(
            model_name="invite",
            name="created_by",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="hub.user"
            ),
        ),
        migrations.AddField(
            model_name="invite",
            name="member",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="hub.user",
            ),
        ),
        migrations.AddField(
            model_name="invite",
            name="redeemed_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="hub.user",
            ),
        ),
        migrations.AddField(
            model_name="invite",
            name="user",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="hub.user"
            ),
        ),
        migrations.AddField(
            model_name="mediachunk",
            name="uploaded_by",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="hub.user"
            ),
        ),
        migrations.AddField(
            model_name="mediachunk",
            name="user",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="hub.user"
            ),
        ),
        migrations.AddField(
            model_name="slot",
            name="claimed_by",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="hub.user"
            ),
        ),
        migrations.AddField(
            model_name="slot",
            name="user",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="hub.user"
            ),
        ),
        migrations.AddIndex(
            model_name="approval",
            index=models.Index(models.F("user"), models.F("post"), models.F("at"), name="approvals_of_post"),
        ),
        migrations.AddConstraint(
            model_name="invite",
            constraint=models.UniqueConstraint(fields=("login_role",), name="invites_one_per_login"),
        ),
        migrations.AddIndex(
            model_name="mediachunk",
            index=models.Index(models.F("user"), models.F("sha256"), name="media_chunks_of_file"),
        ),
        migrations.AddConstraint(
            model_name="mediachunk",
            constraint=models.UniqueConstraint(
                fields=("user", "uploaded_by", "sha256", "index"), name="media_chunks_one_per_index"
            ),
        ),
        migrations.AddConstraint(
            model_name="mediachunk",
            constraint=models.CheckConstraint(
                condition=models.Q(("sha256__regex", "^[0-9a-f]{64}$")), name="media_chunks_sha256"
            ),
        ),
        migrations.AddConstraint(
            model_name="mediachunk",
            constraint=models.CheckConstraint(condition=models.Q(("index__lt", 100)), name="media_chunks_index"),
        ),
        migrations.AddConstraint(
            model_name="slot",
            constraint=models.UniqueConstraint(fields=("user", "on", "platform"), name="slots_one_holder"),
        ),
        OwnedForeignKey("approvals", "post_id", references="posts"),
        HubSql(TEAM, reverse="SELECT"),
        HubSql(IDENTITY, reverse=NO_IDENTITY),
        SecureTable(
            "Company",
            policies=(
                *owned("SELECT"),
                *of_team("SELECT"),
                Policy(name="identity_select", command="SELECT", using="true", groups=("definer",)),
            ),
            grants=(*granted("SELECT"), Grant("team", ("SELECT",)), Grant("definer", ("SELECT",))),
        ),
        HubSql(COLUMNS, reverse="DROP FUNCTION hub_api.columns_of_authors()"),
        SecureTable(
            "Invite",
            policies=(*owned("SELECT"), *of_team("SELECT", only=IS_ADMIN)),
            grants=(*granted("SELECT"), Grant("team", ("SELECT",))),
        ),
        SecureTable(
            "Approval",
            policies=(
                *owned("SELECT"),
                *of_team("SELECT"),
                Policy(name="verdict_insert", command="INSERT", check="true", groups=("definer",)),
            ),
            grants=(*granted("SELECT"), Grant("team", ("SELECT",)), Grant("definer", ("INSERT",))),
        ),
        SecureTable(
            "Slot",
            policies=(
                *owned("SELECT"),
                *of_team("SELECT"),
                *of_team("INSERT", "DELETE", name="holder", only=f"claimed_by_id = {ME}"),
                *of_team("DELETE", name="admin", only=IS_ADMIN),
                Policy(name="calendar_select", command="SELECT", using="true", groups=("definer",)),
            ),
            grants=(*granted("SELECT"), Grant("team", ("SELECT", "INSERT", "DELETE")), Grant("definer", ("SELECT",))),
        ),
        SecureTable(
            "MediaChunk",
            policies=(
                *owned("SELECT", "INSERT", "DELETE"),
                *of_team("SELECT"),
                *of_team("INSERT", name="uploader", only=f"uploaded_by_id = {ME}"),
            ),
            grants=(
                Grant("member", ("SELECT", "INSERT")),
                Grant("team", ("SELECT", "INSERT")),
                Grant("service", ("SELECT", "INSERT", "DELETE")),
            ),
        ),
        HubSql(CHUNKS, reverse=NO_CHUNKS),
        OpenFurther(
            "User",
            policies=(Policy(name="team_select", command="SELECT", using=f"{COMPANY} IS NOT NULL", groups=("team",)),),
            grants=(Grant("team", ("SELECT",)),),
        ),
        OpenFurther("Account", policies=of_team("SELECT"), grants=(Grant("team", ("SELECT",)),)),
        OpenFurther(
            "Post",
            policies=(
                *of_team("SELECT"),
                *of_team("INSERT", name="author", only=f"author_id = {ME} AND status = 'draft'"),
                Policy(
                    name="author_update",
                    command="UPDATE",
                    using=f"user_id = {COMPANY} AND author_id = {ME} AND status IN "
                    "('draft', 'pending_approval', 'approved', 'scheduled', 'failed', 'missed')",
                    check=f"user_id = {COMPANY} AND author_id = {ME} AND approved_hash = '' "
                    "AND status IN ('draft', 'pending_approval', 'cancelled')",
                    groups=("team",),
                ),
            ),
            grants=(Grant("team", ("SELECT", "INSERT", "UPDATE")),),
        ),
        OpenFurther(
            "PostPart",
            policies=(
                *of_team("SELECT"),
                *of_team("INSERT", name="waiting", only=UNSENT),
                *of_team("DELETE", name="author", only=OF_OWN_DRAFT),
                Policy(
                    name="author_update",
                    command="UPDATE",
                    using=f"user_id = {COMPANY} AND {OF_OWN_DRAFT}",
                    check=f"user_id = {COMPANY} AND {UNSENT}",
                    groups=("team",),
                ),
            ),
            grants=(Grant("team", ("SELECT", "INSERT", "UPDATE", "DELETE")),),
        ),
        OpenFurther(
            "PostMedia",
            policies=of_team("SELECT", "INSERT", "DELETE"),
            grants=(Grant("team", ("SELECT", "INSERT", "DELETE")),),
        ),
        OpenFurther("Attempt", policies=of_team("SELECT"), grants=(Grant("team", ("SELECT",)),)),
        OpenFurther("AuditEntry", policies=of_team("SELECT", "INSERT"), grants=(Grant("team", ("SELECT", "INSERT")),)),
        OpenFurther(
            "Notice",
            policies=(
                *of_team("SELECT", "UPDATE", name="recipient", only=f"recipient_id = {ME}"),
                *of_team("SELECT", "UPDATE", name="common", only="recipient_id IS NULL"),
                *of_team("SELECT", name="admin", only=IS_ADMIN),
            ),
            grants=(Grant("team", ("SELECT", "UPDATE")),),
        ),
        OpenFurther(
            "HubSetting",
            policies=(*of_team("SELECT"), *of_team("INSERT", name="admin", only=IS_ADMIN)),
            grants=(Grant("team", ("SELECT", "INSERT")),),
        ),
        OpenFurther(
            "WorkerHeartbeat",
            policies=(Policy(name="team_select", command="SELECT", using=f"{COMPANY} IS NOT NULL", groups=("team",)),),
            grants=(Grant("team", ("SELECT",)),),
        ),
        HubSql(
            "GRANT SELECT ON django_migrations TO {prefix}_team",
            reverse="REVOKE SELECT ON django_migrations FROM {prefix}_team",
        ),
        Law("posts_of_members", table="posts", events="INSERT OR UPDATE", body=POSTS_OF_MEMBERS),
        Law("post_parts_of_members", table="post_parts", events="INSERT OR UPDATE", body=PARTS_OF_MEMBERS),
        Law("post_media_of_members", table="post_media", events="INSERT", body=MEDIA_OF_MEMBERS),
        Law("slots_of_members", table="slots", events="INSERT", body=SLOTS_OF_MEMBERS),
        Law("audit_names_its_writer", table="audit_log", events="INSERT", body=AUDIT_OF_MEMBERS),
        Law("notices_are_only_seen", table="notices", events="UPDATE", body=NOTICES_OF_MEMBERS),
        Law("notices_find_their_reader", table="notices", events="INSERT", body=NOTICES_FIND_THEIR_READER),
        Law("hub_settings_name_their_writer", table="hub_settings", events="INSERT", body=SETTINGS_NAME_THEIR_WRITER),
        Law("media_chunks_name_their_uploader", table="media_chunks", events="INSERT", body=CHUNKS_NAME_THEIR_UPLOADER),
        Law("users_keep_their_standing", table="users", events="UPDATE", body=USERS_KEEP_THEIR_STANDING),
    ]
