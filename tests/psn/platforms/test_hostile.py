"""Every platform's adapter against answers that no platform promised: whatever comes, it ends in a word of our own tree (PUB-6, PLAT-1).

The laws: nothing but `PlatformError` comes out; what comes out can be stored, and reckoned with; what was made public has an id that
can be one; no id that a read gives leads anywhere else when it becomes part of an address.

Each request of each call is spoilt in turn. Of the many ways to do that, each run takes a part, always the same one;
`PSN_HOSTILE_SHARE=1` takes all, in some minutes.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import math
import os
import random
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from psn.errors import PlatformError
from psn.platforms.base import Profile, Published, RemotePost
from tests.psn.platforms.canned import CASES, Call, Canned, Case, Files, find_answer, list_calls
from tests.psn.platforms.stub import Request, Stub, build_answer, serve_stub

SHARE = float(os.environ.get("PSN_HOSTILE_SHARE", "0.02"))
MAX_TEXT = 100_000  # characters of a post's text
MAX_WORDS = 3000  # of anything else

_JSON = "content-type: application/json"
_VALUES: list[Any] = [
    *(None, True, 0, -1, 2**63, 10**30, 253402300800, -62135596801, 1.5, math.nan, math.inf, -math.inf),
    *("", " ", "x", "..", "../../etc/passwd", "a/b", "a\nb", "a\r\nHost: x", "a\x00b", "\ud800", "\u202e", "?a=b", "#", "%2e%2e"),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1970-01-01", "7" * 30, "nan", "\u0663\u0663", "x" * 70_000),
    *("http://10.0.0.1/", "javascript:alert(1)", "https://evil.example/\r\n", "https://[::1", "http://127.0.0.1:1/", "//x"),
    *([], {}, [None], [[]], [{}], {"a": 1}, {"value": math.nan}, "<p><a href='x'>" * 50),
]  # fmt: skip
_BODIES = [
    *(b"", b"null", b"[]", b"{}", b"0", b'"x"', b"<html>Sign in to the hotel's network</html>", b"\xff\xfe\x00", b'{"a":"\xff"}'),
    *(b"[" * 100_000, b'{"data":' * 3000 + b"1" + b"}" * 3000, b'{"data":' + b"9" * 5000 + b"}"),
    *(b'{"error":{"code":"internal_error","message":"x"}}', b'{"error":{"code":1,"message":"bad","error_subcode":"x"}}'),
    *(b'{"error":"x"}', b'{"errors":[{"message":"a"}]}', b'{"status":500,"message":"x"}', b'{"status":"x","message":5}'),
]  # fmt: skip
_WORDS = ("a\\u0000b", "\\ud800", "x" * 5000)
_SHAPES = (
    '{"error":{"message":"%s","code":190,"log_id":"%s","fbtrace_id":"%s"}}',
    '{"error":{"message":"%s","code":"spam_risk","log_id":"%s"}}',
    '{"message":"%s","code":"%s","error":"%s"}',
    '{"error":"%s","title":"%s","type":"%s"}',
    '{"errors":[{"message":"%s","detail":"%s","type":"%s"}]}',
)
_STATUSES = (200, 204, 206, 302, 400, 401, 403, 404, 408, 409, 410, 413, 422, 426, 429, 500, 503, 599)
_HEADERS = [
    *("date: Mon, 01 Jan 0001 00:00:00 +2359", "date: Fri, 31 Dec 9999 23:59:59 -2359", "date: x"),
    *("x-rate-limit-reset: 253402300799", "x-ratelimit-reset: 9999-12-31T23:59:59Z", "ratelimit-reset: 253402300799"),
    *("x-ratelimit-reset: 0001-01-01T00:00:00+23:59", "retry-after: 99999999999999999999", "retry-after: -1"),
    *('x-app-usage: {"call_count": NaN}', 'x-app-usage: {"call_count": 1e999}', "x-app-usage: [[["),
    *("x-request-id: " + "x" * 20_000, "x-request-id: a\tb\xff", "x-restli-id: ../..", "x-restli-id: urn:li:share:1/../.."),
    *('link: <http://10.0.0.1/?max_id=../../x>; rel="next"', 'link: <http://[::1/?max_id=1>; rel="next"'),
    *(f'link: <?max_id={"7" * 70_000}>; rel="next"', "content-encoding: gzip", "content-type: text/html; charset=x-unknown"),
]  # fmt: skip
_SPENT = tuple(
    f"{name}-{what}"
    for name in ("x-rate-limit", "x-ratelimit", "ratelimit")
    for what in ("limit: 5", "remaining: 0", "used: 5")
)
_RAW: list[bytes | None] = [
    None,  # hangs up
    b"220 smtp.example ESMTP\r\nconnection: close\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\nconnection: close\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\nconnection: close\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n5\r\nab",
    b"HTTP/1.1 200 OK\r\nx: a\x00b\r\nconnection: close\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: close\r\n\r\n",
    b"HTTP/1.1 200 OK\r\na: " + b"b" * 200_000 + b"\r\nconnection: close\r\n\r\n",
    build_answer(200, gzip.compress(bytes(20_000_000)), (_JSON, "content-encoding: gzip")),
    build_answer(200, gzip.compress(gzip.compress(bytes(20_000_000))), (_JSON, "content-encoding: gzip, gzip")),
]
_LURES = (
    {"paging": {"next": "http://10.0.0.1/", "cursors": {"after": "x" * 70_000}}},
    {"paging": {"next": "x", "cursors": {"after": "same"}, "links": [{"rel": "next"}]}},
    {"meta": {"result_count": 1, "next_token": "x" * 70_000}},
    {"cursor": "x" * 70_000},
    {"cursor": "a\nb"},
)


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    with serve_stub(lambda _: None) as running:
        yield running


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
class TestEveryCall:
    def test_ends_in_a_word_of_our_own_whatever_is_answered(self, case: Case, stub: Stub, tmp_path: Path) -> None:
        chooser = random.Random(case.name)  # the same part in every run
        faults: list[str] = []
        for name, call in list_calls(case, Files(tmp_path)):
            for index, good in enumerate(_watch(case, stub, call)):
                for how, spoilt in _spoil(good, stub.url):
                    if chooser.random() < SHARE or SHARE == 1:
                        found = _try(case, stub, call, index=index, spoilt=spoilt)
                        faults += [f"{name}, answer {index} with {how}: {fault}" for fault in found]
        assert not faults, "\n".join(faults[:20])

    def test_goes_well_when_all_is_well(self, case: Case, stub: Stub, tmp_path: Path) -> None:
        """Otherwise the test above would spoil nothing but refusals."""
        calls = dict(list_calls(case, Files(tmp_path)))
        _watch(case, stub, calls["create_post"])
        adapter = case.connect(stub.url)
        assert isinstance(calls["create_post"](adapter), Published)
        assert isinstance(calls["fetch_profile"](adapter), Profile)
        assert [type(post) for post in calls["fetch_posts"](adapter)] == [RemotePost]
        adapter.close()


def _watch(case: Case, stub: Stub, call: Call) -> list[Canned]:
    """Give the answers that a call gets when all is well."""
    answers: list[Canned] = []

    def answer(request: Request) -> bytes:
        answers.append(find_answer(case.rules, request))
        return answers[-1].to_bytes(stub.url)

    stub.answer = answer
    _make(case, stub, call)
    return answers


def _try(case: Case, stub: Stub, call: Call, *, index: int, spoilt: bytes | None) -> list[str]:
    """Make a call of which one answer is spoilt, and say which laws it breaks."""
    count = iter(range(10_000))

    def answer(request: Request) -> bytes | None:
        if next(count) == index:
            return spoilt
        try:
            return find_answer(case.rules, request).to_bytes(stub.url)
        except LookupError:
            return build_answer(404, b"{}")

    stub.answer = answer
    return _make(case, stub, call)


def _make(case: Case, stub: Stub, call: Call) -> list[str]:
    adapter = case.connect(stub.url)
    try:
        return list(_check(call(adapter), case))
    except PlatformError as error:
        told = (error.message, error.error_code, error.request_id or "", getattr(error, "reference", ""))
        return [f"{type(error).__name__}: {fault}" for word in told for fault in _check_text(word, most=MAX_WORDS)]
    except Exception as error:
        return [f"{type(error).__name__} came out: {str(error)[:80]}"]
    finally:
        adapter.close()


def _spoil(good: Canned, base: str) -> Iterator[tuple[str, bytes | None]]:
    """Give every way to spoil an answer, with words for it."""
    body = json.loads(json.dumps(good.body).replace("{base}", base))
    for raw in _RAW:
        yield f"{(raw or b'')[:60]!r}", raw
    for status in _STATUSES:
        away = ("location: http://10.0.0.1/",) if status == 302 else ()
        for text in (*_BODIES, *(shape.replace("%s", words).encode() for shape in _SHAPES for words in _WORDS)):
            yield f"{status} {text[:40]!r}", build_answer(status, b"" if status == 204 else text, (_JSON, *away))
    for status in (good.status, 429, 503):
        for header in _HEADERS:
            headers = (_JSON, *good.headers, *_SPENT, header)
            yield f"{status} {header[:60]}", build_answer(status, json.dumps(body).encode(), headers)
        ages = ("date: Mon, 01 Jan 0001 00:00:00 GMT", *(header for header in _HEADERS[3:6]))
        yield f"{status} in another age", build_answer(status, json.dumps(body).encode(), (*_SPENT, *ages))
    for how, changed in _change(body):
        yield how, build_answer(good.status, json.dumps(changed).encode(), (_JSON, *good.headers))


def _change(body: Any) -> Iterator[tuple[str, Any]]:
    """Give an answer with each of its values replaced by each of the hostile ones, left out, or in numbers."""
    for path in _paths(body):
        words = ".".join(str(step) for step in path)
        for value in _VALUES:
            yield f"{words} = {str(value)[:40]!r}", _put(body, path, [value])
        yield f"{words} left out", _put(body, path, [])
        if isinstance(several := _get(body, path), list):
            yield f"{words} many times", _put(body, path, [several * 300])
    if isinstance(body, dict):
        for lure in _LURES:
            yield str(lure)[:60], {**body, **lure}


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from _paths(inner, (*path, step))


def _get(body: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        body = body[step]
    return body


def _put(body: Any, path: tuple[Any, ...], values: list[Any]) -> Any:
    """Give a copy with another value in one place, or with none there."""
    copy = json.loads(json.dumps(body))
    node = _get(copy, path[:-1])
    if values:
        (node[path[-1]],) = values
    else:
        del node[path[-1]]
    return copy


def _check(value: Any, case: Case) -> Iterator[str]:
    """Say what is wrong with what a call gave."""
    if isinstance(value, Published | RemotePost) and not re.fullmatch(case.post_ids, value.platform_post_id):
        yield f"{value.platform_post_id[:60]!r} is no id"
    if isinstance(value, Profile) and not re.fullmatch(r"[\x21-\x7e]{1,300}", value.platform_account_id):
        yield f"{value.platform_account_id[:60]!r} is no id of an account"
    if isinstance(value, Profile) and not (value.handle and value.handle.isprintable()):
        yield f"{value.handle[:60]!r} is no handle"
    if isinstance(value, Profile | Published | RemotePost) and not re.fullmatch(r"(https?://[\x21-\x7e]+)?", value.url):
        yield f"{value.url[:60]!r} is no address"
    yield from _check_value(value)


def _check_value(value: Any, *, most: int = MAX_WORDS) -> Iterator[str]:
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            is_text = field.name == "text"
            yield from _check_value(getattr(value, field.name), most=MAX_TEXT if is_text else MAX_WORDS)
    elif isinstance(value, str):
        yield from _check_text(value, most=most)
    elif isinstance(value, dict):
        for one in (*value, *value.values()):
            yield from _check_value(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _check_value(one)
    elif isinstance(value, datetime) and value.tzinfo is None:
        yield f"{value} has no zone"
    elif isinstance(value, int | float) and not 0 <= value < 2**63:
        yield f"{value} is no number of anything"


def _check_text(text: str, *, most: int) -> Iterator[str]:
    """Say why a text could not be stored."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        yield f"{text[:60]!r} cannot be stored"
    if len(text) > most:
        yield f"{text[:60]!r} is {len(text)} characters long"
