"""Everything the sandbox remembers. Tokens and codes are kept as SHA-256 only.

Each `data` belongs to the platform's own module: what only that platform has.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db import models

NAME_LENGTH = 255  # a URN, an at-uri or a domain as a handle


class Account(models.Model):
    """Somebody who can post on a platform; made the first time a handle is used on a consent page.

    `platform_account_id` follows from the handle, so it is the same again after a reset.
    """

    platform: models.CharField[str, str] = models.CharField(max_length=20)
    handle: models.CharField[str, str] = models.CharField(max_length=NAME_LENGTH)
    name: models.CharField[str, str] = models.CharField(max_length=NAME_LENGTH)
    platform_account_id: models.CharField[str, str] = models.CharField(max_length=NAME_LENGTH)
    created_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    data: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)

    objects: ClassVar[models.Manager[Account]] = models.Manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("platform", "handle"), name="account_handle"),
            models.UniqueConstraint(fields=("platform", "platform_account_id"), name="account_platform_id"),
        )


class ConsentPage(models.Model):
    """A consent page that was shown and not answered yet; answering it deletes the row."""

    nonce: models.CharField[str, str] = models.CharField(max_length=64, primary_key=True)
    platform: models.CharField[str, str] = models.CharField(max_length=20, default="x")
    client_id: models.CharField[str, str] = models.CharField(max_length=NAME_LENGTH)
    redirect_uri: models.TextField[str, str] = models.TextField()
    scope: models.TextField[str, str] = models.TextField()  # blanks between, whatever the platform writes
    state: models.TextField[str, str] = models.TextField()
    code_challenge: models.CharField[str, str] = models.CharField(max_length=128)
    shown_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    data: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)

    objects: ClassVar[models.Manager[ConsentPage]] = models.Manager()


class AuthorizationCode(models.Model):
    """A code on its way to the token endpoint; exchanging it deletes the row."""

    code_sha256: models.CharField[str, str] = models.CharField(max_length=64, primary_key=True)
    platform: models.CharField[str, str] = models.CharField(max_length=20, default="x")
    account: models.ForeignKey[Account, Account] = models.ForeignKey(Account, on_delete=models.CASCADE)
    client_id: models.CharField[str, str] = models.CharField(max_length=NAME_LENGTH)
    redirect_uri: models.TextField[str, str] = models.TextField()
    scope: models.TextField[str, str] = models.TextField()
    code_challenge: models.CharField[str, str] = models.CharField(max_length=128)
    expires_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    data: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)

    objects: ClassVar[models.Manager[AuthorizationCode]] = models.Manager()


class Grant(models.Model):
    """What an account allowed an app: the present pair of tokens. A refresh replaces both.

    `access_expires_at` is None for a token that never ends, `refresh_expires_at` for one whose end nobody tells.
    """

    account: models.ForeignKey[Account, Account] = models.ForeignKey(Account, on_delete=models.CASCADE)
    client_id: models.CharField[str, str] = models.CharField(max_length=NAME_LENGTH)
    scope: models.TextField[str, str] = models.TextField()
    access_sha256: models.CharField[str, str] = models.CharField(max_length=64, unique=True)
    access_expires_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)
    refresh_sha256: models.CharField[str | None, str | None] = models.CharField(max_length=64, unique=True, null=True)
    refresh_expires_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)
    issued_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)
    data: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)

    objects: ClassVar[models.Manager[Grant]] = models.Manager()


class Upload(models.Model):
    """A media file, from its announcement on; it can be attached once it is finished and processed.

    `file` is its name below `DIR/media`; `ready_at` is when the processing ends, and `fails` how.
    """

    account: models.ForeignKey[Account, Account] = models.ForeignKey(Account, on_delete=models.CASCADE)
    platform_media_id: models.CharField[str, str] = models.CharField(max_length=NAME_LENGTH)
    file: models.CharField[str, str] = models.CharField(max_length=64, unique=True)
    mime_type: models.CharField[str, str] = models.CharField(max_length=100)
    category: models.CharField[str, str] = models.CharField(max_length=30)
    total_bytes: models.BigIntegerField[int, int] = models.BigIntegerField()
    alt_text: models.TextField[str, str] = models.TextField(default="")
    started_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    finished_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)
    ready_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)
    fails: models.BooleanField[bool, bool] = models.BooleanField(default=False)
    data: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)

    objects: ClassVar[models.Manager[Upload]] = models.Manager()

    class Meta:
        indexes = (models.Index(fields=("platform_media_id",), name="upload_platform_id"),)
        constraints = (
            models.UniqueConstraint(fields=("account", "platform_media_id"), name="upload_account_platform_id"),
        )


class Job(models.Model):
    """Work that goes on between calls: a container, a publish id, an upload session, an app that registered itself.

    While its state is `open`, the clock says how far it is, as for an upload: see `sandbox.jobs.state_of`.
    """

    account: models.ForeignKey[Account | None, Account | None] = models.ForeignKey(
        Account, on_delete=models.CASCADE, null=True
    )
    platform: models.CharField[str, str] = models.CharField(max_length=20)
    kind: models.CharField[str, str] = models.CharField(max_length=30)
    remote_id: models.CharField[str, str] = models.CharField(max_length=NAME_LENGTH)
    state: models.CharField[str, str] = models.CharField(max_length=30)
    ready_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)
    fails: models.BooleanField[bool, bool] = models.BooleanField(default=False)
    data: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    created_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    changed_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()

    objects: ClassVar[models.Manager[Job]] = models.Manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("platform", "kind", "remote_id"), name="job_remote_id"),)


class Post(models.Model):
    """A post; its id grows with time. A deleted one stays as a row, so that ids are never used twice.

    `remote_id` is what the platform calls it, `kind` what it is: see `sandbox.posts`.
    """

    id: models.BigIntegerField[int, int] = models.BigIntegerField(primary_key=True)
    remote_id: models.CharField[str, str] = models.CharField(max_length=NAME_LENGTH)
    kind: models.CharField[str, str] = models.CharField(max_length=20, default="post")
    account: models.ForeignKey[Account, Account] = models.ForeignKey(Account, on_delete=models.CASCADE)
    text: models.TextField[str, str] = models.TextField()
    text_sha256: models.CharField[str, str] = models.CharField(max_length=64)  # of the form that makes duplicates equal
    reply_to: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(null=True)
    conversation_id: models.BigIntegerField[int, int] = models.BigIntegerField()
    made_with_ai: models.BooleanField[bool, bool] = models.BooleanField(default=False)
    body_sha256: models.CharField[str, str] = models.CharField(max_length=64)
    created_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    deleted_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True)
    hidden_until: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        null=True
    )  # in timelines
    data: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    media: models.ManyToManyField[Any, Any] = models.ManyToManyField(Upload, through="Attachment")

    objects: ClassVar[models.Manager[Post]] = models.Manager()

    class Meta:
        indexes = (
            models.Index(fields=("account", "-id"), name="post_timeline"),
            models.Index(fields=("account", "text_sha256"), name="post_duplicates"),
            models.Index(fields=("conversation_id", "id"), name="post_conversation"),
            models.Index(fields=("remote_id",), name="post_remote_id"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("account", "remote_id"), condition=models.Q(deleted_at=None), name="post_account_remote_id"
            ),
        )


class Attachment(models.Model):
    """A finished upload shown with a post, in the author's order."""

    post: models.ForeignKey[Post, Post] = models.ForeignKey(Post, on_delete=models.CASCADE)
    upload: models.ForeignKey[Upload, Upload] = models.ForeignKey(Upload, on_delete=models.CASCADE)
    position: models.IntegerField[int, int] = models.IntegerField()

    objects: ClassVar[models.Manager[Attachment]] = models.Manager()

    class Meta:
        ordering = ("position",)


class StoredFile(models.Model):
    """A file in the stand-in for object storage: what was put under a key."""

    key: models.TextField[str, str] = models.TextField(unique=True)
    file: models.CharField[str, str] = models.CharField(max_length=64, unique=True)
    mime_type: models.CharField[str, str] = models.CharField(max_length=100)
    size_bytes: models.BigIntegerField[int, int] = models.BigIntegerField()
    stored_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()

    objects: ClassVar[models.Manager[StoredFile]] = models.Manager()


class RateWindow(models.Model):
    """How much of an endpoint's allowance an account has spent in the present window."""

    account: models.ForeignKey[Account, Account] = models.ForeignKey(Account, on_delete=models.CASCADE)
    endpoint: models.CharField[str, str] = models.CharField(max_length=100)
    ends_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    used: models.IntegerField[int, int] = models.IntegerField()

    objects: ClassVar[models.Manager[RateWindow]] = models.Manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("account", "endpoint"), name="window_endpoint"),)


class Fault(models.Model):
    """A failure somebody ordered. `times_left` is None for one that lasts until it is cleared."""

    platform: models.CharField[str, str] = models.CharField(max_length=20)
    match: models.CharField[str, str] = models.CharField(max_length=200)
    kind: models.CharField[str, str] = models.CharField(max_length=20)
    status: models.IntegerField[int | None, int | None] = models.IntegerField(null=True)
    seconds: models.FloatField[float, float] = models.FloatField(default=0.0)
    retry_after: models.IntegerField[int | None, int | None] = models.IntegerField(null=True)
    times_left: models.IntegerField[int | None, int | None] = models.IntegerField(null=True)

    objects: ClassVar[models.Manager[Fault]] = models.Manager()


class Call(models.Model):
    """The journal: one request a platform accepted. Never a token, never a body.

    `outcome` is `accepted` until the sandbox has decided; a server that was killed in between leaves it so. `caller` is the
    platform of this sandbox that fetched something; empty for everybody else.
    """

    platform: models.CharField[str, str] = models.CharField(max_length=20)
    at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    method: models.CharField[str, str] = models.CharField(max_length=10)
    path: models.TextField[str, str] = models.TextField()
    body_sha256: models.CharField[str, str] = models.CharField(max_length=64)
    idempotency_key: models.CharField[str, str] = models.CharField(max_length=200, default="")
    request_id: models.CharField[str, str] = models.CharField(max_length=32)
    handle: models.CharField[str, str] = models.CharField(max_length=NAME_LENGTH, default="")
    status: models.IntegerField[int | None, int | None] = models.IntegerField(null=True)
    outcome: models.CharField[str, str] = models.CharField(max_length=20, default="accepted")
    fault: models.CharField[str, str] = models.CharField(max_length=20, default="")
    post_id: models.CharField[str, str] = models.CharField(max_length=NAME_LENGTH, default="")
    caller: models.CharField[str, str] = models.CharField(max_length=20, default="")

    objects: ClassVar[models.Manager[Call]] = models.Manager()


class ClockOffset(models.Model):
    """How far the sandbox's clock was moved ahead, one row."""

    seconds: models.FloatField[float, float] = models.FloatField()

    objects: ClassVar[models.Manager[ClockOffset]] = models.Manager()
