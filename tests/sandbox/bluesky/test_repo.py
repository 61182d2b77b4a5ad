"""Records at the sandbox's Bluesky: what a real server does with the same key twice (PLAT-4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.platforms.bluesky.cids import encode, name_file, name_record
from tests.contracts.lexicons import Lexicons
from tests.contracts.specs import find_contract
from tests.sandbox.bluesky.people import KEY, POSTS, Person, connect, make_record, refused
from tests.sandbox.process import WEB, Sandbox, rush

OTHER_KEY = "3n2qumhip5rph"


def texts(person: Person) -> list[str]:
    posts = person.sandbox.ask("posts", platform="bluesky", handle=person.handle)
    return [post["text"] for post in posts]


def delete(person: Person, rkey: str = KEY, **fields: Any) -> Any:
    body = {"repo": person.did, "collection": POSTS, "rkey": rkey, **fields}
    return person.call("POST", "com.atproto.repo.deleteRecord", json=body)


class TestPutRecord:
    def test_writes_where_nothing_is(self, ana: Person) -> None:
        body = ana.put().json()
        assert body["uri"] == f"at://{ana.did}/{POSTS}/{KEY}"
        assert set(body["commit"]) == {"cid", "rev"}
        assert ana.read().json() == {"uri": body["uri"], "cid": body["cid"], "value": make_record()}

    def test_writes_the_same_record_once(self, ana: Person) -> None:
        first = ana.put().json()
        turned = dict(reversed(make_record().items()))
        for again in (ana.put(), ana.put(record=turned), ana.put(swapRecord=...)):
            assert again.json() == {name: first[name] for name in ("uri", "cid", "validationStatus")}
        assert texts(ana) == ["hello"]

    def test_writes_once_when_asked_at_once(self, ana: Person) -> None:
        body = {"repo": ana.did, "collection": POSTS, "rkey": KEY, "record": make_record(), "swapRecord": None}
        url = f"{ana.sandbox.base('bluesky')}/xrpc/com.atproto.repo.putRecord"
        headers = {"Authorization": f"Bearer {ana.access}"}
        answers = rush(lambda client, _: client.post(url, json=body, headers=headers), callers=8)
        assert {answer.status_code for answer in answers} == {200}
        assert sum("commit" in answer.json() for answer in answers) == 1
        assert texts(ana) == ["hello"]

    def test_never_writes_over_another_record_that_it_was_not_told_of(self, ana: Person) -> None:
        first = ana.put().json()
        answer = ana.put("other")
        assert refused(answer) == (400, "InvalidSwap")
        assert first["cid"] in answer.json()["message"]
        assert refused(ana.put("other", swapRecord=name_record(make_record("third")))) == (400, "InvalidSwap")
        assert texts(ana) == ["hello"]

    def test_writes_over_the_record_that_it_was_told_of(self, ana: Person) -> None:
        ana.put("other", swapRecord=ana.put().json()["cid"]).raise_for_status()
        assert texts(ana) == ["other"]

    def test_writes_over_anything_when_it_is_told_nothing(self, ana: Person) -> None:
        ana.put()
        ana.put("other", swapRecord=...).raise_for_status()
        assert texts(ana) == ["other"]
        assert ana.read().json()["value"]["text"] == "other"

    @pytest.mark.parametrize("rkey", ["", "self", "3n2qumhip5rp", "zn2qumhip5rpg", "3N2QUMHIP5RPG", "3n2qumhip5rp1"])
    def test_wants_a_tid(self, ana: Person, rkey: str) -> None:
        assert refused(ana.put(rkey=rkey)) == (400, "InvalidRequest")

    @pytest.mark.parametrize(
        "record",
        [
            {},
            {"$type": POSTS, "text": "no date"},
            make_record(createdAt="yesterday"),
            make_record("x" * 301),
            make_record("👩‍👩‍👧‍👦" * 121),
            make_record(langs=["en", "es", "fr", "de"]),
            make_record(tags=["x"] * 9),
            make_record(embed={"$type": "app.bsky.embed.unheard"}),
            make_record(embed={"$type": "app.bsky.embed.external", "external": {"uri": "https://e.eu"}}),
            make_record(facets=[{"index": {"byteStart": -1, "byteEnd": 2}, "features": []}]),
            make_record(facets=[{"index": {"byteStart": 0, "byteEnd": 2}, "features": [{"$type": "x"}]}]),
            make_record(reply={"root": {"uri": "at://did:plc:a", "cid": "x"}}),
            make_record(score=0.5),
            {**make_record(), "$type": "app.bsky.feed.like"},
        ],
        ids=str,
    )
    def test_refuses_what_the_lexicon_does_not_allow(self, ana: Person, record: Any) -> None:
        answer = ana.put(record=record)
        assert refused(answer) == (400, "InvalidRequest")
        assert texts(ana) == []

    def test_writes_only_into_one_s_own_repository(self, sandbox: Sandbox, ana: Person) -> None:
        assert refused(ana.put(repo=connect(sandbox, "bo.eu").did)) == (401, "AuthenticationRequired")
        ana.put(repo=ana.handle).raise_for_status()

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"repo": 7}', b"\xff", b"[" * 50_000])
    def test_survives_nonsense(self, ana: Person, content: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        answer = ana.call("POST", "com.atproto.repo.putRecord", content=content, headers=headers)
        assert refused(answer) == (400, "InvalidRequest")

    def test_tells_what_is_left(self, ana: Person) -> None:
        answer = ana.put()
        assert answer.headers["ratelimit-limit"] == "3000"
        assert int(answer.headers["ratelimit-remaining"]) < 3000


class TestCreateRecord:
    def test_makes_a_key(self, ana: Person) -> None:
        body = {"repo": ana.did, "collection": POSTS, "record": make_record()}
        created = ana.call("POST", "com.atproto.repo.createRecord", json=body).json()
        assert ana.read(created["uri"].rpartition("/")[2]).json()["cid"] == created["cid"]

    def test_breaks_on_a_used_key(self, ana: Person) -> None:
        ana.put()
        body = {"repo": ana.did, "collection": POSTS, "rkey": KEY, "record": make_record("other")}
        answer = ana.call("POST", "com.atproto.repo.createRecord", json=body)
        assert refused(answer) == (500, "InternalServerError")
        assert texts(ana) == ["hello"]


class TestDeleteRecord:
    def test_may_be_repeated(self, ana: Person) -> None:
        ana.put()
        assert set(delete(ana).json()) == {"commit"}
        assert delete(ana).json() == {}
        assert refused(ana.read()) == (400, "RecordNotFound")

    def test_frees_the_key(self, ana: Person) -> None:
        ana.put()
        delete(ana)
        assert "commit" in ana.put("other").json()
        assert texts(ana) == ["other"]

    def test_asks_which_version(self, ana: Person) -> None:
        cid = ana.put().json()["cid"]
        assert refused(delete(ana, swapRecord=name_record(make_record("other")))) == (400, "InvalidSwap")
        assert "commit" in delete(ana, swapRecord=cid).json()


class TestListRecords:
    def list(self, person: Person, **query: str) -> Any:
        params = {"repo": person.did, "collection": POSTS, **query}
        return person.call("GET", "com.atproto.repo.listRecords", token="", params=params)

    def test_turns_pages_from_the_newest_key_on(self, ana: Person) -> None:
        keys = [f"3n2qumhip5{letters}" for letters in ("rpa", "rpb", "rpc")]
        for key in (keys[1], keys[2], keys[0]):
            ana.put(key, rkey=key)
        first = self.list(ana, limit="2").json()
        assert [record["value"]["text"] for record in first["records"]] == keys[:0:-1]
        second = self.list(ana, limit="2", cursor=first["cursor"]).json()
        assert [record["value"]["text"] for record in second["records"]] == keys[:1]
        assert "cursor" not in self.list(ana, cursor=second["cursor"]).json()
        turned = self.list(ana, reverse="true").json()
        assert [record["value"]["text"] for record in turned["records"]] == keys

    def test_shows_at_once_what_the_view_does_not(self, sandbox: Sandbox, ana: Person) -> None:
        sandbox.fail("invisible", "POST /xrpc/com.atproto.repo.putRecord", platform="bluesky", seconds=60)
        uri = ana.put().json()["uri"]
        view = ana.call("GET", "app.bsky.feed.getPosts", params={"uris": uri})
        assert (len(self.list(ana).json()["records"]), view.json()["posts"]) == (1, [])
        sandbox.move_clock(61)
        assert len(ana.call("GET", "app.bsky.feed.getPosts", params={"uris": uri}).json()["posts"]) == 1

    @pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"limit": "many"}, {"repo": "did:plc:nobody"}])
    def test_refuses_what_makes_no_sense(self, ana: Person, query: dict[str, str]) -> None:
        assert self.list(ana, **query).status_code == 400


class TestCids:
    def test_are_those_that_everybody_computes(self) -> None:
        # Known names: of the empty map (IPLD's fixtures), and of the file "hello world".
        assert name_record({}) == "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua"
        digest = bytes.fromhex("b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9")
        assert name_file(digest) == "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"

    @pytest.mark.parametrize(
        ("value", "written"),
        [
            (0, "00"),
            (24, "1818"),
            (500, "1901f4"),
            (-1, "20"),
            (True, "f5"),
            (None, "f6"),
            ("é", "62c3a9"),
            ([1], "8101"),
            ({"b": 1, "aa": 2, "a": 3}, "a361610361620162616102"),
        ],
        ids=str,
    )
    def test_are_made_of_dag_cbor(self, value: Any, written: str) -> None:
        assert encode(value).hex() == written


class TestPage:
    def test_shows_a_post_under_handle_and_did(self, ana: Person) -> None:
        ana.put("hello page")
        base = ana.sandbox.base("bluesky")
        for author in (ana.handle, ana.did):
            page = WEB.get(f"{base}/profile/{author}/post/{KEY}", follow_redirects=True)
            assert page.status_code == 200
            assert "hello page" in page.text
            assert WEB.get(f"{base}/profile/{author}", follow_redirects=True).status_code == 200
        assert WEB.get(f"{base}/profile/{ana.handle}/post/{OTHER_KEY}").status_code == 404

    def test_joins_a_thread(self, ana: Person) -> None:
        first = ana.put("first").json()
        strong = {"uri": first["uri"], "cid": first["cid"]}
        ana.put("second", rkey=OTHER_KEY, record=make_record("second", reply={"root": strong, "parent": strong}))
        page = WEB.get(f"{ana.sandbox.base('bluesky')}/profile/{ana.handle}/post/{KEY}").text
        assert page.index("first") < page.index("second")

    def test_marks_what_facets_say(self, ana: Person) -> None:
        facet = {
            "index": {"byteStart": 3, "byteEnd": 7},
            "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://example.com/x"}],
        }
        wild = {
            "index": {"byteStart": 5, "byteEnd": 9999},
            "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "t"}],
        }
        ana.put(record=make_record("é here <b>", facets=[wild, facet])).raise_for_status()
        page = WEB.get(f"{ana.sandbox.base('bluesky')}/profile/{ana.handle}/post/{KEY}").text
        assert ">here</a>" in page
        assert "<b>" not in page.split("é")[1][:80]


class TestView:
    def test_answers_as_the_lexicons_say(self, sandbox: Sandbox, ana: Person) -> None:
        lexicons = Lexicons(find_contract("bluesky-lexicons/lexicons"))
        first = ana.put("first").json()
        strong = {"uri": first["uri"], "cid": first["cid"]}
        ana.put(rkey=OTHER_KEY, record=make_record("second", reply={"root": strong, "parent": strong}))
        sandbox.move_clock(86400)
        view = ana.call("GET", "app.bsky.feed.getPosts", token="", params={"uris": first["uri"]}).json()
        lexicons.check_output("app.bsky.feed.getPosts", view)
        assert view["posts"][0]["replyCount"] >= 1
        profile = ana.call("GET", "app.bsky.actor.getProfile", token="", params={"actor": ana.handle}).json()
        lexicons.check("app.bsky.actor.defs#profileViewDetailed", profile)
        assert profile["postsCount"] == 2

    def test_never_counts_backwards(self, sandbox: Sandbox, ana: Person) -> None:
        uri, before = ana.put().json()["uri"], dict[str, int]()
        for _ in range(4):
            post = ana.call("GET", "app.bsky.feed.getPosts", params={"uris": uri}).json()["posts"][0]
            counts = {
                name: post[name] for name in ("likeCount", "repostCount", "replyCount", "quoteCount", "bookmarkCount")
            }
            assert all(counts[name] >= before.get(name, 0) for name in counts)
            before = counts
            sandbox.move_clock(7200)
        assert before["likeCount"] > 0

    def test_takes_twenty_five_at_a_time(self, ana: Person) -> None:
        uris = [
            f"at://{ana.did}/{POSTS}/3n2qumhip5r{letters}" for letters in (a + b for a in "abcde" for b in "abcdef")
        ]
        assert ana.call("GET", "app.bsky.feed.getPosts", params={"uris": uris[:25]}).json() == {"posts": []}
        assert refused(ana.call("GET", "app.bsky.feed.getPosts", params={"uris": uris[:26]})) == (400, "InvalidRequest")
        assert refused(ana.call("GET", "app.bsky.feed.getPosts")) == (400, "InvalidRequest")


class TestEveryCall:
    def test_is_refused_where_there_is_none(self, ana: Person) -> None:
        assert refused(ana.call("GET", "com.atproto.no.such.call")) == (501, "MethodNotImplemented")
        assert refused(ana.call("GET", "com.atproto.repo.putRecord")) == (405, "InvalidRequest")

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429, 500, 502, 503])
    def test_fails_on_order_in_the_protocol_s_own_words(self, ana: Person, status: int) -> None:
        ana.sandbox.fail("status", "*", platform="bluesky", status=status, retry_after=9)
        answer = ana.put()
        assert (answer.status_code, set(answer.json())) == (status, {"error", "message"})
        assert ("ratelimit-reset" in answer.headers) is (status == 429)
        assert json.loads(answer.content)["error"].isalpha()
