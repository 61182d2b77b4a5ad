"""A person's word on an outcome that nobody knows: only while it is unknown, and only once (PUB-6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django_q.models import OrmQ

from hub.actions.posts import schedule_post
from hub.actions.resolving import read_found, resolve_not_published, resolve_published
from hub.models import Account, Attempt, AuditEntry, Notice, Post, PostPart, User
from hub.publishing import attempts, claims, looks
from hub.publishing.endings import Telling
from hub.rls.identity import acting_as
from psn.errors import Conflict, InvalidInput, NotFound, UnknownOutcome
from psn.platforms.base import Published
from tests.factories import OWNER, People, make_account, make_post
from tests.hub.actions.stage import (
    WORKER,
    actions_of,
    at_once,
    make_claimed,
    make_unknown,
    now,
    part_of,
    read,
    send,
)  # fmt: skip

SITE = "http://127.0.0.1:8766/x"
URL = f"{SITE}/ana/status/7000"
Resolve = Callable[[str], Post]
published: Resolve = partial(resolve_published, url=URL)
both = pytest.mark.parametrize("resolve", [published, resolve_not_published], ids=["published", "not published"])


@pytest.fixture
def account(me: User) -> Account:
    return make_account(me, handle="ana", base_url=SITE)


def unseen() -> list[str]:
    return list(Notice.objects.filter(seen_at__isnull=True).values_list("code", flat=True))


class TestPublished:
    @pytest.mark.parametrize("looking", [True, False], ids=["while PSN looks", "when PSN gave up"])
    def test_links_the_post_and_ends_it(self, account: Account, looking: bool) -> None:
        post = make_unknown(account, looking=looking)
        ended = resolve_published(str(post.id), url=f"{URL}?s=20")
        assert (ended.status, ended.platform_post_id, ended.url, ended.error_code) == ("published", "7000", URL, "")
        assert [(part.state, part.platform_post_id, part.url) for part in ended.parts.all()] == [
            ("published", "7000", URL)
        ]
        assert ended.look_at is None

    def test_is_since_the_moment_of_the_call(self, account: Account) -> None:
        post = make_unknown(account)
        call = Attempt.objects.get(post_id=post.id)
        assert resolve_published(str(post.id), url=URL).published_at == call.started_at

    def test_takes_the_bare_id(self, account: Account) -> None:
        ended = resolve_published(str(make_unknown(account).id), url="7000")
        assert (ended.status, ended.platform_post_id, ended.url) == ("published", "7000", "")

    def test_lets_a_thread_go_on_after_the_part_in_doubt(self, account: Account) -> None:
        post = make_unknown(account, texts=("one", "two", "three"), live=1)
        OrmQ.objects.using(OWNER).all().delete()
        resumed = resolve_published(str(post.id), url=URL)
        assert (resumed.status, [part.platform_post_id for part in resumed.parts.all()]) == (
            "scheduled",
            ["1000", "7000", ""],
        )
        assert resumed.due_at is not None
        assert resumed.due_at <= now()
        assert OrmQ.objects.using(OWNER).count() == 1
        assert claims.claim(post.id, worker=WORKER) is not None

    def test_is_written_down_with_what_was_said(self, account: Account) -> None:
        post = make_unknown(account)
        resolve_published(str(post.id), url=URL)
        assert actions_of(post)[-2:] == ["post.resolved", "post.published"]
        entries = AuditEntry.objects.filter(subject_id=str(post.id), action__in=["post.resolved", "post.published"])
        assert {entry.actor for entry in entries} == {"person"}
        assert "7000" in entries.get(action="post.resolved").detail["said"]

    def test_leaves_no_notice_unseen(self, account: Account) -> None:
        post = make_unknown(account, looking=False)
        looks.hand_over(post, UnknownOutcome("Nobody can be asked."))
        assert unseen() == ["publish.unknown"]
        resolve_published(str(post.id), url=URL)
        assert unseen() == []

    @pytest.mark.parametrize(
        ("url", "code"),
        [
            ("", "url.post"),
            ("https://x.com/ana", "url.post"),
            ("https://example.com/ana/status/7000", "url.post"),
            ("javascript:alert(1)", "url.post"),
            ("https://x.com/ana/status/7000", "url.foreign"),
            ("x.com/ana/status/7000", "url.foreign"),
        ],
    )
    def test_refuses_an_address_that_is_no_post_of_the_account_s_server(
        self, account: Account, url: str, code: str
    ) -> None:
        post = make_unknown(account)
        with pytest.raises(InvalidInput) as refused:
            resolve_published(str(post.id), url=url)
        assert refused.value.error_code == code
        assert read(post).status == "unknown"

    def test_refuses_a_post_of_the_sandbox_for_an_account_that_is_not_there(self, me: User) -> None:
        account = make_account(me, handle="ana")
        with pytest.raises(InvalidInput) as refused:
            read_found("http://127.0.0.1:8766/x/ana/status/7000", account=account)
        assert refused.value.error_code == "url.foreign"
        assert read_found("x.com/ana/status/7000#m", account=account).url == "https://x.com/ana/status/7000"

    @pytest.mark.parametrize("taken_by", ["another post", "another part"])
    def test_refuses_what_is_linked_to_something_else_of_the_account(self, account: Account, taken_by: str) -> None:
        if taken_by == "another post":
            other = make_unknown(account)
            resolve_published(str(other.id), url=URL)
            post = make_unknown(account)
        else:
            post = other = make_unknown(account, texts=("one", "two"), live=1)
        url = URL if taken_by == "another post" else f"{SITE}/ana/status/1000"
        with pytest.raises(Conflict) as refused:
            resolve_published(str(post.id), url=url)
        assert refused.value.error_code == "post.linked_already"
        assert str(other.id) in refused.value.message
        assert read(post).status == "unknown"

    def test_takes_an_id_that_another_account_has_too(self, me: User, account: Account) -> None:
        """Ids are the platform's; another account may live on another server."""
        elsewhere = make_account(me, base_url="http://127.0.0.1:9/x")
        resolve_published(str(make_unknown(elsewhere).id), url="7000")
        assert resolve_published(str(make_unknown(account).id), url="7000").status == "published"

    def test_two_at_once_never_link_two_posts_to_the_same(self, account: Account) -> None:
        for number in range(5):
            first, second = make_unknown(account), make_unknown(account)
            url = f"{SITE}/ana/status/{8000 + number}"
            ends = at_once(*(partial(resolve_published, str(post.id), url=url) for post in (first, second)))
            assert sorted(type(end).__name__ for end in ends) == ["Conflict", "Post"], ends
            assert PostPart.objects.filter(platform_post_id=str(8000 + number)).count() == 1


class TestNotPublished:
    @pytest.mark.parametrize("looking", [True, False], ids=["while PSN looks", "when PSN gave up"])
    def test_closes_the_post_as_not_sent(self, account: Account, looking: bool) -> None:
        ended = resolve_not_published(str(make_unknown(account, looking=looking).id))
        assert (ended.status, ended.error_code, ended.look_at) == ("failed", "post.not_published", None)

    def test_needs_a_new_yes_before_it_goes_out_again(self, account: Account) -> None:
        post = make_unknown(account)
        resolve_not_published(str(post.id))
        assert claims.claim(post.id, worker=WORKER) is None
        again = schedule_post(str(post.id), at=now(), approve=True)
        assert again.status == "scheduled"
        assert claims.claim(post.id, worker=WORKER) is not None

    def test_leaves_no_open_call_in_the_way_of_the_next(self, account: Account) -> None:
        """A post that came back with a backup has its call still open."""
        post = make_claimed(account)
        claims.hold(post, lease=timedelta(minutes=1), phase=Post.Phase.SENDING)
        attempts.open_attempt(post, part_of(post), kind=Attempt.Kind.COMMIT, what="x")
        Post.objects.filter(id=post.id).update(
            status="unknown", phase="", lease_until=None, lease_owner="", error_code="restore.in_flight"
        )
        resolve_not_published(str(post.id))
        assert list(Attempt.objects.filter(post_id=post.id).values_list("outcome", flat=True)) == ["unknown"]
        schedule_post(str(post.id), at=now(), approve=True)
        claims.claim(post.id, worker=WORKER)
        post = read(post)
        claims.hold(post, lease=timedelta(minutes=1), phase=Post.Phase.SENDING)
        attempts.open_attempt(post, part_of(post), kind=Attempt.Kind.COMMIT, what="x")

    def test_keeps_what_is_live_of_a_thread(self, account: Account) -> None:
        ended = resolve_not_published(str(make_unknown(account, texts=("one", "two"), live=1).id))
        assert [part.platform_post_id for part in ended.parts.all()] == ["1000", ""]

    def test_is_refused_when_the_answer_came_after_all(self, account: Account) -> None:
        """A worker that was stopped wakes up and stores what the platform had said."""
        post = make_unknown(account)
        PostPart.objects.filter(post_id=post.id).update(state="published", platform_post_id="1", published_at=now())
        with pytest.raises(Conflict) as refused:
            resolve_not_published(str(post.id))
        assert refused.value.error_code == "post.nothing_in_doubt"


class TestOnlyWhatIsUnknown:
    @both
    @pytest.mark.parametrize("status", ["draft", "scheduled", "publishing"])
    def test_can_be_resolved(self, account: Account, resolve: Resolve, status: str) -> None:
        post = make_claimed(account) if status == "publishing" else make_post(account, status=status)
        before = Post.objects.filter(id=post.id).values().get()
        with pytest.raises(Conflict) as refused:
            resolve(str(post.id))
        assert (refused.value.error_code, status in refused.value.message) == ("post.state", True)
        assert refused.value.next_command == f"psn_post why {post.id}"
        assert Post.objects.filter(id=post.id).values().get() == before

    @both
    def test_can_be_resolved_and_only_once(self, account: Account, resolve: Resolve) -> None:
        post = make_unknown(account)
        resolve(str(post.id))
        for again in (published, resolve_not_published):
            with pytest.raises(Conflict):
                again(str(post.id))

    @both
    def test_of_one_s_own_can_be_resolved(self, hub: People, resolve: Resolve) -> None:
        theirs = make_post(make_account(hub.other))
        with pytest.raises(NotFound):
            resolve(str(theirs.id))


class TestARehearsal:
    @both
    def test_leaves_nothing_behind(self, account: Account, resolve: Callable[..., Post]) -> None:
        post = make_unknown(account, texts=("one", "two"))
        OrmQ.objects.using(OWNER).all().delete()
        before = (list(Post.objects.values()), list(PostPart.objects.values()), AuditEntry.objects.count(), unseen())
        rehearsed = resolve(str(post.id), dry_run=True)
        assert rehearsed.status in ("scheduled", "failed")
        assert (
            list(Post.objects.values()),
            list(PostPart.objects.values()),
            AuditEntry.objects.count(),
            unseen(),
        ) == before
        assert OrmQ.objects.using(OWNER).count() == 0

    def test_refuses_what_the_thing_itself_refuses(self, account: Account) -> None:
        with pytest.raises(InvalidInput):
            resolve_published(str(make_unknown(account).id), url="nowhere", dry_run=True)


class TestTogetherWithTheEngineSOwnLook:
    @both
    def test_one_wins_and_the_other_changes_nothing(self, account: Account, resolve: Resolve) -> None:
        told = Telling(Notice.Level.KNOW, "post.found", "PSN found it.")
        for number in range(8):
            post, remote_id = make_unknown(account), str(9000 + number)

            def find(post: Post = post, remote_id: str = remote_id) -> bool:
                with acting_as(post.user_id):
                    found = Published(platform_post_id=remote_id, url="http://found")
                    return looks.link(post, part_of(post), found, at=now(), actor="watchdog", told=told)

            mine = (
                partial(resolve_published, url=f"{SITE}/ana/status/{7100 + number}")
                if resolve is published
                else resolve
            )
            by_engine, by_person = at_once(find, partial(mine, str(post.id)))
            assert (by_engine is True) is isinstance(by_person, Conflict), (by_engine, by_person)
            if isinstance(by_person, Conflict):
                assert by_person.error_code == "post.state"
            ends = [action for action in actions_of(post) if action in ("post.published", "post.failed")]
            assert len(ends) == 1
            assert read(post).status == ("published" if by_engine is True or resolve is published else "failed")


def test_the_stage_sends_what_it_says(account: Account) -> None:
    post = make_claimed(account, texts=("one", "two"))
    assert send(post, 0).index == 0
    assert part_of(post, 0).platform_post_id == "1000"
