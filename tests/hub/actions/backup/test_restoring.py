"""A restore is the hub of the backup again, or nothing at all (HUB-12)."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone
from psycopg import sql

from hub.actions.backup import tables
from hub.actions.backup.settling import settle
from hub.actions.backup.tables import owner_connection
from hub.actions.people import get_me
from hub.models import Account, Login, OAuthToken, Post, User, WorkerHeartbeat
from hub.sealing import check_opens
from psn.config.hub import get_hub_config
from psn.config.workspace import ROOT
from psn.errors import Problem
from tests.factories import OWNER, People, make_account, make_people, make_post
from tests.hub.actions.backup.backing import (
    account,
    all_rows,
    audit,
    back_up,
    claim,
    everything,
    home,
    other_is_there,
    refused,
    restore,
    running_rows,
    schedule,
    set_state,
    small_files,
    status_of,
    unchanged,
    write_large_table,
)
from tests.hub.queue.process import worker_environment
from tests.hub.worlds import connect_as, empty_hub

__all__ = ["account", "home", "other_is_there"]


class TestARestore:
    def test_gives_the_same_hub_again(self, account: Account, tmp_path: Path) -> None:
        before = all_rows()
        logins = running_rows()["logins"]
        file = back_up(tmp_path / "x.psn")
        Post.objects.using(OWNER).all().update(error_message="changed since")
        make_account(User.objects.using(OWNER).get(id=account.user_id))
        OAuthToken.objects.using(OWNER).all().delete()

        restored = restore(file)

        assert all_rows() == before
        assert running_rows() == {"logins": logins, "queue": []}
        assert (restored["posts"], restored["without_login"]) == (2, ())
        check_opens(OWNER)

    def test_leaves_the_hub_as_closed_as_it_was(self, account: Account, me: User, tmp_path: Path) -> None:
        found = audit()
        restore(back_up(tmp_path / "x.psn"))
        assert audit() == found
        with connect_as("psn_app", autocommit=True) as person:
            assert person.execute("SELECT DISTINCT user_id FROM posts").fetchall() == [(me.id,)]
            with pytest.raises(Exception, match="cannot go from draft to published"):
                person.execute("UPDATE posts SET status = 'published'")
        with connect_as("psn_owner", autocommit=True) as owner:
            assert owner.execute("SELECT count(*) FROM posts").fetchone() == (0,)

    def test_keeps_what_it_replaces_in_a_file(self, account: Account, tmp_path: Path) -> None:
        file = back_up(tmp_path / "x.psn")
        make_post(account, texts=("written since",))
        schedule(account)
        newer = everything()

        kept = Path(restore(file)["kept"])

        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
        assert everything() != newer
        assert restore(kept, resume=True)["scheduled"] == 1
        assert all_rows() == newer[0]

    def test_gives_an_empty_hub_its_people(self, account: Account, me: User, tmp_path: Path) -> None:
        file = back_up(tmp_path / "x.psn")
        before = all_rows()
        connections.close_all()
        empty_hub()
        assert make_people().me.id != me.id  # as on another computer

        restored = restore(file)

        assert all_rows() == before
        assert get_me().id == me.id
        assert restored["me"] == "me"
        assert set(Login.objects.using(OWNER).values_list("login_role", "user_id")) == {
            ("psn_app", me.id),
            ("psn_another", User.objects.using(OWNER).get(name="other").id),
            ("psn_worker", None),
        }

    def test_lets_nobody_in_who_was_shut_out_since(self, account: Account, hub: People, tmp_path: Path) -> None:
        file = back_up(tmp_path / "x.psn")
        Login.objects.using(OWNER).filter(login_role="psn_another").update(is_active=False)
        # their login is a stranger's now, which the audit would report as well
        with connect_as("postgres", autocommit=True) as server:
            server.execute("REVOKE psn_member FROM psn_another")
            try:
                assert restore(file)["without_login"] == ("other",)
                assert not Login.objects.using(OWNER).filter(login_role="psn_another").exists()
            finally:
                server.execute("GRANT psn_member TO psn_another")

    def test_refuses_to_leave_a_stranger_among_the_members(self, account: Account, tmp_path: Path) -> None:
        file = back_up(tmp_path / "x.psn")
        Login.objects.using(OWNER).filter(login_role="psn_another").update(is_active=False)
        with unchanged(), refused("hub.restore_failed") as caught:
            restore(file)
        assert [finding.at for finding in caught.value.findings] == ["psn_another"]

    def test_leaves_a_frozen_hub_frozen(self, account: Account, tmp_path: Path) -> None:
        file = back_up(tmp_path / "x.psn")
        Login.objects.using(OWNER).filter(login_role="psn_worker").update(is_active=False)
        restore(file)
        assert Login.objects.using(OWNER).get(login_role="psn_worker").is_active is False


class TestPostsThatCameBack:
    def test_are_missed_when_their_time_passed(self, account: Account, tmp_path: Path) -> None:
        post = schedule(account, due_in=-1)
        restored = restore(back_up(tmp_path / "x.psn"), resume=True)
        assert (restored["missed"], status_of(post)) == (1, "missed")

    def test_are_unknown_when_they_were_going_out(self, account: Account, tmp_path: Path) -> None:
        post = schedule(account, due_in=-1)
        claim(post)
        restored = restore(back_up(tmp_path / "x.psn"), resume=True)
        assert (restored["unknown"], status_of(post)) == (1, "unknown")
        row = Post.objects.using(OWNER).get(id=post.id)
        assert (row.error_code, row.lease_owner, row.look_at) == ("restore.in_flight", "", None)

    def test_stay_scheduled_when_the_present_hub_plans_the_very_same(self, account: Account, tmp_path: Path) -> None:
        post = schedule(account)
        restored = restore(back_up(tmp_path / "x.psn"))
        assert (restored["scheduled"], restored["held"], status_of(post)) == (1, 0, "scheduled")
        ((key, payload, at),) = running_rows()["queue"]
        assert (key, str(post.id) in payload, at) == ("psn", True, post.due_at)

    @pytest.mark.parametrize("what", ["sent", "cancelled", "moved", "claimed", "gone"])
    def test_wait_for_a_new_yes_when_anything_else_happened(self, account: Account, tmp_path: Path, what: str) -> None:
        post = schedule(account)
        file = back_up(tmp_path / "x.psn")
        if what == "sent":
            set_state(post, "published", platform_post_id="1", published_at=timezone.now())
        elif what == "cancelled":
            set_state(post, "cancelled")
        elif what == "moved":
            assert post.due_at is not None
            set_state(post, "scheduled", due_at=post.due_at + timedelta(hours=1))
        elif what == "claimed":
            claim(post)
        else:
            connections.close_all()
            empty_hub()
            make_people()

        restored = restore(file)

        row = Post.objects.using(OWNER).get(id=post.id)
        assert (restored["held"], row.status, row.approved_hash, row.error_code) == (
            1, "pending_approval", "", "restore.held",
        )  # fmt: skip
        assert running_rows()["queue"] == []

    def test_go_on_when_the_person_says_that_the_other_hub_is_over(self, account: Account, tmp_path: Path) -> None:
        post = schedule(account)
        file = back_up(tmp_path / "x.psn")
        set_state(post, "cancelled")
        restored = restore(file, resume=True)
        assert (restored["scheduled"], status_of(post)) == (1, "scheduled")
        assert len(running_rows()["queue"]) == 1

    def test_come_back_with_dates_that_no_calendar_has(self, account: Account) -> None:
        post, table = schedule(account), sql.Identifier("hub_api", "old_posts")  # of a hub that did not refuse them yet
        with transaction.atomic(using=OWNER):
            connection = owner_connection()
            connection.execute("CREATE TABLE hub_api.old_posts (LIKE public.posts INCLUDING DEFAULTS)")
            connection.execute("INSERT INTO hub_api.old_posts SELECT * FROM posts WHERE id = %s", (post.id,))
            connection.execute("UPDATE hub_api.old_posts SET due_at = 'infinity', scheduled_at = '0001-01-01 BC'")
            assert settle(connection, plans={}, resume=False, posts=table, ring=False).held == 1
            transaction.set_rollback(True, using=OWNER)

    def test_are_told_by_a_rehearsal_that_changes_nothing(self, account: Account, tmp_path: Path) -> None:
        posts = [schedule(account, due_in=due) for due in (-1, -2, 3600, 3600, 3600)]
        claim(posts[1])
        file = back_up(tmp_path / "x.psn")
        set_state(posts[3], "cancelled")
        with unchanged():
            told = {resume: restore(file, dry_run=True, resume=resume) for resume in (False, True)}
        assert not list((get_hub_config(settings.WORKSPACE).home / "backups").glob("*"))
        for resume in (False, True):
            again = back_up(tmp_path / f"again{resume}.psn")
            restored = restore(file, resume=resume)
            assert {name: restored[name] for name in told[resume]} == told[resume]
            restore(again, resume=True)
        assert told[False]["held"] == 1

    def test_are_rehearsed_while_the_worker_works(self, account: Account, tmp_path: Path) -> None:
        file = back_up(tmp_path / "x.psn")
        with connect_as("psn_app") as person:
            person.execute("UPDATE posts SET updated_at = now()")
            restore(file, dry_run=True)
            person.commit()


class TestInTheMiddle:
    def test_a_full_disk_changes_nothing(self, account: Account, tmp_path: Path) -> None:
        file = back_up(tmp_path / "x.psn")
        with unchanged(), refused("hub.no_disk"), small_files():
            restore(file)
        assert not list((get_hub_config(settings.WORKSPACE).home / "backups").glob("*"))

    def test_an_interruption_changes_nothing(self, account: Account, tmp_path: Path) -> None:
        file = back_up(tmp_path / "x.psn")
        make_post(account, texts=("written since",))
        for point in range(1, 12):
            told: list[str] = []

            def stop(what: str, _: str, told: list[str] = told, point: int = point) -> None:
                told.append(what)
                if len(told) == point:
                    raise KeyboardInterrupt

            with unchanged(), pytest.raises(KeyboardInterrupt):
                restore(file, tell=stop)
        assert "restored users" in told
        assert not list((get_hub_config(settings.WORKSPACE).home / "backups").glob("*"))

    def test_a_kill_changes_nothing(self, account: Account, tmp_path: Path) -> None:
        write_large_table(account, rows=20_000)
        file = back_up(tmp_path / "x.psn")
        make_post(account, texts=("written since",))
        environment = worker_environment(tmp_path / "workspace", name="none:1") | {"PSN_LOGIN": "app"}
        for point in ("kept the present hub", "restored users", "restored posts"):
            with unchanged():
                kill_restore(file, environment, at=point)
        assert restore(file)["posts"] == 2
        assert not list((get_hub_config(settings.WORKSPACE).home / "backups").glob(".*"))

    def test_another_restore_is_told_to_wait(self, account: Account, tmp_path: Path) -> None:
        file = back_up(tmp_path / "x.psn")
        outcomes: list[str] = []

        def second(what: str, _: str) -> None:
            if what == "restored users":
                thread = threading.Thread(target=race)
                thread.start()
                thread.join()

        def race() -> None:
            try:
                restore(file)
            except Problem as problem:
                outcomes.append(problem.error_code)
            finally:
                connections.close_all()

        restore(file, tell=second)
        assert outcomes == ["restore.running"]

    def test_people_who_do_not_end_are_waited_for_and_named(
        self, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(tables._PLAINLY, "lock_timeout", "500ms")
        file = back_up(tmp_path / "x.psn")
        with connect_as("psn_app") as person:
            person.execute("SELECT * FROM posts")
            with refused("hub.busy"):
                restore(file)
        with unchanged():
            pass

    @pytest.mark.parametrize("here", [True, False], ids=["in another workspace", "on another computer"])
    def test_a_worker_elsewhere_must_be_stopped_first(self, account: Account, tmp_path: Path, here: bool) -> None:
        file = back_up(tmp_path / "x.psn")
        now = timezone.now()
        where = {"host": socket.gethostname(), "pid": os.getpid()} if here else {"host": "elsewhere", "pid": 1}
        WorkerHeartbeat.objects.using(OWNER).create(
            name="w", incarnation="1", version="1", started_at=now, beat_at=now, **where
        )
        with unchanged(), refused("worker.elsewhere"):
            restore(file)
        WorkerHeartbeat.objects.using(OWNER).update(beat_at=now - timedelta(minutes=2))
        restore(file)

    def test_a_worker_that_was_killed_is_in_nobody_s_way(self, account: Account, tmp_path: Path) -> None:
        file = back_up(tmp_path / "x.psn")
        now, dead = timezone.now(), subprocess.Popen([sys.executable, "-c", ""])
        dead.wait()
        WorkerHeartbeat.objects.using(OWNER).create(
            name="w", incarnation="1", version="1", started_at=now, beat_at=now, host=socket.gethostname(), pid=dead.pid
        )
        restore(file)


def kill_restore(file: Path, environment: dict[str, str], *, at: str) -> None:
    """Run a restore as the process it is and kill it (-9) as soon as it says a line."""
    command = [sys.executable, str(ROOT / "manage.py"), "psn_hub", "restore", str(file), "--yes"]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    with process.stdout as lines:
        assert any(json.loads(line).get("name") == at for line in lines)
        process.kill()
    assert process.wait() == -signal.SIGKILL
