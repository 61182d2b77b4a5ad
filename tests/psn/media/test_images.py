"""Images made to fit: nothing told, nothing turned, nothing changed without need."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from psn.errors import InvalidInput
from psn.media.facts import ImageTarget, MediaFacts
from psn.media.fitted import Fitted
from psn.media.images import fit_image
from psn.media.misfits import find_misfits
from psn.media.probe import read_facts
from tests.psn.media.making import animation, archive, display_p3, exif, packed, picture, png_of

ANYTHING = ImageTarget(("image/jpeg", "image/png", "image/webp", "image/gif"), max_bytes=10_000_000, max_frames=10)
JPEG = ImageTarget(("image/jpeg",), max_bytes=10_000_000)


def put(folder: Path, content: bytes, *, name: str = "file") -> Path:
    (folder / name).write_bytes(content)
    return folder / name


def fit(folder: Path, content: bytes, target: ImageTarget = ANYTHING) -> Fitted:
    fitted = fit_image(put(folder, content), target, folder / "out")
    size_bytes = fitted.path.stat().st_size
    assert find_misfits(fitted.facts, mime_type=fitted.mime_type, size_bytes=size_bytes, target=target) == []
    assert read_facts(fitted.path, fitted.mime_type) == fitted.facts
    return fitted


def refuse(folder: Path, content: bytes, target: ImageTarget) -> str:
    with pytest.raises(InvalidInput) as refused:
        fit_image(put(folder, content), target, folder / "out")
    assert not list((folder / "out").glob("*"))
    return refused.value.error_code


def shown(fitted: Fitted) -> Image.Image:
    return Image.open(io.BytesIO(fitted.path.read_bytes()))


class TestFitImage:
    @pytest.mark.parametrize(
        "content",
        [
            packed(picture(), "JPEG"),
            packed(picture(), "PNG"),
            packed(picture(mode="RGBA"), "PNG"),
            packed(picture(mode="L"), "PNG"),
            packed(picture(), "WEBP"),
            packed(picture(), "GIF"),
            animation(),
            animation(form="WEBP"),
        ],
        ids=["jpeg", "png", "see-through", "grey", "webp", "gif", "moving gif", "moving webp"],
    )
    def test_leaves_alone_what_fits(self, tmp_path: Path, content: bytes) -> None:
        fitted = fit(tmp_path, content)
        assert (fitted.path, fitted.changes) == (tmp_path / "file", [])
        assert fitted.path.read_bytes() == content
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize(
        "content",
        [
            packed(picture(), "JPEG", exif=exif(), comment=b"SecretComment"),
            packed(picture(), "PNG", exif=exif()),
            packed(picture(), "WEBP", exif=exif(), xmp=b"<x>SecretXmp</x>"),
            packed(picture(), "GIF", comment=b"SecretComment"),
            animation(form="WEBP")[:-1] + animation(form="WEBP")[-1:] + b"SecretTail",
            packed(picture(), "JPEG") + archive("SecretPolyglot"),
            packed(picture(), "PNG") + b"SecretTail",
        ],
        ids=["jpeg", "png", "webp", "gif", "webp tail", "jpeg polyglot", "png tail"],
    )
    def test_takes_out_what_a_file_tells_besides_and_leaves_the_picture(self, tmp_path: Path, content: bytes) -> None:
        before = Image.open(io.BytesIO(content)).convert("RGBA")
        fitted = fit(tmp_path, content)
        after = fitted.path.read_bytes()
        assert len(fitted.changes) == 1
        for told in (b"Secret", b"Exif", b"EXIF", b"XMP", b"PK\3\4"):
            assert told not in after
        assert shown(fitted).convert("RGBA").tobytes() == before.tobytes()

    def test_takes_out_a_text_that_unpacks_to_megabytes(self, tmp_path: Path) -> None:
        info = PngInfo()
        info.add_text("Comment", "Secret" + "x" * 2_000_000, zip=True)
        assert fit(tmp_path, packed(picture(), "PNG", pnginfo=info)).path.read_bytes() == packed(picture(), "PNG")

    @pytest.mark.parametrize("orientation", range(2, 9))
    @pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
    def test_turns_it_upright(self, tmp_path: Path, form: str, orientation: int) -> None:
        upright = picture()
        turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # what undoes each of them, of `Image.Transpose`
        lying = upright.transpose(Image.Transpose(turns[orientation]))
        fitted = fit(tmp_path, packed(lying, form, exif=exif(orientation=orientation)))
        assert (fitted.facts.width, fitted.facts.height) == (64, 48)
        assert fitted.changes[0] == "Turned upright."
        red, green, _ = shown(fitted).convert("RGB").getpixel((4, 4))  # type: ignore[misc]
        assert red > 180 > green

    def test_converts_colours_to_srgb(self, tmp_path: Path) -> None:
        fitted = fit(tmp_path, packed(Image.new("RGB", (64, 48), (120, 130, 140)), "PNG", icc_profile=display_p3()))
        assert fitted.changes == ["Its colours were converted to sRGB."]
        assert "icc_profile" not in shown(fitted).info
        assert shown(fitted).getpixel((1, 1)) != (120, 130, 140)

    def test_converts_printing_colours(self, tmp_path: Path) -> None:
        fitted = fit(tmp_path, packed(Image.new("CMYK", (64, 48), (0, 255, 255, 0)), "JPEG"))
        assert shown(fitted).mode == "RGB"
        red, green, blue = shown(fitted).getpixel((9, 9))  # type: ignore[misc]
        assert red > 200 > 60 > max(green, blue)

    def test_takes_sixteen_bits_for_eight(self, tmp_path: Path) -> None:
        deep = Image.new("I;16", (64, 48), 0x8080)
        assert shown(fit(tmp_path, packed(deep, "PNG"), JPEG)).getpixel((1, 1)) in range(126, 131)

    def test_fills_what_is_see_through_with_white(self, tmp_path: Path) -> None:
        clear = Image.new("RGBA", (64, 48), (0, 0, 0, 0))
        fitted = fit(tmp_path, packed(clear, "PNG"), JPEG)
        assert fitted.changes == ["What was transparent became white.", "Converted from PNG to JPEG."]
        assert shown(fitted).getpixel((1, 1)) == (255, 255, 255)
        palette = Image.new("P", (64, 48), 0)
        assert shown(fit(tmp_path, packed(palette, "PNG", transparency=0), JPEG)).getpixel((1, 1)) == (255, 255, 255)

    @pytest.mark.parametrize(
        ("bounds", "size"),
        [({"max_width": 1440}, (1440, 1080)), ({"max_height": 100}, (133, 100)), ({"max_pixels": 30_000}, (200, 150)), ({}, (1600, 1200))],
        ids=["width", "height", "pixels", "none"],
    )  # fmt: skip
    @pytest.mark.parametrize("orientation", [1, 6])
    def test_makes_it_smaller_in_the_same_shape(
        self, tmp_path: Path, bounds: dict[str, int], size: tuple[int, int], orientation: int
    ) -> None:
        source = picture(1600, 1200) if orientation == 1 else picture(1200, 1600)
        target = ImageTarget(("image/jpeg",), max_bytes=10_000_000, **bounds)
        fitted = fit(tmp_path, packed(source, "JPEG", exif=exif(orientation=orientation)), target)
        assert (fitted.facts.width, fitted.facts.height) == size

    def test_fits_into_so_many_bytes_by_quality_and_then_by_size(self, tmp_path: Path) -> None:
        content = packed(picture(600, 400, noise=True), "JPEG", quality=95)
        good = fit(tmp_path, content, ImageTarget(("image/jpeg",), max_bytes=len(content) // 2))
        assert (good.facts.width, good.facts.height) == (600, 400)
        assert "quality" in good.changes[0]
        small = fit(tmp_path, content, ImageTarget(("image/jpeg",), max_bytes=8_000))
        assert small.facts.width < 600
        assert any("Made smaller" in change for change in small.changes)

    def test_makes_a_jpeg_of_a_png_that_is_too_large_when_both_are_taken(self, tmp_path: Path) -> None:
        content = packed(picture(300, 200, noise=True), "PNG")
        target = ImageTarget(("image/png", "image/jpeg"), max_bytes=60_000)
        assert fit(tmp_path, content, target).mime_type == "image/jpeg"
        clear = picture(300, 200, noise=True, mode="RGBA")
        clear.putalpha(100)
        assert fit(tmp_path, packed(clear, "PNG"), target).mime_type == "image/png"

    def test_gives_the_same_bytes_every_time(self, tmp_path: Path) -> None:
        content = packed(picture(500, 300, noise=True), "PNG", exif=exif(orientation=3))
        target = ImageTarget(("image/jpeg",), max_bytes=50_000, max_width=200)
        one, other = fit(tmp_path, content, target), fit(tmp_path, content, target)
        assert one == other
        assert one.path.stem in {path.stem for path in (tmp_path / "out").iterdir()}
        assert len(list((tmp_path / "out").iterdir())) == 1

    @pytest.mark.parametrize(
        ("content", "target", "code"),
        [
            (packed(picture(100, 300), "JPEG"), ImageTarget(("image/jpeg",), 10**6, min_ratio=0.8, max_ratio=1.91), "media.ratio"),
            (packed(picture(300, 100), "PNG"), ImageTarget(("image/jpeg",), 10**6, min_ratio=0.8, max_ratio=1.91), "media.ratio"),
            (packed(picture(), "JPEG"), ImageTarget(("image/jpeg",), 10**6, min_width=320), "media.too_narrow"),
            (animation(), JPEG, "media.too_many_frames"),
            (animation(frames=12), ANYTHING, "media.too_many_frames"),
            (animation(size=(400, 300)), ImageTarget(("image/gif",), 10**6, max_width=100, max_frames=9), "media.too_wide"),
            (animation(), ImageTarget(("image/gif",), 100, max_frames=9), "media.too_large"),
            (animation(form="WEBP"), ImageTarget(("image/gif",), 10**6, max_frames=9), "media.type"),
            (packed(picture(), "JPEG"), ImageTarget(("image/gif",), 10**6), "media.type"),
            (packed(picture(600, 400, noise=True), "JPEG"), ImageTarget(("image/jpeg",), 900), "media.too_large"),
            (packed(picture(), "PNG")[:60] + b"zzzz" + packed(picture(), "PNG")[64:], ANYTHING, "media.corrupt"),
            (png_of(100_000, 100_000), ANYTHING, "media.too_many_pixels"),
        ],
        ids=[
            "tall", "wide", "narrow", "moving", "too long", "wide animation", "large animation", "other animation", "only gif",
            "hopeless", "damaged png", "bomb",
        ],
    )  # fmt: skip
    def test_refuses_what_only_a_person_can_decide_or_nobody_can_mend(
        self, tmp_path: Path, content: bytes, target: ImageTarget, code: str
    ) -> None:
        assert refuse(tmp_path, content, target) == code

    def test_says_where_there_is_no_room_to_write(self, tmp_path: Path) -> None:
        (tmp_path / "out").write_text("a file where the folder should be")
        with pytest.raises(InvalidInput) as refused:
            fit_image(put(tmp_path, packed(picture(), "PNG")), JPEG, tmp_path / "out")
        assert refused.value.error_code == "media.unwritable"

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        width=st.integers(64, 400),
        height=st.integers(64, 400),
        mode=st.sampled_from(["RGB", "L", "RGBA", "P", "1", "LA"]),
        orientation=st.integers(1, 8),
        max_width=st.one_of(st.none(), st.integers(64, 500)),
        max_pixels=st.one_of(st.none(), st.integers(10_000, 200_000)),
        form=st.sampled_from(["image/jpeg", "image/png", "image/webp"]),
    )
    def test_makes_any_still_fit(
        self,
        tmp_path: Path,
        width: int,
        height: int,
        mode: str,
        orientation: int,
        max_width: int | None,
        max_pixels: int | None,
        form: str,
    ) -> None:
        target = ImageTarget((form,), max_bytes=100_000, max_width=max_width, max_pixels=max_pixels)
        content = packed(
            picture(width, height).convert("RGBA").convert(mode), "PNG", exif=exif(orientation=orientation)
        )
        fitted = fit(tmp_path, content, target)
        lying = orientation >= 5
        before = MediaFacts(height if lying else width, width if lying else height)
        assert fitted.facts.ratio == pytest.approx(before.ratio, rel=0.03)
        assert b"SecretCamera" not in fitted.path.read_bytes()
