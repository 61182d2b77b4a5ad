"""How commands show what became of a post: what it is now, what comes next, and the exit code that says it to a program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.actions import answers, campaigns
from hub.actions.approval import approvals, standings
from hub.actions.people import get_me
from hub.management.base import Result
from hub.management.envelope import command_line
from hub.management.shapes import post_shape, say_next, verdict_shape
from hub.models import Post, Status
from psn.errors import Finding

ASK_FOR_APPROVAL = "Show it to the person; approve it only if they say yes."
ASK_WHEN = "Show it to the person, and ask when it should go out; approve it only if they say yes."
# How a post's end becomes the exit code of `wait`.
EXIT_CODES = {Status.PUBLISHED: 0, Status.DELIVERED: 0, Status.UNKNOWN: 9}


def post_result(
    post: Post, *, findings: Sequence[Finding] = (), dry_run: bool = False, approve: bool = False
) -> Result:
    """Show a post and what comes next.

    Args:
        approve: its writer said yes to it; where a company's policy wants another's, the exit code says so.
    """
    data: dict[str, Any] = {"post": post_shape(post)}
    if dry_run:
        return Result(data | {"dry_run": True}, findings=findings)
    if post.author is not None and post.status in (Status.DRAFT, Status.PENDING_APPROVAL):
        return _of_company(post, data, findings=findings, approve=approve)
    match post.status:
        case Status.DRAFT | Status.PENDING_APPROVAL:  # a yes to what is shown here, and to nothing that comes after it
            command = f"psn_post approve {post.id} --content-hash {post.content_hash}"
            return Result(data, findings=findings, next_action=say_next(command, ASK_FOR_APPROVAL))
        case Status.SCHEDULED:
            return Result(data, findings=findings, next_action=say_next(f"psn_post wait {post.id}", None))
        case _:
            return Result(data, findings=findings)


def _of_company(post: Post, data: dict[str, Any], *, findings: Sequence[Finding], approve: bool) -> Result:
    """Show a company's post that nobody approved yet, and who can."""
    if post.status == Status.DRAFT and post.author_id != get_me().id:  # its author has not asked for anything yet
        return Result(data, findings=findings)
    if post.status == Status.DRAFT:
        return Result(data, findings=findings, next_action=say_next(f"psn_post schedule {post.id} --at +10m", ASK_WHEN))
    standing, why = standings.look_at(post), standings.explain_waiting(post)
    if standing is not None and standing.hurdle is None:
        command = f"psn_post approve {post.id} --content-hash {post.content_hash}"
        return Result(data, findings=findings, next_action=say_next(command, ASK_FOR_APPROVAL))
    action = say_next(why.next_command, why.ask)
    if not approve:
        return Result(data, findings=findings, next_action=action)
    error = {"code": why.error_code, "message": why.message}
    return Result(data, findings=findings, exit_code=why.exit_code, error=error, next_action=action)


def show_verdicts(post: Post) -> dict[str, Any]:
    """Show what a company's approvers said to a post; nothing where nobody did."""
    said = approvals.verdicts_of(post) if post.author is not None else []
    zone = get_me().timezone if said else ""
    return {"verdicts": [verdict_shape(one, zone=zone) for one in said], "untrusted": True} if said else {}


def campaign_result(campaign: campaigns.Campaign, *, dry_run: bool, approve: bool) -> Result:
    """Say what became of each account's post. Those that could be written are written, whatever happened to the others."""
    variants = [
        {"account": one.account}
        | ({"post": post_shape(one.post)} if one.post else {})
        | ({"error": {"code": one.error.error_code, "message": one.error.message}} if one.error else {})
        for one in campaign.variants
    ]
    data = {"campaign": str(campaign.id), "variants": variants, "dry_run": dry_run}
    findings = [finding for one in campaign.variants for finding in one.findings]
    failed = [one for one in campaign.variants if one.error]
    if not failed and approve and not dry_run and (waiting := _waiting_for_others(campaign)):
        why = standings.explain_waiting(waiting[0])
        error = {"code": why.error_code, "message": f"{len(waiting)} of {len(variants)} wait. {why.message}"}
        action = say_next(why.next_command, why.ask)
        return Result(data, findings=findings, exit_code=why.exit_code, error=error, next_action=action)
    if not failed:
        waits = any(one.post and one.post.status != Status.SCHEDULED for one in campaign.variants)
        return Result(
            data, findings=findings, next_action=say_next("psn_post list", ASK_FOR_APPROVAL if waits else None)
        )
    first = failed[0].error
    assert first is not None
    names = ", ".join(one.account for one in failed)
    message = f"No post for {names}: {first.message} The others stand."
    return Result(
        data, findings=findings, exit_code=first.exit_code, error={"code": first.error_code, "message": message}
    )


def _waiting_for_others(campaign: campaigns.Campaign) -> list[Post]:
    """Give the posts of a company that their writer said yes to, and that need somebody else's."""
    made = [one.post for one in campaign.variants if one.post is not None]
    return [post for post in made if post.author is not None and post.status == Status.PENDING_APPROVAL]


def ended_result(post: Post, *, has_ended: bool) -> Result:
    """Say how a wait came out; the exit code says it too."""
    data = {"post": post_shape(post)}
    code = EXIT_CODES.get(Status(post.status), 1)
    if code == 0:
        return Result(data)
    message = post.error_message or f"The post is {post.status}."
    if post.status == Status.UNKNOWN:
        after = "Only a person can tell now." if has_ended else "PSN is still finding out; wait again."
        message = f"{message} {after}"
    error = {"code": post.error_code or f"post.{post.status}", "message": message}
    command = f"psn_post why {post.id}" if has_ended else f"psn_post wait {post.id} --timeout 600"
    return Result(data, exit_code=code, error=error, next_action=say_next(command, None))


def next_of(answer: answers.Answer) -> dict[str, Any]:
    """Name the next step of an answer, with everything that a person needs for it."""
    action = say_next(answer.next_command, answer.ask)
    if answer.options:
        action["options"] = [
            {"when": option.when, "command": command_line(option.command)} for option in answer.options
        ]
    return action | ({"url": answer.url} if answer.url else {})
