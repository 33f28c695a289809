"""A soak: clients of every kind for as long as one likes, and what becomes of the server.

``python -m tests.benchmarks.server.soak --minutes 60`` starts a server and its guests, samples the
server's memory, descriptors and threads, and ends with a verdict; it exits with 1 where anything
was wrong. The rate is fixed and moderate: what is measured is time, not speed.
"""

from __future__ import annotations

import argparse
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import linear_regression, median
from threading import Event, Thread

from tests.benchmarks.server.guests import GUESTS, Dial
from tests.benchmarks.server.soaked import LIMITS

#: Seconds in which caches and the allocator's arenas, one for each thread, may fill.
WARM_UP = 600
#: Growth from the first third to the last that the allocator alone makes: bytes, or a share.
NOISE, NOISE_SHARE = 3 << 20, 0.05
#: What the server logs because the application was told to fail.
MEANT = "Error in the application at GET /"


@dataclass(frozen=True)
class Sample:
    """A process at one moment."""

    at: float
    memory: int
    descriptors: int
    threads: int

    def __str__(self) -> str:
        told = f"{self.at:7.0f} s   {self.memory / 1024:7.0f} KiB"
        return f"{told}   {self.descriptors:4} descriptors   {self.threads:3} threads"


def sample(pid: int, began: float) -> Sample:
    status = Path(f"/proc/{pid}/status").read_text()
    memory, threads = (int(status.partition(name)[2].split()[0]) for name in ("VmRSS:", "Threads:"))
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Sample(time.monotonic() - began, memory * 1024, descriptors, threads)


class Crowd:
    """All guests, each kind at its own rate, until they are told to end."""

    def __init__(self, dial: Dial, pace: float) -> None:
        self.visits: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._dial = dial
        self._end = Event()
        self._threads: list[Thread] = []
        for guest, rate in GUESTS.items():
            # A visit takes up to eight seconds: who comes often comes as several.
            count = max(2, round(rate * pace * (9 if rate <= 2 else 1)))
            task = partial(self._come, guest, count / (rate * pace))
            self._threads += [Thread(target=task) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _come(self, guest: Callable[[Dial], None], period: float) -> None:
        name = guest.__name__
        self._end.wait(period * random.random())
        while not self._end.is_set():
            try:
                guest(self._dial)
            except Exception as error:
                self.wrong.append(f"{name}: {error!r}"[:300])
            self.visits[name] += 1
            self._end.wait(period)

    def leave(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()


class Log:
    """What the server writes on stderr: counted, and kept where nobody meant it."""

    SUSPECT = ("Error", "Warning", "Exception ignored", "Cannot accept", "Stopped with")

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.meant = 0
        self.suspect: list[str] = []
        self._stream = process.stderr
        self._thread = Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self._stream is not None
        for line in self._stream:
            if line.startswith(MEANT):
                self.meant += 1
            elif "a failure that is meant" not in line and any(
                word in line for word in self.SUSPECT
            ):
                self.suspect.append(line.rstrip())

    def join(self) -> None:
        self._thread.join()


def growth(samples: list[Sample]) -> tuple[float, float]:
    """Bytes from the first third to the last, and bytes an hour along a straight line."""
    third = max(1, len(samples) // 3)
    first = median(each.memory for each in samples[:third])
    last = median(each.memory for each in samples[-third:])
    line = linear_regression([each.at for each in samples], [each.memory for each in samples])
    return last - first, line.slope * 3600


def memory_verdict(samples: list[Sample]) -> list[str]:
    calm = [each for each in samples if each.at > WARM_UP]
    if len(calm) < 6:
        print(f"memory: not judged before {WARM_UP} s")
        return []
    grown, hourly = growth(calm)
    print(f"memory: {grown / 1024:+.0f} KiB from the first third to the last", end="")
    print(f", {hourly / 1024:+.0f} KiB an hour, after {WARM_UP} s of warming up")
    if grown > max(NOISE, NOISE_SHARE * calm[0].memory):
        return [f"memory grew by {grown / 1024:.0f} KiB"]
    return []


def verdict(
    before: Sample, samples: list[Sample], after: Sample, crowd: Crowd, log: Log, code: int
) -> list[str]:
    """What is wrong; nothing when all is well."""
    found = memory_verdict(samples)
    if after.descriptors > before.descriptors:
        found.append(f"{after.descriptors - before.descriptors} descriptors were left open")
    if after.threads > before.threads:
        found.append(f"{after.threads - before.threads} threads were left")
    if crowd.wrong:
        found.append(f"{len(crowd.wrong)} visits went wrong: {'; '.join(crowd.wrong[:5])}")
    if log.suspect:
        found.append(f"{len(log.suspect)} lines of the log: {'; '.join(log.suspect[:5])}")
    failed = crowd.visits["failing"] + crowd.visits["cut"]
    if log.meant != failed:
        found.append(f"{failed} failures of the application were told {log.meant} times")
    if code:
        found.append(f"the server ended with {code}")
    return found


def soak(minutes: float, pace: float) -> bool:
    """Whether all is well."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    dial = partial(connect, port)
    command = [sys.executable, "-W", "always::ResourceWarning"]
    with subprocess.Popen(
        [*command, "-m", "tests.benchmarks.server.soaked", str(port)],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        log = Log(process)
        try:
            wait_for(dial)
            time.sleep(1)
            began = time.monotonic()
            before = sample(process.pid, began)
            print(f"before    {before}", flush=True)
            crowd = Crowd(dial, pace)
            interval = min(max(0.6 * minutes, 1), 20)
            samples = []
            while (now := time.monotonic() - began) < 60 * minutes:
                time.sleep(min(interval, max(0.1, 60 * minutes - now)))
                if process.poll() is not None:
                    break
                samples.append(sample(process.pid, began))
                print(f"{sum(crowd.visits.values()):9} {samples[-1]}", flush=True)
            crowd.leave()
            after = before
            if process.poll() is None:
                after = quiet(process.pid, began, before)
                print(f"after     {after}")
                process.send_signal(signal.SIGTERM)
            else:
                print("the server has died", flush=True)
            code = process.wait(30)
        finally:
            process.kill()
        log.join()
    print(", ".join(f"{name} {count}" for name, count in crowd.visits.most_common()))
    found = verdict(before, samples, after, crowd, log, code)
    for line in found:
        print(f"WRONG: {line}")
    print(f"verdict: {'NOT well' if found else 'all is well'}", flush=True)
    return not found


def quiet(pid: int, began: float, before: Sample) -> Sample:
    """The process after all have left, or when its last deadline is over."""
    end = time.monotonic() + LIMITS.head_time + 3
    while True:
        now = sample(pid, began)
        if now.descriptors <= before.descriptors or time.monotonic() > end:
            return now
        time.sleep(0.2)


def connect(port: int, buffer: int | None = None) -> socket.socket:
    client = socket.socket()
    if buffer is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.settimeout(30)
    client.connect(("127.0.0.1", port))
    return client


def wait_for(dial: Dial) -> None:
    for _ in range(100):
        try:
            dial().close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server does not listen")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.server.soak", description=__doc__
    )
    parser.add_argument("--minutes", type=float, default=1, help="how long (default: 1)")
    parser.add_argument("--pace", type=float, default=1.0, help="of the guests (default: 1)")
    given = parser.parse_args()
    sys.exit(not soak(given.minutes, given.pace))
