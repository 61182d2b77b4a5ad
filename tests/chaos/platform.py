"""The sandbox of a lane: `python -m tests.chaos.platform serve …`. It keeps what commits say, and forgets keys sooner.

`requests.jsonl` in its state directory holds a line for every call that makes something public and arrived whole: the journal's
id, the words, and the key by which the platform knows such a call again. While a file `forgiving` is there, X takes the same text
twice, so that nothing hides a post that went out twice.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from sandbox import __main__, server
from tests.chaos import pace
from tests.chaos.processes import end_with_parent
from tests.chaos.vendors import VENDORS

REQUESTS = "requests.jsonl"
FORGIVING = "forgiving"
MAKER = "get_wsgi_application"  # what the server calls once Django is set up
CLOCKS_SECONDS = 0.3  # by which a platform's memory is longer than it promises

Said = tuple[str, str]  # words and key


def main() -> int:
    """Serve until told to stop, or until the lane is gone."""
    end_with_parent()
    make_application: Callable[[], Any] = vars(server)[MAKER]

    def prepared() -> Any:
        _prepare(Path(os.environ["PSN_SANDBOX_STATE"]))
        return make_application()

    setattr(server, MAKER, prepared)
    return __main__.main()


def _prepare(state: Path) -> None:
    from sandbox import journal  # its models exist only after Django's setup
    from sandbox.platforms.linkedin import posts as linkedin
    from sandbox.platforms.mastodon import statuses
    from sandbox.platforms.tiktok import endpoint as tiktok
    from sandbox.platforms.x import posts

    open_call, check_duplicate, spend = journal.open_call, posts._check_duplicate, tiktok._spend

    def open_and_keep(request: Any, *, platform: str, path: str) -> Any:
        call = open_call(request, platform=platform, path=path)
        if platform in VENDORS and VENDORS[platform].is_commit(f"{request.method} {path}"):
            words, key = READERS[platform](request)
            with (state / REQUESTS).open("a") as file:
                file.write(json.dumps([call.pk, words, key]) + "\n")
        return call

    def check_unless_forgiving(*arguments: Any, **named: Any) -> None:
        if not (state / FORGIVING).exists():
            check_duplicate(*arguments, **named)

    def spend_little(account: Any, name: str, *, per_minute: int) -> None:
        """TikTok takes six posts a minute and then wants a minute's rest, which is longer than a history."""
        spend(account, name, per_minute=50 * per_minute)

    journal.open_call = open_and_keep
    tiktok._spend = spend_little
    posts._check_duplicate = check_unless_forgiving
    memory = timedelta(seconds=pace.WINDOW_SECONDS + CLOCKS_SECONDS)
    linkedin.DUPLICATE_WINDOW = statuses.KEY_LIFE = memory


def _read_x(request: Any) -> Said:
    return json.loads(request.body).get("text", ""), ""


def _read_linkedin(request: Any) -> Said:
    """A post is known again by its whole body; a comment is not."""
    from sandbox.journal import hash_body
    from sandbox.platforms.linkedin.littletext import read_commentary

    body = json.loads(request.body)
    if "commentary" not in body:
        return body["message"]["text"], ""
    return read_commentary(body["commentary"]), hash_body(request)


def _read_meta(platform: str) -> Callable[[Any], Said]:
    """A container was made with the words; a comment brings its own."""

    def read(request: Any) -> Said:
        from sandbox.meta.containers import KIND, read_parameters
        from sandbox.models import Job

        form = read_parameters(request)
        if "creation_id" not in form:
            return form.get("message", ""), ""
        container = Job.objects.filter(platform=platform, kind=KIND, remote_id=form["creation_id"]).first()
        made = container.data if container else {}
        return made.get("caption", made.get("text", "")), form["creation_id"]

    return read


def _read_tiktok(request: Any) -> Said:
    """An upload was opened with the words; a draft for the inbox has none. Photos bring theirs."""
    from sandbox.models import Job

    if request.method == "POST":
        return json.loads(request.body)["post_info"]["description"], ""
    job = Job.objects.filter(platform="tiktok", pk=int(request.GET["upload_id"])).first()
    return (job.data["info"]["title"], job.remote_id) if job else ("", "")


def _read_bluesky(request: Any) -> Said:
    body = json.loads(request.body)
    return body["record"]["text"], body["rkey"]


def _read_mastodon(request: Any) -> Said:
    return json.loads(request.body).get("status", ""), request.headers.get("Idempotency-Key", "")


READERS: Mapping[str, Callable[[Any], Said]] = {
    "x": _read_x,
    "linkedin": _read_linkedin,
    "instagram": _read_meta("instagram"),
    "tiktok": _read_tiktok,
    "bluesky": _read_bluesky,
    "mastodon": _read_mastodon,
    "threads": _read_meta("threads"),
}


if __name__ == "__main__":
    sys.exit(main())
