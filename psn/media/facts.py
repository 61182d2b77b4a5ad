"""What is inside a media file, and what a platform wants to be inside: plain numbers, no reading and no changing here."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

MOST = 10**9  # of anything that is counted or measured here
MAX_NAME = 100  # characters of a codec's name


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < MOST


def _is_measure(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value < MOST  # type: ignore[operator]  # a number, and not NaN


def _is_name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_NAME


_KINDS = {"int": _is_count, "float | None": _is_measure, "str": _is_name}


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What a file holds, as it would be shown.

    Args:
        width, height: pixels after orientation; 0 when unknown.
        duration_seconds: of a video or an animation; None when there is none or it is unknown.
        frame_rate: frames a second; None likewise.
        frames: of an animated image; 1 for a still.
        video_codec, audio_codec: ffmpeg's names (`h264`, `aac`); empty when there is no such stream.
        pages: of a document.
    """

    width: int = 0
    height: int = 0
    duration_seconds: float | None = None
    frame_rate: float | None = None
    frames: int = 1
    video_codec: str = ""
    audio_codec: str = ""
    pages: int = 0

    @property
    def ratio(self) -> float | None:
        """Width over height; None when unknown."""
        return self.width / self.height if self.width and self.height else None

    def to_dict(self) -> dict[str, Any]:
        """Give what is known, for JSON."""
        known = asdict(self)
        return {field.name: known[field.name] for field in fields(self) if known[field.name] != field.default}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Self:
        """Read what `to_dict` gave. Names nobody knows any more are left out, and what cannot be: somebody else may have written it."""
        kinds = {field.name: _KINDS[str(field.type)] for field in fields(cls)}
        return cls(**{name: value for name, value in document.items() if name in kinds and kinds[name](value)})


@dataclass(frozen=True, slots=True)
class ImageTarget:
    """What a platform takes for an image.

    Args:
        mime_types: taken as they are; anything else becomes the first of them.
        min_ratio, max_ratio: width over height; outside of it an image is refused: to crop is a person's decision.
        max_width, max_height: pixels; larger ones are made smaller.
        max_frames: of an animation; 1 means stills only.
    """

    mime_types: tuple[str, ...]
    max_bytes: int
    min_ratio: float | None = None
    max_ratio: float | None = None
    min_width: int = 1
    max_width: int | None = None
    max_height: int | None = None
    max_pixels: int | None = None
    max_frames: int = 1


@dataclass(frozen=True, slots=True)
class VideoTarget:
    """What a platform takes for a video.

    Args:
        mime_types: taken as they are; anything else becomes the first of them.
        min_seconds, max_seconds: of playing time.
        video_codecs, audio_codecs: ffmpeg's names, taken as they are; anything else becomes the first of them.
        min_ratio, max_ratio: width over height.
        max_side, max_width, max_height: pixels; larger ones are made smaller.
    """

    mime_types: tuple[str, ...]
    max_bytes: int
    min_seconds: float = 0.0
    max_seconds: float | None = None
    min_bytes: int = 1
    min_ratio: float | None = None
    max_ratio: float | None = None
    min_side: int = 1
    max_side: int | None = None
    max_width: int | None = None
    max_height: int | None = None
    min_frame_rate: float | None = None
    max_frame_rate: float | None = None
    video_codecs: tuple[str, ...] = ("h264",)
    audio_codecs: tuple[str, ...] = ("aac",)


@dataclass(frozen=True, slots=True)
class DocumentTarget:
    """What a platform takes for a document."""

    mime_types: tuple[str, ...]
    max_bytes: int
    max_pages: int | None = None


Target = ImageTarget | VideoTarget | DocumentTarget
