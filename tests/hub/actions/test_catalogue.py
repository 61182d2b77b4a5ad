"""Every code that can end or hold up a post has its words, and no words are there for nothing (PUB-8)."""

from __future__ import annotations

import ast
import re
import uuid
from pathlib import Path

import pytest

from hub.actions.catalogue import CATALOGUE, FAMILIES, KINDS, Explanation, explain_code
from psn import errors
from tests.test_documents import parse

ROOT = Path(__file__).resolve().parents[3]
SENDS = [
    *(ROOT / "psn" / "platforms").rglob("*.py"),
    ROOT / "psn" / "http.py",
    *(ROOT / "hub" / "publishing").rglob("*.py"),
]
GROUND = [ROOT / "psn" / name for name in ("crypto.py", "config/hub.py", "config/envfile.py")]
SOURCES = [path for folder in ("psn", "hub") for path in (ROOT / folder).rglob("*.py") if path.name != "catalogue.py"]
EVERYTHING = [*CATALOGUE.items(), *KINDS.items(), *FAMILIES.items()]
every = pytest.mark.parametrize(("code", "known"), EVERYTHING, ids=[code for code, _ in EVERYTHING])

CODE = re.compile(r"[a-z]+(\.[a-z][a-z0-9_]*)+")
# Texts with a dot in them that are no error codes.
WORDS = re.compile(  # hosts, words of platforms' own, names of modules
    r"([a-z]+\.)?(bsky|instagram|linkedin|tiktok|threads|facebook)\.(app|com|net|dev)|(m|www|main|staging|rupload)\..*|app\.bsky\..*"
    r"|com\.atproto\..*|psn\..*|options\..*|user\.(fields|info\..*)|video\.(list|publish|upload)"
)
NO_CODES = {
    "x.com", "www.x.com", "mobile.x.com", "twitter.com", "www.twitter.com", "mobile.twitter.com",  # hosts
    "media.write", "tweet.read", "tweet.write", "users.read", "offline.access", "post.fields", "tweet.fields",  # words of X
    "post.rung_again", "post.deleted", "post.delete_asked", "handle.invalid", "psn.platforms.x", "hub.env",
}  # fmt: skip


def texts_in(path: Path) -> set[str]:
    """Every string of a file that may be a code: by its dots, or because it is given as one."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    given = [node.value for node in nodes if isinstance(node, ast.keyword) and node.arg == "code"]
    texts = {node.value for node in (*nodes, *given) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    named = {node.value for node in given if isinstance(node, ast.Constant)}
    return {text for text in texts if (CODE.fullmatch(text) and not WORDS.fullmatch(text)) or text in named}


def mentioned_in(path: Path) -> set[str]:
    """Every word in quotes of a file, also in the SQL that it holds."""
    return set(re.findall(r"""["']([a-z][a-z0-9_.]*)["']""", path.read_text(encoding="utf-8")))


def classes_in(path: Path) -> set[type[errors.Problem]]:
    """Every error class of ours that a file makes: called, or handed on to be called."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for name in ast.walk(node):
                kind = getattr(errors, name.id, None) if isinstance(name, ast.Name) else None
                if isinstance(kind, type) and issubclass(kind, errors.Problem):
                    found.add(kind)
    return found


class TestTheScan:
    def test_sees_codes_in_tables_in_arguments_and_by_class(self, tmp_path: Path) -> None:
        source = tmp_path / "a.py"
        source.write_text(
            'TABLE = (("words", "x.one"),)\nraise Rejected("No.", code="two")\nerror(Unavailable if c else RateLimited, "x.three")\n'
        )
        assert texts_in(source) == {"x.one", "two", "x.three"}
        assert classes_in(source) == {errors.Rejected, errors.Unavailable, errors.RateLimited}

    def test_finds_what_is_known_to_be_there(self) -> None:
        found = {text for path in SENDS for text in texts_in(path)}
        assert {"x.duplicate", "media.changed", "worker.lost", "platform.deadline_passed", "text.too_long"} <= found


class TestEveryCode:
    def test_of_what_sends_a_post_has_an_entry(self) -> None:
        raised = {text for path in SENDS for text in texts_in(path)} - NO_CODES
        assert {code for code in raised if explain_code(code) is None} == set()

    def test_of_a_class_that_may_be_raised_while_sending_has_an_entry(self) -> None:
        kinds = {kind for path in SENDS for kind in classes_in(path) if issubclass(kind, errors.PlatformError)}
        assert {kind.code for kind in kinds if kind.code not in CATALOGUE} == set()

    def test_of_the_ground_that_sending_stands_on_has_words_at_least_by_its_family(self) -> None:
        raised = {text for path in GROUND for text in texts_in(path)} - NO_CODES
        assert len(raised) > 8
        assert {code for code in raised if explain_code(code) is None} == set()


class TestNoEntry:
    def test_is_dead(self) -> None:
        written = {text for path in SOURCES for text in mentioned_in(path)}
        classes = {kind.code for path in SOURCES for kind in classes_in(path)}
        assert {code for code in CATALOGUE if code not in written | classes} == set()

    def test_of_a_family_is_dead(self) -> None:
        written = {text.partition(".")[0] for path in SOURCES for text in texts_in(path)}
        assert set(FAMILIES) <= written


class TestEveryEntry:
    @every
    def test_is_made_of_sentences(self, code: str, known: Explanation) -> None:
        for sentence in (known.happened, known.by_itself, known.ask):
            assert sentence is None or (sentence[0].isupper() and sentence.endswith("."))

    @every
    def test_uses_no_technical_words(self, code: str, known: Explanation) -> None:
        jargon = re.compile(r"\b(HTTP|API|JSON|OAuth|token|null|exception|timeout|5xx|429|enum|NULL)\b", re.IGNORECASE)
        assert not jargon.search(f"{known.happened} {known.by_itself}")

    @every
    def test_names_a_command_that_parses(self, code: str, known: Explanation) -> None:
        command = known.fill(post=uuid.uuid4(), account=uuid.uuid4(), connect="psn_account connect x --token-stdin")
        if command is not None:
            assert "{" not in command
            parse(command)

    @every
    def test_leads_somewhere_where_nothing_happens_by_itself(self, code: str, known: Explanation) -> None:
        assert known.command or known.ask or known.by_itself == "PSN goes on by itself."

    @every
    def test_never_sends_again_unasked(self, code: str, known: Explanation) -> None:
        """`--approve` is a person's yes (POST-4), and what may be out is never offered to be sent again (PUB-6)."""
        if "--approve" in (known.command or ""):
            assert known.ask
        if known.out == "maybe" and not code.startswith("restore."):
            assert known.command is None


class TestAnUnknownCode:
    @pytest.mark.parametrize("code", ["", "no.such_code", "y"])
    def test_has_no_words(self, code: str) -> None:
        assert explain_code(code) is None

    def test_of_a_known_family_has_the_family_s(self) -> None:
        assert explain_code("key.something_new") is FAMILIES["key"]
