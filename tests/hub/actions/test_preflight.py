"""What is said of a post before it goes out (PUB-11)."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from difflib import SequenceMatcher

import pytest
from django.db.models.functions import Now

from hub.actions import posts, preflight
from hub.actions.drafts import DraftPart
from hub.models import Account, Post, User
from psn.errors import Finding
from psn.platforms.base import Part
from tests.factories import OWNER, make_account, make_post

WORDS = (
    "spring garden tomato seed soil rain bee bloom root leaf harvest compost shade water prune weed the a of to and in that it is "
    "was for on are as with they at be this from have or by one had"
)


@pytest.fixture
def account(me: User) -> Account:
    return make_account(me, handle="ana")


def found(account: Account, text: str, *, at: datetime | None = None) -> dict[str, Finding]:
    return {finding.code: finding for finding in preflight.check(account, [Part(0, text)], at=at)}


class TestThePrice:
    @pytest.mark.parametrize(
        ("text", "price"),
        [
            ("Hello", "0.015"),
            ("See https://example.com", "0.200"),
            ("see example.com", "0.200"),
            ("see example.tech", "0.200"),
            ("v1.2 is out", "0.015"),
        ],
    )
    def test_is_told_and_a_link_costs_more(self, account: Account, text: str, price: str) -> None:
        finding = found(account, text)["price"]
        assert (finding.level, finding.got) == ("info", price)


class TestRepetition:
    def test_is_noticed_within_seven_days(self, account: Account) -> None:
        make_post(account, texts=("We shipped the new release today. It is faster.",), status="scheduled", due_in=60)
        finding = found(account, "We shipped the new release today! It is faster")["text.near_duplicate"]
        assert finding.level == "warning"
        assert found(account, "Something else entirely, about gardening.").keys() == {"price"}

    def test_is_looked_for_among_many_long_posts_in_no_time(self, account: Account) -> None:
        """Long texts of one language are alike in their letters, which says nothing."""
        draw = random.Random(1)
        words = WORDS.split()
        first, *others = [" ".join(draw.choices(words, k=200)) for _ in range(51)]
        for text in others:
            assert SequenceMatcher(None, first, text).quick_ratio() > preflight.NEAR  # letter for letter
            make_post(account, texts=(text,), status="scheduled", due_in=60)
        began = time.process_time()
        assert "text.near_duplicate" not in found(account, first)
        assert time.process_time() - began < 0.5
        assert found(account, others[0].replace("tomato", "potato"))["text.near_duplicate"].got != "100%"

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            pytest.param("We shipped it.", "We shiped it.", id="a letter"),
            pytest.param(
                "春天来了花园里的番茄开始发芽", "春天来了花园里的番茄也开始发芽", id="a language without spaces"
            ),
            pytest.param("One " * 120 + "two three", "One " * 120 + "four", id="the end of a long one"),
        ],
    )
    def test_is_noticed_in_short_and_in_long(self, account: Account, one: str, other: str) -> None:
        make_post(account, texts=(one,), status="scheduled", due_in=60)
        assert "text.near_duplicate" in found(account, other)

    def test_is_forgiven_after_that(self, account: Account) -> None:
        post = make_post(account, texts=("We shipped the new release today.",), status="scheduled", due_in=60)
        Post.objects.using(OWNER).filter(id=post.id).update(created_at=Now() - timedelta(days=8))
        assert "text.near_duplicate" not in found(account, "We shipped the new release today.")

    def test_is_not_the_post_itself_nor_another_accounts(self, account: Account, me: User) -> None:
        post = make_post(account, texts=("We shipped it.",), status="scheduled", due_in=60)
        assert "text.near_duplicate" not in {finding.code for finding in posts.check_post(str(post.id))}
        assert "text.near_duplicate" not in found(make_account(me), "We shipped it.")


class TestTheDaysQuota:
    def test_is_a_warning_with_both_numbers(self, account: Account) -> None:
        Account.objects.using(OWNER).filter(id=account.id).update(daily_cap=1)
        account.refresh_from_db()
        make_post(account, status="scheduled", due_in=3600)
        at = datetime.now(UTC) + timedelta(hours=2)
        finding = found(account, "Another thing", at=at)["quota.day"]
        assert (finding.level, finding.limit, finding.got) == ("warning", 1, 2)
        assert "quota.day" not in found(account, "Another thing", at=at + timedelta(days=2))


class TestCreatePost:
    def test_shows_what_was_found(self, account: Account) -> None:
        _, findings = posts.create_post(account=str(account.id), parts=[DraftPart("Hello")], at=None, approve=False)
        assert [finding.code for finding in findings] == ["price"]
