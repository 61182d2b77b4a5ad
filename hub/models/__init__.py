"""Everything a hub remembers, one file per subject."""

from hub.models.accounts import Account, ApiKey, OAuthToken
from hub.models.operations import AuditEntry, HubSetting, Notice, WorkerHeartbeat
from hub.models.people import Login, Role, User
from hub.models.posts import Attempt, Post, PostMedia, PostPart, Status
from hub.models.teams import Approval, Company, Invite, MediaChunk, Slot

__all__ = [
    "Account",
    "ApiKey",
    "Approval",
    "Attempt",
    "AuditEntry",
    "Company",
    "HubSetting",
    "Invite",
    "Login",
    "MediaChunk",
    "Notice",
    "OAuthToken",
    "Post",
    "PostMedia",
    "PostPart",
    "Role",
    "Slot",
    "Status",
    "User",
    "WorkerHeartbeat",
]
