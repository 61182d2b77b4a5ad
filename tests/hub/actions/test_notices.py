"""What PSN told the person: listed, counted, and marked as seen (PUB-8)."""

from __future__ import annotations

import pytest

from hub.actions import notices
from hub.models import Account, Notice, Post, User
from psn.errors import NotFound
from tests.factories import OWNER, People, make_account, make_post
from tests.hub.actions.stage import now


@pytest.fixture
def post(me: User) -> Post:
    return make_post(make_account(me))


def tell(post: Post, code: str = "publish.unknown", *, level: str = "act") -> Notice:
    return Notice.objects.using(OWNER).create(
        user_id=post.user_id, post_id=post.id, level=level, code=code, message=f"{code}."
    )


def codes(*, seen_too: bool = False, limit: int = 100, before: str | None = None) -> list[str]:
    return [notice.code for notice in notices.list_notices(seen_too=seen_too, limit=limit, before=before).notices]


class TestListNotices:
    def test_gives_the_newest_first_and_what_was_seen_only_when_asked(self, post: Post) -> None:
        for code in ("one", "two", "three"):
            tell(post, code)
        notices.mark_seen(str(Notice.objects.get(code="two").id))
        assert codes() == ["three", "one"]
        assert codes(seen_too=True) == ["three", "two", "one"]

    def test_pages_through_notices_of_the_same_instant(self, post: Post) -> None:
        made = {tell(post, f"n{number}").code for number in range(5)}
        Notice.objects.using(OWNER).update(at=now())
        found: list[str] = []
        before = None
        while len(found) < 20:
            page = notices.list_notices(seen_too=False, limit=2, before=before)
            found += [notice.code for notice in page.notices]
            before = page.next_before
            if before is None:
                break
        assert (len(found), set(found)) == (5, made)

    @pytest.mark.parametrize(("limit", "shown"), [(-1, 1), (0, 1), (2, 2), (1000, 3)])
    def test_lists_no_more_and_no_fewer_than_makes_sense(self, post: Post, limit: int, shown: int) -> None:
        for number in range(3):
            tell(post, f"n{number}")
        assert len(codes(limit=limit)) == shown

    def test_never_shows_somebody_else_s(self, hub: People, post: Post) -> None:
        theirs = tell(make_post(make_account(hub.other)))
        assert (codes(seen_too=True), notices.count_unseen()) == ([], 0)
        for look in (lambda: notices.mark_seen(str(theirs.id)), lambda: codes(before=str(theirs.id))):
            with pytest.raises(NotFound) as refused:
                look()
            assert refused.value.error_code == "notice.not_found"
        assert notices.mark_seen("all") == 0
        theirs.refresh_from_db()
        assert theirs.seen_at is None


class TestMarkSeen:
    def test_marks_one_or_all_and_says_how_many_that_were(self, post: Post) -> None:
        made = [tell(post) for _ in range(3)]
        assert [notices.mark_seen(str(made[0].id)), notices.mark_seen(str(made[0].id)), notices.mark_seen("all")] == [
            1,
            0,
            2,
        ]
        assert codes() == []

    def test_keeps_when_it_was_seen_first(self, post: Post) -> None:
        notice = tell(post)
        notices.mark_seen("all")
        first = Notice.objects.get(id=notice.id).seen_at
        notices.mark_seen("all")
        assert Notice.objects.get(id=notice.id).seen_at == first is not None

    @pytest.mark.parametrize("text", ["", "7", "ALL", "\udcff", "00000000-0000-4000-8000-000000000000"])
    def test_refuses_what_is_no_notice(self, post: Post, text: str) -> None:
        with pytest.raises(NotFound):
            notices.mark_seen(text)

    def test_of_a_post_leaves_the_others(self, post: Post, me: User) -> None:
        tell(post, "mine")
        tell(make_post(Account.objects.get()), "another's")
        assert notices.mark_seen_of(post) == 1
        assert codes() == ["another's"]


class TestCountUnseen:
    def test_counts_only_what_the_person_must_act_on(self, post: Post) -> None:
        tell(post)
        tell(post, "post.found", level="know")
        assert (notices.count_unseen(), notices.count_unseen(Notice.Level.KNOW)) == (1, 1)

    def test_ends_where_nobody_reads_on(self, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(notices, "MAX_COUNTED", 2)
        for _ in range(3):
            tell(post)
        assert notices.count_unseen() == 2


class TestNoticesOf:
    def test_gives_a_post_s_own_oldest_first(self, post: Post) -> None:
        tell(post, "one")
        tell(make_post(Account.objects.get()), "another's")
        tell(post, "two")
        assert [notice.code for notice in notices.notices_of(post)] == ["one", "two"]
