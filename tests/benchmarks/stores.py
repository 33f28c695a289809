"""Checks of a rate limit by many processes at once, in one SQLite file.

A check is one ``increment`` with a floor, a ceiling and a time to live. All processes count on one
key, or each on its own; the waiting for the file is the same. ``bare`` is the same statement by
hand, with the waiting that SQLite has itself, and without limits, expiry and room.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, time

from tests.benchmarks.harness import Settings
from tests.benchmarks.report import heading
from wsgikit.stores import SQLiteStore

PROCESSES = (1, 4, 8)
SHARE = 30  # a measurement takes so many times what all turns of another scenario do
TURNS = 3  # of all contestants one after the other, so that a slow moment hits all
INTERVAL = 1  # microseconds: nothing is refused, so that each check writes
BURST = 10**12

Check = Callable[[], int]
Turn = tuple[float, float, float]
Open = Callable[[str, str], tuple[Check, Callable[[], None]]]

TABLE = "CREATE TABLE IF NOT EXISTS limits (key TEXT PRIMARY KEY, due INTEGER NOT NULL)"
FIND = "SELECT due FROM limits WHERE key = ?"
WRITE = """
    INSERT INTO limits (key, due) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET due = excluded.due
"""


def by_hand(path: str, key: str) -> tuple[Check, Callable[[], None]]:
    """Return a check and what closes it."""
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(TABLE)
    execute = connection.execute

    def check() -> int:
        now = int(time() * 1e6)
        execute("BEGIN IMMEDIATE")
        found = execute(FIND, (key,)).fetchone()
        due = max(found[0] if found else 0, now) + INTERVAL
        if due <= now + BURST:
            execute(WRITE, (key, due))
        execute("COMMIT")
        return due

    return check, connection.close


def with_wsgikit(path: str, key: str) -> tuple[Check, Callable[[], None]]:
    """Return a check and what closes it."""
    store = SQLiteStore(path, busy_timeout=60)

    def check() -> int:
        now = int(time() * 1e6)
        return store.increment(key, INTERVAL, floor=now, ceiling=now + BURST, expires=60)

    return check, store.close


def count(open: Open, path: str, key: str, start: float, seconds: float) -> tuple[int, float]:
    """Return how many checks a process got through, and the seconds of the longest."""
    check, close = open(path, key)
    check()
    while time() < start:
        pass
    checks, longest, end = 0, 0.0, start + seconds
    while time() < end:
        begin = perf_counter()
        check()
        longest = max(longest, perf_counter() - begin)
        checks += 1
    close()
    return checks, longest


CONTESTANTS: dict[str, Open] = {"bare": by_hand, "wsgikit": with_wsgikit}


def at_once(open: Open, processes: int, own: bool, seconds: float) -> Turn:
    """Return checks a second of all processes, the share of the slowest, and the longest check."""
    with TemporaryDirectory() as directory:
        path = str(Path(directory, "store"))
        check, close = open(path, "key")
        check()
        close()
        reader, writer = os.pipe()
        start = time() + 0.01 * processes
        for number in range(processes):
            if os.fork() == 0:
                key = f"key {number}" if own else "key"
                checks, longest = count(open, path, key, start, seconds)
                os.write(writer, f"{checks} {longest}\n".encode())
                os._exit(0)
        os.close(writer)
        statuses = [os.wait()[1] for _ in range(processes)]
        with closing(os.fdopen(reader)) as told:
            results = [line.split() for line in told]
    if any(statuses) or len(results) != processes:
        raise RuntimeError("a process failed")
    checks = [int(checks) for checks, _ in results]
    fair = min(checks) * processes / max(1, sum(checks))  # 1: each as many as the others
    return sum(checks) / seconds, fair, max(float(longest) for _, longest in results)


def run(settings: Settings) -> None:
    """Print a line a contestant and kind of key: medians of the turns, and the longest check."""
    heading("stores", "rate limit checks a second in one SQLite file, by processes at once")
    if not hasattr(os, "fork"):
        print("  left out: needs os.fork")
        return
    seconds = SHARE * settings.rounds * settings.seconds / TURNS
    names = [name for name in CONTESTANTS if not settings.only or name in settings.only]
    lines = [(name, own) for name in names for own in (False, True)]
    turns: dict[tuple[str, bool, int], list[Turn]] = {
        (*line, processes): [] for line in lines for processes in PROCESSES
    }
    for _ in range(TURNS):
        for (name, own, processes), measured in turns.items():
            measured.append(at_once(CONTESTANTS[name], processes, own, seconds))
    print(f"  {'':22}" + "".join(f"{each:>8} proc." for each in PROCESSES), end="")
    print(f"{'slowest share':>15}{'longest ms':>12}")
    for name, own in lines:
        line = f"  {name:9}{'a key each' if own else 'one key':13}"
        for processes in PROCESSES:
            line += f"{median(turn[0] for turn in turns[name, own, processes]):14,.0f}"
        most = turns[name, own, PROCESSES[-1]]
        line += f"{median(fair for _, fair, _ in most):14.0%}"
        print(f"{line} {max(longest for _, _, longest in most) * 1e3:11.1f}")
