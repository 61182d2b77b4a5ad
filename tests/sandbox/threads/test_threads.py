"""The sandbox's Threads, as any client sees it."""

from __future__ import annotations

import pytest

from tests.sandbox.meta.files import MP4, draw
from tests.sandbox.meta.people import SCOPES, Person, connect, put, read_error
from tests.sandbox.process import WEB, Sandbox

DAY = 86400


@pytest.fixture
def ann(sandbox: Sandbox) -> Person:
    return connect(sandbox, "threads")


def publish(person: Person, text: str = "Hi", **form: str) -> str:
    container = person.post_id("/me/threads", **{"media_type": "TEXT", "text": text, **form})
    return person.post_id("/me/threads_publish", creation_id=container)


class TestContainers:
    def test_are_published_once(self, ann: Person) -> None:
        container = ann.post_id("/me/threads", media_type="TEXT", text="Hi")
        assert ann.get(f"/{container}", fields="status") == {"id": container, "status": "FINISHED"}
        ann.post_id("/me/threads_publish", creation_id=container)
        assert ann.get(f"/{container}", fields="status")["status"] == "PUBLISHED"
        assert read_error(ann.post("/me/threads_publish", creation_id=container)) == (400, 24, 2207006)
        assert len(ann.get("/me/threads")["data"]) == 1

    def test_expire_after_a_day(self, sandbox: Sandbox, ann: Person) -> None:
        container = ann.post_id("/me/threads", media_type="TEXT", text="Hi")
        sandbox.move_clock(DAY)
        ann.token = ann.get_short_token()
        assert ann.get(f"/{container}", fields="status")["status"] == "EXPIRED"

    def test_of_a_text_may_publish_themselves(self, ann: Person) -> None:
        media = ann.post_id("/me/threads", media_type="TEXT", text="Hi", auto_publish_text="true")
        assert ann.get(f"/{media}", fields="text")["text"] == "Hi"

    @pytest.mark.parametrize(
        ("content", "reason"), [(b"", "FAILED_DOWNLOADING_VIDEO"), (b"%PDF-1.4", "FAILED_PROCESSING_VIDEO")]
    )
    def test_of_a_video_fail_later(self, sandbox: Sandbox, ann: Person, content: bytes, reason: str) -> None:
        url = put(sandbox, "video", content) if content else f"{sandbox.url}/_storage/absent"
        container = ann.post_id("/me/threads", media_type="VIDEO", video_url=url)
        sandbox.move_clock(1)
        seen = ann.get(f"/{container}", fields="status,error_message")
        assert (seen["status"], seen["error_message"]) == ("ERROR", reason)

    @pytest.mark.parametrize(
        ("form", "error"),
        [
            ({}, (400, 100, None)),
            ({"media_type": "POLL"}, (400, 100, None)),
            ({"media_type": "TEXT"}, (400, 100, None)),
            ({"media_type": "TEXT", "text": "a" * 501}, (400, 100, None)),
            ({"media_type": "TEXT", "text": "👍" * 126}, (400, 100, None)),
            ({"media_type": "TEXT", "text": "x", "reply_control": "nobody"}, (400, 100, None)),
            ({"media_type": "TEXT", "text": "x", "topic_tag": "a.b"}, (400, 100, None)),
            ({"media_type": "TEXT", "text": "x", "reply_to_id": "7"}, (400, 100, 33)),
            ({"media_type": "IMAGE"}, (400, 100, None)),
            ({"media_type": "IMAGE", "image_url": "http://10.0.0.1/a.jpg"}, (400, 9004, 2207052)),
            ({"media_type": "IMAGE", "image_url": "x", "link_attachment": "https://example.com/"}, (400, 100, None)),
            ({"media_type": "CAROUSEL", "children": "1"}, (400, 100, 2207028)),
            ({"media_type": "CAROUSEL", "is_carousel_item": "true"}, (400, 100, None)),
        ],
    )
    def test_are_refused_for_a_reason(
        self, ann: Person, form: dict[str, str], error: tuple[int, int, int | None]
    ) -> None:
        assert read_error(ann.post("/me/threads", **form)) == error

    def test_take_five_hundred_characters_and_five_links(self, ann: Person) -> None:
        publish(ann, "a" * 500)
        publish(ann, "👍" * 125)
        links = [f"https://example.com/{number}" for number in range(6)]
        publish(ann, " ".join(links[:5]), link_attachment=links[0])
        answer = ann.post("/me/threads", media_type="TEXT", text=" ".join(links))
        assert "LINK_LIMIT_EXCEEDED" in answer.json()["error"]["message"]

    def test_of_a_carousel_keep_their_order(self, sandbox: Sandbox, ann: Person) -> None:
        image, video = put(sandbox, "a.png", draw(kind="PNG")), put(sandbox, "a.mp4", MP4)
        children = [
            ann.post_id("/me/threads", media_type="VIDEO", video_url=video, is_carousel_item="true"),
            ann.post_id("/me/threads", media_type="IMAGE", image_url=image, is_carousel_item="true", alt_text="red"),
        ]
        form = {"media_type": "CAROUSEL", "children": ",".join(children), "text": "Both"}
        assert read_error(ann.post("/me/threads", **form)) == (400, 9007, 2207027)
        sandbox.move_clock(1)
        media = publish(ann, **form)
        seen = ann.get(f"/{media}", fields="media_type,children")
        assert (seen["media_type"], len(seen["children"]["data"])) == ("CAROUSEL_ALBUM", 2)
        (post,) = sandbox.ask("posts", platform="threads")
        assert [media["alt_text"] for media in post["media"]] == ["", "red"]


class TestThreads:
    def test_hang_together(self, sandbox: Sandbox, ann: Person) -> None:
        first = publish(ann, "one", topic_tag="python")
        second = publish(ann, "two", reply_to_id=first)
        third = publish(ann, "three", reply_to_id=second)
        assert [one["id"] for one in ann.get("/me/threads")["data"]] == [first]
        assert [one["id"] for one in ann.get("/me/replies")["data"]] == [third, second]
        assert [one["id"] for one in ann.get(f"/{first}/replies")["data"]] == [second]
        seen = ann.get(f"/{third}", fields="replied_to,root_post,is_reply")
        assert (seen["replied_to"]["id"], seen["root_post"]["id"], seen["is_reply"]) == (second, first, True)
        assert "three" in WEB.get(ann.get(f"/{first}", fields="permalink")["permalink"]).text

    def test_end_where_a_part_was_deleted_meanwhile(self, ann: Person) -> None:
        first = publish(ann, "one")
        container = ann.post_id("/me/threads", media_type="TEXT", text="two", reply_to_id=first)
        assert ann.call("DELETE", f"/{first}").json() == {"success": True, "deleted_id": first}
        assert read_error(ann.post("/me/threads_publish", creation_id=container)) == (400, 100, 33)
        assert ann.get(f"/{container}", fields="status")["status"] == "FINISHED"

    def test_are_counted_apart(self, ann: Person) -> None:
        first = publish(ann, "one")
        publish(ann, "two", reply_to_id=first)
        ann.call("DELETE", f"/{first}")
        fields = "quota_usage,config,reply_quota_usage,reply_config,delete_quota_usage"
        (limit,) = ann.get("/me/threads_publishing_limit", fields=fields)["data"]
        assert (limit["quota_usage"], limit["reply_quota_usage"], limit["delete_quota_usage"]) == (1, 1, 1)
        assert (limit["config"]["quota_total"], limit["reply_config"]["quota_total"]) == (250, 1000)


class TestReading:
    def test_says_how_a_post_does(self, sandbox: Sandbox, ann: Person) -> None:
        media = publish(ann)
        ann.token = ann.lengthen(ann.token).json()["access_token"]
        sandbox.move_clock(DAY)
        data = ann.get(f"/{media}/insights", metric="views,likes,replies,reposts,quotes,shares")["data"]
        assert [one["name"] for one in data] == ["views", "likes", "replies", "reposts", "quotes", "shares"]
        assert data[0]["values"][0]["value"] > data[1]["values"][0]["value"] > 0
        assert read_error(ann.call("GET", f"/{media}/insights", params={"metric": "impressions"})) == (400, 100, None)

    def test_says_how_many_follow(self, ann: Person) -> None:
        (followers,) = ann.get("/me/threads_insights", metric="followers_count")["data"]
        assert followers["total_value"]["value"] >= 0

    def test_shows_nothing_of_others(self, sandbox: Sandbox, ann: Person) -> None:
        media, bob = publish(ann), connect(sandbox, "threads", handle="bob")
        for method, path in (("GET", f"/{media}"), ("GET", f"/{media}/insights"), ("DELETE", f"/{media}")):
            assert read_error(bob.call(method, path, params={"metric": "views"})) == (400, 100, 33)
        assert read_error(bob.post("/me/threads", media_type="TEXT", text="x", reply_to_id=media)) == (400, 100, 33)

    def test_knows_one_version(self, ann: Person) -> None:
        assert ann.call("GET", "/me", version="v2.0").status_code == 404


class TestPermissions:
    @pytest.mark.parametrize(
        ("missing", "method", "path"),
        [
            ("threads_content_publish", "POST", "/me/threads"),
            ("threads_content_publish", "POST", "/me/threads_publish"),
            ("threads_read_replies", "GET", "/me/replies"),
            ("threads_manage_insights", "GET", "/7/insights"),
            ("threads_delete", "DELETE", "/7"),
        ],
    )
    def test_are_asked_for(self, sandbox: Sandbox, missing: str, method: str, path: str) -> None:
        scope = ",".join(name for name in SCOPES["threads"].split(",") if name != missing)
        assert read_error(connect(sandbox, "threads", scope=scope).call(method, path)) == (403, 10, None)

    def test_are_asked_for_a_reply(self, sandbox: Sandbox) -> None:
        scope = ",".join(name for name in SCOPES["threads"].split(",") if name != "threads_manage_replies")
        ann = connect(sandbox, "threads", scope=scope)
        first = publish(ann)
        refused = ann.post("/me/threads", media_type="TEXT", text="two", reply_to_id=first)
        assert read_error(refused) == (403, 10, None)
