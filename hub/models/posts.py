"""Posts, their parts and media, and every call that was made for them. The posts table is the only schedule (PUB-1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import ExpressionWrapper, F, Q, Value
from django.db.models.functions import Now

from hub.models.accounts import Account
from hub.models.base import Owned
from hub.models.operations import AuditEntry
from hub.models.people import User
from psn.errors import Conflict


class Status(models.TextChoices):
    """Where a post is (PUB-2). `published`, `delivered` and `cancelled` are terminal."""

    DRAFT = "draft"
    PENDING_APPROVAL = "pending_approval"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    FAILED = "failed"
    MISSED = "missed"
    UNKNOWN = "unknown"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


ENDED = (Status.PUBLISHED, Status.FAILED, Status.MISSED, Status.UNKNOWN, Status.DELIVERED, Status.CANCELLED)
EDITABLE = (Status.DRAFT, Status.PENDING_APPROVAL, Status.APPROVED, Status.SCHEDULED, Status.FAILED, Status.MISSED)
NEEDS_APPROVAL = (
    Status.APPROVED,
    Status.SCHEDULED,
    Status.PUBLISHING,
    Status.PUBLISHED,
    Status.UNKNOWN,
    Status.DELIVERED,
)


class PostQuerySet(models.QuerySet["Post"]):
    """Posts; a change of state is one conditional update, so two callers cannot both win."""

    def held(self, post: Post) -> PostQuerySet:
        """The row of this post while its claim still stands."""
        return self.filter(id=post.id, fence=post.fence, status=Status.PUBLISHING, lease_until__gt=Now())

    def change(
        self,
        post: Post,
        *,
        to: Status,
        among: Iterable[Status],
        actor: str,
        detail: dict[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        """Change a post's state for a person, with its audit row (P7): the only way outside the engine.

        Args:
            among: the states it may come from.

        Raises:
            Conflict: it is in none of them any more.
        """
        with transaction.atomic(using=self.db):
            before = self.select_for_update().filter(id=post.id).values_list("status", flat=True).first()
            if before not in {str(status) for status in among}:
                before = before or self.filter(id=post.id).values_list("status", flat=True).first()
                raise Conflict(
                    f"Post {post.id} is {before} by now, so this is not possible.",
                    code="post.state",
                    next_command=f"psn_post show {post.id}",
                )
            self.filter(id=post.id).update(status=to, updated_at=Now(), **fields)
            AuditEntry.objects.using(self.db).record(
                post, action=f"post.{to}", actor=actor, from_state=before or "", to_state=to, detail=detail
            )
        post.refresh_from_db()

    def renew(self, post: Post, *, lease: timedelta, phase: str) -> bool:
        """Lengthen the lease and name the phase; False when the claim was lost."""
        return self.held(post).update(lease_until=from_now(lease), phase=phase) == 1


class Post(Owned):
    """One piece of content for one account.

    Units and meaning: `scheduled_at` is what the person asked for (UTC; `scheduled_zone` and `scheduled_wall` keep how they said
    it), `due_at` the same pushed back by retries. `fence` rises with every claim; a late worker's writes carry an old one.
    `look_at` is when the engine looks at the platform whether an `unknown` post is out; empty when only a person can tell.
    `options` is what the person chose besides text and media, as the platform declares it; part of what is approved. Posts that share
    an idea share a `campaign`. `published_at` is when it was live, or handed over to the platform's app (`delivered`). A person may have
    a live post deleted: asked for at `delete_asked_at`, gone since `deleted_at`. `author` is the member who wrote a company's post; empty
    where the owner is the author.
    """

    class Phase(models.TextChoices):
        CLAIMED = "claimed"  # no commit call was made: safe to take over at once
        SENDING = "sending"  # an intent is written: look first

    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    status = models.TextField(choices=Status, default=Status.DRAFT)
    scheduled_at = models.DateTimeField(null=True)
    scheduled_zone = models.TextField(default="", blank=True)
    scheduled_wall = models.TextField(default="", blank=True)
    due_at = models.DateTimeField(null=True)

    phase = models.TextField(choices=Phase, default="", blank=True)
    lease_until = models.DateTimeField(null=True)
    lease_owner = models.TextField(default="", blank=True)
    fence = models.BigIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)

    content_hash = models.TextField()
    approved_hash = models.TextField(default="", blank=True)
    approved_by = models.TextField(default="", blank=True)
    approved_at = models.DateTimeField(null=True)

    platform_post_id = models.TextField(default="", blank=True)
    url = models.TextField(default="", blank=True)
    published_at = models.DateTimeField(null=True)
    error_code = models.TextField(default="", blank=True)
    error_message = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    look_at = models.DateTimeField(null=True)
    options = models.JSONField(default=dict, db_default={})
    campaign = models.UUIDField(null=True)
    delete_asked_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    author = models.ForeignKey(User, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False)

    objects = PostQuerySet.as_manager()

    class Meta:
        db_table = "posts"
        indexes = [
            models.Index(F("user"), F("created_at").desc(), name="posts_newest"),
            models.Index("due_at", "id", name="posts_due", condition=Q(status="scheduled")),  # the claim's own order
            models.Index("lease_until", name="posts_lease", condition=Q(status="publishing")),
            models.Index("look_at", name="posts_look", condition=Q(status="unknown")),
            models.Index("published_at", name="posts_published", condition=Q(status="published")),
            models.Index("account", "published_at", name="posts_of_day", condition=Q(published_at__isnull=False)),
            models.Index("user", "scheduled_at", name="posts_calendar", condition=Q(scheduled_at__isnull=False)),
            models.Index("user", "due_at", name="posts_waiting", condition=Q(status="pending_approval")),
            models.Index("campaign", name="posts_campaign", condition=Q(campaign__isnull=False)),
            models.Index(
                "delete_asked_at", name="posts_to_delete", condition=Q(delete_asked_at__isnull=False, deleted_at=None)
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["user", "id"], name="posts_owner_key"),
            models.UniqueConstraint(fields=["account"], name="posts_one_in_flight", condition=Q(status="publishing")),
            models.CheckConstraint(name="posts_status", condition=Q(status__in=Status.values)),
            models.CheckConstraint(
                name="posts_publishing_has_lease",
                condition=(
                    Q(status="publishing", lease_until__isnull=False, phase__in=["claimed", "sending"])
                    & ~Q(lease_owner="")
                )
                | (~Q(status="publishing") & Q(lease_until__isnull=True, lease_owner="", phase="")),
            ),
            models.CheckConstraint(
                name="posts_looks_when_unknown", condition=Q(look_at__isnull=True) | Q(status="unknown")
            ),
            models.CheckConstraint(
                name="posts_scheduled_has_time",
                condition=~Q(status__in=["scheduled", "publishing", "published"])
                | Q(scheduled_at__isnull=False, due_at__isnull=False, due_at__gte=F("scheduled_at")),
            ),
            models.CheckConstraint(
                name="posts_approved_content",
                condition=~Q(status__in=[str(status) for status in NEEDS_APPROVAL])
                | (Q(approved_hash=F("content_hash")) & ~Q(approved_hash="")),
            ),
            models.CheckConstraint(
                name="posts_published_has_remote_id",
                condition=~Q(status="published") | (~Q(platform_post_id="") & Q(published_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="posts_delivered_has_remote_id",
                condition=~Q(status="delivered") | (~Q(platform_post_id="") & Q(published_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="posts_deletes_what_is_out",
                condition=Q(delete_asked_at=None, deleted_at=None)
                | Q(status="published", delete_asked_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def lateness_ms(self) -> int | None:
        """Milliseconds from the time asked for to the time it was live; None before that."""
        if self.published_at is None or self.scheduled_at is None:
            return None
        return round((self.published_at - self.scheduled_at).total_seconds() * 1000)


class PostPart(Owned):
    """One part of a post: itself, the next of a thread, or a comment. Its remote id is stored right after it is made (PUB-4)."""

    class State(models.TextChoices):
        WAITING = "waiting"
        PUBLISHED = "published"
        DELIVERED = "delivered"  # in the platform's app, where a person finishes it

    class Kind(models.TextChoices):
        POST = "post"
        COMMENT = "comment"

    post = models.ForeignKey(
        Post, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="parts"
    )
    index = models.PositiveIntegerField()
    kind = models.TextField(choices=Kind, default=Kind.POST)
    text = models.TextField(blank=True)
    state = models.TextField(choices=State, default=State.WAITING)
    platform_post_id = models.TextField(default="", blank=True)
    url = models.TextField(default="", blank=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "post_parts"
        ordering = ["index"]
        indexes = [
            models.Index("user", "platform_post_id", name="post_parts_remote", condition=~Q(platform_post_id=""))
        ]
        constraints = [
            models.UniqueConstraint(fields=["user", "post", "index"], name="post_parts_one_per_index"),
            models.UniqueConstraint(fields=["user", "id"], name="post_parts_owner_key"),
            models.CheckConstraint(name="post_parts_kind", condition=Q(kind__in=["post", "comment"])),
            models.CheckConstraint(
                name="post_parts_published_has_remote_id",
                condition=(
                    Q(state__in=["published", "delivered"], published_at__isnull=False) & ~Q(platform_post_id="")
                )
                | Q(state="waiting", platform_post_id=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.post_id} part {self.index}"


class PostMedia(Owned):
    """A file of a part. `sha256` (hex) is part of what is approved, so a swapped file is noticed.

    `facts` is what is inside (`psn.media.facts.MediaFacts`), read when it was attached.
    """

    part = models.ForeignKey(
        PostPart, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="media"
    )
    index = models.PositiveIntegerField()
    path = models.TextField()
    sha256 = models.TextField()
    mime_type = models.TextField()
    size_bytes = models.BigIntegerField()
    alt_text = models.TextField(default="", blank=True)
    facts = models.JSONField(default=dict, db_default={})

    class Meta:
        db_table = "post_media"
        ordering = ["index"]
        constraints = [models.UniqueConstraint(fields=["user", "part", "index"], name="post_media_one_per_index")]

    def __str__(self) -> str:
        return self.path


class Attempt(Owned):
    """One outgoing call, written before it is made and closed with what came back (PUB-10). Closed rows never change.

    `reference` is what tells this very call from any other at the platform (`psn.platforms.base.Prepared`).
    """

    class Kind(models.TextChoices):
        UPLOAD = "upload"
        COMMIT = "commit"
        PROBE = "probe"
        DELETE = "delete"

    class Outcome(models.TextChoices):
        OK = "ok"
        REFUSED = "refused"
        NOT_SENT = "not_sent"
        LIMITED = "limited"
        UNKNOWN = "unknown"

    post = models.ForeignKey(
        Post, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="attempts"
    )
    part = models.ForeignKey(
        PostPart, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    kind = models.TextField(choices=Kind)
    fence = models.BigIntegerField()
    worker = models.TextField()
    fingerprint = models.TextField()
    reference = models.TextField(default="", db_default="", blank=True)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    outcome = models.TextField(choices=Outcome, default="", blank=True)
    remote_id = models.TextField(default="", blank=True)
    http_status = models.PositiveIntegerField(null=True)
    request_id = models.TextField(default="", blank=True)
    retry_at = models.DateTimeField(null=True)
    detail = models.TextField(default="", blank=True)

    class Meta:
        db_table = "attempts"
        ordering = ["started_at", "id"]
        indexes = [models.Index("user", "post", "started_at", name="attempts_of_post")]
        constraints = [
            models.UniqueConstraint(
                fields=["part"], name="attempts_one_open_commit", condition=Q(kind="commit", finished_at__isnull=True)
            ),
            models.CheckConstraint(name="attempts_kind", condition=Q(kind__in=["upload", "commit", "probe", "delete"])),
            models.CheckConstraint(
                name="attempts_closed_has_outcome",
                condition=Q(finished_at__isnull=True, outcome="")
                | Q(finished_at__isnull=False, outcome__in=["ok", "refused", "not_sent", "limited", "unknown"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.part_id}"

    @property
    def duration_ms(self) -> int | None:
        """Milliseconds the call took; None while it is open."""
        if self.finished_at is None:
            return None
        return round((self.finished_at - self.started_at).total_seconds() * 1000)


def from_now(span: timedelta) -> Any:
    """The database's clock plus a span."""
    return ExpressionWrapper(Now() + Value(span), output_field=models.DateTimeField())
