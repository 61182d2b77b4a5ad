"""The protocol's JSON, in bytes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psn.errors import PlatformError, Rejected, Unavailable, UnknownOutcome
from psn.http import Reply
from psn.platforms.bluesky import wire
from psn.platforms.bluesky.addresses import PostUri
from psn.platforms.bluesky.records import Draft
from tests.contracts.lexicons import Lexicons

DID = "did:plc:fsh7fvxdprpwcv7pygeudj5g"
URI = PostUri(DID, "3n2qumhip5rpg")
CID = "bafyreibeum747uld7g4crvfgvvdn7ldt5lj5qfiymz2dfqpcjbgjeokm4u"
BLOB = {
    "$type": "blob",
    "ref": {"$link": "bafkreibmmkqzj2lzlyzfp3x4xc5amizdg7iuyjdp5gtybzu73dkve4fmvi"},
    "mimeType": "image/png",
    "size": 1008,
}
RECORD: dict[str, Any] = {"$type": "app.bsky.feed.post", "text": "hello", "createdAt": "2026-11-20T14:53:00.123Z"}
WEB = "https://bsky.app"


def reply(body: object, status: int = 200) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, {"date": "Fri, 20 Nov 2026 08:00:00 GMT"}, content)


def read_published(body: object) -> Any:
    return wire.read_published(reply(body), uri=URI, handle="ana.eu", web_base_url=WEB)


class TestBuildPut:
    def test_writes_only_where_nothing_is(self) -> None:
        body = wire.build_put(DID, Draft("3n2qumhip5rpg", RECORD))
        assert body["swapRecord"] is None
        assert b'"swapRecord": null' in json.dumps(body).encode()

    def test_is_as_the_lexicon_wants_it(self, lexicons: Lexicons) -> None:
        lexicons.check_input("com.atproto.repo.putRecord", wire.build_put(DID, Draft("3n2qumhip5rpg", RECORD)))


class TestReadPublished:
    def test_names_the_post(self) -> None:
        published = read_published({"uri": str(URI), "cid": CID, "validationStatus": "valid"})
        assert published.platform_post_id == str(URI)
        assert published.url == "https://bsky.app/profile/ana.eu/post/3n2qumhip5rpg"
        assert published.http_status == 200

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html>Welcome to the hotel</html>",
            b'{"uri": "at://did:plc:fsh7',
            [],
            {},
            {"cid": CID},
            {"uri": str(URI)},
            {"uri": str(URI), "cid": ""},
            {"uri": 7, "cid": CID},
            {"uri": f"at://{DID}/app.bsky.feed.post/3aaaaaaaaaaaa", "cid": CID},
            {"error": "InvalidRequest", "message": "a refusal under 200"},
        ],
        ids=str,
    )
    def test_never_believes_what_it_cannot_read(self, body: object) -> None:
        with pytest.raises(UnknownOutcome):
            read_published(body)


class TestReadTokens:
    def test_reads_a_session(self) -> None:
        tokens = wire.read_tokens(reply({"accessJwt": "a", "refreshJwt": "r", "did": DID, "handle": "ana.eu", "x": 1}))
        assert (tokens.access, tokens.refresh, tokens.did, tokens.handle) == ("a", "r", DID, "ana.eu")

    @pytest.mark.parametrize("left_out", ["accessJwt", "refreshJwt", "did", "handle"])
    def test_wants_all_of_it(self, left_out: str) -> None:
        body = {"accessJwt": "a", "refreshJwt": "r", "did": DID, "handle": "ana.eu"}
        del body[left_out]
        with pytest.raises(Unavailable) as caught:
            wire.read_tokens(reply(body))
        assert "accessJwt" not in caught.value.message


class TestBlob:
    def test_comes_back_out_of_a_media_id_as_it_was(self) -> None:
        assert wire.read_media_id(wire.read_blob(reply({"blob": BLOB}))) == BLOB

    @pytest.mark.parametrize(
        "body", [{}, {"blob": {}}, {"blob": {**BLOB, "ref": {}}}, {"blob": {**BLOB, "$type": "x"}}]
    )
    def test_is_not_made_up(self, body: object) -> None:
        with pytest.raises(Unavailable):
            wire.read_blob(reply(body))

    @pytest.mark.parametrize("media_id", ["", "123", "{}", "[]"])
    def test_is_not_read_out_of_anything(self, media_id: str) -> None:
        with pytest.raises(Rejected):
            wire.read_media_id(media_id)


class TestReadPosts:
    VIEW = {"uri": str(URI), "cid": CID, "author": {"did": DID, "handle": "ana.eu"}, "record": RECORD, "indexedAt": "x"}

    def read(self, *views: object) -> Any:
        return wire.read_posts(reply({"posts": list(views)}), web_base_url=WEB)

    def test_names_counts_as_the_field_does(self) -> None:
        counts = {"likeCount": 1, "repostCount": 2, "replyCount": 3, "quoteCount": 4, "bookmarkCount": 5}
        post = self.read({**self.VIEW, **counts})[0]
        assert post.metrics == {"likes": 1, "reposts": 2, "replies": 3, "quotes": 4, "bookmarks": 5}
        assert post.created_at == datetime(2026, 11, 20, 14, 53, 0, 123000, tzinfo=UTC)
        assert (post.text, post.in_reply_to) == ("hello", None)

    def test_never_takes_an_unknown_count_for_zero(self) -> None:
        assert self.read({**self.VIEW, "likeCount": 0, "replyCount": None, "quoteCount": True})[0].metrics == {
            "likes": 0
        }

    def test_says_what_a_post_replies_to(self) -> None:
        strong = {"uri": str(URI), "cid": CID}
        record = {
            **RECORD,
            "reply": {"root": strong, "parent": {**strong, "uri": "at://did:plc:b/app.bsky.feed.post/1"}},
        }
        assert self.read({**self.VIEW, "record": record})[0].in_reply_to == "at://did:plc:b/app.bsky.feed.post/1"

    @pytest.mark.parametrize("record", [{}, {"text": 7}, {**RECORD, "createdAt": "yesterday"}])
    def test_leaves_out_what_is_no_post(self, record: object) -> None:
        assert [post.text for post in self.read({**self.VIEW, "record": record}, self.VIEW)] == ["hello"]


class TestReadThread:
    def record(self, value: dict[str, Any]) -> wire.Record:
        return wire.read_record(reply({"uri": str(URI), "cid": CID, "value": value}))

    def test_begins_with_a_post_that_replies_to_nothing(self) -> None:
        root, parent = wire.read_thread(self.record(RECORD))
        assert root == parent
        assert (parent.uri, parent.cid) == (str(URI), CID)

    def test_goes_on_from_the_first_post(self) -> None:
        first = {"uri": "at://did:plc:a/app.bsky.feed.post/1", "cid": "c1"}
        root, parent = wire.read_thread(self.record({**RECORD, "reply": {"root": first, "parent": first}}))
        assert (root.uri, root.cid, parent.uri) == (first["uri"], "c1", str(URI))


READERS = [
    wire.read_session,
    wire.read_tokens,
    wire.read_record,
    wire.read_page,
    wire.read_did,
    wire.read_blob,
    wire.read_account_counts,
]


class TestEveryReader:
    @pytest.mark.parametrize("read", READERS)
    @pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b"<html>", b"\xff", b"[" * 100_000, b'"x"'])
    def test_says_that_it_cannot_read_something(self, read: Any, body: bytes) -> None:
        if read is wire.read_account_counts and body == b"{}":
            return
        with pytest.raises(Unavailable):
            read(reply(body))

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["did", "uri", "value", "records", "blob", "cid"]), inner, max_size=4)
            ),
            max_leaves=10,
        )
    )
    def test_raises_nothing_but_our_own(self, body: object) -> None:
        for read in READERS:
            try:
                read(reply(body))
            except PlatformError:
                continue
