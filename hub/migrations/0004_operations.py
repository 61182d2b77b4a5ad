import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import hub.models.base
from hub.rls.operations import SecureTable
from hub.rls.policies import IS_SERVICE, ME, Grant, Policy, granted, owned


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0003_posts"),
    ]

    operations = [
        migrations.CreateModel(
            name="WorkerHeartbeat",
            fields=[
                ("name", models.TextField(primary_key=True, serialize=False)),
                ("incarnation", models.TextField()),
                ("host", models.TextField()),
                ("pid", models.PositiveIntegerField()),
                ("version", models.TextField()),
                ("started_at", models.DateTimeField()),
                ("beat_at", models.DateTimeField()),
            ],
            options={
                "db_table": "worker_heartbeats",
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hub.models.base.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("at", models.DateTimeField(db_default=hub.models.base.ClockTimestamp())),
                ("actor", models.TextField()),
                ("action", models.TextField()),
                ("subject", models.TextField()),
                ("subject_id", models.TextField()),
                ("from_state", models.TextField(blank=True, default="")),
                ("to_state", models.TextField(blank=True, default="")),
                ("detail", models.JSONField(default=dict)),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="hub.user"
                    ),
                ),
            ],
            options={
                "db_table": "audit_log",
                "indexes": [
                    models.Index(
                        models.F("user"),
                        models.F("subject"),
                        models.F("subject_id"),
                        models.F("at"),
                        name="audit_log_subject",
                    ),
                    models.Index(
                        models.F("user"), models.OrderBy(models.F("at"), descending=True), name="audit_log_newest"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HubSetting",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hub.models.base.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.TextField()),
                ("version", models.PositiveIntegerField()),
                ("value", models.JSONField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="hub.user"
                    ),
                ),
            ],
            options={
                "db_table": "hub_settings",
                "constraints": [
                    models.UniqueConstraint(fields=("user", "name", "version"), name="hub_settings_one_per_version")
                ],
            },
        ),
        SecureTable("AuditEntry", policies=owned("SELECT", "INSERT"), grants=granted("SELECT", "INSERT")),
        SecureTable("HubSetting", policies=owned("SELECT", "INSERT"), grants=granted("SELECT", "INSERT")),
        SecureTable(
            "WorkerHeartbeat",
            policies=(
                Policy(name="people_select", command="SELECT", using=f"{ME} IS NOT NULL OR {IS_SERVICE}"),
                Policy(name="worker_insert", command="INSERT", check=IS_SERVICE, groups=("service",)),
                Policy(name="worker_update", command="UPDATE", using=IS_SERVICE, check=IS_SERVICE, groups=("service",)),
                Policy(name="worker_delete", command="DELETE", using=IS_SERVICE, groups=("service",)),
            ),
            grants=(Grant("member", ("SELECT",)), Grant("service", ("SELECT", "INSERT", "UPDATE", "DELETE"))),
        ),
    ]
