"""Paths as a person types them."""

from __future__ import annotations

from pathlib import Path

from psn.errors import InvalidInput


def user_path(text: str, *, code: str) -> Path:
    """Make an absolute path of what a person typed; `~` is that person's home. There need not be anything there.

    Args:
        code: of the refusal.

    Raises:
        InvalidInput: a home of nobody, a name that no disk takes, or a folder that may not be looked into.
    """
    try:
        path = Path(text).expanduser().absolute()
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return path
    except RuntimeError:  # what expanduser raises for a home that it does not find
        raise InvalidInput(f"{text!r} begins with the home of a user who does not exist here.", code=code) from None
    except (OSError, ValueError) as error:
        shown = text if len(text) <= 100 else f"{text[:100]}…"
        raise InvalidInput(
            f"{shown} cannot be used: {getattr(error, 'strerror', None) or error}.", code=code
        ) from error
    return path
