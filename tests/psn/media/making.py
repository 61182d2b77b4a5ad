"""Media of every kind, honest and hostile."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from PIL import Image, ImageCms


def picture(width: int = 64, height: int = 48, *, mode: str = "RGB", noise: bool = False) -> Image.Image:
    """Draw something with a left and a right, an up and a down."""
    if noise:
        channels = [Image.effect_noise((width, height), 200) for _ in range(3)]
        return Image.merge("RGB", channels).convert(mode)
    image = Image.linear_gradient("L").resize((width, height)).convert(mode)
    if mode in ("RGB", "RGBA"):
        image.paste((250, 10, 10), (0, 0, width // 4, height // 4))
    return image


def packed(image: Image.Image, form: str, **options: object) -> bytes:
    """Write an image as Pillow does."""
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def exif(*, orientation: int = 1) -> bytes:
    """Write what a camera writes: a place, a name, a way up."""
    told = Image.Exif()
    told[0x0112] = orientation
    told[0x010F] = "SecretCamera"
    told[0x8825] = {1: "N", 2: (40.0, 25.0, 0.0)}
    return told.tobytes()


def display_p3() -> bytes:
    """Make a profile that is not sRGB: sRGB's, with another name, and with red for green."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ", 128) + 4, profile.index(b"gXYZ", 128) + 4
    profile[red : red + 4], profile[green : green + 4] = profile[green : green + 4], profile[red : red + 4]
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "Odd ".encode("utf-16-be"))


def animation(*, frames: int = 3, size: tuple[int, int] = (40, 30), form: str = "GIF", duration: int = 100) -> bytes:
    """Draw frames that differ."""
    drawn = [Image.new("RGB", size, (10 + 20 * (number % 10), 0, number % 256)) for number in range(frames)]
    return packed(drawn[0], form, save_all=True, append_images=drawn[1:], duration=duration, loop=0)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Frame a chunk of PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(width: int, height: int, *, extra: bytes = b"") -> bytes:
    """Write a PNG whose header may say anything; its content is a few bytes that unpack to zeros."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = (
        png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + png_chunk(b"IEND", b"")
    )
    return b"\x89PNG\r\n\x1a\n" + body


def archive(*names: str, bomb: int = 0) -> bytes:
    """Write a ZIP of files; with `bomb` zeros in one of them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in names:
            made.writestr(name, b"x")
        if bomb:
            made.writestr("ppt/media/x", b"\0" * bomb)
    return out.getvalue()


def ole(stream: str) -> bytes:
    """Write the beginning of an old Office file: a header, and a directory with one name in it."""
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<H", header, 30, 9)  # sectors of 512 bytes
    struct.pack_into("<L", header, 48, 0)  # the directory is the first
    return (
        bytes(header)
        + "Root Entry".encode("utf-16-le").ljust(128, b"\0")
        + stream.encode("utf-16-le").ljust(384, b"\0")
    )


def pdf(pages: int = 2, *, packed_objects: bool = False, tail: bytes = b"%%EOF\n") -> bytes:
    """Write a PDF with so many pages, in the open or in a packed stream of objects."""
    kids = b" ".join(b"%d 0 R" % (number + 3) for number in range(pages))
    tree = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages)
    leaves = b"".join(b"<< /Type /Page /Parent 2 0 R >> " for _ in range(pages))
    if packed_objects:
        content = zlib.compress(tree + b" " + leaves)
        objects = b"9 0 obj << /Type /ObjStm /N 3 /First 0 /Filter /FlateDecode /Length %d >> stream\n" % len(content)
        objects += content + b"\nendstream endobj\n"
    else:
        objects = b"2 0 obj " + tree + b" endobj\n3 0 obj " + leaves + b"endobj\n"
    return (
        b"%PDF-1.7\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n"
        + objects
        + b"trailer << /Root 1 0 R >>\nstartxref\n0\n"
        + tail
    )


def write_video(
    path: Path,
    *,
    width: int = 64,
    height: int = 48,
    rate: int = 25,
    seconds: float = 1.0,
    codec: str = "libx264",
    sound: str = "aac",
    pixels: str = "yuv420p",
    rotation: int = 0,
    metadata: Mapping[str, str] | None = None,
    fast: bool = True,
    noise: bool = False,
) -> Path:
    """Write a short video; by default one that every platform takes."""
    options = {"movflags": "+faststart+use_metadata_tags" if fast else "+use_metadata_tags", "fflags": "+bitexact"}
    with av.open(str(path), "w", options=options if path.suffix in (".mp4", ".mov") else {}) as container:
        container.metadata.update(metadata or {})
        video = container.add_stream(codec, rate=rate)
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt = width, height, pixels
        if rotation:
            video.set_display_rotation(rotation)
        audio = container.add_stream(sound, rate=48000) if sound else None
        for number in range(int(rate * seconds)):
            drawn = (
                picture(width, height, noise=True)
                if noise
                else Image.new("RGB", (width, height), (number * 9 % 256, 0, 90))
            )
            container.mux(video.encode(av.VideoFrame.from_image(drawn)))  # type: ignore[no-untyped-call]
        container.mux(video.encode())
        if isinstance(audio, AudioStream):
            add_silence(container, audio, seconds=seconds)
    return path


def add_silence(container: OutputContainer, audio: AudioStream, *, seconds: float) -> None:
    """Write a sound that nobody hears."""
    silence = av.AudioFrame(format="fltp", layout="stereo", samples=960)
    for plane in silence.planes:
        plane.update(bytes(plane.buffer_size))
    for number in range(int(50 * seconds)):
        silence.sample_rate, silence.pts = 48000, number * 960
        container.mux(audio.encode(silence))
    container.mux(audio.encode())
