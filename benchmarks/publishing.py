"""The engine from the bell to the platform: `python -m benchmarks.publishing [PART ...] [--quick]`.

    path      posts per second, against `benchmarks.bare`: four processes of psycopg and httpx2 that make the same durable writes and
              the same call and nothing else; same hub, same stand-in for X, in turn
    burst     300 posts of 300 accounts due at the same second, a platform that takes 300 ms; against the same four bare processes
    lateness  200 posts spread over a minute on an idle worker: from their time to their arrival at the platform
    million   the rate of `path` with a million future posts and bells in the tables, against empty tables; the claim's own time too
    flood     100,000 posts due at the same second: the rate of the last tenth against that of the first, and the memory
    idle      what a worker without work costs: CPU, statements, memory

Everything runs in one temporary hub, on loopback and Unix sockets, and is gone at the end. Ratios hold; absolute times belong to the
machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import time
from collections.abc import Callable
from statistics import median

from benchmarks import ground as g
from benchmarks.timing import PYTHON, ROOT

ACCOUNTS = 1000
WORKERS = 4


def path(ground: g.Ground, *, quick: bool) -> None:
    """Print posts per second, ours and bare."""
    count, repeats = (400, 2) if quick else (1500, 5)
    pairs = []
    for _ in range(repeats):
        bare, bare_cpu = _run_bare(ground, count=count)
        with g.run_worker(PSN_WORKERS=str(WORKERS)) as worker:
            ours, cpu = _run_ours(ground, worker, count=count)
        pairs.append((ours / bare, ours, bare))
        print(
            f"    ours {ours:.0f}/s ({cpu:.1f} ms of the worker's CPU a post), bare {bare:.0f}/s ({bare_cpu:.1f} ms)",
            flush=True,
        )
    ratios = sorted(pair[0] for pair in pairs)
    print(
        f"path: {median(ratios):.2f} x the bare loop ({ratios[0]:.2f} .. {ratios[-1]:.2f}), {WORKERS} workers, {count} posts"
    )


def burst(ground: g.Ground, *, quick: bool) -> None:
    """Print when the last of 300 posts due together is accepted."""
    count = 300
    ground.clear()
    ground.forget_arrivals(delay_seconds=0.3)
    g.make_posts(ground, count=count, due="now()", prefix="b", bells_too=False)
    started = time.monotonic()
    _finish(_start_bare(ground))
    plain = time.monotonic() - started
    lasts, memory = [], 0.0
    with g.run_worker(PSN_WORKERS=str(WORKERS)) as worker:
        for _ in range(1 if quick else 5):
            ground.clear()
            ground.forget_arrivals(delay_seconds=0.3)
            late = _lateness(ground, count=count, due="date_trunc('second', now()) + interval '3.001 s'", seconds=60)
            lasts.append(late[-1])
            memory = max(memory, g.memory_of(worker))
            time.sleep(1.0)
    last = median(lasts)
    print(
        f"burst: the last of {count} accepted {last:.2f} s after its time ({min(lasts):.2f} .. {max(lasts):.2f}), "
        f"{plain / last:.1f} x sooner than four plain processes ({plain:.1f} s); the worker takes {memory:.0f} MB"
    )


def lateness(ground: g.Ground, *, quick: bool) -> None:
    """Print how late posts arrive on an idle worker."""
    count, spread = (60, 15) if quick else (200, 60)
    with g.run_worker(PSN_WORKERS=str(WORKERS)):
        ground.clear()
        ground.forget_arrivals()
        due = f"now() + interval '2 s' + random() * interval '{spread} s'"
        late = _lateness(ground, count=count, due=due, seconds=spread + 30)
    print(
        f"lateness: median {late[len(late) // 2] * 1000:.1f} ms, p99 {late[int(len(late) * 0.99) - 1] * 1000:.1f} ms, "
        f"max {late[-1] * 1000:.1f} ms; {len(late)} posts over {spread} s"
    )


def million(ground: g.Ground, *, quick: bool) -> None:
    """Print the rate with many future posts in the tables against the rate without."""
    future, count = (50_000, 400) if quick else (1_000_000, 1500)
    rates: dict[bool, list[float]] = {False: [], True: []}
    for is_full in (False, True):
        ground.clear()
        if is_full:
            started = time.monotonic()
            for first in range(0, future, 50_000):
                due = "now() + interval '30 days' + i * interval '1 s'"
                g.make_posts(ground, count=50_000, due=due, prefix="f", first=first, analyze=False)
            with ground.sql() as sql:
                sql.execute("VACUUM ANALYZE")
            print(f"    {future:,} future posts and bells made in {time.monotonic() - started:.0f} s", flush=True)
        for _ in range(2 if quick else 4):
            with g.run_worker(PSN_WORKERS=str(WORKERS)) as worker:
                rates[is_full].append(_run_ours(ground, worker, count=count, clear=not is_full)[0])
            print(f"    {'full ' if is_full else 'empty'} {rates[is_full][-1]:.0f}/s", flush=True)
    ratio = median(rates[True]) / median(rates[False])
    print(f"million: {ratio:.2f} x the rate of empty tables, with {future:,} future posts and bells")
    ground.clear()


def flood(ground: g.Ground, *, quick: bool) -> None:
    """Print whether a flood drains at one rate, and in how much memory."""
    count = 5_000 if quick else 100_000
    ground.clear()
    ground.forget_arrivals()
    with g.run_worker(PSN_WORKERS=str(WORKERS)) as worker:
        for first in range(0, count, 20_000):
            due = "date_trunc('minute', now()) + interval '120.001 s'" if not quick else "now() + interval '3 s'"
            g.make_posts(ground, count=min(20_000, count - first), due=due, prefix="d", first=first)
        memory, arrived = 0.0, 0
        give_up = time.monotonic() + 60 + count / 20
        while arrived < count and time.monotonic() < give_up:
            arrived = len(ground.arrivals(count=count, seconds=10))
            memory = max(memory, g.memory_of(worker))
        times = sorted(at for at, _ in ground.arrivals(count=count, seconds=1))
    tenth = len(times) // 10
    begins, ends = (tenth / (part[-1] - part[0]) for part in (times[:tenth], times[-tenth:]))
    print(
        f"flood: {len(times):,} of {count:,} posts due at the same second, {begins:.0f}/s in the first tenth, "
        f"{ends / begins:.2f} x that in the last; at most {memory:.0f} MB"
    )
    ground.clear()


def idle(ground: g.Ground, *, quick: bool) -> None:
    """Print what a worker without work costs."""
    seconds = 20 if quick else 120
    ground.clear()
    with g.run_worker(PSN_WORKERS=str(WORKERS)) as worker, ground.sql() as sql:
        time.sleep(5)
        count = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
        [before], cpu = sql.execute(count).fetchall()[0], g.cpu_of(worker)
        time.sleep(seconds)
        [after], cpu = sql.execute(count).fetchall()[0], g.cpu_of(worker) - cpu
        print(
            f"idle: {cpu / seconds:.2%} of a core, {(after - before) / seconds:.2f} transactions a second, "
            f"{g.memory_of(worker):.0f} MB"
        )


PARTS: dict[str, Callable[..., None]] = {part.__name__: part for part in (idle, lateness, burst, path, million, flood)}


def main() -> None:
    """Run the parts that are asked for, all of them when none is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which; all when left out")
    parser.add_argument("--quick", action="store_true", help="smaller and shorter: shows that it works, not how fast")
    arguments = parser.parse_args()
    with g.make_ground(accounts=ACCOUNTS) as ground:
        for name in arguments.parts or PARTS:
            PARTS[name](ground, quick=arguments.quick)


def _lateness(ground: g.Ground, *, count: int, due: str, seconds: float) -> list[float]:
    """Make posts, wait for them, and give the seconds from each one's time to its arrival, sorted."""
    g.make_posts(ground, count=count, due=due, prefix="l")
    arrivals = ground.arrivals(count=count, seconds=seconds)
    assert len(arrivals) == count, f"{len(arrivals)} of {count} posts arrived"
    with ground.sql() as sql:
        rows = sql.execute(
            "SELECT q.text, extract(epoch FROM p.due_at)::float8 FROM posts p JOIN post_parts q ON q.post_id = p.id"
        ).fetchall()
    dues = dict(rows)
    return sorted(at - dues[text] for at, text in arrivals)


def _run_ours(
    ground: g.Ground, worker: subprocess.Popen[str], *, count: int, clear: bool = True
) -> tuple[float, float]:
    """Give posts per second, and the worker's CPU milliseconds a post."""
    if clear:
        ground.clear()
    ground.forget_arrivals()
    g.make_posts(ground, count=count, due="now() + interval '2 s'", prefix="o", analyze=clear)
    time.sleep(1.0)
    before = g.cpu_of(worker)
    rate = _rate(ground, count=count)
    time.sleep(0.5)
    return rate, (g.cpu_of(worker) - before) / count * 1000


def _run_bare(ground: g.Ground, *, count: int) -> tuple[float, float]:
    """Give posts per second of the bare processes, and their CPU milliseconds a post, with what it takes to start them."""
    ground.clear()
    ground.forget_arrivals()
    g.make_posts(ground, count=count, due="now() + interval '2 s'", prefix="o", bells_too=False)
    before = os.times()
    _finish(_start_bare(ground))
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return _rate(ground, count=count), cpu / count * 1000


def _rate(ground: g.Ground, *, count: int) -> float:
    times = sorted(at for at, _ in ground.arrivals(count=count, seconds=120))
    assert len(times) == count, f"{len(times)} of {count} posts arrived"
    return (count - 1) / (times[-1] - times[0])


def _start_bare(ground: g.Ground) -> list[subprocess.Popen[bytes]]:
    with ground.sql() as sql:
        environment = {**os.environ, "BARE_DSN": sql.info.dsn, "BARE_URL": ground.platform_url}
    return [
        subprocess.Popen([PYTHON, "-m", "benchmarks.bare"], env=environment, cwd=ROOT, stdin=subprocess.DEVNULL)
        for _ in range(WORKERS)
    ]


def _finish(processes: list[subprocess.Popen[bytes]]) -> None:
    codes = [process.wait(timeout=300) for process in processes]
    assert not any(codes), codes


if __name__ == "__main__":
    main()
