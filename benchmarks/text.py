"""What counting and splitting cost: `.venv/bin/python -m benchmarks.text`, or within `benchmarks.platforms`.

10,000 characters, counted once and split into a thread, for each platform      under 50 ms
each also as so many times a `json.dumps` of the text with a pass of `\\w+` over it
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from functools import partial
from statistics import median

from psn.platforms.base import NOTHING_KNOWN, Platform
from psn.platforms.registry import get_platform, platform_names
from psn.text.splitting import split_thread

CHARACTERS = 10_000
RUNS = 3
_SENTENCE = (
    "It is spring in the garden, and @ana wrote https://example.com/a/b?c=1 about #tulips \U0001f337. See you there! "
)
TEXTS = {
    "prose with links": _SENTENCE,
    "Japanese": "春が来ました。庭の花が咲いています、見に来てください。",
    "emoji of families": "\U0001f468\u200d\U0001f469\u200d\U0001f467 ",
    "flags": "\U0001f1ea\U0001f1f8",  # no end of a run of them says where one begins
    "one word": "a",
}


def main() -> None:
    """Print the times of every platform and text, and what they are a multiple of."""
    print(
        f"counting and splitting {CHARACTERS} characters: ms (under 50), and how many passes of json.dumps and \\w+ that is"
    )
    texts = {name: (unit * CHARACTERS)[:CHARACTERS] for name, unit in TEXTS.items()}
    passes = {name: _time(partial(_pass_over, text)) for name, text in texts.items()}
    for name in platform_names():
        platform = get_platform(name)
        for kind, text in texts.items():
            spent = _time(partial(count_and_split, platform, text))
            print(f"{name:10} {kind:18} {spent * 1000:8.1f} ms  {spent / passes[kind]:7.0f}x")


def count_and_split(platform: Platform, text: str) -> list[str]:
    """Count a text, and split it where the platform has threads."""
    count = platform.count_text(text, NOTHING_KNOWN)
    if "thread" not in platform.abilities:
        return [text]
    return split_thread(text, count=lambda part: platform.count_text(part, NOTHING_KNOWN).used, limit=count.limit)


def _pass_over(text: str) -> None:
    json.dumps(text)
    re.findall(r"\w+", text)


def _time(do: Callable[[], object]) -> float:
    """Give the median of some runs, in seconds of this process alone; one before them loads what is loaded once."""
    do()
    spent = []
    for _ in range(RUNS):
        started = time.process_time()
        do()
        spent.append(time.process_time() - started)
    return median(spent)


if __name__ == "__main__":
    main()
