import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import hub.models.base
from hub.rls.operations import OwnedForeignKey, SecureTable
from hub.rls.policies import granted, owned


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0001_people"),
    ]

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hub.models.base.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("platform", models.TextField()),
                ("platform_account_id", models.TextField()),
                ("handle", models.TextField()),
                ("name", models.TextField(default="")),
                ("base_url", models.TextField(blank=True, default="")),
                ("is_sandbox", models.BooleanField(default=False)),
                (
                    "status",
                    models.TextField(
                        choices=[
                            ("active", "Active"),
                            ("needs_reconnect", "Needs Reconnect"),
                            ("disconnected", "Disconnected"),
                        ],
                        default="active",
                    ),
                ),
                ("status_reason", models.TextField(blank=True, default="")),
                ("next_allowed_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("connected_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="hub.user"
                    ),
                ),
            ],
            options={
                "db_table": "accounts",
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hub.models.base.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.TextField()),
                ("key_sealed", models.TextField()),
                ("updated_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="hub.user"
                    ),
                ),
            ],
            options={
                "db_table": "api_keys",
            },
        ),
        migrations.CreateModel(
            name="OAuthToken",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hub.models.base.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("access_token_sealed", models.TextField()),
                ("refresh_token_sealed", models.TextField(blank=True, default="")),
                ("access_expires_at", models.DateTimeField(null=True)),
                ("client_id", models.TextField(blank=True, default="")),
                ("scopes", models.JSONField(default=list)),
                ("obtained_at", models.DateTimeField()),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="hub.account",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="hub.user"
                    ),
                ),
            ],
            options={
                "db_table": "oauth_tokens",
            },
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.UniqueConstraint(
                models.F("user"),
                models.F("platform"),
                models.F("base_url"),
                models.F("platform_account_id"),
                name="accounts_one_per_profile",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.UniqueConstraint(fields=("user", "id"), name="accounts_owner_key"),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["active", "needs_reconnect", "disconnected"])),
                name="accounts_status",
            ),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.UniqueConstraint(fields=("user", "name"), name="api_keys_one_per_name"),
        ),
        migrations.AddConstraint(
            model_name="oauthtoken",
            constraint=models.UniqueConstraint(fields=("user", "account"), name="oauth_tokens_one_per_account"),
        ),
        OwnedForeignKey("oauth_tokens", "account_id", references="accounts"),
        SecureTable(
            "Account", policies=owned("SELECT", "INSERT", "UPDATE"), grants=granted("SELECT", "INSERT", "UPDATE")
        ),
        SecureTable(
            "OAuthToken",
            policies=owned("SELECT", "INSERT", "UPDATE", "DELETE"),
            grants=granted("SELECT", "INSERT", "UPDATE", "DELETE"),
        ),
        SecureTable(
            "ApiKey",
            policies=owned("SELECT", "INSERT", "UPDATE", "DELETE"),
            grants=granted("SELECT", "INSERT", "UPDATE", "DELETE"),
        ),
    ]
