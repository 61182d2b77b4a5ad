"""A company's team: its rules, who is invited, who approved what, which days are taken, and the files of its posts."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from hub.models.base import Owned
from hub.models.people import Role, User
from hub.models.posts import Post


class Company(models.Model):
    """The company whose hub this is; a personal hub has none.

    Its rows belong to a row of `users` of its own, so that the worker acts for the company as it does for a person.
    """

    class Policy(models.TextChoices):
        """Who decides that a member's post goes out (TEAM-2)."""

        FREE = "free"  # its author
        CALENDAR = "calendar"  # its author, on a day that he claimed
        APPROVAL = "approval"  # an approver, on a day that the author claimed

    user = models.OneToOneField(User, on_delete=models.DO_NOTHING, primary_key=True, related_name="+")
    slug = models.TextField()
    posting_policy = models.TextField(choices=Policy, default=Policy.FREE, db_default=Policy.FREE)
    self_approval = models.BooleanField(default=False, db_default=False)  # whether approvers may approve their own

    class Meta:
        db_table = "companies"
        constraints = [
            models.CheckConstraint(
                name="companies_policy", condition=Q(posting_policy__in=["free", "calendar", "approval"])
            )
        ]

    def __str__(self) -> str:
        return self.slug


class Invite(Owned):
    """A way into the team for one person: a login that can do nothing but redeem it, once, until it expires.

    `member` is set when an existing member gets a new login. Written by the hub's own functions alone.
    """

    login_role = models.TextField()
    name = models.TextField()
    role = models.TextField(choices=Role)
    member = models.ForeignKey(User, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False)
    created_by = models.ForeignKey(User, on_delete=models.DO_NOTHING, related_name="+", db_index=False)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    redeemed_at = models.DateTimeField(null=True)
    redeemed_by = models.ForeignKey(User, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "invites"
        constraints = [models.UniqueConstraint(fields=["login_role"], name="invites_one_per_login")]

    def __str__(self) -> str:
        return self.name


class Approval(Owned):
    """What an approver said to a post, bound to its content (POST-4). Rows are only ever added, by the hub's own functions."""

    class Verdict(models.TextChoices):
        APPROVED = "approved"
        REJECTED = "rejected"

    post = models.ForeignKey(Post, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    by = models.ForeignKey(User, on_delete=models.DO_NOTHING, related_name="+", db_index=False)
    verdict = models.TextField(choices=Verdict)
    feedback = models.TextField(default="", blank=True)
    content_hash = models.TextField()
    content = models.JSONField(default=dict, db_default={})  # what it said then, as the database read it
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "approvals"
        indexes = [models.Index("user", "post", "at", name="approvals_of_post")]

    def __str__(self) -> str:
        return f"{self.verdict} {self.post_id}"


class Slot(Owned):
    """A day on a platform that one member of a company has for a post. The unique key makes claiming atomic (PLAN-6).

    `on` is a day in the company's own time zone.
    """

    on = models.DateField()
    platform = models.TextField()
    claimed_by = models.ForeignKey(User, on_delete=models.DO_NOTHING, related_name="+", db_index=False)
    claimed_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "slots"
        constraints = [models.UniqueConstraint(fields=["user", "on", "platform"], name="slots_one_holder")]

    def __str__(self) -> str:
        return f"{self.platform} on {self.on}"


class MediaChunk(Owned):
    """A piece, at most 1 MiB, of a file on its way from the author's computer to the worker's.

    `sha256` (hex) is the whole file's; whoever puts it together checks it. The pieces of one person make one file, so that nobody's
    wrong bytes stand in the way of another's right ones; the database says who that is.
    """

    uploaded_by = models.ForeignKey(User, on_delete=models.DO_NOTHING, related_name="+", db_index=False)
    sha256 = models.TextField()
    index = models.PositiveIntegerField()
    content = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "media_chunks"
        indexes = [models.Index("user", "sha256", name="media_chunks_of_file")]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "uploaded_by", "sha256", "index"], name="media_chunks_one_per_index"
            ),
            models.CheckConstraint(name="media_chunks_sha256", condition=Q(sha256__regex="^[0-9a-f]{64}$")),
            models.CheckConstraint(name="media_chunks_index", condition=Q(index__lt=100)),
        ]

    def __str__(self) -> str:
        return f"{self.sha256} {self.index}"
