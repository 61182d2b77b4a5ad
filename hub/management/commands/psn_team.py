"""`psn_team`: a company's hub and the people in it."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from hub.actions import people
from hub.actions.sources import find_source
from hub.actions.team import founding, invites, joining, leaving, teams
from hub.actions.team.founding import Founding
from hub.management.base import PsnCommand, Result
from hub.management.envelope import command_line
from hub.management.stdin import read_secret
from hub.models import Company, Invite, User
from hub.queue.heartbeat import living_workers
from psn.config.bundles import read_bundle
from psn.config.hub import HubConfig, find_hub_config
from psn.config.strategy import read_strategy
from psn.errors import Finding, Usage
from psn.times import system_zone

MEMBER = "name or id"
SECRET = "Send it over a channel that you trust: whoever has this line can join. It works once, and is shown once."


class Command(PsnCommand):
    help = "Teams: make a company's hub, invite people, join, and say who may do what."
    requires_hub = False

    def add_verbs(self, verbs: Any) -> None:
        """Declare the verbs."""
        create = self.add_verb(verbs, "create", self.create, help="make a company's hub; run it again at any time")
        create.add_argument("slug", metavar="SLUG", help="short name: a small letter, then small letters, digits or _")
        create.add_argument("--name", required=True, help="of the company, for people")
        create.add_argument(
            "--provider", default="", help=f"one of: {', '.join(founding.PROVIDERS)}; url reads the address on stdin"
        )
        create.add_argument("--timezone", default="", help="of the company's calendar; yours when left out")
        create.add_argument("--admin-name", default="", help="your own, as the team sees it")
        self._add_certificates(create)
        self._add_dry_run(create)
        self._add_invite(verbs)
        join = self.add_verb(verbs, "join", self.join, help="join a team with an invite, which comes on stdin")
        self._add_certificates(join)
        self._add_dry_run(join)
        self.add_verb(verbs, "list", self.list, help="show the team, its invites and its rules")
        self._add_members(verbs)
        policy = self.add_verb(verbs, "policy", self.policy, help="show or set by which rules members' posts go out")
        policy.add_argument("policy", nargs="?", help=f"one of: {', '.join(teams.POLICIES)}")
        policy.add_argument(
            "--self-approval", choices=("allowed", "refused"), help="whether approvers may approve their own posts"
        )
        self._add_dry_run(policy)

    def _add_invite(self, verbs: Any) -> None:
        invite = self.add_verb(verbs, "invite", self.invite, help="make an invite for one person, or take one back")
        invite.add_argument("name", nargs="?", metavar="NAME", help="of the person, for the team")
        invite.add_argument("--role", help=f"one of: {', '.join(teams.ROLES)}; member when left out")
        invite.add_argument("--days", type=int, help="how long it is good; 7 when left out")
        invite.add_argument(
            "--again", metavar="MEMBER", help="a new login for somebody in the team: another computer, a lost answer"
        )
        invite.add_argument("--revoke", metavar="ID", help="take an invite back, by its id or the person's name")
        self._add_dry_run(invite)

    def _add_members(self, verbs: Any) -> None:
        role = self.add_verb(verbs, "role", self.role, help="give a member another role")
        role.add_argument("member", metavar="MEMBER", help=MEMBER)
        role.add_argument("role", metavar="ROLE", help=f"one of: {', '.join(teams.ROLES)}")
        self._add_dry_run(role)
        remove = self.add_verb(
            verbs, "remove", self.remove, help="end a membership at once; what the member wrote stays"
        )
        remove.add_argument("member", metavar="MEMBER", help=MEMBER)
        self._add_dry_run(remove)
        leave = self.add_verb(verbs, "leave", self.leave, help="leave the team and forget its hub")
        leave.add_argument(
            "--discard-keys", action="store_true", help="another admin has the hub's keys; forget them here"
        )
        self._add_dry_run(leave)

    def _add_certificates(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--ssl-root-cert",
            metavar="FILE",
            default="",
            help="the authority of a server that browsers would not trust",
        )

    def _add_dry_run(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="check, change nothing")

    def create(
        self, slug: str, name: str, provider: str, admin_name: str, ssl_root_cert: str, dry_run: bool, **more: str
    ) -> Any:
        """Make a company's hub."""
        strategy = read_strategy(settings.WORKSPACE.strategy)
        existing = find_hub_config(settings.WORKSPACE, slug)
        provider = provider or (existing.provider if existing else founding.PROVIDERS[0])
        run = Founding(
            workspace=settings.WORKSPACE,
            slug=slug,
            name=name,
            timezone=more["timezone"] or (strategy.timezone if settings.WORKSPACE.strategy.exists() else system_zone()),
            admin_name=admin_name or (strategy.name if strategy.name != "me" else getpass.getuser()),
            provider=provider,
            find_source=lambda: find_source(
                provider, workspace=settings.WORKSPACE, slug=slug, read_url=_read_admin_url, tell=self._tell
            ),
            ssl_root_cert=_absolute(ssl_root_cert),
        )
        if dry_run:
            return {"hub": slug, "steps": founding.plan_founding(run), "dry_run": True}
        steps = []
        for event in founding.found_team(run):
            self.stream.progress(step=event.position, name=event.step.title, status=event.outcome, detail=event.detail)
            if event.outcome != "start":
                steps.append({"name": event.step.name, "status": event.outcome, "detail": event.detail})
        return self._founded(steps)

    def _tell(self, text: str) -> None:
        """Say what takes long while the database is found or made."""
        self.stream.progress(step=f"1/{len(founding.STEPS)}", name=founding.STEPS[0].title, status="wait", detail=text)

    def _founded(self, steps: list[dict[str, str]]) -> Result:
        company = teams.get_company()
        data = {"hub": company.slug, "company": _company_shape(company), "steps": steps, "file": self.hub.file_name}
        action = {"needs": "agent", "command": command_line("psn_worker start")}
        return Result(data, findings=_reach(self.hub), next_action=action)

    def invite(
        self, name: str | None, role: str | None, days: int | None, again: str | None, revoke: str | None, dry_run: bool
    ) -> Any:
        """Make an invite, or take one back."""
        if sum(map(bool, (name, again, revoke))) != 1:
            raise Usage("Give one of: NAME for somebody new, --again MEMBER, --revoke ID.")
        if (again and role) or (revoke and (role or days)):
            raise Usage("--role is for somebody new, --days for a new invite. See: psn_team role")
        hub = teams.enter_team(settings.WORKSPACE)
        now = timezone.now()
        if revoke:
            taken_back = invites.revoke_invite(revoke, now=now, dry_run=dry_run)
            return {"hub": hub.slug, "invite": _invite_shape(taken_back), "dry_run": dry_run}
        good_for = days if days is not None else invites.DAYS
        if again:
            made = invites.invite_again(again, hub=hub, days=good_for, now=now, dry_run=dry_run)
        else:
            made = invites.invite(str(name), hub=hub, role=role or "member", days=good_for, now=now, dry_run=dry_run)
        shown = {
            "id": made.id or None,
            "name": made.name,
            "role": made.role,
            "expires_at": made.expires_at,
            "bundle": made.bundle or None,
        }
        data = {"hub": hub.slug, "invite": shown, "dry_run": dry_run} | ({"note": SECRET} if made.bundle else {})
        action = {
            "needs": "human",
            "ask": f"Send data.invite.bundle to {made.name}, who runs psn_team join and pastes it. {SECRET}",
        }
        return Result(data, findings=_reach(self.hub), next_action=None if dry_run else action)

    def join(self, ssl_root_cert: str, dry_run: bool) -> Any:
        """Join a team."""
        bundle = read_bundle(_read_bundle())
        where = {
            "hub": bundle.slug,
            "host": bundle.url.host,
            "place": bundle.url.place,
            "expires_at": bundle.expires_at,
        }
        self.stream.progress(
            step="1/2", name="Reading the invite", status="done", detail=f"{bundle.slug} at {bundle.url.place}"
        )
        certificates = _absolute(ssl_root_cert)
        if dry_run:
            joining.check_join(settings.WORKSPACE, bundle, ssl_root_cert=certificates)
            return {**where, "expired": bundle.expires_at <= timezone.now(), "dry_run": True}
        self.stream.progress(step="2/2", name="Exchanging it for a login of your own", status="start")
        joined = joining.join_team(settings.WORKSPACE, bundle, ssl_root_cert=certificates)
        member = joined.member
        self.stream.progress(
            step="2/2",
            name="Exchanging it for a login of your own",
            status="done",
            detail=f"{member.name}, {member.role}",
        )
        you = {"id": member.id, "name": member.name, "role": member.role}
        data = {**where, "you": you, "file": joined.config.file_name, "already": not joined.is_new, "dry_run": False}
        return Result(
            data, next_action={"needs": "agent", "command": command_line(f"psn_team list --hub {bundle.slug}")}
        )

    def list(self) -> dict[str, Any]:
        """Show the team."""
        hub = teams.enter_team(settings.WORKSPACE)
        company, now = teams.get_company(), timezone.now()
        return {
            "hub": hub.slug,
            "company": _company_shape(company),
            "you": _member_shape(people.get_me()),
            "members": [_member_shape(member) for member in teams.list_members()],
            "invites": [
                _invite_shape(made) | {"state": invites.state_of(made, now=now)} for made in invites.list_invites()
            ]
            if teams.is_admin()
            else None,
            "worker": {"lives": living_workers().exists(), "may_run_here": hub.has_worker},
        }

    def role(self, member: str, role: str, dry_run: bool) -> dict[str, Any]:
        """Give a member another role."""
        hub = teams.enter_team(settings.WORKSPACE)
        changed, former = teams.set_role(member, role, dry_run=dry_run)
        return {
            "hub": hub.slug,
            "member": _member_shape(changed) | {"role": role},
            "former_role": former,
            "dry_run": dry_run,
        }

    def remove(self, member: str, dry_run: bool) -> dict[str, Any]:
        """End a membership."""
        hub = teams.enter_team(settings.WORKSPACE)
        removal = teams.remove_member(member, dry_run=dry_run)
        return {
            "hub": hub.slug,
            "member": _member_shape(removal.member),
            "sessions_ended": removal.sessions,
            "posts_that_stay": removal.posts,
            "note": _staying(removal.posts),
            "dry_run": dry_run,
        }

    def leave(self, discard_keys: bool, dry_run: bool) -> dict[str, Any]:
        """Leave the team."""
        hub = teams.enter_team(settings.WORKSPACE)
        left = leaving.leave_team(settings.WORKSPACE, hub.slug, discard_keys=discard_keys, dry_run=dry_run)
        return {
            "hub": hub.slug,
            "left": left.member is not None,
            "file_deleted": None if dry_run else left.config.file_name,
            "posts_that_stay": left.posts,
            "note": _staying(left.posts)
            if left.member
            else "The hub knew this login no longer; the file is forgotten.",
            "dry_run": dry_run,
        }

    def policy(self, policy: str | None, self_approval: str | None, dry_run: bool) -> dict[str, Any]:
        """Show or set the rules."""
        hub = teams.enter_team(settings.WORKSPACE)
        allowed = None if self_approval is None else self_approval == "allowed"
        company = teams.set_policy(policy, self_approval=allowed, dry_run=dry_run)
        return {"hub": hub.slug, "company": _company_shape(company), "dry_run": dry_run}


def _read_admin_url() -> str:
    return read_secret(
        code="url.missing", example="psn_team create SLUG --name NAME < address-of-the-database.txt"
    ).strip()


def _read_bundle() -> str:
    """Read the invite from stdin; from the keyboard without showing it."""
    if sys.stdin is not None and sys.stdin.isatty():
        return getpass.getpass("Paste the invite: ", stream=sys.stderr)
    return read_secret(code="invite.malformed", example="psn_team join < invite.txt")


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute()) if path else ""


def _reach(hub: HubConfig) -> list[Finding]:
    """Warn when the hub's address leads nobody else there."""
    if not hub.url("app").is_loopback:
        return []
    return [
        Finding(
            target=hub.slug,
            code="hub.loopback",
            level="warning",
            message=f"The hub is at {hub.url('app').place}, which is this computer: nobody joins from another one.",
            fix="Fine for trying it out. For a team, make the hub on a server that all reach, with TLS.",
        )
    ]


def _staying(posts: dict[str, int]) -> str:
    count = sum(posts.values())
    if not count:
        return "No post of this member is under way."
    kinds = ", ".join(f"{number} {status}" for status, number in posts.items())
    return f"{count} posts stay the company's and go on as they are ({kinds})."


def _company_shape(company: Company) -> dict[str, Any]:
    return {
        "slug": company.slug,
        "name": company.user.name,
        "timezone": company.user.timezone,
        "policy": company.posting_policy,
        "self_approval": "allowed" if company.self_approval else "refused",
    }


def _member_shape(member: User) -> dict[str, Any]:
    return {
        "id": str(member.id),
        "name": member.name,
        "role": member.role,
        "since": member.created_at,
        "active": member.is_active,
        "removed_at": member.removed_at,
    }


def _invite_shape(made: Invite) -> dict[str, Any]:
    return {
        "id": str(made.id),
        "name": made.name,
        "role": made.role,
        "for_member": str(made.member_id) if made.member_id else None,
        "created_by": made.created_by.name,
        "created_at": made.created_at,
        "expires_at": made.expires_at,
        "redeemed_at": made.redeemed_at,
        "revoked_at": made.revoked_at,
    }
