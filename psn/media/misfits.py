"""Why a platform would not take a file: what it wants against what there is. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psn.errors import InvalidInput
from psn.media.facts import DocumentTarget, ImageTarget, MediaFacts, Target, VideoTarget

_RATIO_TOLERANCE = 0.005  # a pixel more or less by rounding: 1200 by 628 is 1.911, and everybody calls it 1.91
_RATE_TOLERANCE = 0.05  # frames a second: 60.02 counts as 60, 22.98 as 23
_SECONDS_TOLERANCE = 0.05  # containers round to a frame


@dataclass(frozen=True, slots=True)
class Misfit:
    """One thing about a file that a platform does not take.

    Args:
        code: stable: `media.ratio`.
        what: a sentence's first half: `It is 100 x 900`.
        takes: its other half, behind the platform's name: `takes 0.8 to 1.91`.
        fix: what a person does about it; empty when PSN can mend it without deciding anything.
    """

    code: str
    what: str
    takes: str
    limit: int | str
    got: int | str
    fix: str = ""


def find_misfits(facts: MediaFacts | None, *, mime_type: str, size_bytes: int, target: Target) -> list[Misfit]:
    """Compare a file with what a platform takes.

    Args:
        facts: None when nobody looked inside; then only type and size are compared.
    """
    found = list(_check_type(mime_type, target))
    if found:
        return found
    found += _check_size(size_bytes, target)
    if facts is not None and isinstance(target, ImageTarget):
        found += (*_check_ratio(facts, target), *_check_image(facts, target))
    elif facts is not None and isinstance(target, VideoTarget):
        found += (*_check_ratio(facts, target), *_check_video(facts, target), *_check_playing(facts, target))
    elif facts is not None and isinstance(target, DocumentTarget):
        found += _check_document(facts, target)
    return found


def check_mendable(misfits: list[Misfit]) -> None:
    """Accept what PSN can mend.

    Raises:
        InvalidInput: something that only a person can decide about.
    """
    for misfit in misfits:
        if misfit.fix:
            raise InvalidInput(f"{misfit.what}; the platform {misfit.takes}. {misfit.fix}", code=misfit.code)


def _check_type(mime_type: str, target: Target) -> Iterator[Misfit]:
    if mime_type not in target.mime_types:
        takes = ", ".join(target.mime_types)
        yield Misfit("media.type", f"It is {mime_type}", f"takes {takes}", takes, mime_type)


def _check_size(size_bytes: int, target: Target) -> Iterator[Misfit]:
    what = f"The file has {size_bytes} bytes"
    if not size_bytes:
        yield Misfit("media.empty", "The file is empty", "takes none that is", 1, 0, "Choose the file again.")
    elif size_bytes > target.max_bytes:
        fix = "Save it with fewer pictures, or in parts." if isinstance(target, DocumentTarget) else ""
        yield Misfit("media.too_large", what, f"takes {target.max_bytes}", target.max_bytes, size_bytes, fix)
    elif isinstance(target, VideoTarget) and size_bytes < target.min_bytes:
        takes = f"takes a video from {target.min_bytes} on"
        yield Misfit("media.too_small", what, takes, target.min_bytes, size_bytes, "Use a longer or better video.")


def _check_ratio(facts: MediaFacts, target: ImageTarget | VideoTarget) -> Iterator[Misfit]:
    ratio = facts.ratio
    if ratio is None:
        return
    too_tall = target.min_ratio is not None and ratio < target.min_ratio - _RATIO_TOLERANCE
    too_wide = target.max_ratio is not None and ratio > target.max_ratio + _RATIO_TOLERANCE
    if too_tall or too_wide:
        limit = _span(target.min_ratio, target.max_ratio, "{:.3g}")
        what = f"It is {facts.width} x {facts.height}, {ratio:.3g} wide to 1 high"
        fix = f"Crop it: it is too {'tall' if too_tall else 'wide'}. What to leave out is yours to decide."
        yield Misfit("media.ratio", what, f"takes {limit}", limit, f"{ratio:.3g}", fix)


def _check_image(facts: MediaFacts, target: ImageTarget) -> Iterator[Misfit]:
    animated = facts.frames > 1  # to change an animation is to make another
    if facts.width and facts.width < target.min_width:
        what, takes = f"The image is {facts.width} pixels wide", f"takes {target.min_width} at least"
        yield Misfit("media.too_narrow", what, takes, target.min_width, facts.width, "Use a larger image.")
    yield from _check_sides(facts, target, fix="Make the animation smaller, or a video of it." if animated else "")
    pixels = facts.width * facts.height
    if target.max_pixels is not None and pixels > target.max_pixels:
        what = f"The image has {pixels} pixels"
        fix = "Make the animation smaller, or a video of it." if animated else ""
        yield Misfit("media.too_many_pixels", what, f"takes {target.max_pixels}", target.max_pixels, pixels, fix)
    if facts.frames > target.max_frames:
        what = f"The animation has {facts.frames} frames"
        takes = f"takes {target.max_frames}" if target.max_frames > 1 else "takes still images only"
        fix = (
            "Shorten it, or make a video of it."
            if target.max_frames > 1
            else "Use a still image, or make a video of it."
        )
        yield Misfit("media.too_many_frames", what, takes, target.max_frames, facts.frames, fix)


def _check_sides(facts: MediaFacts, target: ImageTarget | VideoTarget, *, fix: str = "") -> Iterator[Misfit]:
    for name, got, limit in (("wide", facts.width, target.max_width), ("high", facts.height, target.max_height)):
        if limit is not None and got > limit:
            yield Misfit(f"media.too_{name}", f"It is {got} pixels {name}", f"takes {limit}", limit, got, fix)


def _check_video(facts: MediaFacts, target: VideoTarget) -> Iterator[Misfit]:
    yield from _check_sides(facts, target)
    shorter, longer = sorted((facts.width, facts.height))
    if shorter and shorter < target.min_side:
        what, takes = f"Its shorter side has {shorter} pixels", f"takes {target.min_side} at least"
        yield Misfit("media.too_narrow", what, takes, target.min_side, shorter, "Use a larger video.")
    if target.max_side is not None and longer > target.max_side:
        what = f"Its longer side has {longer} pixels"
        yield Misfit("media.too_wide", what, f"takes {target.max_side}", target.max_side, longer)
    for name, codec, codecs in (
        ("picture", facts.video_codec, target.video_codecs),
        ("sound", facts.audio_codec, target.audio_codecs),
    ):
        if codec and codec not in codecs:
            takes = ", ".join(codecs)
            yield Misfit("media.codec", f"Its {name} is {codec}", f"takes {takes}", takes, codec)


def _check_playing(facts: MediaFacts, target: VideoTarget) -> Iterator[Misfit]:
    seconds, rate = facts.duration_seconds, facts.frame_rate
    if seconds is not None and seconds < target.min_seconds - _SECONDS_TOLERANCE:
        what, takes = f"The video plays {seconds:.1f} s", f"takes {target.min_seconds:g} s at least"
        yield Misfit("media.too_short", what, takes, f"{target.min_seconds:g}", f"{seconds:.1f}", "Use a longer video.")
    if seconds is not None and target.max_seconds is not None and seconds > target.max_seconds + _SECONDS_TOLERANCE:
        what, takes = f"The video plays {seconds:.1f} s", f"takes {target.max_seconds:g} s"
        yield Misfit("media.too_long", what, takes, f"{target.max_seconds:g}", f"{seconds:.1f}", "Cut the video.")
    if rate is None:
        return
    too_slow = target.min_frame_rate is not None and rate < target.min_frame_rate - _RATE_TOLERANCE
    too_fast = target.max_frame_rate is not None and rate > target.max_frame_rate + _RATE_TOLERANCE
    if too_slow or too_fast:
        limit = _span(target.min_frame_rate, target.max_frame_rate, "{:g}")
        what = f"The video has {rate:.4g} frames a second"
        yield Misfit("media.frame_rate", what, f"takes {limit}", limit, f"{rate:.4g}")


def _check_document(facts: MediaFacts, target: DocumentTarget) -> Iterator[Misfit]:
    if target.max_pages is not None and facts.pages > target.max_pages:
        what = f"The document has {facts.pages} pages"
        takes = f"takes {target.max_pages}"
        yield Misfit("media.too_many_pages", what, takes, target.max_pages, facts.pages, "Leave pages out.")


def _span(least: float | None, most: float | None, form: str) -> str:
    if least is None:
        return f"up to {form.format(most)}"
    return f"{form.format(least)} on" if most is None else f"{form.format(least)} to {form.format(most)}"
