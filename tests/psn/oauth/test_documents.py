"""Tokens as JSON, from people and from platforms."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.errors import InvalidInput, UnknownOutcome
from psn.http import Reply
from psn.oauth.documents import read_token_answer, read_token_document

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def read(**fields: Any) -> Any:
    return read_token_document(json.dumps({"access_token": "acc3ss", **fields}), now=NOW)


class TestReadTokenDocument:
    def test_takes_the_least_there_can_be(self) -> None:
        token = read()
        assert (token.access_token, token.refresh_token, token.access_expires_at, token.scopes, token.obtained_at) == (
            "acc3ss",
            "",
            None,
            (),
            NOW,
        )

    @pytest.mark.parametrize(
        ("fields", "expires_at"),
        [
            ({"expires_in": 7200}, NOW + timedelta(hours=2)),
            ({"expires_in": "7200"}, NOW + timedelta(hours=2)),
            ({"expires_at": "2026-11-20T12:00:00+02:00"}, NOW + timedelta(hours=2)),
            ({"expires_at": int(NOW.timestamp()) + 60}, NOW + timedelta(minutes=1)),
            ({"expires_in": 60, "expires_at": "2026-11-20T10:00:00Z"}, NOW + timedelta(hours=2)),
        ],
        ids=["seconds", "seconds-as-text", "instant", "unix", "both"],
    )
    def test_knows_when_it_expires(self, fields: dict[str, Any], expires_at: datetime) -> None:
        token = read(**fields)
        assert token.access_expires_at == expires_at
        assert token.access_expires_at.tzinfo is UTC

    @pytest.mark.parametrize(
        "fields", [{"scope": "a.read b.write"}, {"scope": "a.read,b.write"}, {"scopes": ["a.read", "b.write"]}]
    )
    def test_reads_scopes_in_every_shape(self, fields: dict[str, Any]) -> None:
        assert read(**fields).scopes == ("a.read", "b.write")

    @pytest.mark.parametrize(
        ("fields", "at"),
        [
            ({"access_token": ""}, "access_token"),
            ({"access_token": 7}, "access_token"),
            ({"access_token": None}, "access_token"),
            ({"access_token": "s3cret with blank"}, "access_token"),
            ({"access_token": "s3cret\n"}, "access_token"),
            ({"refresh_token": ["s3cret"]}, "refresh_token"),
            ({"refresh_token": "s3cret\r\nX: y"}, "refresh_token"),
            ({"token_type": "s3cret-mac"}, "token_type"),
            ({"expires_in": -1}, "expires_in"),
            ({"expires_in": 10**12}, "expires_in"),
            ({"expires_in": "s3cret"}, "expires_in"),
            ({"expires_at": "2026-11-20T10:00:00"}, "expires_at"),
            ({"expires_at": "s3cret"}, "expires_at"),
            ({"scope": ["s3cret"]}, "scope"),
            ({"scopes": "s3cret"}, "scopes"),
        ],
    )
    def test_names_the_wrong_field_and_never_its_value(self, fields: dict[str, Any], at: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            read(**fields)
        assert caught.value.error_code == "account.token_document"
        assert {finding.at for finding in caught.value.findings} == {at}
        assert at in caught.value.message
        assert "s3cret" not in caught.value.message + repr(caught.value.findings)
        assert caught.value.__context__ is None, "the validation error keeps the values"

    @pytest.mark.parametrize("text", ["", "s3cret", "[]", '"s3cret"', "null", '{"access_token": "s3cret"', "{}"])
    def test_refuses_what_is_no_document(self, text: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            read_token_document(text, now=NOW)
        assert "s3cret" not in caught.value.message + repr(caught.value.findings)

    def test_never_shows_a_token(self) -> None:
        assert "acc3ss" not in repr(read(refresh_token="r3fresh"))
        assert "r3fresh" not in repr(read(refresh_token="r3fresh"))

    @given(st.text() | st.dictionaries(st.text(), st.none() | st.integers() | st.text()).map(json.dumps))
    def test_reads_or_refuses_anything(self, text: str) -> None:
        try:
            token = read_token_document(text, now=NOW)
        except InvalidInput:
            return
        assert token.access_token


class TestReadTokenAnswer:
    def test_takes_the_scopes_asked_for_when_none_are_told(self) -> None:
        reply = Reply(200, {}, b'{"access_token":"a","token_type":"Bearer"}')
        assert read_token_answer(reply, now=NOW, asked_scopes=("a.read",)).scopes == ("a.read",)

    @pytest.mark.parametrize(
        "body", [b"", b"<html>", b"[]", b"{}", b'{"access_token": 5}', b'{"access_token": "s3cret x"}']
    )
    def test_is_unknown_when_it_cannot_be_read(self, body: bytes) -> None:
        with pytest.raises(UnknownOutcome) as caught:
            read_token_answer(Reply(200, {}, body), now=NOW, asked_scopes=())
        assert "s3cret" not in str(caught.value)
