"""Connected profiles, and the secrets to act for them."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from hub.models.base import Owned

GRACE = timedelta(hours=48)  # a post found later than this is a surprise, not a post (PUB-7)


class Account(Owned):
    """A connected profile on a platform.

    `base_url` is empty for the platform itself, else a sandbox, an instance or a proxy. `next_allowed_at` carries the resets of
    rate limits: nothing is claimed for the account before it. `next_catch_up_at` paces what an outage made late (PUB-12): nothing
    that is long overdue is claimed before it, what is on time is. `grace` is how late a post may still go out (PUB-7).
    `capabilities` is what the platform said about this very account (`Adapter.fetch_capabilities`), `rate_limits` what its headers
    said last, by endpoint (PLAT-3). `profile_url` is the account's own page. `daily_cap` is the user's own limit of posts in 24 hours;
    None leaves it to the platform's.
    """

    class Status(models.TextChoices):
        ACTIVE = "active"
        NEEDS_RECONNECT = "needs_reconnect"
        DISCONNECTED = "disconnected"

    platform = models.TextField()
    platform_account_id = models.TextField()
    handle = models.TextField()
    name = models.TextField(default="")
    base_url = models.TextField(default="", blank=True)
    profile_url = models.TextField(default="", db_default="", blank=True)
    is_sandbox = models.BooleanField(default=False)
    status = models.TextField(choices=Status, default=Status.ACTIVE)
    status_reason = models.TextField(default="", blank=True)
    next_allowed_at = models.DateTimeField(null=True)
    next_catch_up_at = models.DateTimeField(null=True)
    grace = models.DurationField(default=GRACE, db_default=GRACE)
    capabilities = models.JSONField(default=dict, db_default={})
    rate_limits = models.JSONField(default=dict, db_default={})
    daily_cap = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    connected_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "accounts"
        constraints = [
            models.UniqueConstraint(
                F("user"), F("platform"), F("base_url"), F("platform_account_id"), name="accounts_one_per_profile"
            ),
            models.UniqueConstraint(fields=["user", "id"], name="accounts_owner_key"),
            models.CheckConstraint(
                name="accounts_status", condition=Q(status__in=["active", "needs_reconnect", "disconnected"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.platform}:@{self.handle}"

    @property
    def connect_command(self) -> str:
        """The command that connects this very profile again."""
        return f"psn_account reconnect {self.id}"


class OAuthToken(Owned):
    """The grant of an account, sealed. One row per account; a reconnect replaces it.

    `version` rises with every new pair of tokens. Until `lease_until`, somebody asks for the next pair, and nobody else may.
    `warned_at` is when the person was told that this grant will end and cannot be renewed.
    """

    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    access_token_sealed = models.TextField()
    refresh_token_sealed = models.TextField(default="", blank=True)
    access_expires_at = models.DateTimeField(null=True)
    client_id = models.TextField(default="", blank=True)
    scopes = models.JSONField(default=list)
    obtained_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    client_secret_sealed = models.TextField(default="", db_default="", blank=True)
    refresh_expires_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    warned_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "oauth_tokens"
        constraints = [models.UniqueConstraint(fields=["user", "account"], name="oauth_tokens_one_per_account")]

    def __str__(self) -> str:
        return f"token of {self.account_id}"


class ApiKey(Owned):
    """A vendor's key that the worker needs, sealed."""

    name = models.TextField()
    key_sealed = models.TextField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "api_keys"
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="api_keys_one_per_name")]

    def __str__(self) -> str:
        return self.name
