"""What is inside a video file: its streams, as FFmpeg's own library reads them, and how the file is built.

Brings a library of 60 ms, so it is imported only where a video is at hand.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

import av
import av.error
from av.container import InputContainer
from av.video.stream import VideoStream

from psn.errors import InvalidInput
from psn.media.boxes import check_boxes
from psn.media.facts import MediaFacts
from psn.media.layout import corrupt

# The one way to read each type: what a playlist or a script inside a file says is never followed.
DEMUXERS = {"video/mp4": "mov", "video/quicktime": "mov", "video/webm": "matroska"}
READ_SECONDS = 30.0
MAX_SECONDS = 24 * 3600.0  # X's longest are 4 h
MAX_SIDE = 16_384
MAX_PIXELS = 40_000_000  # 8K has 33 million; one picture is decoded
MAX_STREAMS = 32
_HARMLESS = frozenset(
    ("major_brand", "minor_version", "compatible_brands", "encoder", "duration", "language", "handler_name", "vendor_id",
     "creation_time", "statistics")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class VideoDetails:
    """What only the mending of a video needs to know.

    Args:
        pixel_format: ffmpeg's name; players everywhere know only `yuv420p` and `yuvj420p`.
        interlaced: its lines come in halves.
        starts_fast: how to play it stands in front of what is played, so that it can be shown while it loads.
        tells_more: it holds a place, a device, a title, or streams besides picture and sound.
    """

    facts: MediaFacts
    pixel_format: str
    interlaced: bool
    starts_fast: bool
    tells_more: bool


def read_details(stream: BinaryIO, mime_type: str) -> VideoDetails:
    """Read what is inside a video, and decode its first picture.

    Raises:
        InvalidInput: it is broken (`media.corrupt`), has no picture (`media.type`), or is larger than any platform takes.
    """
    starts_fast = check_boxes(stream, mime_type)
    with opened(stream, mime_type) as container:
        video = _pick_video(container)
        seconds = _read_seconds(container, video)
        _check_size(video.codec_context.width, video.codec_context.height)
        rotation, interlaced = _decode_first(container, video)
        return VideoDetails(
            facts=_read_facts(container, video, seconds=seconds, rotation=rotation),
            pixel_format=video.codec_context.pix_fmt or "",
            interlaced=interlaced,
            starts_fast=starts_fast,
            tells_more=_tells_more(container),
        )


@contextmanager
def opened(stream: BinaryIO, mime_type: str) -> Iterator[InputContainer]:
    """Open a video for reading, with nothing but its own bytes within reach."""
    stream.seek(0)
    try:
        with av.open(
            stream, "r", format=DEMUXERS[mime_type], metadata_errors="replace", timeout=(READ_SECONDS, READ_SECONDS)
        ) as container:
            yield container
    except (av.error.FFmpegError, ValueError, OverflowError, EOFError, UnicodeError) as problem:
        raise corrupt("it cannot be played") from problem


def _pick_video(container: InputContainer) -> VideoStream:
    if len(container.streams) > MAX_STREAMS:
        raise corrupt(f"it has over {MAX_STREAMS} streams")
    videos = [
        stream for stream in container.streams.video if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    if not videos:
        raise InvalidInput("There is no picture in this file, only sound. Make a video of it.", code="media.type")
    if videos[0].codec_context is None:
        raise InvalidInput(
            "The picture is packed in a way that nobody knows. Convert it to MP4 with H.264.", code="media.codec"
        )
    return videos[0]


def _check_size(width: int, height: int) -> None:
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise InvalidInput(
            f"The video is {width} x {height}; no platform takes that. Make it smaller.", code="media.too_many_pixels"
        )


def _read_seconds(container: InputContainer, video: VideoStream) -> float | None:
    micros = container.duration
    if micros is not None:
        seconds = micros / av.time_base
    elif video.duration is not None and video.time_base is not None:
        seconds = float(video.duration * video.time_base)
    else:
        return None
    if not 0 < seconds <= MAX_SECONDS:
        raise InvalidInput(
            f"The video says that it plays {seconds:.0f} s; no platform takes that. Cut it, or export it again.",
            code="media.duration",
        )
    return seconds


def _decode_first(container: InputContainer, video: VideoStream) -> tuple[int, bool]:
    """Decode the first picture, and say how far it is turned and whether it is interlaced."""
    video.thread_count = 1  # threads decode several pictures at a time, and keep them
    gives_up_at = time.monotonic() + READ_SECONDS
    for packet in container.demux(video):
        for frame in packet.decode():
            return frame.rotation, bool(frame.interlaced_frame)
        if time.monotonic() > gives_up_at:
            break
    raise corrupt("no picture of it can be shown")


def _read_facts(container: InputContainer, video: VideoStream, *, seconds: float | None, rotation: int) -> MediaFacts:
    context = video.codec_context
    width, height = _as_shown(context.width, context.height, video.sample_aspect_ratio)
    if rotation % 180:
        width, height = height, width
    audio = next(iter(container.streams.audio), None)
    rate = video.average_rate or video.guessed_rate
    return MediaFacts(
        width=width,
        height=height,
        duration_seconds=round(seconds, 3) if seconds is not None else None,
        frame_rate=round(float(rate), 3) if rate else None,
        video_codec=context.codec.canonical_name,
        audio_codec=audio.codec_context.codec.canonical_name if audio is not None and audio.codec_context else "",
    )


def _as_shown(width: int, height: int, pixel: Fraction | None) -> tuple[int, int]:
    """Stretch pixels that are not square, as players do."""
    if not pixel or not Fraction(1, 16) <= pixel <= 16:
        return width, height
    return round(width * pixel), height


def _tells_more(container: InputContainer) -> bool:
    streams = container.streams
    if len(streams) > len(streams.video) + len(streams.audio) or len(streams.video) > 1 or len(streams.audio) > 1:
        return True
    return any(name.lower() not in _HARMLESS for name in container.metadata)
