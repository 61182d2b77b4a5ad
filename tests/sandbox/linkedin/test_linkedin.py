"""What the sandbox's LinkedIn does that no good client provokes: its refusals, its rules, its limits."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from sandbox.platforms.linkedin.littletext import read_commentary
from tests.sandbox.files import MP4, make_png
from tests.sandbox.linkedin.people import ALL_SCOPES, CLIENT, Member, allow, answer, ask, connect, trade
from tests.sandbox.process import WEB, Sandbox, rush

DAY = 86400


@pytest.fixture
def member(sandbox: Sandbox) -> Member:
    """@ann, connected with the least scopes."""
    return connect(sandbox)


def code_of(response: Any) -> tuple[int, str]:
    body = response.json()
    faults = body.get("errorDetails", {}).get("inputErrors", [{}])
    return response.status_code, body.get("code") or faults[0].get("code", "")


class TestSigningIn:
    @pytest.mark.parametrize(
        "changes",
        [
            {"redirect_uri": "http://127.0.0.1:8765/callback/"},
            {"redirect_uri": "http://localhost:8765/callback"},
            {"client_id": "nobody"},
            {"scope": "w_everything"},
            {"scope": ""},
            {"response_type": "token"},
        ],
    )
    def test_asks_nobody_with_a_wrong_address(self, sandbox: Sandbox, changes: dict[str, str]) -> None:
        assert ask(sandbox, **changes).status_code == 400

    def test_tells_the_app_of_a_no_in_linkedin_s_words(self, sandbox: Sandbox) -> None:
        location = answer(sandbox, ask(sandbox), decision="deny").headers["location"]
        assert parse_qs(urlsplit(location).query)["error"] == ["user_cancelled_authorize"]

    @pytest.mark.parametrize("handle", ["ann_lee", "a--b", "-a", "acme-works", "a" * 200])
    def test_knows_handles_as_linkedin_has_them(self, sandbox: Sandbox, handle: str) -> None:
        assert answer(sandbox, ask(sandbox), handle=handle).status_code == 400

    @pytest.mark.parametrize(
        ("changes", "error", "status"),
        [
            ({"client_secret": "wrong"}, "invalid_client", 401),
            ({"client_secret": ""}, "invalid_client", 401),
            ({"client_id": "nobody"}, "invalid_client_id", 401),
            ({"code": "wrong"}, "invalid_request", 400),
            ({"redirect_uri": "http://127.0.0.1:1/"}, "invalid_request", 400),
            ({"grant_type": "password"}, "invalid_request", 400),
            ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_request", 400),
        ],
    )
    def test_gives_no_token_for_less_than_everything(
        self, sandbox: Sandbox, changes: dict[str, str], error: str, status: int
    ) -> None:
        response = trade(sandbox, allow(sandbox), **changes)
        assert (response.status_code, response.json()["error"]) == (status, error)

    def test_lets_a_code_live_for_thirty_minutes_and_be_used_once(self, sandbox: Sandbox) -> None:
        code, late = allow(sandbox), allow(sandbox)
        assert trade(sandbox, code).json()["scope"] == "openid,profile,w_member_social"
        assert trade(sandbox, code).status_code == 400
        sandbox.move_clock(30 * 60)
        assert trade(sandbox, late).status_code == 400

    def test_ends_a_token_after_sixty_days(self, sandbox: Sandbox, member: Member) -> None:
        sandbox.move_clock(60 * DAY - 5)
        assert member.call("GET", "/v2/userinfo").status_code == 200
        sandbox.move_clock(10)
        assert code_of(member.call("GET", "/v2/userinfo")) == (401, "EXPIRED_ACCESS_TOKEN")

    def test_does_not_prolong_a_partner_s_year(self, sandbox: Sandbox) -> None:
        partner = {"client_id": "psn-sandbox-partner"}
        first = trade(sandbox, allow(sandbox, **partner), **partner).json()
        assert first["refresh_token_expires_in"] == 365 * DAY
        sandbox.move_clock(360 * DAY)
        refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], **partner}
        second = trade(sandbox, "", **refresh).json()
        assert second["refresh_token"] == first["refresh_token"]
        assert second["expires_in"] == second["refresh_token_expires_in"] <= 5 * DAY
        sandbox.move_clock(5 * DAY)
        assert trade(sandbox, "", **refresh).status_code == 400

    def test_says_how_long_a_token_lives(self, sandbox: Sandbox, member: Member) -> None:
        def introspect(token: str, **changes: str) -> Any:
            url = f"{sandbox.base('linkedin')}/oauth/v2/introspectToken"
            return WEB.post(url, data={"token": token, **CLIENT, **changes})

        assert introspect(member.token).json()["status"] == "active"
        assert introspect("unknown").json() == {"active": False}
        assert introspect(member.token, client_secret="wrong").status_code == 401
        sandbox.move_clock(61 * DAY)
        assert introspect(member.token).json()["status"] == "expired"


class TestCalls:
    @pytest.mark.parametrize(
        ("headers", "expected"),
        [
            ({"LinkedIn-Version": ""}, (400, "VERSION_MISSING")),
            ({"LinkedIn-Version": "202511"}, (426, "NONEXISTENT_VERSION")),
            ({"LinkedIn-Version": "202999"}, (426, "NONEXISTENT_VERSION")),
            ({"LinkedIn-Version": "latest"}, (426, "NONEXISTENT_VERSION")),
            ({"X-Restli-Protocol-Version": ""}, (400, "ILLEGAL_ARGUMENT")),
            ({"Authorization": ""}, (401, "EMPTY_ACCESS_TOKEN")),
            ({"Authorization": "Bearer nonsense"}, (401, "INVALID_ACCESS_TOKEN")),
        ],
    )
    def test_need_version_protocol_and_token(
        self, member: Member, headers: dict[str, str], expected: tuple[int, str]
    ) -> None:
        assert code_of(member.call("POST", "/rest/posts", json={}, headers=headers)) == expected

    def test_carry_their_id(self, member: Member) -> None:
        response = member.call("GET", "/v2/userinfo")
        assert response.headers["x-li-uuid"] == member.sandbox.last_call()["request_id"]

    @pytest.mark.parametrize(("method", "path"), [("GET", "/rest/nothing"), ("PUT", "/rest/posts"), ("GET", "/v2/me")])
    def test_to_what_is_not_there_are_refused_in_linkedin_s_shape(self, member: Member, method: str, path: str) -> None:
        response = member.call(method, path)
        assert response.json()["status"] == response.status_code
        assert response.status_code in (404, 405)

    def test_end_for_the_day_and_begin_anew_at_midnight(self, sandbox: Sandbox, member: Member) -> None:
        path = "/rest/socialActions/urn%3Ali%3Ashare%3A1/comments"
        body = {"actor": member.urn, "object": "urn:li:share:1", "message": {"text": "x"}}
        codes = [code_of(member.call("POST", path, json=body))[0] for _ in range(151)]
        assert (codes[149], codes[150]) == (404, 429)
        sandbox.move_clock(DAY)
        assert code_of(member.call("POST", path, json=body))[0] == 404

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 426, 429, 500, 503, 504, 418])
    def test_are_refused_on_order(self, sandbox: Sandbox, member: Member, status: int) -> None:
        sandbox.fail("status", "POST /rest/posts", status=status, platform="linkedin")
        response = member.post()
        assert (response.status_code, response.json()["status"]) == (status, status)
        assert "retry-after" not in response.headers

    def test_name_a_span_only_when_somebody_orders_it(self, sandbox: Sandbox, member: Member) -> None:
        sandbox.fail("status", "POST /rest/posts", status=429, retry_after=7, platform="linkedin")
        assert member.post().headers["retry-after"] == "7"


class TestPosts:
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"author": "urn:li:person:somebody"}, (403, "ACCESS_DENIED")),
            ({"author": "urn:li:organization:1"}, (403, "ACCESS_DENIED")),
            ({"author": "ann"}, (400, "INVALID_URN_ID")),
            ({"visibility": "public"}, (400, "INVALID_VALUE_FOR_FIELD")),
            ({"lifecycleState": "DRAFT"}, (400, "INVALID_VALUE_FOR_FIELD")),
            ({"commentary": "x" * 3001}, (400, "FIELD_LENGTH_TOO_LONG")),
            ({"commentary": "🙂" * 1501}, (400, "FIELD_LENGTH_TOO_LONG")),
            ({"commentary": " "}, (400, "INVALID_VALUE_FOR_FIELD")),
            ({"unknown": 1}, (400, "INVALID_VALUE_FOR_FIELD")),
            ({"content": {"media": {"id": "urn:li:image:unknown"}}}, (400, "INVALID_URN_ID")),
            ({"content": {"media": {"id": "urn:li:document:a"}}}, (400, "INVALID_VALUE_FOR_FIELD")),
            ({"content": {"article": {"source": "https://e.com"}}}, (400, "INVALID_VALUE_FOR_FIELD")),
            ({"content": {"multiImage": {"images": [{"id": "urn:li:image:a"}]}}}, (400, "INVALID_VALUE_FOR_FIELD")),
            (
                {"content": {"media": {"id": "a"}, "article": {"source": "https://e.com", "title": "T"}}},
                (400, "INVALID_VALUE_FOR_FIELD"),
            ),
        ],
    )
    def test_are_refused_when_something_is_wrong(
        self, member: Member, changes: dict[str, Any], expected: tuple[int, str]
    ) -> None:
        assert code_of(member.post(**changes)) == expected

    def test_are_one_of_many_equal_ones_at_the_same_instant(self, sandbox: Sandbox, member: Member) -> None:
        body = member.post("warm up").request.content.replace(b"warm up", b"the same")
        headers = {"content-type": "application/json", **dict(member.call("GET", "/v2/userinfo").request.headers)}
        url = f"{sandbox.base('linkedin')}/rest/posts"
        headers = {name: value for name, value in headers.items() if name in ("authorization", "content-type")}
        headers |= {"LinkedIn-Version": "202610", "X-Restli-Protocol-Version": "2.0.0"}
        responses = rush(lambda client, _: client.post(url, content=body, headers=headers), callers=8)
        codes = sorted(response.status_code for response in responses)
        assert codes == [201] + [422] * 7
        (made,) = [response.headers["x-restli-id"] for response in responses if response.status_code == 201]
        assert all(made in response.text for response in responses if response.status_code == 422)

    def test_are_the_same_only_when_nothing_differs(self, member: Member) -> None:
        assert member.post("a").status_code == 201
        assert member.post("a", visibility="CONNECTIONS").status_code == 201
        assert member.post("a ").status_code == 201
        again = member.post("a")
        assert (again.status_code, "code" in again.json()) == (422, False)
        assert again.json()["errorDetails"]["inputErrors"][0]["code"] == "DUPLICATE_POST"

    def test_of_a_member_can_be_read_by_nobody(self, sandbox: Sandbox) -> None:
        member = connect(sandbox, scope=ALL_SCOPES)
        urn = quote(member.post().headers["x-restli-id"], safe="")
        author = quote(member.urn, safe="")
        for path in (f"/rest/posts/{urn}", f"/rest/posts?q=author&author={author}"):
            assert code_of(member.call("GET", path)) == (403, "ACCESS_DENIED")
        batch = member.call("GET", f"/rest/posts?ids=List({urn})").json()
        assert (batch["results"], list(batch["statuses"].values())) == ({}, [403])

    def test_that_are_gone_are_deleted_again_without_a_word(self, sandbox: Sandbox, member: Member) -> None:
        urn = quote(member.post().headers["x-restli-id"], safe="")
        assert [member.call("DELETE", f"/rest/posts/{urn}").status_code for _ in range(2)] == [204, 204]
        assert sandbox.ask("posts") == []

    def test_of_others_stay(self, sandbox: Sandbox, member: Member) -> None:
        urn = quote(member.post().headers["x-restli-id"], safe="")
        assert code_of(connect(sandbox, handle="bob").call("DELETE", f"/rest/posts/{urn}")) == (403, "ACCESS_DENIED")

    @pytest.mark.parametrize("ids", ["urn:li:share:1", "List(urn:li:share:1)", "List%28urn%3Ali%3Ashare%3A1%29"])
    def test_are_asked_for_in_rest_li_s_grammar_or_not_at_all(self, sandbox: Sandbox, ids: str) -> None:
        member = connect(sandbox, scope=ALL_SCOPES)
        assert code_of(member.call("GET", f"/rest/posts?ids={ids}")) == (400, "ILLEGAL_ARGUMENT")

    def test_end_where_a_bracket_was_not_escaped(self, sandbox: Sandbox, member: Member) -> None:
        member.post("all of this (and not that)")
        assert sandbox.ask("posts")[0]["text"] == "all of this"


class TestLittleText:
    @pytest.mark.parametrize(
        ("commentary", "seen"),
        [
            ("plain", "plain"),
            (r"\(a\) \{b\} \\ \_c\_", r"(a) {b} \ _c_"),
            (r"{hashtag|\#|two_words} #one", "#two_words #one"),
            (r"@[Ann \(Lee\)](urn:li:person:a-b) said", "Ann (Lee) said"),
            ("a [b", "a"),
            ("@[Ann](https://example.com) x", "@"),
            ("{hashtag|x} y", ""),
            ("a_b * ~ @c #", "a_b * ~ @c #"),
            ("end\\", "end\\"),
        ],
    )
    def test_is_what_readers_see(self, commentary: str, seen: str) -> None:
        assert read_commentary(commentary) == seen


class TestUploads:
    def test_of_an_image_need_the_token(self, member: Member) -> None:
        url = member.open_upload("image")["uploadUrl"]
        assert WEB.put(url, content=make_png()).status_code == 401
        assert WEB.put(url, content=make_png(), headers={"Authorization": f"Bearer {member.token}"}).status_code == 201

    def test_of_a_video_s_part_do_not_take_it(self, member: Member) -> None:
        (part,) = member.open_upload("video", fileSizeBytes=len(MP4))["uploadInstructions"]
        headers = {"Authorization": f"Bearer {member.token}"}
        assert WEB.put(part["uploadUrl"], content=MP4, headers=headers).status_code == 400
        assert WEB.put(part["uploadUrl"], content=MP4[1:]).status_code == 400
        assert WEB.put(part["uploadUrl"], content=MP4).headers["etag"]

    def test_end_after_a_day(self, sandbox: Sandbox, member: Member) -> None:
        url = member.open_upload("image")["uploadUrl"]
        sandbox.move_clock(DAY + 1)
        headers = {"Authorization": f"Bearer {member.token}"}
        assert code_of(WEB.put(url, content=make_png(), headers=headers)) == (400, "EXPIRED_UPLOAD_URL")

    def test_that_never_came_cannot_be_posted_yet(self, member: Member) -> None:
        content = {"media": {"id": member.open_upload("image")["image"]}}
        assert code_of(member.post(content=content)) == (400, "MEDIA_ASSET_WAITING_UPLOAD")

    def test_are_not_told_to_who_may_only_write(self, sandbox: Sandbox, member: Member) -> None:
        path = f"/rest/images/{quote(member.open_upload('image')['image'], safe='')}"
        assert code_of(member.call("GET", path)) == (403, "ACCESS_DENIED")
        assert connect(sandbox, scope=ALL_SCOPES).call("GET", path).json()["status"] == "WAITING_UPLOAD"

    @pytest.mark.parametrize("changes", [{"uploadedPartIds": []}, {"uploadToken": "x"}, {"video": "urn:li:video:x"}])
    def test_of_a_video_are_finished_with_all_their_parts(self, member: Member, changes: dict[str, Any]) -> None:
        opened = member.open_upload("video", fileSizeBytes=len(MP4))
        tag = WEB.put(opened["uploadInstructions"][0]["uploadUrl"], content=MP4).headers["etag"]
        order = {"video": opened["video"], "uploadToken": opened["uploadToken"], "uploadedPartIds": [tag]}
        path = "/rest/videos?action=finalizeUpload"
        assert member.call("POST", path, json={"finalizeUploadRequest": order | changes}).status_code == 400
        assert member.call("POST", path, json={"finalizeUploadRequest": order}).status_code == 200


class TestPages:
    def test_belong_to_their_administrators(self, sandbox: Sandbox) -> None:
        ann, bob = (connect(sandbox, handle=handle, scope=ALL_SCOPES) for handle in ("ann", "bob"))
        path = "/rest/organizationAcls?q=roleAssignee&role=ADMINISTRATOR&state=APPROVED"
        (shared, own) = [one["organization"] for one in ann.call("GET", path).json()["elements"]]
        assert ann.post(author=own).status_code == 201
        assert code_of(bob.post(author=own)) == (403, "ACCESS_DENIED")
        assert bob.post(author=shared).status_code == 201

    def test_have_numbers_for_those_alone(self, sandbox: Sandbox) -> None:
        ann, bob = (connect(sandbox, handle=handle, scope=ALL_SCOPES) for handle in ("ann", "bob"))
        urn = quote(ann.post().headers["x-restli-id"], safe="")
        query = f"/rest/memberCreatorPostAnalytics?q=entity&entity=(share:{urn})&aggregation=TOTAL&queryType="
        assert "count" in ann.call("GET", f"{query}IMPRESSION").json()["elements"][0]
        assert code_of(ann.call("GET", f"{query}EVERYTHING")) == (400, "ILLEGAL_ARGUMENT")
        assert code_of(bob.call("GET", f"{query}IMPRESSION")) == (403, "ACCESS_DENIED")
        old = {"LinkedIn-Version": "202603"}
        assert ann.call("GET", f"{query}POST_SAVE", headers=old).status_code == 400

    def test_are_seen_by_people(self, sandbox: Sandbox, member: Member) -> None:
        urn = member.post("seen by all").headers["x-restli-id"]
        base = sandbox.base("linkedin")
        activity = urn.replace("share", "activity")
        for page in (f"{base}/feed/update/{urn}", f"{base}/feed/update/{activity}", f"{base}/in/ann", sandbox.url):
            assert "seen by all" in WEB.get(page, follow_redirects=True).text
        assert WEB.get(f"{base}/in/me").status_code == 302
        assert WEB.get(f"{base}/in/nobody").status_code == 404
