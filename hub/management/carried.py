"""What a command says while files go through the hub."""

from __future__ import annotations

from contextlib import AbstractContextManager

from hub.management.envelope import Stream
from hub.publishing import carrying

SPOKEN_BYTES = 10 * carrying.PIECE_BYTES


def telling_files(stream: Stream) -> AbstractContextManager[None]:
    """Say how far a file is, every ten megabytes; a smaller one is through before anybody asks."""

    def tell(name: str, done: int, of: int) -> None:
        if of > SPOKEN_BYTES and (done % SPOKEN_BYTES == 0 or done == of):
            status = "done" if done == of else "wait"
            pieces = f"{-(-done // carrying.PIECE_BYTES)}/{-(-of // carrying.PIECE_BYTES)}"
            stream.progress(step=pieces, name=name, status=status, detail={"bytes": done, "of": of})

    return carrying.telling(tell)
