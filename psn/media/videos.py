"""Videos as a platform takes them: container, codecs, size, and telling nothing but picture and sound (MEDIA-1)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from psn.errors import InvalidInput
from psn.media import transcoding
from psn.media.facts import MediaFacts, VideoTarget
from psn.media.files import count_file_bytes, open_media
from psn.media.fitted import Fitted, keep_file, working_file
from psn.media.misfits import check_mendable, find_misfits
from psn.media.remuxing import remux
from psn.media.sniff import EXTENSIONS, sniff_mime_type
from psn.media.streams import VideoDetails, read_details

Progress = Callable[[float], None]
TRANSCODE_SECONDS = 3600.0

_PLAIN_FORMATS = ("yuv420p", "yuvj420p")
_DEEP_FORMATS = (*_PLAIN_FORMATS, "yuv420p10le")  # what phones record in HEVC, and what takes HEVC takes


def fit_video(
    path: Path,
    target: VideoTarget,
    out_dir: Path,
    *,
    progress: Progress | None = None,
    seconds: float = TRANSCODE_SECONDS,
    ffmpeg: str | None = None,
) -> Fitted:
    """Make a video one that a platform takes.

    What it takes as it is stays as it is, byte for byte. Where only the container is wrong, or tells more than picture and
    sound (places, devices), these are copied into a new one unchanged. Anything else is transcoded by ffmpeg.

    Args:
        out_dir: where a changed video goes, named for its content.
        progress: told how far it is, 0 to 1.
        seconds: for transcoding.
        ffmpeg: the program; looked for on the path when left out.

    Raises:
        InvalidInput: it is broken, or only a person can decide how to make it fit: another shape, a shorter one.
        NotReady: it must be transcoded, and there is no ffmpeg (`media.ffmpeg`).
    """
    mime_type = sniff_mime_type(path)
    with open_media(path) as stream:
        size_bytes = count_file_bytes(stream)
        details = read_details(stream, mime_type)
    check_mendable(find_misfits(details.facts, mime_type=target.mime_types[0], size_bytes=size_bytes, target=target))
    reasons = _find_reasons(details, mime_type, size_bytes=size_bytes, target=target)
    if not reasons and mime_type in target.mime_types and details.starts_fast and not details.tells_more:
        return Fitted(path, mime_type, details.facts, [])
    if not reasons:
        return _copy(path, mime_type, details, target=target, out_dir=out_dir, progress=progress)
    plan = transcoding.plan(details, mime_type, size_bytes=size_bytes, target=target)
    with working_file(out_dir, extension=EXTENSIONS[plan.mime_type]) as out:
        transcoding.transcode(path, out, plan, ffmpeg=ffmpeg, reasons=reasons, progress=progress, seconds=seconds)
        return _keep(out, plan.mime_type, details, [*reasons, f"Converted: {plan.meaning}."])


def _find_reasons(details: VideoDetails, mime_type: str, *, size_bytes: int, target: VideoTarget) -> list[str]:
    """Say why picture or sound must be encoded anew; empty when neither must."""
    compared_as = mime_type if mime_type in target.mime_types else target.mime_types[0]
    misfits = find_misfits(details.facts, mime_type=compared_as, size_bytes=size_bytes, target=target)
    reasons = [f"{misfit.what}; the platform {misfit.takes}." for misfit in misfits]
    formats = _DEEP_FORMATS if details.facts.video_codec == "hevc" else _PLAIN_FORMATS
    if not reasons and details.pixel_format not in formats:
        reasons.append(f"Its colours are packed as {details.pixel_format}; platforms take yuv420p.")
    if details.interlaced:
        reasons.append("Its picture is interlaced; platforms take whole pictures.")
    if mime_type == "video/webm" and mime_type not in target.mime_types:
        reasons.append(f"It is {mime_type}; the platform takes {', '.join(target.mime_types)}.")
    return reasons


def _copy(
    path: Path,
    mime_type: str,
    details: VideoDetails,
    *,
    target: VideoTarget,
    out_dir: Path,
    progress: Progress | None,
) -> Fitted:
    changes = []
    made = mime_type if mime_type in target.mime_types else target.mime_types[0]
    if made != mime_type:
        changes.append(f"Moved from {mime_type} into {made}; picture and sound are unchanged.")
    if details.tells_more:
        changes.append("What the file told besides picture and sound (place, device, title) was taken out.")
    if not details.starts_fast:
        changes.append("It can be shown while it loads now.")
    with working_file(out_dir, extension=EXTENSIONS[made]) as out:
        remux(path, mime_type, out, made, progress=progress)
        return _keep(out, made, details, changes)


def _keep(out: Path, mime_type: str, before: VideoDetails, changes: list[str]) -> Fitted:
    """Look at what was made before it is trusted."""
    with open_media(out) as stream:
        facts = read_details(stream, mime_type).facts
    _check_whole(facts, before.facts)
    return Fitted(keep_file(out, mime_type=mime_type), mime_type, facts, changes)


def _check_whole(after: MediaFacts, before: MediaFacts) -> None:
    if before.duration_seconds is None or after.duration_seconds is None:
        return
    lost = before.duration_seconds - after.duration_seconds
    if lost > max(1.0, before.duration_seconds * 0.02):
        raise InvalidInput(
            f"{lost:.1f} s were lost in conversion: the video is broken in the middle. Export it again.",
            code="media.corrupt",
        )
