"""Meta's codes and subcodes, each with what to do about it. Sources as in `refusals`."""

from __future__ import annotations

from dataclasses import dataclass

from psn.errors import NeedsReconnect, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome

LOST = UnknownOutcome  # a failure inside Meta: without effect on any call but the one that publishes


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a refusal means.

    Args:
        kind: of error; `LOST` is UnknownOutcome on the call that publishes and Unavailable on every other.
        code: stable, behind the platform's name.
        sentence: for people; `{title}` is the platform.
        advice: the next step.
    """

    kind: type[PlatformError]
    code: str
    sentence: str
    advice: str = ""


_RECONNECT = Meaning(
    NeedsReconnect, "token", "{title} no longer accepts this account's token", "Connect the account again."
)
_CALLS = Meaning(RateLimited, "calls", "{title} asks to wait")
_QUOTA = Meaning(RateLimited, "quota", "{title} lets this account publish no more for now")
_SPAM = Meaning(
    Rejected,
    "suspected_spam",
    "{title} takes this for spam",
    "Do not repeat it. Change the text, and look at the account's standing in the app.",
)
_RESTRICTED = Meaning(
    Rejected, "account_restricted", "{title} has restricted this account", "Open the app and do what it asks for."
)
_PERMISSION = Meaning(
    Rejected,
    "permission",
    "{title} does not permit this to the app",
    "Connect the account again, and leave all permissions on.",
)
_GONE = Meaning(Rejected, "not_found", "{title} does not show this to the account", "Look for it in the app.")
_NOT_READY = Meaning(Unavailable, "media_not_ready", "{title} has not got the post ready yet")
_CONTAINER = Meaning(Unavailable, "container_gone", "{title} does not know the prepared post any more")
_FETCH = Meaning(
    Unavailable,
    "media_fetch",
    "{title} could not fetch the file from its public address",
    "Check that the address can be opened from the internet.",
)
_AGAIN = Meaning(Unavailable, "media_again", "{title} could not take the file this time")
_SERVER = Meaning(LOST, "server", "{title} failed by itself")
_INVALID = Meaning(Rejected, "invalid", "{title} refuses this", "Check text, files and options.")
_WRONG_KIND = Meaning(Rejected, "wrong_kind", "{title} keeps something else under this id")

_ASPECT = "Crop it to between 4:5 and 1.91:1."

_BY_SUBCODE = {
    458: _RECONNECT,  # the person removed the app
    459: _RECONNECT,  # the person must log in at Meta first
    460: _RECONNECT,  # the password changed
    463: _RECONNECT,  # expired
    464: _RECONNECT,  # unconfirmed person
    467: _RECONNECT,  # invalid
    2207042: _QUOTA,
    2207051: _SPAM,
    2207050: _RESTRICTED,
    4279013: _RESTRICTED,  # Threads, seen in the field for restricted people
    2207027: _NOT_READY,
    2207008: _CONTAINER,
    2207006: _CONTAINER,
    2207020: _CONTAINER,
    2207003: _FETCH,
    2207052: _FETCH,
    2207032: _AGAIN,
    2207053: _AGAIN,
    2207001: _SERVER,
    2207004: Meaning(Rejected, "media_size", "{title} finds the image too large", "Make it smaller than 8 MB."),
    2207005: Meaning(Rejected, "media_format", "{title} does not take this image format", "Use JPEG."),
    2207009: Meaning(Rejected, "media_ratio", "{title} does not take this shape of image", _ASPECT),
    2207010: Meaning(Rejected, "caption", "{title} finds the caption too long", "Shorten it, or use fewer tags."),
    2207026: Meaning(Rejected, "video_format", "{title} does not take this video", "Use MP4 with H.264 and AAC."),
    2207028: Meaning(Rejected, "carousel_count", "{title} does not take so many files in one post", "Use 2 to 10."),
    2207023: Meaning(Rejected, "media_kind", "{title} does not know this kind of post", "Choose another format."),
    2207057: Meaning(Rejected, "cover", "{title} has no picture at this moment of the video", "Choose an earlier one."),
    2207040: Meaning(Rejected, "tags", "{title} finds too many tags", "Use fewer than 20 mentions and 30 hashtags."),
}

_BY_CODE = {
    190: _RECONNECT,
    10: _PERMISSION,
    4: _CALLS,
    17: _CALLS,
    32: _CALLS,
    613: _CALLS,
    9: _QUOTA,
    25: _RESTRICTED,
    368: _RESTRICTED,
    24: _CONTAINER,
    9004: _FETCH,
    9007: _NOT_READY,
    -2: _FETCH,
    -1: _SERVER,
    1: _SERVER,  # an unknown error
    2: _SERVER,  # a service is down
    36000: _BY_SUBCODE[2207004],
    36001: _BY_SUBCODE[2207005],
    36003: _BY_SUBCODE[2207009],
    36004: _BY_SUBCODE[2207010],
    352: _BY_SUBCODE[2207026],
}


def find_meaning(*, code: int, subcode: int, words: str = "") -> Meaning:
    """Say what a code with its subcode means; what nobody has described is a refusal for good."""
    if code == 100 and subcode == 33:
        return _GONE
    if code == 100 and "nonexisting field" in words:
        return _WRONG_KIND
    if subcode in _BY_SUBCODE:
        return _BY_SUBCODE[subcode]
    if 200 <= code < 300:  # Graph API: one number for each permission
        return _PERMISSION
    if 80000 <= code <= 80014:  # business use cases, each with its own number; Instagram's is 80002
        return _CALLS
    return _BY_CODE.get(code, _INVALID)


def find_media_failure(subcode: int) -> Meaning:
    """Say what the subcode means that a container failed with."""
    return _BY_SUBCODE.get(subcode, MEDIA_FAILED)


MEDIA_FAILED = Meaning(
    Rejected, "media_failed", "{title} could not process the file", "Convert it (JPEG, or MP4 with H.264 and AAC)."
)
MEDIA_FETCH_FAILED = _FETCH
MEDIA_FAILED_AGAIN = _AGAIN
