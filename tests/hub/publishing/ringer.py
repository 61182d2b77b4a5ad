"""A process of the worker's login that rings one post many times at once: `python -m tests.hub.publishing.ringer POST TIMES`.

It says `ready` when everything is imported, begins at the first line on its stdin, and ends when its crew has nothing more to do.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import django

THREADS = 8


def main(post_id: str, times: str) -> None:
    """Ring, and let any error end the process."""
    django.setup()
    from hub import tasks  # after setup: its models need the app registry
    from hub.publishing import crew

    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(THREADS) as pool:
        rings = [pool.submit(tasks.publish_post, post_id=post_id) for _ in range(int(times))]
    for ring in rings:
        ring.result()
    crew._crew().close()


if __name__ == "__main__":
    main(*sys.argv[1:])
