"""What ends a call whose time is up, whatever other calls do meanwhile, and what an `Http` makes only when it is needed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from psn import http as psn_http
from psn.errors import UnknownOutcome
from psn.http import Http
from tests.psn import loopback
from tests.psn.loopback import Line, build_reply, serve


def seconds_until_it_gives_up(url: str, timeout_seconds: float) -> float:
    began = time.monotonic()
    with Http(url, timeout_seconds=timeout_seconds) as http, pytest.raises(UnknownOutcome):
        http.commit("POST", "/", json={})
    return time.monotonic() - began


class TestTimeOut:
    def test_ends_each_of_many_calls_at_its_own_time(self) -> None:
        limits = [1.5, 0.3, 1.0, 0.6, 0.3]
        dripping = loopback.drip(build_reply(201, b"x" * 1000), pause_seconds=0.05)
        with serve(dripping) as server, ThreadPoolExecutor(len(limits)) as pool:
            calls = []
            for limit in limits:  # one after the other, so that a shorter one comes while a longer one is waited for
                calls.append(pool.submit(seconds_until_it_gives_up, server.url, limit))
                time.sleep(0.05)
            took = [call.result() for call in calls]
        assert all(limit <= seconds < limit + 0.5 for limit, seconds in zip(limits, took, strict=True))

    def test_of_an_earlier_call_never_ends_a_later_one_on_the_same_connection(self) -> None:
        def act(line: Line) -> None:
            line.read_request()
            line.send(build_reply())
            line.read_request()
            for byte in build_reply():
                line.send(bytes([byte]))
                time.sleep(0.01)

        with serve(act) as server, Http(server.url) as http:
            http.read("GET", "/", timeout_seconds=0.3)
            assert http.read("GET", "/", timeout_seconds=5).status == 200
        assert server.connections == 1

    def test_needs_one_thread_for_all_calls(self) -> None:
        with serve(loopback.answer_all(build_reply())) as server, Http(server.url) as http:
            for _ in range(3):
                http.read("GET", "/")
        assert [thread.name for thread in threading.enumerate()].count("psn-http-watch") == 1

    def test_keeps_nothing_of_calls_that_have_ended(self) -> None:
        with serve(loopback.answer_all(build_reply())) as server, Http(server.url) as http:
            http.read("GET", "/")
        assert (psn_http._watch._endings, psn_http._watch._due) == ({}, [])

    def test_still_ends_calls_in_a_forked_child(self) -> None:
        """A queue forks its workers after the parent has made calls; the child inherits no thread."""
        code = """if True:
            import os, sys, time, warnings
            from psn.errors import UnknownOutcome
            from psn.http import Http, _watch
            from tests.psn import loopback

            warnings.simplefilter("ignore")
            with loopback.serve(loopback.drip(b"HTTP/1.1 200 X" * 99, pause_seconds=0.05)) as server:
                def call():
                    began = time.monotonic()
                    try:
                        Http(server.url, timeout_seconds=0.3).commit("POST", "/", json={})
                    except UnknownOutcome:
                        return time.monotonic() - began < 2
                assert call()
                with _watch._changed:  # as another thread of the parent may hold it at that moment
                    child = os.fork()
                    if not child:
                        os._exit(0 if call() else 1)
                deadline = time.monotonic() + 5
                while not (ended := os.waitpid(child, os.WNOHANG))[0]:
                    if time.monotonic() > deadline:
                        os.kill(child, 9)
                    time.sleep(0.02)
                sys.exit(ended[1])
        """
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20)
        assert (ended.returncode, ended.stderr) == (0, "")


class TestHttp:
    def test_makes_nothing_before_the_first_call_and_only_what_that_needs(self) -> None:
        with serve(loopback.answer_all(build_reply())) as server, Http(server.url) as http:
            assert not http._clients
            http.commit("POST", "/", json={})
            assert len(http._clients) == 1
            http.read("GET", "/")
            assert len(http._clients) == 2

    def test_makes_one_for_all_threads(self) -> None:
        with serve(loopback.answer_all(build_reply())) as server, Http(server.url) as http:
            with ThreadPoolExecutor(16) as pool:
                clients = list(pool.map(lambda _: http._committing, range(64)))
            assert len(set(map(id, clients))) == 1

    def test_sends_nothing_once_it_is_closed(self) -> None:
        with serve(loopback.answer_all(build_reply())) as server:
            http = Http(server.url)
            http.close()
            with pytest.raises(RuntimeError, match="closed"):
                http.commit("POST", "/", json={})
        assert server.connections == 0
