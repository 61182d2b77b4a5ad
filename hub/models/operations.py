"""What the hub knows of itself: who did what, which workers live, which configuration is in force."""

from __future__ import annotations

from django.db import models
from django.db.models import F
from django.db.models.functions import Now

from hub.models.base import ClockTimestamp, Owned


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

    class Meta:
        db_table = "audit_log"
        indexes = [
            models.Index("user", "subject", "subject_id", "at", name="audit_log_subject"),
            models.Index(F("user"), F("at").desc(), name="audit_log_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject} {self.subject_id}"


class WorkerHeartbeat(models.Model):
    """A worker that lives, or lived: who, where, since when, which version."""

    name = models.TextField(primary_key=True)
    incarnation = models.TextField()
    host = models.TextField()
    pid = models.PositiveIntegerField()
    version = models.TextField()
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()

    class Meta:
        db_table = "worker_heartbeats"

    def __str__(self) -> str:
        return self.name


class HubSetting(Owned):
    """One version of one document of the effective configuration (HUB-10). A change adds a version."""

    name = models.TextField()
    version = models.PositiveIntegerField()
    value = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "hub_settings"
        constraints = [models.UniqueConstraint(fields=["user", "name", "version"], name="hub_settings_one_per_version")]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"
