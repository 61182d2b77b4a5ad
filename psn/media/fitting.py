"""The one door through which a file becomes one that a platform takes (MEDIA-1)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from psn.errors import InvalidInput
from psn.media.facts import DocumentTarget, ImageTarget, Target
from psn.media.fitted import Fitted
from psn.media.misfits import find_misfits
from psn.media.probe import read_facts
from psn.media.sniff import sniff_mime_type

__all__ = ["Fitted", "fit_media"]


def fit_media(path: Path, target: Target, out_dir: Path, *, progress: Callable[[float], None] | None = None) -> Fitted:
    """Make a file one that a platform takes; `changes` says what was done, and is empty when nothing had to be.

    Args:
        target: what the platform takes for such a file in such a post.
        out_dir: where a changed file goes, named for its content; made when it is not there.
        progress: told how far a video is, 0 to 1.

    Raises:
        InvalidInput: it is broken, or only a person can decide how to make it fit; the reason says why.
        NotReady: a video must be transcoded, and there is no ffmpeg (`media.ffmpeg`).
    """
    fitted = _fit(path, target, out_dir, progress)
    size_bytes = fitted.path.stat().st_size
    for misfit in find_misfits(fitted.facts, mime_type=fitted.mime_type, size_bytes=size_bytes, target=target):
        raise InvalidInput(
            f"{misfit.what}; the platform {misfit.takes}. {misfit.fix or 'Convert it yourself.'}", code=misfit.code
        )
    return fitted


def _fit(path: Path, target: Target, out_dir: Path, progress: Callable[[float], None] | None) -> Fitted:
    mime_type = sniff_mime_type(path)
    kind = {ImageTarget: "image", DocumentTarget: "application"}.get(type(target), "video")
    if mime_type.partition("/")[0] != kind:
        takes = ", ".join(target.mime_types)
        raise InvalidInput(f"{path} is {mime_type}; the platform takes {takes} there.", code="media.type")
    # Imported where needed: they bring Pillow and FFmpeg's libraries, and every command that drafts comes by here.
    if isinstance(target, ImageTarget):
        from psn.media.images import fit_image

        return fit_image(path, target, out_dir)
    if isinstance(target, DocumentTarget):
        return Fitted(path, mime_type, read_facts(path, mime_type), [])
    from psn.media.videos import fit_video

    return fit_video(path, target, out_dir, progress=progress)
