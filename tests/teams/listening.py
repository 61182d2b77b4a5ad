"""The worker's ear, in a process of its own: `python -m tests.teams.listening`, with the environment of a hub's worker.

Writes a line when it listens, and one for every bell with the post that it is for.
"""

from __future__ import annotations

import time

import django


def main() -> None:
    """Take bells as the worker's cluster does, until somebody ends the process or a minute is over."""
    django.setup()
    # Django's models can be imported only now
    from django_q.signing import SignedPackage

    from hub.queue.broker import PostgresBroker

    broker = PostgresBroker("psn")
    print("listening", flush=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for _, package in broker.dequeue():
            print(SignedPackage.loads(package)["kwargs"].get("post_id", ""), flush=True)


if __name__ == "__main__":
    main()
