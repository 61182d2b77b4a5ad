"""`psn_web`: the process from which platforms fetch media."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from hub.actions.web import bind_web, serve_web
from hub.management.base import PsnCommand
from hub.management.envelope import say


class Command(PsnCommand):
    help = "The web process: shows a media file to the platform that has its signed address."

    def add_verbs(self, verbs: Any) -> None:
        """Declare the verbs."""
        run = self.add_verb(verbs, "run", self.run, help="run it here, until it is told to stop")
        run.add_argument("--port", type=int, default=settings.WEB_PORT, help="on this computer; 0 for any free one")

    def run(self, *, port: int) -> dict[str, Any]:
        """Run the web process here."""
        server = bind_web(host=settings.WEB_HOST, port=port)
        url = f"http://{settings.WEB_HOST}:{server.server_address[1]}"
        say(f"Serving media at {url}; lead {settings.MEDIA_BASE_URL or 'PSN_MEDIA_BASE_URL'} to it.")
        serve_web(server)
        return {"url": url}
