"""What the instance says of itself, and whose token it is. docs.joinmastodon.org/methods/instance, /methods/accounts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from sandbox.models import Account
from sandbox.platforms.mastodon.endpoint import answer, endpoint
from sandbox.platforms.mastodon.entities import base_of, describe_own_account
from sandbox.platforms.mastodon.media import IMAGE_BYTES, MAX_DESCRIPTION, MIME_TYPES, VIDEO_BYTES
from sandbox.platforms.mastodon.statuses import MAX_FILES
from sandbox.platforms.mastodon.text import LINK_CHARACTERS, MAX_CHARACTERS

VERSION = "4.5.0"
API_VERSION = 7


@endpoint(scope="read:accounts")
def read_own_account(request: HttpRequest, account: Account) -> HttpResponse:
    """Say whose token it is."""
    return answer(describe_own_account(request, account))


def read_instance(request: HttpRequest) -> HttpResponse:
    """Describe the instance (v2)."""
    base = base_of(request)
    return answer(
        {
            "domain": request.get_host(),
            "title": "PSN sandbox",
            "version": VERSION,
            "source_url": "https://github.com/mastodon/mastodon",
            "description": "A stand-in for an instance, on this machine only.",
            "usage": {"users": {"active_month": 1}},
            "thumbnail": {"url": f"{base}/avatars/missing.png"},
            "icon": [],
            "languages": ["en"],
            "configuration": _describe_configuration(),
            "registrations": {"enabled": False, "approval_required": False, "message": None},
            "api_versions": {"mastodon": API_VERSION},
            "contact": {"email": "nobody@example.com", "account": None},
            "rules": [],
        }
    )


def read_old_instance(request: HttpRequest) -> HttpResponse:
    """Describe the instance as clients of former versions ask for it (v1)."""
    return answer(
        {
            "uri": request.get_host(),
            "title": "PSN sandbox",
            "short_description": "",
            "description": "A stand-in for an instance, on this machine only.",
            "email": "nobody@example.com",
            "version": VERSION,
            "urls": {"streaming_api": f"ws://{request.get_host()}"},
            "stats": {"user_count": 1, "status_count": 0, "domain_count": 0},
            "thumbnail": None,
            "languages": ["en"],
            "registrations": False,
            "approval_required": False,
            "invites_enabled": False,
            "configuration": _describe_configuration(),
            "contact_account": None,
            "rules": [],
        }
    )


def _describe_configuration() -> dict[str, Any]:
    return {
        "urls": {},
        "accounts": {"max_featured_tags": 10, "max_pinned_statuses": 5},
        "statuses": {
            "max_characters": MAX_CHARACTERS,
            "max_media_attachments": MAX_FILES,
            "characters_reserved_per_url": LINK_CHARACTERS,
        },
        "media_attachments": {
            "supported_mime_types": list(MIME_TYPES),
            "description_limit": MAX_DESCRIPTION,
            "image_size_limit": IMAGE_BYTES,
            "image_matrix_limit": 33_177_600,
            "video_size_limit": VIDEO_BYTES,
            "video_frame_rate_limit": 120,
            "video_matrix_limit": 8_294_400,
        },
        "polls": {
            "max_options": 4,
            "max_characters_per_option": 50,
            "min_expiration": 300,
            "max_expiration": 2_629_746,
        },
        "translation": {"enabled": False},
    }
