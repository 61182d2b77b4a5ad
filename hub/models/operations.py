"""What the hub knows of itself: who did what, which workers live, which configuration is in force."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from hub.models.base import ClockTimestamp, Owned


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """What happened, by whom."""

    def record(
        self,
        row: Owned,
        *,
        action: str,
        actor: str,
        from_state: str = "",
        to_state: str = "",
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Write down what happened to a row of somebody (P7)."""
        self.create(
            user_id=row.user_id,
            actor=actor,
            action=action,
            subject=row._meta.model_name or "",
            subject_id=str(row.pk),
            from_state=from_state,
            to_state=to_state,
            detail=detail or {},
        )


class AuditEntry(Owned):
    """Something that happened, with its actor. Rows are only ever added."""

    at = models.DateTimeField(db_default=ClockTimestamp())
    actor = models.TextField()
    action = models.TextField()
    subject = models.TextField()
    subject_id = models.TextField()
    from_state = models.TextField(default="", blank=True)
    to_state = models.TextField(default="", blank=True)
    detail = models.JSONField(default=dict)

    objects = AuditQuerySet.as_manager()

    class Meta:
        db_table = "audit_log"
        indexes = [
            models.Index("user", "subject", "subject_id", "at", name="audit_log_subject"),
            models.Index(F("user"), F("at").desc(), name="audit_log_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject} {self.subject_id}"


class Notice(Owned):
    """Something a person has to know: what went wrong, or what was mended without them (PUB-8).

    Written in the transaction of what it tells, so that neither is without the other. Channels deliver what is not `seen_at`. It is
    about a post, or about an account as a whole. `recipient` is the member of a team whom it is for: the post's author, whom the database
    fills in; empty for everybody of the owner.
    """

    class Level(models.TextChoices):
        ACT = "act"  # only the person can do what is next
        KNOW = "know"  # it was mended; nothing is to be done

    post = models.ForeignKey(
        "hub.Post", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+", null=True
    )
    account = models.ForeignKey(
        "hub.Account", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+", null=True
    )
    at = models.DateTimeField(db_default=Now())
    level = models.TextField(choices=Level)
    code = models.TextField()
    message = models.TextField()
    seen_at = models.DateTimeField(null=True)
    recipient = models.ForeignKey(
        "hub.User", on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )

    class Meta:
        db_table = "notices"
        indexes = [
            models.Index(F("user"), F("at").desc(), name="notices_newest"),
            models.Index("user", "at", name="notices_unseen", condition=Q(seen_at__isnull=True)),
        ]
        constraints = [
            models.CheckConstraint(name="notices_level", condition=Q(level__in=["act", "know"])),
            models.CheckConstraint(
                name="notices_are_about_something", condition=Q(post__isnull=False) | Q(account__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} of {self.post_id or self.account_id}"


class WorkerHeartbeat(models.Model):
    """A worker that lives, or lived: who, where, since when, which version.

    `beat_at` is written by a task that went all the way through the queue, `swept_at` by the sweep; a process that merely exists
    writes neither.
    """

    name = models.TextField(primary_key=True)
    incarnation = models.TextField()
    host = models.TextField()
    pid = models.PositiveIntegerField()
    version = models.TextField()
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()
    swept_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "worker_heartbeats"

    def __str__(self) -> str:
        return self.name


class HubSetting(Owned):
    """One version of one document of the effective configuration (HUB-10). A change adds a version.

    `created_by` is the person who made it, `note` why: a file that was read, a value that was set, a rollback.
    """

    name = models.TextField()
    version = models.PositiveIntegerField()
    value = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(
        "hub.User", on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False, db_constraint=False
    )
    note = models.TextField(default="", db_default="", blank=True)

    class Meta:
        db_table = "hub_settings"
        constraints = [models.UniqueConstraint(fields=["user", "name", "version"], name="hub_settings_one_per_version")]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"
