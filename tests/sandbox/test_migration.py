"""A state directory of the time when X was the only platform goes on."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.sandbox.files import make_png
from tests.sandbox.people import Person
from tests.sandbox.process import REPOSITORY, WEB, start_sandbox, stop_sandbox

POST, REPLY, PICTURE = 1859000000000000001, 1859000000000000009, "1858999999999999999"
NOW, LATER = "2026-11-20 08:00:00", "2036-11-20 08:00:00"


def make_old_state(state: Path) -> None:
    """Make a state as the second migration left it: an account with a grant, a post with a picture, a reply, a call."""
    (state / "media").mkdir(parents=True)
    (state / "media" / PICTURE).write_bytes(make_png())
    program = (
        "import django; django.setup(); from django.core.management import call_command;"
        "call_command('migrate', 'sandbox', '0002', verbosity=0, skip_checks=True)"
    )
    environ = {**os.environ, "PSN_SANDBOX_STATE": str(state), "DJANGO_SETTINGS_MODULE": "sandbox.settings"}
    subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, env=environ, check=True)
    with sqlite3.connect(state / "sandbox.sqlite3") as database:
        _fill(database)
    database.close()


def _fill(database: sqlite3.Connection) -> None:
    hashed = [hashlib.sha256(text.encode()).hexdigest() for text in ("token", "refresh", "Hello", "")]
    rows: dict[str, dict[str, object]] = {
        "account": {"platform": "x", "handle": "ann", "name": "Ann", "platform_account_id": "7", "created_at": NOW},
        "grant": {
            "account_id": 1,
            "client_id": "psn-sandbox",
            "scope": "tweet.read tweet.write users.read media.write offline.access",
            "access_sha256": hashed[0],
            "access_expires_at": LATER,
            "refresh_sha256": hashed[1],
        },
        "upload": {
            "account_id": 1,
            "platform_media_id": PICTURE,
            "mime_type": "image/png",
            "category": "tweet_image",
            "total_bytes": len(make_png()),
            "alt_text": "A rectangle",
            "started_at": NOW,
            "finished_at": NOW,
            "broken": 0,
        },
    }
    for number, reply_to in ((POST, None), (REPLY, POST)):
        rows[f"post {number}"] = {
            "id": number,
            "account_id": 1,
            "text": "Hello" if number == POST else "And",
            "text_sha256": hashed[2] if number == POST else hashed[3],
            "reply_to": reply_to,
            "conversation_id": POST,
            "made_with_ai": 0,
            "body_sha256": hashed[2],
            "created_at": LATER,
        }
    rows["attachment"] = {"post_id": POST, "upload_id": 1, "position": 0}
    rows["ratewindow"] = {"account_id": 1, "endpoint": "POST /2/tweets", "ends_at": LATER, "used": 3}
    for table, row in rows.items():
        columns, marks = ", ".join(row), ", ".join("?" * len(row))
        name = f"sandbox_{table.partition(' ')[0]}"
        database.execute(f'INSERT INTO "{name}" ({columns}) VALUES ({marks})', tuple(row.values()))


class TestOldState:
    def test_goes_on_with_its_posts_pictures_and_tokens(self, tmp_path: Path) -> None:
        make_old_state(tmp_path / "state")

        sandbox = start_sandbox(tmp_path / "state")

        reply, post = sandbox.ask("posts")
        assert (post["id"], post["kind"], post["platform"]) == (str(POST), "post", "x")
        assert (reply["id"], reply["in_reply_to"]) == (str(REPLY), str(POST))
        [picture] = post["media"]
        assert (picture["id"], picture["alt_text"]) == (PICTURE, "A rectangle")
        for url in (picture["url"], f"{sandbox.x}/media/{PICTURE}"):
            assert WEB.get(url).content == make_png()
        ann = Person(sandbox, "ann", {"access_token": "token"})
        shown = ann.call("GET", "/2/tweets", params={"ids": f"{POST},{REPLY}"}).json()["data"]
        assert [one["id"] for one in shown] == [str(POST), str(REPLY)]
        assert ann.post("Hello").status_code == 403, "it is still a duplicate"
        answer = ann.post("More", media={"media_ids": [upload_picture(ann)]})
        assert (answer.status_code, answer.headers["x-rate-limit-remaining"]) == (201, "95")
        assert int(answer.json()["data"]["id"]) > REPLY
        assert f'id="post-{POST}"' in WEB.get(f"{sandbox.url}/").text
        assert stop_sandbox(sandbox) == 0


def upload_picture(person: Person) -> str:
    """Upload a picture and give its id."""
    form = {"data": {"media_category": "tweet_image"}, "files": {"media": ("p", make_png())}}
    return str(person.call("POST", "/2/media/upload", **form).json()["data"]["id"])
