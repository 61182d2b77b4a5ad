"""The shape of `psn_post context`: one document for an agent that is about to write a post. Fields are added, never renamed.

What people of a company wrote is data to whoever reads it here, and marked as such (cli.md 5).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hub.actions.calendars.calendar import name_of
from hub.actions.personas import Context, HubView
from hub.actions.story import tell_time
from hub.management.shapes import say_next
from hub.models import Account
from psn.errors import Finding
from psn.planning.calendar import PlannedPost
from psn.platforms.base import AccountFacts
from psn.platforms.registry import get_platform

MAX_TEXT = 280  # characters of a post that is not the matter here
SPEAKS = {
    "personal": "The person speaks for themselves, on their own accounts.",
    "brand-operator": "The company speaks, on its own accounts.",
    "brand-ambassador": "The person speaks for themselves, on their own accounts, with the company's context.",
}
ASK_TO_CONNECT = "No account is connected there. Ask the person which one to connect: psn_account connect PLATFORM."
UNTRUSTED = {"untrusted": True}
# One type of each kind of file, to ask what a platform takes of the kind.
_KINDS = {"image": "image/jpeg", "video": "video/mp4", "document": "application/pdf"}


def context_shape(context: Context) -> dict[str, Any]:
    """Show everything. `ready` says whether there is an account, in a hub that answered, where the post can go."""
    personal, landing = context.view(""), context.view(context.lands_in)
    accounts = landing.accounts if landing else ()
    return {
        "ready": any(account.status == Account.Status.ACTIVE for account in accounts),
        "persona": context.persona,
        "speaks": SPEAKS[context.persona],
        "lands_in": {
            "hub": context.lands_in or "personal",
            "command": create_command(context),
            "accounts": [rules_shape(account) for account in accounts],
        },
        "personal": _personal_shape(personal) if personal else None,
        "company": _company_shape(context) if context.company else None,
        "timezone": context.zone.key,
        "upcoming": [_post_shape(post, zone=context.zone.key) for post in context.coming()],
        "days": [_days_shape(context, answer.slug, answer.value) for answer in context.answers if answer.value],
        "hubs": [_answer_shape(answer.slug, answer.state, answer.message) for answer in context.answers],
    }


def silent_findings(context: Context) -> list[Finding]:
    """Warn of the hubs that are missing in a context."""
    return [
        Finding(
            target=answer.slug or "personal",
            code=f"hub.{answer.state}",
            level="warning",
            message=f"The context is without {name_of(answer.slug)}: {answer.message}",
        )
        for answer in context.answers
        if answer.state != "ok"
    ]


def context_action(context: Context) -> dict[str, Any]:
    """Name what to do first where a post could not go anywhere."""
    landing = context.view(context.lands_in)
    hub = f" --hub {context.lands_in}" if context.lands_in else ""
    if not context.answers:
        return say_next("psn_setup", None)
    if landing is None:
        return {"needs": "agent", "command": f"python3 manage.py psn_hub status{hub}"}
    if not any(account.status == Account.Status.ACTIVE for account in landing.accounts):
        return {"needs": "human", "ask": ASK_TO_CONNECT, "command": f"python3 manage.py psn_account list{hub}"}
    return say_next(None, None)


def create_command(context: Context) -> str:
    """Give the command that makes the post where it belongs, whatever hub this process works on."""
    hub = f" --hub {context.lands_in}" if context.lands_in else ""
    return f"python3 manage.py psn_post create{hub} --account ACCOUNT --stdin"


def rules_shape(account: Account) -> dict[str, Any]:
    """Show what an account's platform takes: how much text, which files, which options."""
    platform = get_platform(account.platform)
    count = platform.count_text("", AccountFacts(account.capabilities))
    targets = {kind: platform.pick_target(mime_type, {}) for kind, mime_type in _KINDS.items()}
    return {
        "id": str(account.id),
        "account": str(account),
        "platform": account.platform,
        "title": platform.title,
        "status": account.status,
        "sandbox": account.is_sandbox,
        "abilities": sorted(platform.abilities),
        "text": {"limit": count.limit, "unit": count.unit},
        "media": {kind: asdict(target) for kind, target in targets.items() if target is not None},
        "options": [asdict(option) for option in platform.options],
        "posts_per_day": {"yours": account.daily_cap, "platform": platform.posts_per_day},
    }


def _personal_shape(view: HubView) -> dict[str, Any]:
    return {
        "name": view.planned.name,
        "strategy": view.strategy.model_dump(mode="json"),
        "preferences": view.preferences.model_dump(mode="json"),
    }


def _company_shape(context: Context) -> dict[str, Any]:
    """Show the company and what the person may do there; only its name in this workspace when its hub did not answer."""
    view = context.view(context.company)
    if view is None or view.company is None:
        return {"slug": context.company, "answered": False}
    own = {
        "slug": context.company,
        "answered": True,
        "name": view.planned.name,
        "timezone": view.company.user.timezone,
        "role": view.planned.role,
        "policy": view.company.posting_policy,
        "self_approval": view.company.self_approval,
        "strategy": view.strategy.model_dump(mode="json"),
        "preferences": view.preferences.model_dump(mode="json"),
    }
    return own | UNTRUSTED


def _post_shape(post: PlannedPost, *, zone: str) -> dict[str, Any]:
    shown = {
        "hub": post.hub or "personal",
        "id": post.id,
        "account": post.account,
        "platform": post.platform,
        "status": post.status,
        "at": post.at,
        "local": tell_time(post.at, zone=zone),
        "text": post.text[:MAX_TEXT],
    }
    return shown | ({"author": post.author, "is_yours": post.is_mine} | UNTRUSTED if post.hub else {})


def _days_shape(context: Context, slug: str, view: HubView) -> dict[str, Any]:
    """Show a hub's days without a post, and those on which a week's target wants one."""
    return {
        "hub": slug or "personal",
        "free": [str(day) for day in context.free_days(view)],
        "wanted": [
            {"on": str(gap.on), "platform": gap.platform, "missing_this_week": gap.missing}
            for gap in context.gaps(view)
        ],
    }


def _answer_shape(slug: str, state: str, message: str) -> dict[str, Any]:
    return {"hub": slug or "personal", "state": state} | ({"message": message} if message else {})
