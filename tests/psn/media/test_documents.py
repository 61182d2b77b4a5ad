"""PDF carousels."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from psn.errors import InvalidInput
from psn.media.documents import build_carousel
from psn.media.facts import MediaFacts
from psn.media.probe import read_facts
from tests.psn.media.making import animation, exif, packed, picture


def put(folder: Path, content: bytes, *, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


def some(folder: Path) -> list[Path]:
    return [
        put(folder, packed(picture(400, 500), "JPEG", exif=exif(orientation=1)), name="a.jpg"),
        put(folder, packed(picture(500, 400), "JPEG", exif=exif(orientation=6)), name="b.jpg"),
        put(folder, packed(picture(300, 300, mode="RGBA"), "PNG"), name="c.png"),
        put(folder, packed(picture(300, 300), "WEBP"), name="d.webp"),
    ]


class TestBuildCarousel:
    def test_makes_a_page_of_each_image_all_of_one_shape(self, tmp_path: Path) -> None:
        out = build_carousel(some(tmp_path), tmp_path / "out.pdf")
        assert read_facts(out, "application/pdf") == MediaFacts(pages=4)
        boxes = re.findall(rb"/MediaBox \[ 0 0 (\S+) (\S+) \]", out.read_bytes())
        assert boxes == [(b"1080", b"1350")] * 4

    def test_gives_the_same_bytes_wherever_the_images_lie(self, tmp_path: Path) -> None:
        one = build_carousel(some(tmp_path / "one"), tmp_path / "1.pdf")
        other = build_carousel(some(tmp_path / "other"), tmp_path / "2.pdf")
        assert one.read_bytes() == other.read_bytes()

    def test_tells_nothing_but_the_pictures_and_leaves_nothing_behind(self, tmp_path: Path) -> None:
        out = build_carousel(some(tmp_path / "in"), tmp_path / "out" / "a.pdf")
        assert b"SecretCamera" not in out.read_bytes()
        assert list((tmp_path / "out").iterdir()) == [out]
        assert len(list((tmp_path / "in").iterdir())) == 4

    def test_refuses_none_and_too_many_and_what_is_no_still_image(self, tmp_path: Path) -> None:
        image = put(tmp_path, packed(picture(), "JPEG"), name="a.jpg")
        for images, code in (
            ([], "media.too_many_pages"),
            ([image] * 301, "media.too_many_pages"),
            ([put(tmp_path, animation(), name="b.gif")], "media.too_many_frames"),
            ([image, put(tmp_path, b"hello", name="c.jpg")], "media.type"),
            ([tmp_path / "absent.jpg"], "media.unreadable"),
        ):
            with pytest.raises(InvalidInput) as refused:
                build_carousel(images, tmp_path / "out" / "a.pdf")
            assert refused.value.error_code == code
            assert not list((tmp_path / "out").glob("*"))
