"""Waiting for a person's browser in a terminal: the link goes out, the answer comes to a listener or on stdin (AUTH-1)."""

from __future__ import annotations

import os
import select
import sys
import time
from datetime import datetime

from hub.actions.authorizing import check_by_browser
from hub.actions.connecting import Where
from hub.actions.pending import Pending
from hub.management.base import Result
from hub.management.envelope import Stream, command_line, say
from psn.errors import InvalidInput, NotAllowed, NotReady
from psn.oauth.listener import Listener
from psn.oauth.scopes import explain_scopes
from psn.oauth.transports import Transport, pick_transport

MAX_PASTED_BYTES = 16 * 1024


def choose_transport(where: Where, *, listen: bool, redirect_stdin: bool) -> Transport:
    """Choose the way back: as the person said, else by the platform and by where this runs."""
    if listen or redirect_stdin:
        return "loopback" if listen else "paste"
    return pick_transport(check_by_browser(where), environment=os.environ, system=sys.platform)


def can_wait(transport: Transport, *, redirect_stdin: bool) -> bool:
    """Say whether an answer can come to this process: to its listener, or from a person at its stdin."""
    return transport == "loopback" or redirect_stdin or bool(sys.stdin and sys.stdin.isatty())


def wait_for_answer(stream: Stream, found: Pending, *, transport: Transport, now: datetime) -> str:
    """Show the link and give what comes back, until the authorization is over.

    Raises:
        NotAllowed: nobody came back in time (`oauth.timeout`).
        NotReady: the listener's port is taken.
        InvalidInput: nothing came on stdin.
    """
    seconds = (datetime.fromisoformat(found.expires_at) - now).total_seconds()
    if transport == "paste":
        _show(stream, found, transport=transport)
        return _read_line(seconds)
    try:
        with Listener(found.redirect_uri) as listener:
            _show(stream, found, transport=transport)
            return listener.wait(state=found.state, seconds=seconds)
    except NotReady as taken:
        taken.next_command, taken.ask = resume_command(found, transport="paste"), ask_for(found, transport="paste")
        raise


def describe_pending(found: Pending, *, transport: Transport) -> Result:
    """Say what the person must do, and how to go on after that."""
    data = {
        "platform": found.platform,
        "resume": found.code,
        "expires_at": found.expires_at,
        "redirect_uri": found.redirect_uri,
        "scopes": explain_scopes(found.scopes),
    }
    action = {
        "needs": "human",
        "ask": ask_for(found, transport=transport),
        "url": found.url,
        "command": command_line(resume_command(found, transport=transport)),
    }
    message = "A person must allow access in the browser. Then go on with the command, within ten minutes."
    return Result(data, exit_code=4, error={"code": "connect.needs_browser", "message": message}, next_action=action)


def resume_command(found: Pending, *, transport: Transport) -> str:
    """Name the command that takes the answer."""
    paste = " --redirect-stdin" if transport == "paste" else " --listen"
    return f"psn_account connect {found.platform} --resume {found.code}{paste}"


def ask_for(found: Pending, *, transport: Transport) -> str:
    """Say in one sentence what only the person can do."""
    if transport == "loopback":
        return "Start the command first, for it waits for the browser; then open the link and allow access."
    if not found.redirect_uri.startswith("http"):
        return "Open the link and allow access; the page then shows a code, which goes to the command's stdin."
    return (
        "Open the link and allow access. The browser then ends up on a page that cannot be loaded, and that is as it should be: "
        "copy the whole address of that page; it goes to the command's stdin."
    )


def _show(stream: Stream, found: Pending, *, transport: Transport) -> None:
    detail = {"url": found.url, "ask": ask_for(found, transport=transport), "resume": found.code}
    stream.progress(step="1/2", name="allow access in the browser", status="wait", detail=detail)
    say(f"\nOpen this link and allow access:\n\n  {found.url}\n")
    if transport == "paste":
        say("Then paste here the code it shows, or the whole address of the page you end up on:")


def _read_line(seconds: float) -> str:
    """Read one line from stdin: what a person pastes ends with a line break, what a program writes may end without."""
    ends_at, got = time.monotonic() + seconds, b""
    if sys.stdin is None:
        raise _nothing()
    while b"\n" not in got and len(got) <= MAX_PASTED_BYTES:
        left = ends_at - time.monotonic()
        if left <= 0 or not select.select([sys.stdin], [], [], left)[0]:
            raise NotAllowed("No address was pasted within ten minutes. Connect again.", code="oauth.timeout")
        piece = os.read(sys.stdin.fileno(), MAX_PASTED_BYTES)
        if not piece:
            break
        got += piece
    line = got.split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    if not line:
        raise _nothing()
    return line


def _nothing() -> InvalidInput:
    return InvalidInput(
        "Nothing came on stdin: it takes the whole address of the page the browser ended up on.", code="oauth.redirect"
    )
