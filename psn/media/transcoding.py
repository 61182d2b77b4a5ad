"""Encoding a video anew with ffmpeg: what to ask of it, and how to bear with it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from psn.errors import InvalidInput, NotReady
from psn.media.facts import MediaFacts, VideoTarget
from psn.media.streams import DEMUXERS, VideoDetails

ENCODERS = {
    "h264": ("libx264", "-preset", "medium", "-profile:v", "high", "-crf", "20"),
    "hevc": ("libx265", "-preset", "medium", "-crf", "23", "-tag:v", "hvc1", "-x265-params", "log-level=error"),
    "vp9": ("libvpx-vp9", "-crf", "31", "-b:v", "0", "-row-mt", "1"),
    "vp8": ("libvpx", "-crf", "10"),
    "aac": ("aac", "-b:a", "160k"),
    "opus": ("libopus", "-b:a", "128k"),
    "vorbis": ("libvorbis", "-q:a", "5"),
}  # fmt: skip
AUDIO_BITS = 160_000  # a second
MAX_BITS = 20_000_000  # a second, of the picture: Instagram takes 25 Mbit/s in all
MIN_BITS = 150_000  # below that nothing is to be seen
_FILL = 0.94  # of the bytes there may be: rates are kept on average only
_TRIES = 3
_SHOWN_CHARACTERS = 300  # of what ffmpeg says


@dataclass(frozen=True, slots=True)
class Plan:
    """How a video is encoded anew.

    Args:
        demuxer: ffmpeg's name for how to read it.
        mime_type: of what comes out.
        video, audio: codecs; empty to copy what there is.
        filters: ffmpeg's, for the picture.
        bits: a second, of the picture, at most.
        max_bytes: of the file.
        seconds: how long it plays; None when unknown.
        meaning: for people.
    """

    demuxer: str
    mime_type: str
    video: str
    audio: str
    filters: tuple[str, ...]
    bits: int
    max_bytes: int
    seconds: float | None
    meaning: str


def plan(details: VideoDetails, mime_type: str, *, size_bytes: int, target: VideoTarget) -> Plan:
    """Decide how to encode a video so that a platform takes it, changing as little as possible.

    Raises:
        InvalidInput: it plays too long for the bytes there may be (`media.too_large`), or nothing here can encode what the
            platform wants.
    """
    facts = details.facts
    filters = _pick_filters(details, target)
    keeps_sound = not facts.audio_codec or facts.audio_codec in target.audio_codecs
    keeps_picture = not filters and facts.video_codec in target.video_codecs and size_bytes <= target.max_bytes
    keeps_picture = keeps_picture and details.pixel_format in ("yuv420p", "yuvj420p")
    video = "" if keeps_picture else _check_codec(target.video_codecs[0])
    audio = "" if keeps_sound else _check_codec(target.audio_codecs[0])
    return Plan(
        demuxer=DEMUXERS[mime_type],
        mime_type=_pick_container(mime_type, video or facts.video_codec, target),
        video=video,
        audio=audio,
        filters=filters,
        bits=_count_bits(facts, target),
        max_bytes=target.max_bytes,
        seconds=facts.duration_seconds,
        meaning=f"picture {video or 'unchanged'}, sound {(audio or 'unchanged') if facts.audio_codec else 'none'}",
    )


def transcode(
    path: Path,
    out: Path,
    plan: Plan,
    *,
    ffmpeg: str | None,
    reasons: Sequence[str],
    progress: Callable[[float], None] | None,
    seconds: float,
) -> None:
    """Encode a video anew, and again with fewer bits if it came out too large.

    Raises:
        InvalidInput: ffmpeg does not manage it, in size or in time (`media.conversion`, `media.too_large`).
        NotReady: there is no ffmpeg (`media.ffmpeg`).
    """
    program = ffmpeg or shutil.which("ffmpeg")
    if program is None:
        raise NotReady(
            f"The video must be converted: {' '.join(reasons)} PSN does that with ffmpeg, which is not installed here. Install "
            "ffmpeg (https://ffmpeg.org, or your system's packages) and try again, or convert the video yourself.",
            code="media.ffmpeg",
        )
    for attempt in range(_TRIES):
        _run(_build_command(program, path, out, plan), seconds=seconds, plays=plan.seconds, progress=progress)
        if out.stat().st_size <= plan.max_bytes:
            return
        plan = replace(plan, video=plan.video or "h264", bits=int(plan.bits * (0.7 - 0.1 * attempt)))
    raise InvalidInput(
        f"The video cannot be made to fit in {plan.max_bytes} bytes. Cut it, or make it smaller.",
        code="media.too_large",
    )


def _pick_filters(details: VideoDetails, target: VideoTarget) -> tuple[str, ...]:
    facts = details.facts
    filters = ["yadif"] if details.interlaced else []
    size = fitting_size(facts, target)
    if size != (facts.width, facts.height):
        filters.append(f"scale={size[0]}:{size[1]}:flags=lanczos,setsar=1")
    rate = _pick_rate(facts, target)
    if rate:
        filters.append(f"fps={rate:g}")
    return tuple(filters)


def fitting_size(facts: MediaFacts, target: VideoTarget) -> tuple[int, int]:
    """Give the largest size of the same shape that a platform takes; even numbers, because encoders want them."""
    width, height = facts.width, facts.height
    bounds = (
        target.max_width and target.max_width / width,
        target.max_height and target.max_height / height,
        target.max_side and target.max_side / max(width, height),
    )
    factor = min(1.0, *(bound or 1.0 for bound in bounds))
    if factor == 1.0:
        return width, height
    return max(int(width * factor) // 2 * 2, 2), max(int(height * factor) // 2 * 2, 2)


def _pick_rate(facts: MediaFacts, target: VideoTarget) -> float | None:
    rate = facts.frame_rate
    if rate and target.max_frame_rate and rate > target.max_frame_rate:
        return target.max_frame_rate
    if rate and target.min_frame_rate and rate < target.min_frame_rate:
        return target.min_frame_rate
    return None


def _pick_container(mime_type: str, video_codec: str, target: VideoTarget) -> str:
    if video_codec in ("vp8", "vp9") and "video/webm" in target.mime_types:
        return "video/webm"
    if mime_type in target.mime_types and mime_type != "video/webm":
        return mime_type
    return next((name for name in target.mime_types if name != "video/webm"), target.mime_types[0])


def _check_codec(codec: str) -> str:
    if codec not in ENCODERS:
        raise InvalidInput(f"PSN cannot encode {codec}. Convert the video yourself.", code="media.codec")
    return codec


def _count_bits(facts: MediaFacts, target: VideoTarget) -> int:
    if not facts.duration_seconds:
        return MAX_BITS
    bits = int(target.max_bytes * 8 * _FILL / facts.duration_seconds) - (AUDIO_BITS if facts.audio_codec else 0)
    if bits < MIN_BITS:
        raise InvalidInput(
            f"The video plays {facts.duration_seconds:.0f} s, too long for {target.max_bytes} bytes. Cut it.",
            code="media.too_large",
        )
    return min(bits, MAX_BITS)


def _build_command(program: str, path: Path, out: Path, plan: Plan) -> list[str]:
    picture = ["-c:v", "copy"]
    if plan.video:
        picture = [
            "-c:v",
            *ENCODERS[plan.video],
            "-pix_fmt",
            "yuv420p",
            "-maxrate",
            str(plan.bits),
            "-bufsize",
            str(2 * plan.bits),
        ]
        picture += ["-vf", ",".join((*plan.filters, _EVEN))]
    sound = ["-c:a", *ENCODERS[plan.audio], "-ar", "48000", "-ac", "2"] if plan.audio else ["-c:a", "copy"]
    return [
        program, "-nostdin", "-hide_banner", "-v", "error", "-y",
        # Only this file, read in only this way: what a playlist inside of it names is out of reach.
        "-protocol_whitelist", "file,pipe", "-f", plan.demuxer, "-i", f"file:{path.absolute()}",
        "-map", "0:v:0", "-map", "0:a:0?", "-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn",
        *picture, *sound,
        "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact",
        "-movflags", "+faststart", "-fs", str(plan.max_bytes + 1024 * 1024),  # the disk is not filled for nothing
        "-progress", "pipe:1", "-stats_period", "0.5", "-f", _MUXERS[plan.mime_type], f"file:{out.absolute()}",
    ]  # fmt: skip


_MUXERS = {"video/mp4": "mp4", "video/quicktime": "mov", "video/webm": "webm"}
_EVEN = "scale=trunc(iw/2)*2:trunc(ih/2)*2"


def _run(
    command: Sequence[str], *, seconds: float, plays: float | None, progress: Callable[[float], None] | None
) -> None:
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True
        ) as process:
            overran = threading.Event()
            timer = threading.Timer(seconds, _stop, (process, overran))
            timer.start()
            try:
                assert process.stdout is not None
                _watch(process.stdout, plays=plays, progress=progress)
            except BaseException:
                process.kill()
                raise
            finally:
                timer.cancel()
        if overran.is_set():
            raise InvalidInput(
                f"ffmpeg did not convert the video within {seconds:g} s. Convert it yourself, or cut it.",
                code="media.conversion",
            )
        if process.returncode:
            said.seek(0)
            why = " ".join(said.read(10_000).split())[:_SHOWN_CHARACTERS] or f"it ended with {process.returncode}"
            raise InvalidInput(f"ffmpeg cannot convert the video: {why}. Export it again.", code="media.conversion")


def _stop(process: subprocess.Popen[str], overran: threading.Event) -> None:
    overran.set()
    process.kill()


def _watch(lines: IO[str], *, plays: float | None, progress: Callable[[float], None] | None) -> None:
    """Read how far ffmpeg is, until it is done."""
    for line in lines:
        name, _, value = line.strip().partition("=")
        if name == "out_time_us" and value.isdigit() and plays and progress is not None:
            progress(min(int(value) / 1e6 / plays, 1.0))
