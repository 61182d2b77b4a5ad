"""X's limits, and its published conformance data for counting."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from psn.platforms.base import NOTHING_KNOWN, AccountFacts, MediaFile, Part
from psn.platforms.x import rules
from psn.platforms.x.counting import count_text
from psn.platforms.x.rules import check_parts, estimate_price
from tests.contracts.specs import find_contract

CONFORMANCE = "twitter-text/conformance/validate.yml"
SUITES = (
    "WeightedTweetsWithDiscountedEmojiCounterTest",
    "UnicodeDirectionalMarkerCounterTest",
)  # of the rules in force


def codes(*parts: Part) -> list[str]:
    return [finding.code for finding in check_parts(parts, NOTHING_KNOWN)]


def media(mime_type: str = "image/png", size_bytes: int = 1000, alt_text: str = "") -> MediaFile:
    return MediaFile(path=Path("a"), mime_type=mime_type, size_bytes=size_bytes, alt_text=alt_text)


class TestCountText:
    @pytest.mark.parametrize("suite", SUITES)
    def test_agrees_with_the_data_x_published(self, suite: str) -> None:
        cases = yaml.safe_load(find_contract(CONFORMANCE).read_text(encoding="utf-8"))["tests"][suite]
        assert len(cases) >= 2
        for case in cases:
            count, expected = count_text(case["text"]), case["expected"]
            assert count.units == expected["weightedLength"], case["description"]
            assert (0 < count.units <= 280 and count.valid_characters) == expected["valid"], case["description"]

    @pytest.mark.parametrize(
        ("text", "units"),
        [
            ("", 0),
            ("a", 1),
            ("é", 1),
            ("日", 2),
            ("👨‍👩‍👧‍👦", 2),
            ("🇪🇸", 2),
            ("https://example.com/" + "a" * 200, 23),
            ("a\r\nb", 3),
        ],
        ids=["nothing", "letter", "accent", "kanji", "family", "flag", "link", "line-break"],
    )
    def test_counts_as_x_says(self, text: str, units: int) -> None:
        assert count_text(text).units == units

    @given(st.text(st.characters(codec="utf-8")))
    def test_counts_one_or_two_a_character_where_there_is_no_link(self, text: str) -> None:
        text = text.replace(".", "")
        assert count_text(text).units <= 2 * len(text)

    @given(st.text("abc é日", max_size=50), st.text("abc é日", max_size=50))
    def test_counts_pieces_as_their_whole(self, one: str, other: str) -> None:
        assert count_text(one + " " + other).units == count_text(one).units + 1 + count_text(other).units

    @given(st.text(st.characters()))
    def test_counts_anything(self, text: str) -> None:
        assert count_text(text).units >= 0

    def test_leaves_no_stand_in_behind(self) -> None:
        count_text("a")
        assert type(sys.modules.get("pkg_resources")).__name__ != "_ResourceReader"

    def test_counts_in_many_threads(self) -> None:
        counts: list[int] = []
        threads = [threading.Thread(target=lambda: counts.append(count_text("a日").units)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert counts == [3] * 8


class TestCheckParts:
    @pytest.mark.parametrize(
        "part",
        [
            Part(0, "a" * 280),
            Part(0, "日" * 140),
            Part(0, "", media=(media(),)),
            Part(0, "hi", media=(media(),) * 4),
            Part(0, "hi", media=(media("image/gif", 15 * 1024 * 1024),)),
            Part(0, "hi", media=(media("video/mp4", 512 * 1024 * 1024, "x" * 1000),)),
        ],
        ids=["280", "140-kanji", "image-alone", "four-images", "gif", "video"],
    )
    def test_finds_nothing_in_what_x_takes(self, part: Part) -> None:
        assert codes(part) == []

    @pytest.mark.parametrize(
        ("part", "expected"),
        [
            (Part(0, "a" * 281), ["text.too_long"]),
            (Part(0, "日" * 141), ["text.too_long"]),
            (Part(0, " \n"), ["text.empty"]),
            (Part(0, "a\ufffe"), ["text.invalid_characters"]),
            (Part(0, "a\ud800"), ["text.invalid_characters"]),
            (Part(0, "$AAPL and $TSLA"), ["text.too_many_cashtags"]),
            (Part(0, "hi", media=(media(),) * 5), ["media.too_many"]),
            (Part(0, "hi", media=(media(), media("image/gif"))), ["media.mixed"]),
            (Part(0, "hi", media=(media("video/mp4"), media("video/mp4"))), ["media.mixed"]),
            (Part(0, "hi", media=(media("image/tiff"),)), ["media.type"]),
            (Part(0, "hi", media=(media(size_bytes=5 * 1024 * 1024 + 1),)), ["media.too_large"]),
            (Part(0, "hi", media=(media(size_bytes=0),)), ["media.empty"]),
            (Part(0, "hi", media=(media(alt_text="x" * 1001),)), ["media.alt_too_long"]),
        ],
        ids=lambda value: value[0] if isinstance(value, list) else "",
    )
    def test_finds_what_x_would_refuse(self, part: Part, expected: list[str]) -> None:
        assert codes(part) == expected

    def test_finds_an_empty_post(self) -> None:
        assert codes() == ["post.empty"]

    def test_does_not_take_prices_for_cashtags(self) -> None:
        assert codes(Part(0, "from $5 to $1,000 and US$20, $AAPL")) == []

    def test_says_where_how_much_and_what_to_do(self) -> None:
        (finding,) = check_parts([Part(0, "fine"), Part(1, "a" * 300)], NOTHING_KNOWN)
        assert (finding.target, finding.at, finding.limit, finding.got) == ("x", "parts.1", 280, 300)
        assert finding.fix
        assert "20 units" in finding.fix

    def test_points_at_the_file(self) -> None:
        (finding,) = check_parts([Part(2, "hi", media=(media(), media("image/bmp")))], NOTHING_KNOWN)
        assert finding.at == "parts.2.media.1"

    @given(st.text(st.characters(), max_size=300))
    def test_finds_the_text_too_long_exactly_when_it_counts_too_much(self, text: str) -> None:
        assert ("text.too_long" in codes(Part(0, text))) == (bool(text.strip()) and count_text(text).units > 280)

    @pytest.mark.parametrize("tier", sorted(rules.LONG_TIERS))
    def test_takes_a_long_text_from_those_who_pay(self, tier: str) -> None:
        account = AccountFacts(capabilities={"subscription_type": tier})
        assert check_parts([Part(0, "a" * 25_000)], account) == []
        (finding,) = check_parts([Part(0, "a" * 25_001)], account)
        assert (finding.code, finding.limit) == ("text.too_long", 25_000)

    @pytest.mark.parametrize(
        ("options", "code"),
        [
            ({"ai": "maybe"}, "option.value"),
            ({"replies": "nobody"}, "option.value"),
            ({"title": "a"}, "option.unknown"),
        ],
    )
    def test_finds_a_choice_that_there_is_not(self, options: dict[str, str], code: str) -> None:
        assert codes(Part(0, "hi", options=options)) == [code]


class TestCount:
    def test_says_how_much_of_what_there_is(self) -> None:
        count = rules.count_text("日本", NOTHING_KNOWN)
        assert (count.used, count.limit, count.unit, count.cut_at) == (4, 280, "units", None)

    @pytest.mark.parametrize(("text", "cut_at"), [("a" * 281, 280), ("日" * 200, 140), ("a" * 279 + "日" * 9, 279)])
    def test_says_where_x_hides_the_rest_of_a_long_post(self, text: str, cut_at: int) -> None:
        assert rules.count_text(text, AccountFacts({"subscription_type": "Premium"})).cut_at == cut_at


class TestEstimatePrice:
    def test_adds_up_what_x_charges(self) -> None:
        parts = [Part(0, "see https://example.com", media=(media(alt_text="a dot"), media())), Part(1, "more")]
        assert estimate_price(parts) == pytest.approx(0.200 + 0.015 + 0.005)
