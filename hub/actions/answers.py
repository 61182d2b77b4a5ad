"""`why`: where a post stands, in plain words, what PSN does next by itself, and what a person does (PUB-8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings

from hub.actions.approval.standings import Standing, look_at, name_approvers
from hub.actions.catalogue import ASK_AGAIN, NOTHING, TRIES_AGAIN, Explanation, explain_code
from hub.actions.obstacles import Obstacle, find_obstacle, is_held_up
from hub.actions.people import get_me
from hub.models import Account, Company, Post, PostPart, Status
from hub.publishing.endings import describe_delivery
from hub.queue.heartbeat import living_workers
from psn.platforms.registry import get_platform
from psn.times import wall_time

SOON = timedelta(seconds=30)
ELSEWHERE = "The hub's worker runs on another computer: ask whoever runs it, or an admin of the team, to start it."
_DECIDES = {
    Company.Policy.FREE: "its author decides",
    Company.Policy.CALENDAR: "its author decides, on a day that he claimed",
    Company.Policy.APPROVAL: "an approver decides, on a day that its author claimed",
}
MAX_AHEAD = 1000  # posts before this one that are counted
IsOut = Literal["no", "partly", "maybe", "yes"]


@dataclass(frozen=True, slots=True)
class Option:
    """One of several ways on, of which only a person can tell which it is."""

    when: str
    command: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Why a post is where it is.

    Args:
        summary: for a person: what happened, and how things stand.
        by_itself: what PSN does next without anybody.
        at: when it does that; None when nothing is to happen, or at no known time.
        next_command: what to run next, or None when there is nothing to do.
        ask: what only a person can do.
        options: commands of which a person must say which one holds.
        url: where a person looks.
    """

    summary: str
    by_itself: str = NOTHING
    at: datetime | None = None
    next_command: str | None = None
    ask: str | None = None
    options: tuple[Option, ...] = ()
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What beside the post itself decides what becomes of it.

    Args:
        zone: the person's IANA zone; every instant is told in it.
        worker_lives: whether any worker has given a sign of life.
        in_flight: another post of the account that is being published: they go out one after the other.
        ahead: how many posts of the account, held up by the same outage, go out before this one.
        parts, parts_live: how many it has, and how many of them are out.
        standing: how its approval stands in a company's hub.
        is_mine: whether this person may change it.
        worker_is_here: whether this computer may run the hub's worker.
    """

    zone: str = "UTC"
    worker_lives: bool = True
    in_flight: Post | None = None
    ahead: int = 0
    parts: int = 1
    parts_live: int = 0
    standing: Standing | None = None
    is_mine: bool = True
    worker_is_here: bool = True


def look_around(post: Post, *, now: datetime, zone: str) -> Surroundings:
    """Look at what is around a post just now."""
    states = list(PostPart.objects.filter(post_id=post.id).values_list("state", flat=True))
    others = Post.objects.filter(account_id=post.account_id, status=Status.PUBLISHING).exclude(id=post.id)
    waits = post.status in (Status.DRAFT, Status.PENDING_APPROVAL)
    return Surroundings(
        zone=zone,
        worker_lives=living_workers().exists(),
        in_flight=others.first(),
        ahead=_count_ahead(post, now=now),
        parts=len(states),
        parts_live=states.count(PostPart.State.PUBLISHED),
        standing=look_at(post) if waits and post.author is not None else None,
        is_mine=post.author is None or post.author_id == get_me().id,
        worker_is_here=settings.HUB is None or settings.HUB.has_worker,
    )


def explain(post: Post, *, now: datetime, around: Surroundings) -> Answer:
    """Explain a post's state; pure but for the rows it is given."""
    match post.status:
        case Status.DRAFT:
            return _draft(post, around)
        case Status.PENDING_APPROVAL:
            return _pending(post, now, around)
        case Status.APPROVED:
            return _approved(post)
        case Status.SCHEDULED:
            return _scheduled(post, now, around)
        case Status.PUBLISHING:
            return _publishing(post, now, around)
        case Status.PUBLISHED:
            return _published(post, around)
        case Status.UNKNOWN:
            return _unknown(post, around)
        case Status.MISSED:
            return _missed(post)
        case Status.DELIVERED:
            return Answer(
                describe_delivery(post),
                ask="Ask the person to open the app on their phone and publish it there.",
            )
        case Status.CANCELLED:
            return Answer(f"It was cancelled; nothing was sent after that. {_live(around)}".rstrip())
        case _:
            return _failed(post, around)


def is_out(post: Post, around: Surroundings) -> IsOut:
    """Say whether people can see it."""
    if post.status == Status.PUBLISHED:
        return "no" if post.deleted_at else "yes"
    if post.status == Status.DELIVERED:
        return "no"
    known = explain_code(post.error_code)
    is_sending = post.status == Status.PUBLISHING and post.phase == Post.Phase.SENDING
    came_back = post.status in (Status.MISSED, Status.PENDING_APPROVAL) and known is not None and known.out == "maybe"
    if post.status == Status.UNKNOWN or is_sending or came_back:
        return "maybe"
    return "partly" if around.parts_live else "no"


def page_of(account: Account) -> str:
    """Give the address of the account's own page, where a person sees what is out."""
    return account.profile_url or f"{account.base_url or get_platform(account.platform).web_base_url}/{account.handle}"


def resolve_options(post: Post) -> tuple[Option, ...]:
    """The two things a person may have seen, and how to say so."""
    return (
        Option("it is there; put its address in the place of URL", f"psn_post resolve {post.id} --published URL"),
        Option("it is not there", f"psn_post resolve {post.id} --not-published"),
    )


def _draft(post: Post, around: Surroundings) -> Answer:
    before = f" Before that: {post.error_message}" if post.error_message else ""
    sent_back = around.standing.sent_back if around.standing else None
    if sent_back is not None:
        return Answer(
            f"It is a draft: {sent_back.by.name} sent it back at {_at(sent_back.at, around)}: {sent_back.feedback}",
            "Nothing happens until its author changes it and asks for it anew.",
            next_command=f"psn_post edit {post.id} --stdin" if around.is_mine else None,
            ask="Change it together with the person as the feedback says; then schedule it again."
            if around.is_mine
            else f"{_author(post)} has to change it.",
        )
    return Answer(
        f"It is a draft: nobody has approved it, and it goes nowhere.{before}",
        "Nothing happens until it has a time and a person's yes.",
        next_command=f"psn_post schedule {post.id} --at +10m",
    )


def _pending(post: Post, now: datetime, around: Surroundings) -> Answer:
    if around.standing is not None:
        return _pending_in_company(post, now, around, around.standing)
    happened, known = _words(post), explain_code(post.error_code)
    if post.scheduled_at is not None and post.scheduled_at <= now:
        return Answer(
            f"It was meant for {_at(post.scheduled_at, around)} and had no yes by then, so it was not sent. {happened}".rstrip(),
            "Nothing happens until it has a new time and a person's yes.",
            next_command=f"psn_post schedule {post.id} --at +10m --approve",
            ask=known.ask if known is not None and known.ask else ASK_AGAIN,
        )
    when = f" at {_at(post.scheduled_at, around)}" if post.scheduled_at else ""
    return Answer(
        f"It should go out{when} and waits for a person's yes. {happened}".rstrip(),
        "As soon as it is approved it goes out at its time; without a yes it does not.",
        next_command=f"psn_post approve {post.id} --content-hash {post.content_hash}",
        ask=known.ask if known is not None and known.ask else "Show it to the person; approve it only if they say yes.",
    )


def _pending_in_company(post: Post, now: datetime, around: Surroundings, standing: Standing) -> Answer:
    """A company's post that waits: for whom, since when, by which rule, and what this person can do about it."""
    since = f" since {_at(standing.asked_at, around)}" if standing.asked_at else ""
    rule = f"At {standing.company} {_DECIDES[Company.Policy(standing.policy)]}."
    if post.scheduled_at is not None and post.scheduled_at <= now:
        return Answer(
            f"It was meant for {_at(post.scheduled_at, around)} and had no yes by then, so it was not sent. {rule}",
            "Nothing happens until it has a new time and a yes.",
            next_command=f"psn_post schedule {post.id} --at +10m --approve" if around.is_mine else None,
            ask=ASK_AGAIN if around.is_mine else f"{_author(post)} has to give it another time.",
        )
    summary = f"It should go out at {_at(post.scheduled_at, around)} and waits{since} for a yes from {name_approvers(standing)}. {rule}"
    plan = "As soon as it is approved it goes out at its time; without a yes it does not."
    if standing.day is not None and not standing.has_slot:
        return _without_slot(post, around, standing, summary=summary, plan=plan)
    if standing.hurdle is None:
        return Answer(
            summary, plan, next_command=f"psn_approve show {post.id}", ask="Ask the person whether it may go out."
        )
    return Answer(
        summary, plan, ask=f"Tell {name_approvers(standing)} that it waits: they find it with `psn_approve list`."
    )


def _without_slot(post: Post, around: Surroundings, standing: Standing, *, summary: str, plan: str) -> Answer:
    what = f"{standing.day} on {get_platform(post.account.platform).title}"
    missing = f"{summary} Its author has not claimed {what}, so nobody can say yes yet."
    if around.is_mine:
        return Answer(missing, plan, next_command=f"psn_calendar claim {standing.day} {post.account.platform}")
    return Answer(missing, plan, ask=f"{_author(post)} has to claim {what}: psn_calendar claim.")


def _approved(post: Post) -> Answer:
    return Answer(
        "It is approved and has no time yet.",
        "Nothing happens until it has a time.",
        next_command=f"psn_post schedule {post.id} --at +10m",
    )


def _scheduled(post: Post, now: datetime, around: Surroundings) -> Answer:
    assert post.due_at is not None
    status = post.account.status
    if status != Account.Status.ACTIVE:
        return Answer(
            f"It is scheduled, but {post.account} is not connected, so it will fail at its time.",
            f"At {_at(post.due_at, around)} it is tried, and refused unless the account is connected by then.",
            post.due_at,
            post.account.connect_command,
            "The person must connect the account again before that.",
        )
    if not around.worker_lives:
        late = f"{post.account.grace.total_seconds() / 3600:g} hours late"
        return _start_worker(
            "It is scheduled, but no worker lives, so nothing goes out.",
            f"A worker that starts sends it at {_at(max(post.due_at, now), around)}, or gives it up when it is over {late}.",
            around,
        )
    if post.due_at <= now and (obstacle := find_obstacle(post, now=now, in_flight=around.in_flight is not None)):
        return _held_up(post, obstacle, now, around)
    return _ahead(post, now, around)


def _ahead(post: Post, now: datetime, around: Surroundings) -> Answer:
    """A scheduled post that nothing is in the way of."""
    assert post.due_at is not None
    if post.due_at + SOON < now:
        return Answer(
            "It is due and was not sent yet, although nothing is in its way; the worker's log may say more.",
            f"PSN looks for such posts every {settings.SWEEP_SECONDS:g} seconds and rings for them again.",
            now + timedelta(seconds=settings.SWEEP_SECONDS),
            "psn_worker status",
        )
    known, at = explain_code(post.error_code), _at(post.due_at, around)
    if around.parts_live:
        summary = f"{_live(around)} The rest goes out at {at}."
    elif known is not None and known.out == "maybe":
        summary = f"An earlier try got no clear answer; it turned out not to be live, so it is sent once more at {at}."
    elif post.error_code:
        summary = f"The last try did not get out. {_words(post)} The next try is at {at}."
    else:
        summary = f"It goes out at {at}."
    return Answer(summary, f"PSN sends it at {at}.", post.due_at, f"psn_post wait {post.id}")


def _held_up(post: Post, obstacle: Obstacle, now: datetime, around: Surroundings) -> Answer:
    """A post that is due and has to wait."""
    match obstacle:
        case Obstacle.TOO_LATE:
            return Answer(
                f"It was meant for {_at(post.scheduled_at, around)}, which is too long ago to send it without a word.",
                "PSN gives it up within seconds; it becomes `missed`.",
                now + timedelta(seconds=settings.SWEEP_SECONDS),
                f"psn_post wait {post.id}",
            )
        case Obstacle.PAUSED:
            until = post.account.next_allowed_at
            return Answer(
                f"It is due, but the platform wants nothing from this account until {_at(until, around)}. {_words(post)}".rstrip(),
                f"PSN sends it at {_at(until, around)}.",
                until,
                f"psn_account show {post.account_id}",
            )
        case Obstacle.CATCH_UP:
            assert post.account.next_catch_up_at is not None
            turn = post.account.next_catch_up_at + around.ahead * settings.CATCH_UP_GAP
            return Answer(
                "An outage held it up. What was held up goes out one after the other, "
                f"{settings.CATCH_UP_GAP.total_seconds() / 60:g} minutes apart, and {around.ahead or 'none'} of this account "
                f"{'goes' if around.ahead == 1 else 'go'} before it.",
                f"PSN sends it at about {_at(turn, around)}.",
                turn,
                f"psn_post wait {post.id}",
            )
        case Obstacle.BEHIND_ANOTHER:
            return _behind(post, around.in_flight, now)


def _behind(post: Post, other: Post | None, now: datetime) -> Answer:
    assert other is not None
    if _is_orphaned(other, now=now):
        return Answer(
            f"It is due and waits for post {other.id} of the same account, whose worker died in the middle.",
            "PSN sees to that post within seconds, then to this one.",
            next_command=f"psn_post why {other.id}",
        )
    return Answer(
        f"It is due and waits for post {other.id} of the same account, which is going out.",
        "PSN sends it as soon as that one has ended.",
        next_command=f"psn_post wait {post.id}",
    )


def _publishing(post: Post, now: datetime, around: Surroundings) -> Answer:
    if not _is_orphaned(post, now=now):
        return Answer(
            f"The worker on {_computer(post)} has it and is sending it.",
            f"It ends within moments; a worker that says nothing until {_at(post.lease_until, around)} loses it to another.",
            post.lease_until,
            f"psn_post wait {post.id}",
        )
    died = (
        f"The worker on {_computer(post)} died in the middle: it held the post until {_at(post.lease_until, around)}."
    )
    if post.phase == Post.Phase.CLAIMED:  # nothing public was under way; parts before it may be live
        summary = f"{died} What was not live by then was surely not sent. {_live(around)}".rstrip()
        after = "takes it over and sends it"
    else:
        summary = f"{died} It was sending just then, so it may be live."
        after = "takes it over, and asks the platform before anything is sent again"
    if not around.worker_lives:
        return _start_worker(summary, f"A worker that starts {after}.", around)
    sweep = now + timedelta(seconds=settings.SWEEP_SECONDS)
    return Answer(summary, f"Another worker {after}, within seconds.", sweep, f"psn_post wait {post.id}")


def _unknown(post: Post, around: Surroundings) -> Answer:
    happened = f"It may be live and may not. {_words(post)} {_live(around)}".rstrip()
    if post.look_at is None:
        return Answer(
            happened,
            "PSN does not send it again by itself; it waits for what a person saw.",
            ask=f"Ask the person to look at {page_of(post.account)} whether the post is there, and then run what fits.",
            options=resolve_options(post),
            url=page_of(post.account),
        )
    title = get_platform(post.account.platform).title
    plan = (
        f"PSN asks {title} whether it is there at {_at(post.look_at, around)}. If it is, PSN links it and goes on after it; if it "
        "is not, PSN looks again later, and then sends it once more; if there is no answer to be had, PSN asks you."
    )
    if not around.worker_lives:
        return _start_worker(f"{happened} No worker lives, so nobody looks.", plan, around)
    return Answer(
        f"{happened} PSN is finding out.", plan, post.look_at, f"psn_post wait {post.id}", url=page_of(post.account)
    )


def _published(post: Post, around: Surroundings) -> Answer:
    where = f": {post.url}" if post.url else "."
    if post.deleted_at is not None:
        return Answer(
            f"It was live since {_at(post.published_at, around)}, and was deleted at {_at(post.deleted_at, around)}."
        )
    if post.delete_asked_at is not None:
        return Answer(
            f"It is live since {_at(post.published_at, around)}{where}", "The worker deletes it at the platform."
        )
    return Answer(f"It is live since {_at(post.published_at, around)}, {_late(post)}{where}", "Nothing is left to do.")


def _missed(post: Post) -> Answer:
    known = explain_code(post.error_code)
    after = f"psn_post schedule {post.id} --at +10m --approve"
    ask = known.ask if known is not None and known.ask else ASK_AGAIN
    happened = _words(post) or "Its time passed while nobody could send it, so it was not sent late."
    return Answer(f"It was not sent. {happened}", next_command=after, ask=ask)


def _failed(post: Post, around: Surroundings) -> Answer:
    known = explain_code(post.error_code) or Explanation("", "no", NOTHING, "psn_post show {post}", ASK_AGAIN)
    spent = f"PSN tried {post.tries} times and has stopped." if known.by_itself == TRIES_AGAIN else known.by_itself
    went_on = " The next try goes on after them." if around.parts_live else ""
    return Answer(
        f"It was not sent. {_words(post)} {_live(around)}{went_on}".rstrip(),
        spent,
        next_command=known.fill(post=post.id, account=post.account_id, connect=post.account.connect_command),
        ask=known.ask,
    )


def _start_worker(summary: str, by_itself: str, around: Surroundings) -> Answer:
    """Say that a worker is missing: a command starts it where it may run, else a person elsewhere does."""
    if around.worker_is_here:
        return Answer(summary, by_itself, next_command="psn_worker start")
    return Answer(summary, by_itself, ask=ELSEWHERE)


def _author(post: Post) -> str:
    return post.author.name if post.author else "Its author"


def _words(post: Post) -> str:
    """Say what the post's code means, with what was noted when it happened where that says more."""
    known = explain_code(post.error_code)
    if known is None:
        return post.error_message
    return (
        known.happened
        if post.error_message in ("", known.happened)
        else f"{known.happened} Noted: {post.error_message}"
    )


def _live(around: Surroundings) -> str:
    """Say which parts of a thread are out; nothing when none is."""
    if not around.parts_live:
        return ""
    return f"{around.parts_live} of its {around.parts} parts {'is' if around.parts_live == 1 else 'are'} live."


def _computer(post: Post) -> str:
    """Name the computer of the worker that holds a post: `psn@host:…`."""
    return post.lease_owner.partition(":")[0].partition("@")[2] or "its computer"


def _is_orphaned(post: Post, *, now: datetime) -> bool:
    """Whether a post that is being published has nobody any more who publishes it."""
    return post.lease_until is not None and post.lease_until <= now


def _count_ahead(post: Post, *, now: datetime) -> int:
    """Count the posts of the account that the same outage held up and that go out before this one."""
    if post.status != Status.SCHEDULED or not is_held_up(post, now=now):
        return 0
    before = Post.objects.filter(account_id=post.account_id, status=Status.SCHEDULED, due_at__lt=post.due_at)
    return before.order_by()[:MAX_AHEAD].count()


def _at(instant: datetime | None, around: Surroundings) -> str:
    """Tell an instant as the person's clock shows it, with the zone."""
    if instant is None:
        return "a time that nobody set"
    return f"{wall_time(instant, zone=around.zone).replace('T', ' ')} ({around.zone})"


def _late(post: Post) -> str:
    late = post.lateness_ms
    return "on time" if late is None or late < 1000 else f"{late / 1000:.1f} seconds late"
