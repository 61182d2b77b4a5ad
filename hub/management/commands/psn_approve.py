"""`psn_approve`: what waits for a yes, and the yes or no to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from hub.actions.approval import approvals
from hub.actions.people import find_company, get_me
from hub.management.base import PsnCommand, Result
from hub.management.carried import telling_files
from hub.management.content_arguments import clean_text
from hub.management.envelope import command_line
from hub.management.shapes import change_shape, post_shape, preview_shape, say_next, verdict_shape, waiting_shape
from hub.management.stdin import read_secret
from psn.errors import Usage

ASK_TO_LOOK = "Show the person each post as it will look (psn_approve show), and approve only what they say yes to."
ASK_FOR_VERDICT = "Show the person the post as it will look, with findings and changes; do what they say."


class Command(PsnCommand):
    help = "What waits for a yes: look at it, approve it, or send it back with a reason."

    def add_verbs(self, verbs: Any) -> None:
        """Declare the verbs."""
        listed = self.add_verb(verbs, "list", self.list, help="list what waits for a yes, the earliest time first")
        listed.add_argument("--limit", type=int, default=50)
        show = self.add_verb(
            verbs, "show", self.show, help="show a post as its platform will, and what changed since the last verdict"
        )
        show.add_argument("post_id", metavar="ID")
        approve = self.add_verb(verbs, "approve", self.approve, help="say yes to exactly what was shown")
        approve.add_argument("post_ids", metavar="ID", nargs="*")
        approve.add_argument(
            "--all", action="store_true", dest="everything", help="all that the list showed, by its own --content-hash"
        )
        approve.add_argument("--content-hash", default="", help="of what was shown; refused when it changed since")
        approve.add_argument("--note", default="", help="what the author is told with it")
        approve.add_argument("--late", action="store_true", help="also when its time has passed: it goes out at once")
        approve.add_argument("--dry-run", action="store_true", help="check, change nothing")
        reject = self.add_verb(verbs, "reject", self.reject, help="send a post back to its author, saying why")
        reject.add_argument("post_id", metavar="ID")
        why = reject.add_mutually_exclusive_group(required=True)
        why.add_argument("--feedback", metavar="TEXT", help="the reason, which its author is told")
        why.add_argument("--stdin", action="store_true", help="read the reason from stdin")
        reject.add_argument("--dry-run", action="store_true", help="check, change nothing")

    def list(self, limit: int) -> Result:
        """List what waits."""
        now, zone, company = timezone.now(), get_me().timezone, find_company()
        desk = approvals.list_waiting(now=now, limit=limit)
        data = {
            "company": company.user.name if company else None,
            "policy": company.posting_policy if company else None,
            "waiting": [waiting_shape(one, now=now, zone=zone) for one in desk.mine],
            "waiting_for_others": [waiting_shape(one, now=now, zone=zone) for one in desk.others],
            "total": desk.total,
            "content_hash": desk.content_hash,
            "timezone": zone,
            "untrusted": True,  # other people wrote it
        }
        command = f"psn_approve show {desk.mine[0].post.id}" if desk.mine else None
        return Result(data, next_action=say_next(command, ASK_TO_LOOK if command else None))

    def show(self, post_id: str) -> Result:
        """Show a post to whom may approve it."""
        now, zone = timezone.now(), get_me().timezone
        with telling_files(self.stream):
            review = approvals.review_post(post_id, now=now)
        post = review.waiting.post
        data = {
            **waiting_shape(review.waiting, now=now, zone=zone),
            "parts": [preview_shape(one) for one in review.previews],
            "changes": None if review.changes is None else [change_shape(one) for one in review.changes],
            "verdicts": [verdict_shape(one, zone=zone) for one in review.history],
            "timezone": zone,
            "untrusted": True,
        }
        if not review.is_open:
            return Result(data, findings=review.findings, next_action=say_next(f"psn_post why {post.id}", None))
        late = " --late" if review.waiting.due == "past" else ""
        action = say_next(None, ASK_FOR_VERDICT) | {
            "options": [
                {
                    "when": "they say yes",
                    "command": command_line(f"psn_approve approve {post.id} --content-hash {post.content_hash}{late}"),
                },
                {
                    "when": "they say no; their reason goes in on stdin",
                    "command": command_line(f"psn_approve reject {post.id} --stdin"),
                },
            ]
        }
        return Result(data, findings=review.findings, next_action=action)

    def approve(
        self, post_ids: Sequence[str], everything: bool, content_hash: str, note: str, late: bool, dry_run: bool
    ) -> Result:
        """Say yes."""
        if everything == bool(post_ids):
            raise Usage("Name the posts by their ids, or all of them with --all and the list's --content-hash.")
        if everything and not content_hash:
            raise Usage("--all goes with --content-hash, which `psn_approve list` gives: a yes is to what was shown.")
        said: dict[str, Any] = {
            "content_hash": content_hash,
            "feedback": clean_text(note),
            "late": late,
            "dry_run": dry_run,
        }
        if everything:
            rulings = approvals.approve_all(now=timezone.now(), **said)
        else:
            rulings = approvals.approve_posts(post_ids, now=timezone.now(), **said)
        return _ruled(rulings, dry_run=dry_run)

    def reject(self, post_id: str, feedback: str | None, stdin: bool, dry_run: bool) -> Result:
        """Say no."""
        if feedback is None:
            feedback = read_secret(
                code="approve.no_feedback", example=f"psn_approve reject {post_id} --stdin < why.txt"
            )
        post = approvals.reject_post(post_id, feedback=clean_text(feedback), dry_run=dry_run)
        return Result({"post": post_shape(post), "feedback": feedback.strip(), "dry_run": dry_run})


def _ruled(rulings: Sequence[approvals.Ruling], *, dry_run: bool) -> Result:
    """Say what became of each; where one was refused the exit code is its own, and the others stand."""
    refused = [one for one in rulings if one.error is not None]
    if len(rulings) == 1 and refused and refused[0].error is not None:
        raise refused[0].error
    data = {
        "counts": {"approved": len(rulings) - len(refused), "refused": len(refused)},
        "posts": [
            {"id": one.post_id}
            | ({"post": post_shape(one.post)} if one.post else {})
            | ({"error": {"code": one.error.error_code, "message": one.error.message}} if one.error else {})
            for one in rulings
        ],
        "dry_run": dry_run,
    }
    if not refused:
        first = rulings[0].post_id if len(rulings) == 1 and not dry_run else None
        return Result(data, next_action=say_next(f"psn_post wait {first}" if first else None, None))
    first_error = refused[0].error
    assert first_error is not None
    message = f"No yes to {len(refused)} of {len(rulings)}: {first_error.message} The others stand."
    error = {"code": first_error.error_code, "message": message}
    return Result(data, exit_code=first_error.exit_code, error=error, next_action=say_next("psn_approve list", None))
