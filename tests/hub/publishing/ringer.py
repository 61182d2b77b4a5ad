"""A process of the worker's login that rings one post many times at once: `python -m tests.hub.publishing.ringer USER POST TIMES`.

It says `ready` when everything is imported and begins at the first line on its stdin.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import django

THREADS = 8


def main(user_id: str, post_id: str, times: str) -> None:
    """Ring, and let any error end the process."""
    django.setup()
    from hub.tasks import publish_post  # after setup: its models need the app registry

    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(THREADS) as pool:
        rings = [pool.submit(publish_post, user_id=user_id, post_id=post_id) for _ in range(int(times))]
    for ring in rings:
        ring.result()


if __name__ == "__main__":
    main(*sys.argv[1:])
