"""The pictures themselves: decoding them within bounds, colours, transparency, size, and writing them anew.

Brings Pillow (60 ms), so it is imported only where an image is at hand.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from PIL import Image, ImageCms

from psn.media.layout import MAX_JPEG_PIXELS, corrupt

Image.MAX_IMAGE_PIXELS = MAX_JPEG_PIXELS  # the layout was checked already; Pillow would warn below that

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}
_BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, OverflowError, AttributeError, struct.error,
    zlib.error, Image.DecompressionBombError,
)  # fmt: skip
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_WHITE = (255, 255, 255)
_SIXTEEN_BITS = ("I", "I;16", "I;16B", "I;16L", "I;16N")


@contextmanager
def opened(stream: BinaryIO, mime_type: str) -> Iterator[Image.Image]:
    """Open a picture with the one decoder of its type.

    Raises:
        InvalidInput: it cannot be decoded (`media.corrupt`).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about oddities that do no harm to what is shown
        try:
            with Image.open(stream, formats=(FORMATS[mime_type],)) as picture:
                yield picture
        except _BROKEN as problem:
            raise corrupt("it cannot be shown") from problem


def is_srgb(picture: Image.Image) -> bool:
    """Say whether its colours are what everybody takes colours without a profile for."""
    if picture.mode in ("CMYK", "LAB", "YCbCr", "HSV"):
        return False
    profile = picture.info.get("icc_profile")
    if not profile:
        return True
    try:
        description = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    except (ImageCms.PyCMSError, OSError):
        return True  # unreadable: no program goes by it
    return "srgb" in description.lower() or "61966-2" in description


def make_plain(picture: Image.Image, *, orientation: int) -> Image.Image:
    """Turn it upright and give it as 8-bit grey, RGB or RGBA, in sRGB, with nothing attached."""
    profile = picture.info.get("icc_profile")
    picture.load()  # now, while its file is open
    plain = _to_eight_bits(picture)
    if profile and not is_srgb(picture):
        plain = _to_srgb(plain, profile)
    if plain.mode not in ("L", "RGB", "RGBA"):
        plain = plain.convert("RGBA" if plain.has_transparency_data else "RGB")
    if orientation in _TURNS:
        plain = plain.transpose(_TURNS[orientation])
    plain.info = {}  # some formats would write it out again
    return plain


def flatten(picture: Image.Image) -> Image.Image:
    """Fill what is transparent with white."""
    if picture.mode != "RGBA":
        return picture
    flat = Image.new("RGB", picture.size, _WHITE)
    flat.paste(picture, mask=picture.getchannel("A"))
    return flat


def scale(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Make it smaller."""
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def scaled_size(
    size: tuple[int, int], *, max_width: int | None, max_height: int | None, max_pixels: int | None
) -> tuple[int, int]:
    """Give the largest size of the same shape within bounds; the size itself when it is within them."""
    width, height = size
    factor = min(
        1.0,
        max_width / width if max_width else 1.0,
        max_height / height if max_height else 1.0,
        math.sqrt(max_pixels / (width * height)) if max_pixels else 1.0,
    )
    if factor == 1.0:
        return size
    scaled = max(round(width * factor), 1), max(round(height * factor), 1)
    if max_pixels and scaled[0] * scaled[1] > max_pixels:
        scaled = max(int(width * factor), 1), max(int(height * factor), 1)
    return scaled


def encode(picture: Image.Image, mime_type: str, *, quality: int) -> bytes:
    """Write it anew; the same picture gives the same bytes.

    Args:
        quality: 1 to 100; of no meaning for PNG, which loses nothing.
    """
    written = io.BytesIO()
    if mime_type == "image/jpeg":
        picture.save(written, "JPEG", quality=quality, optimize=True)
    elif mime_type == "image/webp":
        picture.save(written, "WEBP", quality=quality, method=4)
    else:
        picture.save(written, "PNG", optimize=True)
    return written.getvalue()


def _to_eight_bits(picture: Image.Image) -> Image.Image:
    if picture.mode in _SIXTEEN_BITS:
        return picture.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    return picture


def _to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    alpha = None
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        alpha = picture.getchannel("A")
    if picture.mode not in ("L", "CMYK", "LAB"):
        picture = picture.convert("RGB")
    try:
        converted = ImageCms.profileToProfile(
            picture,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture  # a profile for another kind of colours: no program can go by it
    assert converted is not None  # only a conversion in place gives nothing
    if alpha is not None:
        converted.putalpha(alpha)
    return converted
