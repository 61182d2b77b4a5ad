"""The sandbox's Instagram, as any client sees it."""

from __future__ import annotations

import pytest

from tests.sandbox.meta.files import MP4, draw
from tests.sandbox.meta.people import SCOPES, Person, connect, put, read_error
from tests.sandbox.process import WEB, Sandbox, rush

DAY = 86400


@pytest.fixture
def ann(sandbox: Sandbox) -> Person:
    return connect(sandbox, "instagram")


@pytest.fixture
def image(sandbox: Sandbox) -> str:
    return put(sandbox, "a.jpg", draw())


def state(person: Person, container: str) -> str:
    return str(person.get(f"/{container}", fields="status_code")["status_code"])


def publish(person: Person, url: str, **form: str) -> str:
    container = person.post_id("/me/media", image_url=url, **form)
    return person.post_id("/me/media_publish", creation_id=container)


def send_video(person: Person, container: str, content: bytes, **headers: str) -> int:
    given = {"Authorization": f"OAuth {person.token}", "offset": "0", "file_size": str(len(content)), **headers}
    return WEB.post(f"{person.base}/ig-api-upload/v25.0/{container}", content=content, headers=given).status_code


class TestContainers:
    def test_are_published_once(self, ann: Person, image: str) -> None:
        container = ann.post_id("/me/media", image_url=image, caption="Hi")
        assert state(ann, container) == "FINISHED"
        ann.post_id("/me/media_publish", creation_id=container)
        assert state(ann, container) == "PUBLISHED"
        assert read_error(ann.post("/me/media_publish", creation_id=container)) == (400, 24, 2207006)
        assert len(ann.get("/me/media")["data"]) == 1

    def test_are_published_once_by_many_at_the_same_time(self, sandbox: Sandbox, ann: Person, image: str) -> None:
        container = ann.post_id("/me/media", image_url=image)
        url, headers = f"{ann.base}/v25.0/me/media_publish", {"Authorization": f"Bearer {ann.token}"}
        answers = rush(lambda client, _: client.post(url, data={"creation_id": container}, headers=headers), callers=8)
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
        assert len(sandbox.ask("posts", platform="instagram")) == 1

    def test_expire_after_a_day(self, sandbox: Sandbox, ann: Person, image: str) -> None:
        container = ann.post_id("/me/media", image_url=image)
        sandbox.move_clock(DAY)
        ann.token = ann.get_short_token()
        assert state(ann, container) == "EXPIRED"
        assert read_error(ann.post("/me/media_publish", creation_id=container)) == (400, 24, 2207006)

    def test_belong_to_one_account(self, sandbox: Sandbox, ann: Person, image: str) -> None:
        bob = connect(sandbox, "instagram", handle="bob")
        container = ann.post_id("/me/media", image_url=image)
        assert read_error(bob.call("GET", f"/{container}")) == (400, 100, 33)
        assert read_error(bob.post("/me/media_publish", creation_id=container)) == (400, 24, 2207006)
        assert read_error(ann.post(f"/{bob.get('/me', fields='user_id')['user_id']}/media")) == (400, 100, 33)

    def test_of_a_video_wait_for_it_and_are_worked_on(self, sandbox: Sandbox, ann: Person) -> None:
        container = ann.post_id("/me/media", media_type="REELS", upload_type="resumable")
        sandbox.move_clock(3600 - 60)
        assert state(ann, container) == "IN_PROGRESS"
        assert read_error(ann.post("/me/media_publish", creation_id=container)) == (400, 9007, 2207027)
        assert send_video(ann, container, MP4 + b"\0" * 100_000) == 200
        assert state(ann, container) == "IN_PROGRESS"
        sandbox.move_clock(1)
        assert state(ann, container) == "FINISHED"
        assert send_video(ann, container, b"again") == 200
        assert ann.post("/me/media_publish", creation_id=container).is_success

    def test_of_a_video_take_no_bytes_from_strangers(self, sandbox: Sandbox, ann: Person) -> None:
        container = ann.post_id("/me/media", media_type="REELS", upload_type="resumable")
        assert send_video(ann, container, MP4, Authorization=f"Bearer {ann.token}") == 401
        assert send_video(connect(sandbox, "instagram", handle="bob"), container, MP4) == 400
        assert send_video(ann, container, MP4, offset="7") == 400
        assert send_video(ann, container, b"no video at all") == 400
        assert state(ann, container) == "IN_PROGRESS"

    def test_that_failed_say_why(self, sandbox: Sandbox, ann: Person) -> None:
        url = put(sandbox, "a.mp4", draw())
        container = ann.post_id("/me/media", media_type="REELS", video_url=url)
        sandbox.move_clock(1)
        seen = ann.get(f"/{container}", fields="status,status_code")
        assert (seen["status_code"], "2207026" in seen["status"]) == ("ERROR", True)
        assert not ann.post("/me/media_publish", creation_id=container).is_success

    @pytest.mark.parametrize(
        ("form", "error"),
        [
            ({}, (400, 100, None)),
            ({"caption": "a" * 2201}, (400, 36004, 2207010)),
            ({"caption": "#a " * 31}, (400, 100, 2207040)),
            ({"media_type": "VIDEO", "video_url": "{video}"}, (400, 100, 2207023)),
            ({"media_type": "IGTV"}, (400, 100, 2207023)),
            ({"media_type": "REELS"}, (400, 100, None)),
            ({"media_type": "REELS", "image_url": "{image}"}, (400, 100, None)),
            ({"image_url": "{png}"}, (400, 36001, 2207005)),
            ({"image_url": "{tall}"}, (400, 36003, 2207009)),
            ({"image_url": "{large}"}, (400, 36000, 2207004)),
            ({"image_url": "{absent}"}, (400, 9004, 2207052)),
            ({"image_url": "http://10.0.0.1/a.jpg"}, (400, 9004, 2207052)),
            ({"media_type": "CAROUSEL", "children": "1"}, (400, 100, 2207028)),
            ({"media_type": "CAROUSEL", "children": "1,2"}, (400, 24, 2207006)),
        ],
    )
    def test_are_refused_for_a_reason(
        self, sandbox: Sandbox, ann: Person, form: dict[str, str], error: tuple[int, int, int | None]
    ) -> None:
        files = {
            "image": draw(),
            "video": MP4,
            "png": draw(kind="PNG"),
            "tall": draw(100, 200),
            "large": b"\xff\xd8\xff" + b"\0" * (8 * 1024 * 1024),
        }
        addresses = {name: put(sandbox, name, content) for name, content in files.items() if f"{{{name}}}" in str(form)}
        addresses["absent"] = f"{sandbox.url}/_storage/absent"
        filled = {name: value.format(**addresses) for name, value in form.items()}
        assert read_error(ann.post("/me/media", **filled)) == error

    def test_of_a_carousel_need_children(self, ann: Person, image: str) -> None:
        children = [ann.post_id("/me/media", image_url=image, is_carousel_item="true") for _ in range(2)]
        alone = ann.post_id("/me/media", image_url=image)
        mixed = ann.post("/me/media", media_type="CAROUSEL", children=f"{children[0]},{alone}")
        assert read_error(mixed) == (400, 24, 2207006)
        assert read_error(ann.post("/me/media_publish", creation_id=children[0])) == (400, 100, None)
        parent = ann.post_id("/me/media", media_type="CAROUSEL", children=",".join(children), caption="Two")
        media = ann.post_id("/me/media_publish", creation_id=parent)
        seen = ann.get(f"/{media}", fields="media_type,children,caption")
        assert (seen["media_type"], len(seen["children"]["data"]), seen["caption"]) == ("CAROUSEL_ALBUM", 2, "Two")

    def test_are_made_without_limit_only_up_to_a_point(self, sandbox: Sandbox, ann: Person, image: str) -> None:
        publish(ann, image)
        limit = ann.get("/me/content_publishing_limit", fields="quota_usage,config")
        config = {"quota_total": 100, "quota_duration": DAY}
        assert limit == {"data": [{"quota_usage": 1, "config": config}]}


class TestReading:
    def test_gives_only_what_is_asked_for(self, ann: Person, image: str) -> None:
        media = publish(ann, image, caption="Hi ")
        assert ann.get(f"/{media}") == {"id": media}
        seen = ann.get(f"/{media}", fields="caption,media_product_type,timestamp,permalink")
        assert (seen["caption"], seen["media_product_type"]) == ("Hi", "FEED")
        assert seen["timestamp"].endswith("+0000")
        assert WEB.get(seen["permalink"]).is_success

    def test_refuses_a_field_that_is_not_there(self, ann: Person, image: str) -> None:
        media = publish(ann, image)
        answer = ann.call("GET", f"/{media}", params={"fields": "id,colour"})
        assert "nonexisting field (colour) on node type (IGMedia)" in answer.json()["error"]["message"]

    def test_turns_pages(self, ann: Person, image: str) -> None:
        made = [publish(ann, image) for _ in range(5)]
        seen, url = [], f"{ann.base}/v25.0/me/media?limit=2"
        while url:
            page = WEB.get(url, headers={"Authorization": f"Bearer {ann.token}"}).raise_for_status().json()
            seen += [one["id"] for one in page["data"]]
            url = page["paging"].get("next", "")
        assert seen == made[::-1]

    def test_keeps_stories_apart_and_for_a_day(self, sandbox: Sandbox, ann: Person, image: str) -> None:
        story = publish(ann, image, media_type="STORIES", caption="never shown")
        assert ann.get("/me/media")["data"] == []
        assert ann.get("/me/stories")["data"] == [{"id": story}]
        assert "caption" not in ann.get(f"/{story}", fields="caption")
        sandbox.move_clock(DAY)
        ann.token = ann.get_short_token()
        assert ann.get("/me/stories")["data"] == []

    def test_shows_nothing_of_others(self, sandbox: Sandbox, ann: Person, image: str) -> None:
        media, bob = publish(ann, image), connect(sandbox, "instagram", handle="bob")
        for method, path in (("GET", f"/{media}"), ("GET", f"/{media}/insights"), ("POST", f"/{media}/comments")):
            answer = bob.call(method, path, params={"metric": "views", "message": "x"})
            assert read_error(answer) == (400, 100, 33)

    def test_says_how_a_post_does(self, sandbox: Sandbox, ann: Person, image: str) -> None:
        media = publish(ann, image)
        ann.token = ann.lengthen(ann.token).json()["access_token"]
        before = ann.get(f"/{media}/insights", metric="views,reach")["data"]
        sandbox.move_clock(DAY)
        after = ann.get(f"/{media}/insights", metric="views,reach")["data"]
        assert [one["name"] for one in after] == ["views", "reach"]
        assert after[0]["values"][0]["value"] > before[0]["values"][0]["value"]

    @pytest.mark.parametrize("metric", ["impressions", "plays", "video_views", "views,{other}", ""])
    def test_refuses_metrics_that_do_not_belong_there(self, ann: Person, image: str, metric: str) -> None:
        for form, other in (({}, "navigation"), ({"media_type": "STORIES"}, "saved")):
            params = {"metric": metric.format(other=other)}
            answer = ann.call("GET", f"/{publish(ann, image, **form)}/insights", params=params)
            assert read_error(answer) == (400, 100, None)

    def test_takes_too_few_viewers_for_a_missing_permission(self, sandbox: Sandbox, ann: Person, image: str) -> None:
        story = publish(ann, image, media_type="STORIES")
        assert read_error(ann.call("GET", f"/{story}/insights", params={"metric": "reach"})) == (403, 10, None)
        sandbox.move_clock(3000)
        assert ann.get(f"/{story}/insights", metric="reach")["data"]


class TestComments:
    def test_stand_below_their_post_newest_first(self, ann: Person, image: str) -> None:
        media = publish(ann, image)
        made = [ann.post_id(f"/{media}/comments", message=text) for text in ("one", "two")]
        below = ann.get(f"/{media}/comments", fields="id,text,username")["data"]
        assert [(one["id"], one["text"], one["username"]) for one in below] == [
            (made[1], "two", "ann"),
            (made[0], "one", "ann"),
        ]
        assert ann.get(f"/{media}", fields="comments_count")["comments_count"] == 2

    def test_are_refused_where_they_cannot_stand(self, ann: Person, image: str) -> None:
        media, story = publish(ann, image), publish(ann, image, media_type="STORIES")
        comment = ann.post_id(f"/{media}/comments", message="x")
        for node in (story, comment, "7"):
            assert read_error(ann.post(f"/{node}/comments", message="x")) == (400, 100, 33)
        assert read_error(ann.post(f"/{media}/comments", message=" ")) == (400, 100, None)


class TestPermissions:
    @pytest.mark.parametrize(
        ("missing", "method", "path"),
        [
            ("instagram_business_content_publish", "POST", "/me/media"),
            ("instagram_business_content_publish", "POST", "/me/media_publish"),
            ("instagram_business_manage_comments", "POST", "/7/comments"),
            ("instagram_business_manage_insights", "GET", "/7/insights"),
        ],
    )
    def test_are_asked_for(self, sandbox: Sandbox, missing: str, method: str, path: str) -> None:
        scope = ",".join(name for name in SCOPES["instagram"].split(",") if name != missing)
        assert read_error(connect(sandbox, "instagram", scope=scope).call(method, path)) == (403, 10, None)

    def test_let_nobody_delete(self, sandbox: Sandbox, ann: Person, image: str) -> None:
        media = publish(ann, image)
        assert read_error(ann.call("DELETE", f"/{media}")) == (400, 100, 33)
        assert len(sandbox.ask("posts", platform="instagram")) == 1


class TestPages:
    def test_show_posts_stories_and_people(self, sandbox: Sandbox, ann: Person, image: str) -> None:
        media = publish(ann, image, caption="Look <here>")
        story = publish(ann, image, media_type="STORIES")
        ann.post_id(f"/{media}/comments", message="#tags")
        for node, text in ((media, "Look &lt;here&gt;"), (story, "story")):
            page = WEB.get(ann.get(f"/{node}", fields="permalink")["permalink"])
            assert (page.status_code, text in page.text) == (200, True)
        assert WEB.get(f"{ann.base}/ann/").is_success
        assert "#tags" in WEB.get(sandbox.url).text
