"""How the answer comes back, by the platform and by where the command runs."""

from __future__ import annotations

import pytest

from psn.oauth.spec import OAuthSpec
from psn.oauth.transports import pick_redirect_uri, pick_transport

SPEC = OAuthSpec(authorize_path="/a", token_path="/t", revoke_path="/r", scopes=("a",))
PASTED = OAuthSpec(
    authorize_path="/a", token_path="/t", revoke_path="/r", scopes=("a",), pasted=True,
    redirect_uri="https://127.0.0.1:8765/callback",
)  # fmt: skip
SHOWN = OAuthSpec(authorize_path="/a", token_path="/t", revoke_path="/r", scopes=("a",), out_of_band_uri="urn:oob")


class TestPickTransport:
    @pytest.mark.parametrize(
        ("environment", "system", "transport"),
        [
            ({"DISPLAY": ":0"}, "linux", "loopback"),
            ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", "loopback"),
            ({}, "darwin", "loopback"),
            ({}, "win32", "loopback"),
            ({}, "linux", "paste"),
            ({"DISPLAY": ""}, "linux", "paste"),
            ({"DISPLAY": ":10", "SSH_CONNECTION": "1.2.3.4 1 5.6.7.8 22"}, "linux", "paste"),
            ({"SSH_TTY": "/dev/pts/1"}, "darwin", "paste"),
            ({"CI": "true"}, "darwin", "paste"),
            ({"container": "podman", "DISPLAY": ":0"}, "linux", "paste"),
        ],
    )
    def test_listens_only_where_a_browser_is(self, environment: dict[str, str], system: str, transport: str) -> None:
        assert pick_transport(SPEC, environment=environment, system=system) == transport

    def test_never_listens_where_the_platform_sends_nobody(self) -> None:
        assert pick_transport(PASTED, environment={"DISPLAY": ":0"}, system="linux") == "paste"


class TestPickRedirectUri:
    def test_shows_the_code_where_it_must_be_pasted_and_can_be_shown(self) -> None:
        assert pick_redirect_uri(SHOWN, "paste") == "urn:oob"
        assert pick_redirect_uri(SHOWN, "loopback") == "http://127.0.0.1:8765/callback"
        assert pick_redirect_uri(PASTED, "paste") == "https://127.0.0.1:8765/callback"
