"""What always holds of the sandbox's pure functions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sandbox.platforms.x.ids import account_id
from sandbox.platforms.x.metrics import count_private, count_public
from sandbox.platforms.x.text import Attached, count_units, show_json_text, show_text, tidy_text
from sandbox.snowflakes import instant_of, make_id

IDS = st.integers(min_value=1, max_value=2**63 - 1)
AGES = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3650))
INSTANTS = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2060, 1, 1), timezones=st.just(UTC))
TEXTS = st.lists(
    st.one_of(st.text(max_size=20), st.sampled_from(["https://example.com/a?b=1", " ", "x.org", "&lt;", "<&>"]))
).map("".join)


class TestMetrics:
    @given(post_id=IDS, age=AGES, later=AGES)
    def test_never_fall(self, post_id: int, age: timedelta, later: timedelta) -> None:
        young, old = sorted((age, later))
        before, after = count_public(post_id, age=young), count_public(post_id, age=old)

        assert all(0 <= before[name] <= after[name] for name in before)

    @given(post_id=IDS, age=AGES)
    def test_never_exceed_the_views(self, post_id: int, age: timedelta) -> None:
        public, private = count_public(post_id, age=age), count_private(post_id, age=age)

        assert max(public.values()) == public["impression_count"] == private["impression_count"]
        assert private["engagements"] <= private["impression_count"]


class TestIds:
    @given(now=INSTANTS, after=st.none() | st.integers(min_value=1, max_value=2**62))
    def test_grow_and_stay_ids(self, now: datetime, after: int | None) -> None:
        made = make_id(now, after=after)

        assert made > (after or 0)
        assert len(str(made)) <= 19

    @given(now=INSTANTS)
    def test_tell_their_instant(self, now: datetime) -> None:
        assert abs(instant_of(make_id(now, after=None)) - now) <= timedelta(milliseconds=1)

    @given(handle=st.from_regex(r"[A-Za-z0-9_]{1,15}", fullmatch=True))
    def test_of_accounts_do_not_care_about_case(self, handle: str) -> None:
        assert account_id(handle) == account_id(handle.upper())


class TestText:
    @given(text=TEXTS, post_id=IDS)
    def test_is_the_same_again_with_its_links_put_back(self, text: str, post_id: int) -> None:
        shown = show_text(text, post_id=post_id)
        again = shown.text
        for url in reversed(shown.urls):
            assert again[url["start"] : url["end"]] == url["url"]
            again = again[: url["start"]] + url["expanded_url"] + again[url["end"] :]

        assert again.replace("http://", "") == tidy_text(text).replace("http://", "")

    @given(text=TEXTS, post_id=IDS, files=st.integers(0, 4))
    def test_of_the_api_is_the_text_of_the_page_with_three_escapes_and_one_link(
        self, text: str, post_id: int, files: int
    ) -> None:
        attached = [Attached(f"3_{number}", "photo") for number in range(files)]
        shown = show_json_text(text, post_id=post_id, handle="ann", attached=attached)

        assert all(shown.text[url["start"] : url["end"]] == url["url"] for url in shown.urls)
        own = [url["url"] for url in shown.urls if "media_key" in url]
        assert len(own) == files
        words = shown.text.removesuffix(own[0]).removesuffix(" ") if own else shown.text
        assert "<" not in words
        unescaped = words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        assert unescaped == show_text(text, post_id=post_id).text

    @given(text=st.text(alphabet="abc #@é", max_size=300))
    def test_of_plain_letters_weighs_its_length(self, text: str) -> None:
        assert count_units(text) == len(text)

    @given(text=st.text(max_size=100))
    def test_is_a_duplicate_of_itself_with_blanks_around(self, text: str) -> None:
        assert tidy_text(f" {text}\n") == tidy_text(text)
