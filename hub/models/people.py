"""People, and the database logins they come in with."""

from __future__ import annotations

from django.db import models

from hub.models.base import new_id


class User(models.Model):
    """A person of this hub."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.TextField()
    timezone = models.TextField(default="UTC")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "users"

    def __str__(self) -> str:
        return self.name


class Login(models.Model):
    """Which Postgres login is whom: the only source of identity. Nobody but the identity functions reads it."""

    class Kind(models.TextChoices):
        MEMBER = "member"
        SERVICE = "service"

    login_role = models.TextField(primary_key=True)
    kind = models.TextField(choices=Kind)
    user = models.ForeignKey(User, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False)
    is_active = models.BooleanField(default=True)

    class Meta:
        db_table = "logins"
        constraints = [
            models.CheckConstraint(
                name="logins_kind_user",
                condition=models.Q(kind="member", user__isnull=False) | models.Q(kind="service", user__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.login_role
