"""What each platform can publish, as posts to try: real files, real options (PLAT-2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hub.actions.drafts import DraftPart, read_media
from psn.platforms.base import MediaFile
from tests import media_files


@dataclass(frozen=True)
class Format:
    """One way to publish.

    Args:
        status: how it ends: `delivered` where a person must finish it.
    """

    parts: Callable[[], list[DraftPart]]
    options: Mapping[str, str] = field(default_factory=dict)
    status: str = "published"


def picture(number: int = 0, *, width: int = 1080, height: int = 1080) -> MediaFile:
    """A JPEG with a description."""
    return _file(media_files.jpeg(width, height, number=number), "A gradient")


def see_through() -> MediaFile:
    """A PNG with see-through parts, which some platforms do not take as it is."""
    return _file(media_files.png(), "A gradient that fades")


def pictures(count: int) -> tuple[MediaFile, ...]:
    """Different pictures."""
    return tuple(picture(number) for number in range(count))


def video() -> MediaFile:
    """An upright video with sound."""
    return _file(media_files.mp4())


def animation() -> MediaFile:
    """An animated GIF."""
    return _file(media_files.gif())


def _file(path: Path, alt_text: str = "") -> MediaFile:
    return read_media(str(path), alt_text=alt_text)


def _one(text: str, *media: Callable[[], MediaFile]) -> Callable[[], list[DraftPart]]:
    return lambda: [DraftPart(text, tuple(make() for make in media))]


def _many(text: str, count: int) -> Callable[[], list[DraftPart]]:
    return lambda: [DraftPart(text, pictures(count))]


def _thread() -> list[DraftPart]:
    return [DraftPart("The first of three."), DraftPart("The second of three."), DraftPart("The third of three.")]


def _with_comment(*media: Callable[[], MediaFile]) -> Callable[[], list[DraftPart]]:
    return lambda: [
        DraftPart("A post with a word below it.", tuple(make() for make in media)),
        DraftPart("#gardening #spring", kind="comment"),
    ]


TEXT = Format(_one("Hello from the garden, #spring is here."))
LINK = Format(_one("Read this: https://example.com/a?b=1&c=2 & tell <us>."))
THREAD = Format(_thread)
PICTURE = Format(_one("A picture.", picture))
CONVERTED = Format(_one("A picture that fades.", see_through))
VIDEO = Format(_one("A video.", video))
DIRECT = {"format": "direct", "visibility": "PUBLIC_TO_EVERYONE"}

FORMATS: dict[str, dict[str, Format]] = {
    "x": {
        "text": TEXT,
        "link": LINK,
        "thread": THREAD,
        "picture": PICTURE,
        "converted": CONVERTED,
        "pictures": Format(_many("Four pictures.", 4)),
        "animation": Format(_one("It moves.", animation)),
        "video": VIDEO,
    },
    "linkedin": {
        "text": TEXT,
        "link": LINK,
        "picture": PICTURE,
        "converted": CONVERTED,
        "pictures": Format(_many("Three pictures.", 3)),
        "document": Format(_many("Swipe.", 3), {"format": "document", "title": "Three steps"}),
        "article": Format(
            _one("We wrote something."),
            {"format": "article", "link": "https://example.com/article", "title": "An article"},
        ),
        "video": VIDEO,
        "comment": Format(_with_comment()),
    },
    "instagram": {
        "picture": PICTURE,
        "converted": CONVERTED,
        "carousel": Format(_many("Three pictures.", 3)),
        "reel": Format(_one("A reel.", video), {"format": "reel"}),
        "story": Format(_one("", picture), {"format": "story"}),
        "video story": Format(_one("", video), {"format": "story"}),
        "comment": Format(_with_comment(picture)),
    },
    "tiktok": {
        "video to the inbox": Format(_one("A video.", video), {"format": "inbox"}, "delivered"),
        "video": Format(_one("A video.", video), DIRECT),
        "pictures to the inbox": Format(_many("Three pictures.", 3), {"format": "inbox"}, "delivered"),
        "pictures": Format(_many("Three pictures.", 3), DIRECT),
    },
    "bluesky": {
        "text": TEXT,
        "link": LINK,
        "thread": THREAD,
        "picture": PICTURE,
        "converted": CONVERTED,
        "pictures": Format(_many("Four pictures.", 4)),
        "video": VIDEO,
    },
    "mastodon": {
        "text": TEXT,
        "link": LINK,
        "thread": THREAD,
        "picture": PICTURE,
        "pictures": Format(_many("Four pictures.", 4)),
        "video": VIDEO,
        "behind a warning": Format(_one("It was the gardener."), {"spoiler": "The end of a novel"}),
    },
    "threads": {
        "text": TEXT,
        "link": LINK,
        "thread": THREAD,
        "picture": PICTURE,
        "converted": CONVERTED,
        "carousel": Format(_many("Three pictures.", 3)),
        "video": VIDEO,
    },
}

# What a platform calls the one call that makes a post public, for the simplest of its formats.
COMMITS = {
    "x": "POST /2/tweets",
    "linkedin": "POST /rest/posts",
    "instagram": "POST /{version}/{id}/media_publish",
    "tiktok": "PUT /upload/{id}",
    "bluesky": "POST /xrpc/com.atproto.repo.putRecord",
    "mastodon": "POST /api/v1/statuses",
    "threads": "POST /{version}/{id}/threads_publish",
}
SIMPLEST = {
    "x": "text",
    "linkedin": "text",
    "instagram": "picture",
    "tiktok": "video",
    "bluesky": "text",
    "mastodon": "text",
    "threads": "text",
}
EVERY_FORMAT = [(platform, name) for platform, formats in FORMATS.items() for name in formats]
