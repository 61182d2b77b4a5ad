"""How the answer gets back from the person's browser (AUTH-1): to a listener on this machine, or by paste."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from psn.oauth.spec import OAuthSpec

Transport = Literal["loopback", "paste"]

_NO_BROWSER_HERE = (
    "SSH_CONNECTION",
    "SSH_TTY",
    "CI",
    "CODESPACES",
    "container",
)  # the last: systemd's word for a container
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")
_HAS_A_SCREEN = ("darwin", "win32")  # systems whose desktops set no such variable


def pick_transport(spec: OAuthSpec, *, environment: Mapping[str, str], system: str) -> Transport:
    """Pick the way back: a listener where the platform redirects to this machine and the browser is on it, else paste.

    Args:
        environment: of the process.
        system: `sys.platform`.
    """
    if spec.pasted or any(environment.get(name) for name in _NO_BROWSER_HERE):
        return "paste"
    if system not in _HAS_A_SCREEN and not any(environment.get(name) for name in _SCREENS):
        return "paste"
    return "loopback"


def pick_redirect_uri(spec: OAuthSpec, transport: Transport) -> str:
    """Pick where the platform sends the person: for paste, to a page that shows the code where there is one."""
    return spec.out_of_band_uri if transport == "paste" and spec.out_of_band_uri else spec.redirect_uri
