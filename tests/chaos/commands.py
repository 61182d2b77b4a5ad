"""The person of a history: gives commands, in this process as the command line does, or as the processes they are."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from django.db import DatabaseError, InterfaceError, OperationalError, connections

from hub.actions import drafts, posts
from hub.models import Post
from psn.config.workspace import ROOT
from psn.errors import ApprovalNeeded, NotReady, Problem
from tests.chaos.record import LOST, OK, Action

PROCESS_SECONDS = 30.0
NOT_READY = 3  # exit code: the hub could not be reached; it may have been lost on the way back


@dataclass(frozen=True)
class Process:
    """A command as the process it is.

    Args:
        killed_after: seconds after which it is killed (-9); 0 for never.
    """

    killed_after: float = 0.0
    command: Sequence[str] = ()

    def run(self, environment: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
        """Run it; give its answer, and what that showed."""
        line = [sys.executable, str(ROOT / "manage.py"), "psn_post", *self.command]
        try:
            done = subprocess.run(
                line, cwd=ROOT, env=dict(environment), stdin=subprocess.DEVNULL, capture_output=True,
                timeout=self.killed_after or PROCESS_SECONDS, check=False,
            )  # fmt: skip
            result = json.loads(done.stdout.splitlines()[-1])
        except subprocess.TimeoutExpired:
            return (LOST if self.killed_after else "crash: no answer"), {}
        except (ValueError, IndexError) as error:
            return f"crash: {error!r}", {}
        if done.returncode == NOT_READY:
            return LOST, {}
        if not result["ok"]:
            return str(result["error"]["code"]), {}
        post = result["data"]["post"]
        return OK, {"post_id": post["id"], "status": post["status"], "content_hash": post["content_hash"]}


@dataclass
class Person:
    """Gives commands about named posts, and keeps what was answered.

    Args:
        environment: of real commands.
        files: to attach, by kind.
        follows: what parts after the first are.
    """

    environment: Mapping[str, str]
    files: Mapping[str, Path]
    follows: Literal["post", "comment"]
    actions: list[Action] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    _media: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turns: defaultdict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))

    def name_of(self, post_id: str) -> str:
        """Give the name of a post; empty for one that is not known yet."""
        return next((name for name, known in list(self.ids.items()) if known == post_id), "")

    def create(
        self, name: str, *, account: str, texts: Sequence[str], at: float, media: str, options: Mapping[str, str]
    ) -> Action:
        """Make a post that is approved for a time."""
        self._media[name] = media
        return self._do(
            "create",
            name,
            lambda: posts.create_post(
                account=account, parts=self._build(name, texts), options=options, at=_instant(at), approve=True
            )[0],
            texts=tuple(texts),
            at=at,
            approves=True,
        )

    def edit(self, name: str, *, texts: Sequence[str], approves: bool, process: Process | None = None) -> Action:
        """Replace the words, with a yes to them or without."""
        word, media = ("--comment" if self.follows == "comment" else "--part"), self._media.get(name)
        more = [option for text in texts[1:] for option in (word, text)]
        more += ["--media", str(self.files[media])] if media else []
        command = ["edit", self.ids[name], "--text", texts[0], *more, *(["--approve"] if approves else [])]
        return self._do(
            "edit",
            name,
            lambda: posts.edit_post(
                self.ids[name], parts=self._build(name, texts), approve=approves, now=datetime.now(UTC)
            )[0],
            process=process and replace(process, command=command),
            texts=tuple(texts),
            approves=approves,
        )

    def _build(self, name: str, texts: Sequence[str]) -> list[drafts.DraftPart]:
        media = self._media[name]
        files = (drafts.read_media(str(self.files[media])),) if media else ()
        return [
            drafts.DraftPart(text, () if number else files, kind=self.follows if number else "post")
            for number, text in enumerate(texts)
        ]

    def cancel(self, name: str, *, process: Process | None = None) -> Action:
        """Take a post off the schedule."""
        process = process and replace(process, command=["cancel", self.ids[name]])
        return self._do("cancel", name, lambda: posts.cancel_post(self.ids[name]), process=process)

    def reschedule(self, name: str, *, at: float, approves: bool, process: Process | None = None) -> Action:
        """Give a post another time."""
        when = _instant(at)
        command = ["schedule", self.ids[name], "--at", when.isoformat(), *(["--approve"] if approves else [])]
        return self._do(
            "reschedule",
            name,
            lambda: posts.schedule_post(self.ids[name], at=when, approve=approves),
            process=process and replace(process, command=command),
            at=at,
            approves=approves,
        )

    def _do(
        self, verb: str, name: str, act: Callable[[], Post], *, process: Process | None = None, **asked: Any
    ) -> Action:
        with self._lock:
            turn = self._turns[name]
        with turn:  # commands about one post come one after another, so that their order is known
            started = time.time()
            answer, shown = process.run(self.environment) if process else _call(act)
            action = Action(
                verb, name, started, time.time(), answer, as_process=process is not None, **{**asked, **shown}
            )
        with self._lock:
            self.actions.append(action)
            if action.post_id:
                self.ids[name] = action.post_id
        return action


def _call(act: Callable[[], Post]) -> tuple[str, dict[str, Any]]:
    """Act on connections of its own, as every command does."""
    try:
        post = act()
    except ApprovalNeeded:  # the time is noted, so the answer is one
        return OK, {}
    except (OperationalError, InterfaceError, NotReady):
        return LOST, {}
    except Problem as refusal:
        return refusal.error_code, {}
    except (DatabaseError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        return f"crash: {error!r}", {}
    finally:
        connections.close_all()
    return OK, {"post_id": str(post.id), "status": str(post.status), "content_hash": post.content_hash}


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
