"""What always holds for parts and media: the approved stays as it was (POST-4), the live stays on record (PUB-4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models.functions import Now

from hub.models import PostMedia, PostPart, Status
from hub.models.base import new_id
from tests.hub.models.states import (
    FROZEN_STATES,
    NOT_ALLOWED,
    make_draft,
    make_live,
    make_post_in,
    refused,
)

pytestmark = pytest.mark.django_db(databases="__all__")
every_state = pytest.mark.parametrize("status", Status.values)
every_frozen_state = pytest.mark.parametrize("status", FROZEN_STATES)


def _edit(part: Any) -> None:
    PostPart.objects.filter(id=part.id).update(text="Other")


def _reorder(part: Any) -> None:
    PostPart.objects.filter(id=part.id).update(index=7)


def _make_comment(part: Any) -> None:
    PostPart.objects.filter(id=part.id).update(kind="comment")


def _rename(part: Any) -> None:
    PostPart.objects.filter(id=part.id).update(id=new_id())


def _add(part: Any) -> None:
    PostPart.objects.create(user_id=part.user_id, post_id=part.post_id, index=7, text="More")


def _remove(part: Any) -> None:
    PostPart.objects.filter(id=part.id).delete()


CHANGES_OF_PARTS: list[Callable[[Any], None]] = [_edit, _reorder, _make_comment, _rename, _add, _remove]


class TestParts:
    @every_frozen_state
    @pytest.mark.parametrize("change", CHANGES_OF_PARTS)
    def test_stay_as_they_were_approved(self, change: Callable[[Any], None], status: str, my_account: Any) -> None:
        part = PostPart.objects.get(post_id=make_post_in(status, my_account).id)
        with refused("post_parts_are_frozen"):
            change(part)

    @pytest.mark.parametrize("change", [_edit, _reorder, _make_comment, _add, _remove])
    def test_change_freely_in_a_draft(self, change: Callable[[Any], None], my_account: Any) -> None:
        change(PostPart.objects.get(post_id=make_draft(my_account).id))

    @every_state
    def test_never_go_over_to_another_post(self, status: str, my_account: Any) -> None:
        part = PostPart.objects.get(post_id=make_post_in(status, my_account).id)
        target = make_draft(my_account, parts=0)
        with refused("post_parts_are_frozen"):
            PostPart.objects.filter(id=part.id).update(post_id=target.id)

    @pytest.mark.parametrize("change", [change for change in CHANGES_OF_PARTS if change is not _add])
    def test_that_are_live_stay_on_record_even_in_a_draft(self, change: Callable[[Any], None], my_account: Any) -> None:
        post = make_draft(my_account)
        make_live(post)
        with refused("post_parts_are_frozen"):
            change(PostPart.objects.get(post_id=post.id))

    @pytest.mark.parametrize(
        "change", [{"platform_post_id": "2"}, {"platform_post_id": "", "state": "waiting"}], ids=str
    )
    def test_that_are_live_keep_their_remote_id(self, change: dict[str, str], my_account: Any) -> None:
        post = make_post_in("published", my_account)
        with refused("post_parts_are_frozen"):
            PostPart.objects.filter(post_id=post.id).update(**change)

    @pytest.mark.parametrize(
        "change",
        [
            {"state": "published", "published_at": Now()},
            {"state": "published", "platform_post_id": "1"},
            {"platform_post_id": "1"},
            {"state": "somewhere"},
        ],
        ids=["no id", "no time", "no state", "no such state"],
    )
    def test_are_live_with_id_and_time_or_not_at_all(self, change: dict[str, Any], my_account: Any) -> None:
        post = make_post_in("publishing", my_account)
        with refused("post_parts_published_has_remote_id"):
            PostPart.objects.filter(post_id=post.id).update(**change)

    def test_have_their_own_place(self, my_account: Any) -> None:
        post = make_draft(my_account)
        with refused("post_parts_one_per_index"):
            PostPart.objects.create(user_id=post.user_id, post_id=post.id, index=0, text="Again")

    def test_are_posts_or_comments(self, my_account: Any) -> None:
        with refused("post_parts_kind"):
            PostPart.objects.filter(post_id=make_draft(my_account).id).update(kind="story")


class TestMedia:
    @every_frozen_state
    @pytest.mark.parametrize("change", ["add", "remove", "edit"])
    def test_stay_as_they_were_approved(self, change: str, status: str, my_account: Any) -> None:
        medium = PostMedia.objects.get(part__post_id=make_post_in(status, my_account).id)
        with refused(NOT_ALLOWED if change == "edit" else "post_media_are_frozen"):
            if change == "add":
                values = {"index": 1, "path": "b.png", "sha256": "11", "mime_type": "image/png", "size_bytes": 1}
                PostMedia.objects.create(user_id=medium.user_id, part_id=medium.part_id, **values)
            elif change == "remove":
                PostMedia.objects.filter(id=medium.id).delete()
            else:
                PostMedia.objects.filter(id=medium.id).update(sha256="11")

    def test_go_with_their_part_in_a_draft(self, my_account: Any) -> None:
        post = make_draft(my_account)
        PostPart.objects.filter(post_id=post.id)._raw_delete("default")
        assert not PostMedia.objects.filter(path="a.png", part__post_id=post.id).exists()
