"""Copying picture and sound into a new container, unchanged: no encoder, no ffmpeg needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import av.error
from av.container import InputContainer, OutputContainer
from av.stream import Stream

from psn.errors import InvalidInput
from psn.media.files import count_file_bytes, open_media
from psn.media.fitted import unwritable
from psn.media.streams import opened

_MUXERS = {"video/mp4": "mp4", "video/quicktime": "mov", "video/webm": "webm"}
# How to play it goes in front; and the same video gives the same bytes, without the writer's name and time.
_OPTIONS = {"movflags": "+faststart", "fflags": "+bitexact"}


def remux(path: Path, mime_type: str, out: Path, made: str, *, progress: Callable[[float], None] | None = None) -> None:
    """Copy the first picture and the first sound of a video into a new file.

    Args:
        made: MIME type of the new file.

    Raises:
        InvalidInput: it is broken, or the disk is full.
    """
    with open_media(path) as stream, opened(stream, mime_type) as source:
        try:
            with av.open(str(out), "w", format=_MUXERS[made], options=_OPTIONS) as target:
                _copy_packets(source, target, size_bytes=count_file_bytes(stream), progress=progress)
        except av.error.FFmpegError as problem:
            if isinstance(problem, OSError) and problem.errno:
                raise unwritable(out.parent, problem) from problem
            raise InvalidInput(
                f"Picture and sound cannot be copied into {made}. Export the video again, as MP4.", code="media.corrupt"
            ) from problem


def _copy_packets(
    source: InputContainer, target: OutputContainer, *, size_bytes: int, progress: Callable[[float], None] | None
) -> None:
    streams: list[Stream] = [*source.streams.video[:1], *source.streams.audio[:1]]
    copies = {stream.index: target.add_stream_from_template(stream) for stream in streams}
    for copy in copies.values():
        copy.metadata.clear()
    seen = 0
    for packet in source.demux(*streams):
        if packet.dts is None:
            continue  # the one that says "no more"
        seen += packet.size
        packet.stream = copies[packet.stream.index]
        target.mux(packet)
        if progress is not None:
            progress(min(seen / size_bytes, 1.0))
