"""As whom a post speaks, where it lands, and what an agent should know before it writes (POST-1, POST-5).

    personal          a person, on their own accounts                               lands in the personal hub
    brand-operator    a company, on its accounts                                    lands in the company's hub
    brand-ambassador  a person, on their own accounts, with a company's context     lands in the personal hub

What is known lies in several hubs. It is read from each in a transaction that cannot write, put into one answer, and stored nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from django.conf import settings

from hub.actions.calendars.across import Answered, ask_hubs
from hub.actions.calendars.planned import Planned, read_planned
from hub.actions.config import configuration
from hub.actions.people import find_company, get_owner
from hub.models import Account, Company
from psn.config.company import CompanyStrategy
from psn.config.hub import get_hub_config
from psn.config.preferences import Preferences
from psn.config.strategy import Strategy
from psn.errors import InvalidInput
from psn.planning.calendar import STANDING, Gap, PlannedPost, day_of, find_gaps, list_days, read_zone, reading_window
from psn.times import system_zone

Persona = Literal["personal", "brand-operator", "brand-ambassador"]
PERSONAS: tuple[Persona, ...] = get_args(Persona)
AHEAD_DAYS = 14
AHEAD = STANDING - {"published", "delivered"}
SECONDS = 10.0  # for all hubs together: an agent waits


@dataclass(frozen=True, slots=True)
class HubView:
    """What one hub says to whoever is about to write a post.

    Args:
        company: whose hub it is; None for a personal one.
        accounts: all but those that were disconnected.
    """

    planned: Planned
    company: Company | None
    accounts: tuple[Account, ...]
    strategy: Strategy | CompanyStrategy
    preferences: Preferences


@dataclass(frozen=True, slots=True)
class Context:
    """Everything an agent needs for one post.

    Args:
        company: the short name of the company whose context it is; empty for none.
        lands_in: the short name of the company in whose hub the post lands; empty for the personal hub.
        zone: the person's.
        days: the ones ahead, in that zone, today first.
        answers: of the hubs that it concerns.
    """

    persona: Persona
    company: str = ""
    lands_in: str = ""
    zone: ZoneInfo = field(default_factory=lambda: read_zone(system_zone()))
    days: Sequence[date] = ()
    answers: Sequence[Answered[HubView]] = ()

    def view(self, slug: str) -> HubView | None:
        """Give what a hub said; None when it did not answer."""
        return next((answer.value for answer in self.answers if answer.slug == slug), None)

    def coming(self) -> list[PlannedPost]:
        """List what is still to go out in these days from any of the hubs, the next first."""
        found = [post for answer in self.answers if answer.value for post in answer.value.planned.plan.posts]
        ahead = [post for post in found if post.status in AHEAD and day_of(post, zone=self.zone) in self.days]
        return sorted(ahead, key=lambda post: (post.at, post.hub, post.id))

    def free_days(self, view: HubView) -> list[date]:
        """List the days on which nothing of a hub goes out."""
        taken = {day_of(post, zone=self.zone) for post in view.planned.plan.posts if post.stands}
        return [day for day in self.days if day not in taken]

    def gaps(self, view: HubView) -> list[Gap]:
        """List the days on which a platform lacks a post that the week's target asks for."""
        return find_gaps(view.planned.plan, days=self.days, zone=self.zone, today=self.days[0])


def gather_context(persona: str | None, *, now: datetime) -> Context:
    """Gather what is known for a post, from every hub that it concerns. Nothing changes anywhere.

    Args:
        persona: when left out, the company's in a process that works on a company's hub, else the one that the person prefers.

    Raises:
        InvalidInput: there is no such persona, it needs a company and this workspace has none, or it could be several.
        NotReady: the company that was named has no hub in this workspace.
    """
    _check_persona(persona)
    if settings.HUB is None and settings.HUB_SLUG:
        get_hub_config(settings.WORKSPACE, settings.HUB_SLUG)
    company = _find_company_for(persona)
    if settings.HUB is None:
        return Context("personal")
    since, until = reading_window(now.date() - timedelta(days=1), count=AHEAD_DAYS + 2)
    answers = ask_hubs(lambda alias: _view(alias, since=since, until=until), seconds=SECONDS)
    personal = next((answer.value for answer in answers if not answer.slug), None)
    chosen = _choose(persona, personal, has_company=bool(company))
    about = "" if chosen == "personal" else company
    zone = read_zone(personal.planned.zone if personal else system_zone())
    return Context(
        persona=chosen,
        company=about,
        lands_in=about if chosen == "brand-operator" else "",
        zone=zone,
        days=list_days(now.astimezone(zone).date(), count=AHEAD_DAYS),
        answers=[answer for answer in answers if answer.slug in ("", about)],
    )


def list_companies() -> list[str]:
    """Name the companies whose hubs this workspace can enter."""
    others = {hub.slug for hub in settings.OTHER_HUBS.values() if hub.slug}
    return sorted(others | ({settings.HUB_SLUG} if settings.HUB_SLUG else set()))


def _check_persona(persona: str | None) -> None:
    if persona is not None and persona not in PERSONAS:
        raise InvalidInput(
            f"There is no persona {persona[:40]!r}. It is one of: {', '.join(PERSONAS)}.",
            code="persona.unknown",
            next_command="psn_post context",
        )


def _find_company_for(persona: str | None) -> str:
    """Name the company that this process works on, or else the only one; empty when nothing says which.

    Raises:
        InvalidInput: the persona needs one.
    """
    companies = [settings.HUB_SLUG] if settings.HUB_SLUG else list_companies()
    if len(companies) == 1:
        return str(companies[0])
    if persona in (None, "personal"):
        return ""
    if not companies:
        raise InvalidInput(
            f"As {persona} you write for a company, and this workspace has no company's hub.",
            code="persona.no_company",
            ask="Join a team with the invite that one of its admins gives you (psn_team join), or found one (psn_team create).",
        )
    raise InvalidInput(
        f"This workspace has the hubs of {', '.join(companies)}. Say which company it is about, with --hub.",
        code="persona.which_company",
        next_command=f"psn_post context --persona {persona} --hub {companies[0]}",
    )


def _choose(persona: str | None, personal: HubView | None, *, has_company: bool) -> Persona:
    """Take the persona that was asked for, or the company's in its own hub, or the one that the person prefers."""
    preferred = personal.preferences.persona.default if personal else "personal"
    wanted = persona or ("brand-operator" if settings.HUB_SLUG else preferred)
    known: Persona = next((one for one in PERSONAS if one == wanted), "personal")
    return known if has_company else "personal"


def _view(using: str, *, since: datetime, until: datetime) -> HubView:
    """Read one hub, inside a transaction that cannot write."""
    company = find_company(using=using)
    accounts = Account.objects.using(using).filter(user=get_owner(using=using))
    return HubView(
        planned=read_planned(using, since=since, until=until),
        company=company,
        accounts=tuple(accounts.exclude(status=Account.Status.DISCONNECTED).order_by("platform", "handle")),
        strategy=(
            configuration.effective("company", using=using)
            if company
            else configuration.effective("strategy", using=using)
        ),
        preferences=configuration.effective("preferences", using=using),
    )
