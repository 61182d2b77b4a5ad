"""One upload in a process of its own, for its peak of memory: `python -m benchmarks.uploads PLATFORM URL BYTES` prints MB and seconds.

What counts is by how much the process grows beyond what it is after a first call: its code, its connections.
"""

from __future__ import annotations

import re
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from psn.media.facts import MediaFacts
from psn.platforms.base import Adapter, MediaFile
from tests.psn.platforms.canned import CASES, Case, Files, build_part


def main() -> None:
    """Upload a sparse file of so many bytes, and print by how many MB the process grew and how many seconds it took."""
    name, url, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
    case = next(one for one in CASES if one.name == name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        with path.open("wb") as file:
            file.truncate(size)
        media = MediaFile(path, "video/mp4", size, "", MediaFacts(width=1080, height=1920, duration_seconds=60.0))
        adapter = case.connect(url)
        adapter.fetch_account_metrics()
        before, started = _peak_mb(), time.perf_counter()
        _upload(case, adapter, media, Files(Path(folder)))
        print(f"{_peak_mb() - before:.1f} {time.perf_counter() - started:.1f}")


def _upload(case: Case, adapter: Adapter, media: MediaFile, files: Files) -> None:
    """Upload a file: at once, or where the upload belongs to the post, with all that comes before a post is public."""
    media_id = adapter.upload_media(media)
    if case.name in ("instagram", "tiktok"):
        part = replace(build_part(case, files)[0], media=(media,))
        prepared = adapter.prepare_post(part, media_ids=[media_id], reply_to=None, former="")
        adapter.create_post(part, media_ids=[media_id], reply_to=None, prepared=prepared, send_before=None)


def _peak_mb() -> float:
    """Give the most memory that this process ever had, in MB.

    Linux hands `ru_maxrss` down from the process that started this one, which may have had more; its own peak stands in /proc.
    """
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        return int(found[1]) * 1024 / 1_000_000 if found else 0.0
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1_000_000


if __name__ == "__main__":
    main()
