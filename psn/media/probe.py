"""What is inside a media file, read from the file itself (MEDIA-1)."""

from __future__ import annotations

from pathlib import Path

from psn.errors import InvalidInput
from psn.media.facts import MediaFacts
from psn.media.files import open_media
from psn.media.layout import read_layout
from psn.media.office import count_slides
from psn.media.pdf import count_pages
from psn.media.sniff import sniff_mime_type


def read_facts(path: Path, mime_type: str) -> MediaFacts:
    """Read what a media file holds. Memory and time are bounded, whatever the file says it is.

    Args:
        mime_type: what it is taken for; it must be that.

    Raises:
        InvalidInput: it is something else (`media.type`), broken (`media.corrupt`, `media.truncated`), locked, or larger than
            anything a platform takes (`media.too_large`, `media.too_many_pixels`, `media.duration`, `media.bomb`).
    """
    found = sniff_mime_type(path)
    if found != mime_type:
        raise InvalidInput(f"{path} is {found}, and not {mime_type}.", code="media.type")
    major, _, minor = mime_type.partition("/")
    with open_media(path) as stream:
        if major == "image":
            return read_layout(stream, mime_type).to_facts()
        if major == "video":
            # Imported here: it brings FFmpeg's libraries, and most posts have no video.
            from psn.media.streams import read_details

            return read_details(stream, mime_type).facts
        if minor == "pdf":
            return MediaFacts(pages=count_pages(stream))
        return MediaFacts(pages=count_slides(stream) if "presentationml" in minor else 0)
