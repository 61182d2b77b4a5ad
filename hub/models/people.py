"""People, and the database logins they come in with."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from hub.models.base import new_id


class Role(models.TextChoices):
    """What a member of a team may do. The one person of a personal hub is its admin."""

    MEMBER = "member"
    APPROVER = "approver"
    ADMIN = "admin"


class User(models.Model):
    """A person of this hub, or the company whose hub it is.

    Role, activity and kind change through the hub's own functions alone (TEAM-1). Whoever was removed stays as the author of what he
    wrote.
    """

    class Kind(models.TextChoices):
        PERSON = "person"
        COMPANY = "company"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.TextField()
    timezone = models.TextField(default="UTC")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    kind = models.TextField(choices=Kind, default=Kind.PERSON, db_default=Kind.PERSON)
    role = models.TextField(choices=Role, default=Role.ADMIN, db_default=Role.ADMIN)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "users"
        constraints = [
            models.CheckConstraint(name="users_role", condition=Q(role__in=["member", "approver", "admin"])),
            models.CheckConstraint(name="users_kind", condition=Q(kind__in=["person", "company"])),
            models.UniqueConstraint("kind", name="users_one_company", condition=Q(kind="company")),
        ]

    def __str__(self) -> str:
        return self.name


class Login(models.Model):
    """Which Postgres login is whom: the only source of identity. Nobody but the hub's own functions reads it."""

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
                condition=Q(kind="member", user__isnull=False) | Q(kind="service", user__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.login_role
