from django.db import migrations

from hub.rls.operations import OpenTable
from hub.rls.policies import Grant

ALL = ("SELECT", "INSERT", "UPDATE", "DELETE")


class Migration(migrations.Migration):
    """Who may touch the queue. A person of a personal hub may ring; only the worker may answer, and only it reads pickles."""

    dependencies = [
        ("hub", "0004_operations"),
        ("django_q", "0019_alter_task_options_alter_ormq_key_alter_ormq_lock_and_more"),
    ]

    operations = [
        OpenTable("django_q_ormq", grants=(Grant("member", ("SELECT", "INSERT")), Grant("service", ALL))),
        OpenTable("django_q_task", grants=(Grant("service", ALL),)),
        OpenTable("django_q_schedule", grants=(Grant("service", ALL),)),
        OpenTable("django_migrations", grants=(Grant("member", ("SELECT",)), Grant("service", ("SELECT",)))),
    ]
