"""The shapes in which commands show rows; scripts and agents rely on them, so fields are added and never renamed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hub.actions.answers import Answer
from hub.actions.approval.approvals import Waiting
from hub.actions.catalogue import explain_code
from hub.actions.live import Preview
from hub.actions.story import Line, Teller, tell_time
from hub.management.envelope import command_line
from hub.models import Account, Approval, Attempt, Notice, Post, PostPart
from hub.publishing.content import has_own_path
from psn.platforms.base import RemotePost
from psn.text.changes import Change


def account_shape(account: Account) -> dict[str, Any]:
    """Show an account, without anything secret."""
    return {
        "id": str(account.id),
        "platform": account.platform,
        "handle": f"@{account.handle}",
        "name": account.name,
        "status": account.status,
        "status_reason": account.status_reason or None,
        "sandbox": account.is_sandbox,
        "base_url": account.base_url or None,
        "connected_at": account.connected_at,
        "next_allowed_at": account.next_allowed_at,
    }


def post_shape(post: Post) -> dict[str, Any]:
    """Show a post with its parts."""
    return {
        "id": str(post.id),
        "account": f"@{post.account.handle}",
        "account_id": str(post.account_id),
        "platform": post.account.platform,
        "author": post.author.name if post.author else None,
        "status": post.status,
        "scheduled_at": post.scheduled_at,
        "scheduled_local": f"{post.scheduled_wall} {post.scheduled_zone}" if post.scheduled_wall else None,
        "approved": bool(post.approved_hash) and post.approved_hash == post.content_hash,
        "published_at": post.published_at,
        "lateness_ms": post.lateness_ms,
        "url": post.url or None,
        "options": post.options,
        "campaign": str(post.campaign) if post.campaign else None,
        "delete_asked_at": post.delete_asked_at,
        "deleted_at": post.deleted_at,
        "parts": [part_shape(part) for part in post.parts.all()],
        "content_hash": post.content_hash,
        "error": {"code": post.error_code, "message": post.error_message} if post.error_code else None,
    }


def preview_shape(preview: Preview) -> dict[str, Any]:
    """Show how one part will look."""
    part, count = preview.part, preview.count
    return {
        "index": part.index,
        "kind": part.kind,
        "used": count.used,
        "limit": count.limit,
        "unit": count.unit,
        "shown": preview.shown,
        "hidden": preview.hidden or None,
        "media": [
            {
                "kind": media.kind,
                "mime_type": media.mime_type,
                "size_bytes": media.size_bytes,
                "alt_text": media.alt_text,
                **(media.facts.to_dict() if media.facts else {}),
            }
            for media in part.media
        ],
    }


def metrics_shape(post: RemotePost) -> dict[str, Any]:
    """Show what a platform counts of a part; a name that is not there is unknown, not zero."""
    return {"platform_post_id": post.platform_post_id, "url": post.url or None, "metrics": post.metrics}


def part_shape(part: PostPart) -> dict[str, Any]:
    """Show one part."""
    return {
        "index": part.index,
        "text": part.text,
        "media": [
            {
                "path": media.path if has_own_path(media) else None,  # whoever reads it opens that file
                "mime_type": media.mime_type,
                "size_bytes": media.size_bytes,
                "alt_text": media.alt_text,
            }
            for media in part.media.all()
        ],
        "platform_post_id": part.platform_post_id or None,
        "url": part.url or None,
    }


def attempt_shape(attempt: Attempt, *, teller: Teller) -> dict[str, Any]:
    """Show one outgoing call: in words, and with its figures."""
    index = teller.indexes.get(attempt.part_id)
    return {
        "id": str(attempt.id),
        "kind": attempt.kind,
        "part": index + 1 if index is not None else None,
        "part_id": str(attempt.part_id),
        "outcome": attempt.outcome or "open",
        "words": teller.tell(attempt),
        "started_at": attempt.started_at,
        "started_local": tell_time(attempt.started_at, zone=teller.zone),
        "duration_ms": attempt.duration_ms,
        "worker": attempt.worker,
        "fence": attempt.fence,
        "http_status": attempt.http_status,
        "request_id": attempt.request_id or None,
        "platform_post_id": attempt.remote_id or None,
        "retry_at": attempt.retry_at,
        "detail": attempt.detail or None,
    }


def line_shape(line: Line, *, zone: str) -> dict[str, Any]:
    """Show one line of a post's story."""
    shown: dict[str, Any] = {"at": line.at, "local": tell_time(line.at, zone=zone), "who": line.who, "what": line.what}
    return shown | ({"times": line.times, "until": line.until} if line.times > 1 else {})


def by_itself_shape(answer: Answer, *, zone: str) -> dict[str, Any]:
    """Show what PSN does next by itself, and when."""
    local = tell_time(answer.at, zone=zone) if answer.at else None
    return {"what": answer.by_itself, "at": answer.at, "local": local}


def notice_shape(notice: Notice, *, zone: str) -> dict[str, Any]:
    """Show something that PSN told the person."""
    known = explain_code(notice.code)
    return {
        "id": str(notice.id),
        "at": notice.at,
        "local": tell_time(notice.at, zone=zone),
        "level": notice.level,
        "code": notice.code,
        "happened": known.happened if known else notice.message,
        "message": notice.message,
        "post_id": str(notice.post_id) if notice.post else None,
        "account": str(notice.post.account if notice.post else notice.account),
        "status": notice.post.status if notice.post else None,
        "seen_at": notice.seen_at,
    }


def waiting_shape(one: Waiting, *, now: datetime, zone: str) -> dict[str, Any]:
    """Show a post that waits for a yes: since when, for whom, and whether its time is near or over."""
    standing = one.standing
    shown: dict[str, Any] = {"post": post_shape(one.post), "due": one.due, "may_approve": one.hurdle is None}
    if standing is None:
        return shown
    asked = standing.asked_at
    return shown | {
        "asked_at": asked,
        "asked_local": tell_time(asked, zone=zone) if asked else None,
        "age_seconds": round((now - asked).total_seconds()) if asked else None,
        "hurdle": one.hurdle,
        "approvers": list(standing.approvers),
        "slot": {"on": str(standing.day), "is_held": standing.has_slot} if standing.day else None,
    }


def verdict_shape(verdict: Approval, *, zone: str) -> dict[str, Any]:
    """Show what somebody said to a post."""
    return {
        "verdict": verdict.verdict,
        "by": verdict.by.name,
        "at": verdict.at,
        "local": tell_time(verdict.at, zone=zone),
        "feedback": verdict.feedback or None,
        "content_hash": verdict.content_hash,
    }


def change_shape(change: Change) -> dict[str, Any]:
    """Show one thing that is not as it was at the last verdict."""
    shown: dict[str, Any] = {"at": change.at, "deed": change.deed, "before": change.before, "after": change.after}
    pieces = [{"fate": piece.fate, "text": piece.text} for piece in change.pieces]
    return shown | ({"pieces": pieces} if pieces else {})


def say_next(command: str | None, ask: str | None) -> dict[str, Any]:
    """Show the next step: a command that runs as it stands, and what only a person can do."""
    action: dict[str, Any] = {"needs": "human" if ask else ("agent" if command else "none")}
    return action | ({"command": command_line(command)} if command else {}) | ({"ask": ask} if ask else {})
