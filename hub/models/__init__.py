"""Everything a hub remembers, one file per subject."""

from hub.models.accounts import Account, ApiKey, OAuthToken
from hub.models.operations import AuditEntry, HubSetting, Notice, WorkerHeartbeat
from hub.models.people import Login, User
from hub.models.posts import Attempt, Post, PostMedia, PostPart, Status

__all__ = [
    "Account",
    "ApiKey",
    "Attempt",
    "AuditEntry",
    "HubSetting",
    "Login",
    "Notice",
    "OAuthToken",
    "Post",
    "PostMedia",
    "PostPart",
    "Status",
    "User",
    "WorkerHeartbeat",
]
