"""Real media for tests: small, and made once a run."""

from __future__ import annotations

import functools
import tempfile
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image

SECONDS = 4
FRAMES = 24  # a second


@functools.cache
def folder() -> Path:
    """Where they lie, for as long as this process runs."""
    made = tempfile.TemporaryDirectory(prefix="psn-media-files-")
    _KEPT.append(made)
    return Path(made.name)


@functools.cache
def jpeg(width: int = 1080, height: int = 1080, *, number: int = 0) -> Path:
    """A picture; another number is another picture."""
    path = folder() / f"{width}x{height}-{number}.jpg"
    _gradient(width, height, number).save(path, quality=80)
    return path


@functools.cache
def png(width: int = 800, height: int = 800) -> Path:
    """A picture with see-through parts."""
    path = folder() / f"{width}x{height}.png"
    image = _gradient(width, height, 1).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize((width, height)))
    image.save(path)
    return path


@functools.cache
def gif() -> Path:
    """An animation of three frames."""
    path = folder() / "moving.gif"
    frames = [_gradient(120, 120, number).convert("P") for number in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, loop=0)
    return path


@functools.cache
def mp4(width: int = 540, height: int = 960, *, seconds: int = SECONDS) -> Path:
    """A video with sound, upright, over 75 KB: LinkedIn takes nothing smaller."""
    path = folder() / f"{width}x{height}-{seconds}.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        video = container.add_stream("libx264", rate=FRAMES, options={"preset": "ultrafast", "crf": "28"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        audio = container.add_stream("aac", rate=48000)
        for number in range(seconds * FRAMES):
            noise = Image.effect_noise((width // 6, height // 6), 60).resize((width, height)).convert("RGB")
            frame = av.VideoFrame.from_image(noise)  # type: ignore[no-untyped-call]
            frame.pts = number
            frame.time_base = Fraction(1, FRAMES)
            container.mux(video.encode(frame))
        _add_silence(container, audio, seconds=seconds)
        container.mux(video.encode())
        container.mux(audio.encode())
    return path


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def _gradient(width: int, height: int, number: int) -> Image.Image:
    bands = [Image.linear_gradient("L").rotate(90 * ((number + turn) % 4)).resize((width, height)) for turn in range(3)]
    return Image.merge("RGB", bands)


def _add_silence(container: av.container.OutputContainer, stream: av.AudioStream, *, seconds: int) -> None:
    for start in range(0, seconds * 48000, 1024):
        frame = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        container.mux(stream.encode(frame))
