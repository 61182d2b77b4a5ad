"""`psn_post`: from a draft to a post that is live."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from hub.actions import answers, campaigns, live, notices, posts, resolving, story, waiting
from hub.actions.accounts import find_account
from hub.actions.people import get_me
from hub.management.base import AsWorker, PsnCommand, Result
from hub.management.carried import telling_files
from hub.management.content_arguments import add_content_arguments, clean_text, read_content
from hub.management.post_results import campaign_result, ended_result, next_of, post_result, show_verdicts
from hub.management.shapes import (
    attempt_shape,
    by_itself_shape,
    line_shape,
    metrics_shape,
    notice_shape,
    post_shape,
    preview_shape,
    say_next,
)
from hub.models import Post, Status
from hub.models.base import hub_now
from psn.errors import InvalidInput
from psn.times import read_instant

ASK_TO_READ = "Tell the person what they have not seen yet; then mark it as seen with `psn_post notices --seen all`."


class Command(PsnCommand):
    help = "Your posts: draft, check, approve, schedule, publish, and see what happened."

    def add_verbs(self, verbs: Any) -> None:
        """Declare the verbs."""
        context = self.add_verb(
            verbs, "context", self.context, help="tell an agent what it needs to write one post", needs_hub=False
        )
        context.add_argument("--persona", help="as whom: personal, brand-operator or brand-ambassador")
        create = self.add_verb(
            verbs, "create", self.create, help="draft a post; with --at and --approve it is scheduled at once"
        )
        create.add_argument(
            "--account", required=True, action="append", help="@handle, x:@handle or id; several make a post for each"
        )
        create.add_argument(
            "--text-for",
            action="append",
            default=[],
            nargs=2,
            metavar=("ACCOUNT", "TEXT"),
            help="what one of the accounts says instead; repeat it",
        )
        create.add_argument("--at", help="2026-12-01T09:00:00+01:00, or a span from now: +10s, +5m, +2h, +1d")
        add_content_arguments(create)
        edit = self._add_one(verbs, "edit", self.edit, help="replace a post's content; its approval is void")
        add_content_arguments(edit)
        self._add_one(verbs, "check", self.check_post, help="check a post against its platform's rules; sends nothing")
        approve = self._add_one(
            verbs,
            "approve",
            self.approve,
            help="approve exactly this content; scheduled if it has a time",
            dry_run=True,
        )
        approve.add_argument("--content-hash", default="", help="of what was shown; refused when it changed since")
        schedule = self._add_one(verbs, "schedule", self.schedule, help="set when a post goes out", dry_run=True)
        schedule.add_argument("--at", help="as for create; its present time when left out")
        schedule.add_argument("--approve", action="store_true", help="also approve it: a person said yes")
        publish = self._add_one(verbs, "publish", self.publish, help="send a post out now", dry_run=True)
        publish.add_argument("--approve", action="store_true", help="also approve it: a person said yes")
        self._add_one(verbs, "cancel", self.cancel, help="take a post off the schedule for good", dry_run=True)
        self._add_one(verbs, "delete", self.delete, help="take a live post off its platform; no way back", dry_run=True)
        self._add_one(verbs, "show", self.show, help="show a post")
        self._add_one(verbs, "preview", self.preview, help="show a post as its platform will, cut-offs and all")
        self._add_one(verbs, "metrics", self.metrics, help="ask the platform how a live post does", as_worker="always")
        self._add_list(verbs)
        self._add_one(verbs, "why", self.why, help="say in plain words what happened to a post, and what to do")
        wait = self._add_one(verbs, "wait", self.wait, help="wait until a post has ended; the exit code says how")
        wait.add_argument("--timeout", type=_seconds, default=60.0, help="seconds")
        self._add_one(verbs, "attempts", self.attempts, help="tell every call that was made for a post")
        self._add_resolve(verbs)
        self._add_notices(verbs)

    def context(self, persona: str | None) -> Result:
        """Tell what is known for a post, as this persona."""
        # here: only this verb looks at several hubs, and every start of the others would pay for it
        from hub.actions import personas
        from hub.management.context_shapes import context_action, context_shape, silent_findings

        found = personas.gather_context(persona, now=timezone.now())
        return Result(context_shape(found), findings=silent_findings(found), next_action=context_action(found))

    def create(
        self,
        account: Sequence[str],
        text_for: Sequence[tuple[str, str]],
        at: str | None,
        approve: bool,
        dry_run: bool,
        **content: Any,
    ) -> Result:
        """Draft a post, or one for each of several accounts."""
        now = timezone.now()
        instant, written = read_instant(at, now=now) if at else None, read_content(**content)
        if len(account) == 1 and not text_for:
            with telling_files(self.stream):
                post, findings = posts.create_post(
                    account=account[0],
                    parts=written.for_account(find_account(account[0])),
                    at=instant,
                    approve=approve,
                    options=written.options,
                    dry_run=dry_run,
                )
            return post_result(post, findings=findings, dry_run=dry_run, approve=approve)
        with telling_files(self.stream):
            campaign = campaigns.create_campaign(
                accounts=account,
                written=written,
                own_texts={name: clean_text(text) for name, text in text_for},
                at=instant,
                approve=approve,
                dry_run=dry_run,
            )
        return campaign_result(campaign, dry_run=dry_run, approve=approve)

    def edit(self, post_id: str, approve: bool, dry_run: bool, **content: Any) -> Result:
        """Replace a post's content."""
        written = read_content(**content)
        with telling_files(self.stream):
            post, findings = posts.edit_post(
                post_id,
                parts=written.for_account(posts.get_post(post_id).account),
                approve=approve,
                now=timezone.now(),
                options=written.options or None,
                dry_run=dry_run,
            )
        return post_result(post, findings=findings, dry_run=dry_run, approve=approve)

    def check_post(self, post_id: str) -> Result:
        """Check a post."""
        findings = posts.check_post(post_id)
        errors = [finding for finding in findings if finding.level == "error"]
        if errors:
            raise InvalidInput(
                f"{len(errors)} error(s): {errors[0].message}",
                findings=findings,
                next_command=f"psn_post edit {post_id} --stdin",
            )
        return post_result(posts.get_post(post_id), findings=findings)

    def approve(self, post_id: str, content_hash: str, dry_run: bool) -> Result:
        """Approve a post."""
        post = posts.approve_post(post_id, now=timezone.now(), content_hash=content_hash, dry_run=dry_run)
        return post_result(post, dry_run=dry_run)

    def schedule(self, post_id: str, at: str | None, approve: bool, dry_run: bool) -> Result:
        """Schedule a post."""
        instant = read_instant(at, now=timezone.now()) if at else None
        return post_result(posts.schedule_post(post_id, at=instant, approve=approve, dry_run=dry_run), dry_run=dry_run)

    def publish(self, post_id: str, approve: bool, dry_run: bool) -> Result:
        """Publish a post now."""
        return post_result(
            posts.publish_post(post_id, approve=approve, now=timezone.now(), dry_run=dry_run), dry_run=dry_run
        )

    def cancel(self, post_id: str, dry_run: bool) -> Result:
        """Cancel a post."""
        return post_result(posts.cancel_post(post_id, dry_run=dry_run), dry_run=dry_run)

    def delete(self, post_id: str, dry_run: bool) -> Result:
        """Take a live post down."""
        post = live.ask_to_delete(post_id, dry_run=dry_run)
        return Result(
            {"post": post_shape(post), "dry_run": dry_run}, next_action=say_next(f"psn_post why {post.id}", None)
        )

    def preview(self, post_id: str) -> dict[str, Any]:
        """Show how a post will look."""
        post = posts.get_post(post_id)
        return {
            "post_id": str(post.id),
            "account": str(post.account),
            "parts": [preview_shape(one) for one in live.preview_post(post_id)],
        }

    def metrics(self, post_id: str) -> dict[str, Any]:
        """Read a live post's numbers."""
        post, found = live.read_metrics(post_id)
        return {
            "post_id": str(post.id),
            "account": str(post.account),
            "parts": [metrics_shape(one) for one in found],
            "untrusted": True,
        }

    def show(self, post_id: str) -> Result:
        """Show a post, with what a company's approvers said to it."""
        post = posts.get_post(post_id)
        shown = post_result(post)
        shown.data |= show_verdicts(post)
        return shown

    def list(self, status: str | None, account: str | None, limit: int, before: str | None) -> dict[str, Any]:
        """List posts."""
        page = posts.list_posts(status=status, account=account, limit=limit, before=before)
        return {
            "posts": [post_shape(post) for post in page.posts],
            "next_before": page.next_before,
            "unseen_notices": notices.count_unseen(),
        }

    def why(self, post_id: str) -> Result:
        """Explain a post."""
        post, zone, now = posts.get_post(post_id), get_me().timezone, hub_now()
        attempts, told = posts.list_attempts(post_id), notices.notices_of(post)
        around = answers.look_around(post, now=now, zone=zone)
        answer, teller = answers.explain(post, now=now, around=around), story.make_teller(post, zone=zone)
        lines = story.tell_story(post, attempts=attempts, notices=told, teller=teller)
        data = {
            "post": post_shape(post),
            "summary": answer.summary,
            "is_out": answers.is_out(post, around),
            "by_itself": by_itself_shape(answer, zone=zone),
            "story": [line_shape(line, zone=zone) for line in lines],
            "attempts": [attempt_shape(attempt, teller=teller) for attempt in attempts],
            "timezone": zone,
            "untrusted": True,  # it quotes the platform
        }
        return Result(data | show_verdicts(post), next_action=next_of(answer))

    def wait(self, post_id: str, timeout: float) -> Result:
        """Wait for a post's end."""
        zone, number, moment = get_me().timezone, 0, None
        for moment in waiting.watch_post(post_id, timeout_seconds=timeout):
            if not (moment.has_ended or moment.is_over):
                number += 1
                self._say_how_it_stands(moment.post, number=number, zone=zone)
        assert moment is not None
        return ended_result(moment.post, has_ended=moment.has_ended)

    def attempts(self, post_id: str) -> dict[str, Any]:
        """Tell a post's calls."""
        teller = story.make_teller(posts.get_post(post_id), zone=get_me().timezone)
        told = [attempt_shape(attempt, teller=teller) for attempt in posts.list_attempts(post_id)]
        return {"attempts": told, "timezone": teller.zone, "untrusted": True}

    def resolve(self, post_id: str, published: str | None, dry_run: bool) -> Result:
        """Take a person's word on what became of a post."""
        if published is not None:
            post = resolving.resolve_published(post_id, url=published, dry_run=dry_run)
        else:
            post = resolving.resolve_not_published(post_id, dry_run=dry_run)
        return post_result(post, dry_run=dry_run)

    def notices(self, seen_too: bool, seen: str | None, limit: int, before: str | None) -> Result:
        """List what PSN told the person, or mark it as seen."""
        if seen is not None:
            return Result({"marked": notices.mark_seen(seen), "unseen_notices": notices.count_unseen()})
        page, zone = notices.list_notices(seen_too=seen_too, limit=limit, before=before), get_me().timezone
        data = {
            "notices": [notice_shape(notice, zone=zone) for notice in page.notices],
            "next_before": page.next_before,
            "unseen_notices": notices.count_unseen(),
            "untrusted": True,  # they quote platforms
        }
        unseen = [notice for notice in page.notices if notice.seen_at is None]
        first = next((notice for notice in unseen if notice.level == "act"), None)
        command = f"psn_post why {first.post_id}" if first else ("psn_post notices --seen all" if unseen else None)
        return Result(data, next_action=say_next(command, ASK_TO_READ if unseen else None))

    def _say_how_it_stands(self, post: Post, *, number: int, zone: str) -> None:
        now = hub_now()
        answer = answers.explain(post, now=now, around=answers.look_around(post, now=now, zone=zone))
        detail = answer.summary if answer.at is None else f"{answer.summary} {answer.by_itself}"
        self.stream.progress(step=str(number), name=f"post is {post.status}", status="wait", detail=detail)

    def _add_one(
        self, verbs: Any, name: str, verb: Any, *, help: str, dry_run: bool = False, as_worker: AsWorker = "never"
    ) -> argparse.ArgumentParser:
        parser = self.add_verb(verbs, name, verb, help=help, as_worker=as_worker)
        parser.add_argument("post_id", metavar="ID")
        if dry_run:
            parser.add_argument("--dry-run", action="store_true", help="check, change nothing")
        return parser

    def _add_resolve(self, verbs: Any) -> None:
        parser = self._add_one(
            verbs,
            "resolve",
            self.resolve,
            help="say what you saw of a post whose outcome is unknown: it is there, or it is not",
            dry_run=True,
            as_worker="always",
        )
        seen = parser.add_mutually_exclusive_group(required=True)
        seen.add_argument(
            "--published", metavar="URL", help="it is there: the post's address at the platform, or its id"
        )
        seen.add_argument("--not-published", action="store_const", const=None, dest="published", help="it is not there")

    def _add_notices(self, verbs: Any) -> None:
        parser = self.add_verb(verbs, "notices", self.notices, help="list what PSN told you and you have not seen yet")
        parser.add_argument("--all", action="store_true", dest="seen_too", help="also what you have seen")
        parser.add_argument("--seen", metavar="ID|all", help="mark one as seen, or all of them; lists nothing")
        parser.add_argument("--limit", type=int, default=20)
        parser.add_argument("--before", metavar="ID", help="the last id of the page before")

    def _add_list(self, verbs: Any) -> None:
        parser = self.add_verb(verbs, "list", self.list, help="list posts, newest first")
        parser.add_argument("--status", help=f"one of: {', '.join(Status.values)}")
        parser.add_argument("--account", help="@handle, x:@handle or id")
        parser.add_argument("--limit", type=int, default=20)
        parser.add_argument("--before", metavar="ID", help="the last id of the page before")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError("0 to 86400 seconds")
    return seconds
