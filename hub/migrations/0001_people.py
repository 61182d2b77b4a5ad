import django.db.models.deletion
from django.db import migrations, models

import hub.models.base
from hub.rls.operations import HubSql, SecureTable
from hub.rls.policies import Grant, Policy, granted, owned

# Who is acting: the login itself for people; for service logins, the person they name in the setting; nobody for everyone else.
# session_user, because SET ROLE and SECURITY DEFINER do not change it. NULLIF, because a setting that was set once reads as ''.
IDENTITY = """
SET LOCAL ROLE {prefix}_definer;

CREATE FUNCTION hub_api.current_user_id() RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE SET search_path = '' AS $f$
  SELECT u.id
  FROM public.logins l
  JOIN public.users u ON u.id = CASE l.kind
    WHEN 'member' THEN l.user_id
    WHEN 'service' THEN NULLIF(pg_catalog.current_setting('app.current_user_id', true), '')::uuid
  END
  WHERE l.login_role = session_user AND l.is_active AND u.is_active
$f$;

CREATE FUNCTION hub_api.is_service() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE SET search_path = '' AS $f$
  SELECT EXISTS (SELECT FROM public.logins l WHERE l.login_role = session_user AND l.kind = 'service' AND l.is_active)
$f$;

REVOKE ALL ON FUNCTION hub_api.current_user_id(), hub_api.is_service() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hub_api.current_user_id(), hub_api.is_service() TO {prefix}_member, {prefix}_service, {prefix}_owner;
RESET ROLE;
"""
NO_IDENTITY = (
    "SET LOCAL ROLE {prefix}_definer; DROP FUNCTION hub_api.current_user_id(), hub_api.is_service(); RESET ROLE;"
)


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hub.models.base.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.TextField()),
                ("timezone", models.TextField(default="UTC")),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "db_table": "users",
            },
        ),
        migrations.CreateModel(
            name="Login",
            fields=[
                ("login_role", models.TextField(primary_key=True, serialize=False)),
                ("kind", models.TextField(choices=[("member", "Member"), ("service", "Service")])),
                ("is_active", models.BooleanField(default=True)),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="hub.user",
                    ),
                ),
            ],
            options={
                "db_table": "logins",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "member"), ("user__isnull", False)),
                            models.Q(("kind", "service"), ("user__isnull", True)),
                            _connector="OR",
                        ),
                        name="logins_kind_user",
                    )
                ],
            },
        ),
        HubSql(IDENTITY, reverse=NO_IDENTITY),
        SecureTable(
            "User",
            policies=(
                *owned("SELECT", "UPDATE", column="id"),
                Policy(name="identity_select", command="SELECT", using="true", groups=("definer",)),
            ),
            grants=(*granted("SELECT", "UPDATE"), Grant("definer", ("SELECT",))),
        ),
        SecureTable(
            "Login",
            policies=(Policy(name="identity_select", command="SELECT", using="true", groups=("definer",)),),
            grants=(Grant("definer", ("SELECT",)),),
        ),
    ]
