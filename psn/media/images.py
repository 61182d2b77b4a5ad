"""Images as a platform takes them: upright, in sRGB, small enough, and telling nothing but the picture (MEDIA-1)."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from psn.errors import InvalidInput
from psn.media import pixels
from psn.media.facts import ImageTarget, MediaFacts
from psn.media.files import count_file_bytes, open_media
from psn.media.fitted import Fitted, keep_file, unwritable, working_file
from psn.media.layout import MAX_PIXELS, Layout, read_layout, write_kept
from psn.media.misfits import Misfit, check_mendable, find_misfits
from psn.media.sniff import EXTENSIONS, sniff_mime_type

QUALITIES = (90, 82, 74, 66)  # below that, fewer pixels look better
MIN_SIDE = 64  # pixels; what is too large even so is refused
_ANIMATION_FIX = "Make the animation smaller, or a video of it."
_NAMES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP", "image/gif": "GIF"}


@dataclass(slots=True)
class _Work:
    """An image on its way.

    Args:
        content: the file without its metadata.
    """

    mime_type: str
    layout: Layout
    content: io.BytesIO
    target: ImageTarget
    changes: list[str] = field(default_factory=list)


def fit_image(path: Path, target: ImageTarget, out_dir: Path) -> Fitted:
    """Make an image one that a platform takes.

    What it takes as it is stays as it is, byte for byte. Where only metadata (places, cameras, authors) is too much, the picture
    itself is not touched. The same file gives the same bytes every time.

    Args:
        out_dir: where a changed image goes, named for its content.

    Raises:
        InvalidInput: it is broken, or only a person can decide how to make it fit: another shape, an animation.
    """
    mime_type = sniff_mime_type(path)
    with open_media(path) as stream:
        layout = read_layout(stream, mime_type)
        facts = layout.to_facts()
        whole = layout.is_whole(count_file_bytes(stream))
        work = _Work(mime_type, layout, _strip(stream, layout), target)
    _check_fittable(facts, work)
    if facts.frames == 1 and _must_change(facts, work):
        return _fit_still(work, out_dir)
    _check_decodable(work)
    if whole:
        return Fitted(path, mime_type, facts, [])
    change = "What the file told besides the picture (place, camera, author) was taken out."
    return Fitted(_write(work.content.getvalue(), mime_type, out_dir), mime_type, facts, [change])


def _strip(stream: BinaryIO, layout: Layout) -> io.BytesIO:
    content = io.BytesIO()
    write_kept(stream, layout, content)
    return content


def _check_fittable(facts: MediaFacts, work: _Work) -> None:
    """Refuse what only a person can decide about."""
    misfits = _find_misfits(facts, work, mime_type=work.target.mime_types[0])
    check_mendable(misfits)
    if facts.frames == 1:
        return
    for misfit in (*misfits, *_find_misfits(facts, work, mime_type=work.mime_type)):
        raise InvalidInput(f"{misfit.what}; the platform {misfit.takes}. {_ANIMATION_FIX}", code=misfit.code)


def _find_misfits(facts: MediaFacts, work: _Work, *, mime_type: str) -> list[Misfit]:
    size_bytes = work.content.getbuffer().nbytes
    return find_misfits(facts, mime_type=mime_type, size_bytes=size_bytes, target=work.target)


def _must_change(facts: MediaFacts, work: _Work) -> bool:
    if _find_misfits(facts, work, mime_type=work.mime_type) or work.layout.orientation != 1:
        return True
    work.content.seek(0)
    with pixels.opened(work.content, work.mime_type) as picture:
        return not pixels.is_srgb(picture)


def _check_decodable(work: _Work) -> None:
    work.content.seek(0)
    with pixels.opened(work.content, work.mime_type) as picture:
        picture.draft(picture.mode, (1, 1))  # a JPEG is read whole even so, but kept small; of no effect on others
        picture.load()


def _fit_still(work: _Work, out_dir: Path) -> Fitted:
    picture = _make_plain(work)
    mime_type = _pick_mime_type(work)
    if mime_type == "image/jpeg" and picture.mode == "RGBA":
        picture = pixels.flatten(picture)
        work.changes.append("What was transparent became white.")
    content, mime_type, size = _encode_within(picture, mime_type, work)
    if mime_type != work.mime_type:
        work.changes.append(f"Converted from {_NAMES[work.mime_type]} to {_NAMES[mime_type]}.")
    shown = work.layout.shown_size
    if size != shown:
        work.changes.append(f"Made smaller: from {shown[0]} x {shown[1]} to {size[0]} x {size[1]} pixels.")
    facts = MediaFacts(width=size[0], height=size[1])
    return Fitted(_write(content, mime_type, out_dir), mime_type, facts, work.changes or ["Saved anew."])


def _make_plain(work: _Work) -> Image.Image:
    """Decode it, no larger than it is needed, and make it upright and sRGB."""
    target, layout = work.target, work.layout
    count = layout.width * layout.height
    # To write more than that anew would take a gigabyte; half as wide and high, a JPEG is not even decoded to more.
    most = count if count <= MAX_PIXELS else count // 4
    max_pixels = min(target.max_pixels or most, most)
    wanted = pixels.scaled_size(
        layout.shown_size, max_width=target.max_width, max_height=target.max_height, max_pixels=max_pixels
    )
    work.content.seek(0)
    with pixels.opened(work.content, work.mime_type) as picture:
        if wanted != layout.shown_size and work.mime_type == "image/jpeg":
            picture.draft(picture.mode, wanted if layout.orientation < 5 else wanted[::-1])
        if not pixels.is_srgb(picture):
            work.changes.append("Its colours were converted to sRGB.")
        plain = pixels.make_plain(picture, orientation=layout.orientation)
    if layout.orientation != 1:
        work.changes.append("Turned upright.")
    return plain if plain.size == wanted else pixels.scale(plain, wanted)


def _pick_mime_type(work: _Work) -> str:
    takes = [
        mime_type for mime_type in work.target.mime_types if mime_type in pixels.FORMATS and mime_type != "image/gif"
    ]
    if not takes:
        takes_all = ", ".join(work.target.mime_types)
        raise InvalidInput(f"It is {work.mime_type}; the platform takes {takes_all}. Convert it.", code="media.type")
    return work.mime_type if work.mime_type in takes else takes[0]


def _encode_within(picture: Image.Image, mime_type: str, work: _Work) -> tuple[bytes, str, tuple[int, int]]:
    """Write it in as many bytes as the platform takes: by quality first, then by size."""
    target = work.target
    while True:
        content = b""
        for quality in QUALITIES if mime_type != "image/png" else QUALITIES[:1]:
            content = pixels.encode(picture, mime_type, quality=quality)
            if len(content) <= target.max_bytes:
                if quality != QUALITIES[0]:
                    work.changes.append(f"Saved with a quality of {quality} %, to be small enough.")
                return content, mime_type, picture.size
        if mime_type == "image/png" and picture.mode != "RGBA" and "image/jpeg" in target.mime_types:
            mime_type = "image/jpeg"
            continue
        factor = min(max(math.sqrt(target.max_bytes / len(content)) * 0.95, 0.3), 0.9)
        size = max(round(picture.width * factor), 1), max(round(picture.height * factor), 1)
        if size[0] < max(target.min_width, MIN_SIDE) or size[1] < MIN_SIDE:
            raise InvalidInput(
                f"The image cannot be made to fit in {target.max_bytes} bytes. Use a simpler one.",
                code="media.too_large",
            )
        picture = pixels.scale(picture, size)


def _write(content: bytes, mime_type: str, out_dir: Path) -> Path:
    with working_file(out_dir, extension=EXTENSIONS[mime_type]) as path:
        try:
            path.write_bytes(content)
            return keep_file(path, mime_type=mime_type)
        except OSError as problem:
            raise unwritable(out_dir, problem) from problem
