"""Compare servers: ``python -m tests.benchmarks.server [SCENARIO ...]``; needs wrk."""

from __future__ import annotations

import argparse
import http.client
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median
from threading import Event, Thread

from tests.benchmarks.server.contestants import BEYOND, CONTESTANTS
from tests.benchmarks.server.scenarios import SCENARIOS, Scenario

CROWDS = {"idle": 10_000, "heads": 1000, "bodies": 1000, "readers": 1000, "vanish": 400}
SCRIPT = Path(__file__).with_name("load.lua")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(name: str) -> Iterator[tuple[int, int]]:
    """A contestant's port and process."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.server.contestants", name, str(port)]
    # In a group of its own: some have workers, which would outlive them.
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            for _ in range(100):
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield port, process.pid
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def complaint(port: int, scenario: Scenario) -> str:
    """What is wrong with the answer; nothing when it is right."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        client.request(scenario.method, scenario.path, b"x" * scenario.body, scenario.headers)
        response = client.getresponse()
        size = len(response.read())
    except (OSError, http.client.HTTPException) as error:
        return repr(error)
    finally:
        client.close()
    if (response.status, size) != (200, scenario.answer):
        return f"status {response.status}, {size} bytes"
    return ""


def load(port: int, scenario: Scenario, seconds: int) -> tuple[float, int, float]:
    """Requests a second, errors, and the 99th percentile in milliseconds."""
    fields = [part for pair in scenario.headers.items() for part in pair]
    script = [scenario.method, str(scenario.body), scenario.path]
    mix = {"EVERY": str(scenario.every), "OTHER": scenario.other} if scenario.every else {}
    command = ["wrk", "-t1", f"-c{scenario.connections}", f"-d{seconds}s", "-s", str(SCRIPT)]
    out = subprocess.run(
        [*command, f"http://127.0.0.1:{port}", "--", *script, *fields],
        env=os.environ | mix,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (line,) = [line for line in out.splitlines() if line.startswith("RESULT")]
    requests, duration, errors, p99 = map(int, line.split()[1:])
    return requests / duration * 1e6, errors, p99 / 1000


@contextmanager
def probe(port: int, quick: list[float]) -> Iterator[None]:
    """Time quick requests beside a load, in milliseconds: wrk can't tell them from the slow."""
    done = Event()

    def ask() -> None:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        while not done.wait(0.005):
            began = time.perf_counter()
            client.request("GET", "/hello")
            client.getresponse().read()
            quick.append((time.perf_counter() - began) * 1000)
        client.close()

    thread = Thread(target=ask)
    thread.start()
    yield
    done.set()
    thread.join()


def processor(pid: int) -> float:
    """Seconds of processor time that a process and its children have taken."""
    total = 0.0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(path.parent.name) == pid or int(fields[1]) == pid:
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def compare(name: str, chosen: argparse.Namespace) -> None:
    scenario = SCENARIOS[name]
    print(f"\n{name}: {scenario.method} {scenario.path}, {scenario.connections} connections")
    rates: dict[str, list[float]] = {}
    notes: dict[str, tuple[float, float, int]] = {}
    for _ in range(chosen.rounds):
        for server in chosen.only:
            if server == "bare" and not scenario.limit:
                continue
            with running(server) as (port, pid):
                if wrong := complaint(port, scenario):
                    print(f"  {server}: answers wrongly, not timed ({wrong})")
                    continue
                before = processor(pid)
                with probe(port, quick := []) if scenario.every else nullcontext():
                    rate, errors, p99 = load(port, scenario, chosen.seconds)
                if scenario.every:
                    p99 = sorted(quick)[int(0.99 * len(quick))]
                cost = (processor(pid) - before) / (rate * chosen.seconds) * 1e6
                rates.setdefault(server, []).append(rate)
                notes[server] = cost, p99, errors
    own = median(rates.get("wsgikit", [0]))
    for server, values in rates.items():
        cost, p99, errors = notes[server]
        rate = median(values)
        line = f"  {server:10}{rate:9.0f}/s   wsgikit {own / rate:5.2f} x   {cost:6.0f} µs of CPU"
        print(f"{line}   p99 {p99:7.1f} ms   errors {errors}")
    peers = [median(values) for key, values in rates.items() if key not in {"wsgikit", *BEYOND}]
    if peers and own:
        ratio = own / max(peers)
        print(f"  {ratio:.2f} of the best peer, goal {scenario.goal}: ", end="")
        print("met" if ratio >= scenario.goal else "MISSED")


def memory(pid: int) -> int:
    """Resident bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    told = status.partition("VmRSS:")[2].split()
    if not told:
        raise OSError("the server has died")
    return 1024 * int(told[0])


def disturb(kind: str, chosen: argparse.Namespace) -> None:
    """The rate of quick requests beside a crowd, against the rate without it."""
    count = CROWDS[kind]
    print(f"\n{kind}: {count} of them beside hello")
    for server in chosen.only:
        if server == "bare":
            continue
        try:
            beside_crowd(kind, count, server, chosen.seconds)
        except (OSError, subprocess.CalledProcessError):
            print(f"  {server:10}     0 %: it answers nobody")


def measured(port: int, pid: int, seconds: int) -> tuple[float, float, str]:
    """The rate of quick requests, the server's processor time for each in µs, and the rest."""
    before = processor(pid)
    rate, errors, p99 = load(port, SCENARIOS["hello"], seconds)
    cost = (processor(pid) - before) / (rate * seconds) * 1e6
    return rate, cost, f"p99 {p99:.1f} ms   errors {errors}"


def beside_crowd(kind: str, count: int, server: str, seconds: int) -> None:
    """Alone, beside the crowd, and alone again.

    The crowd takes some of the machine for itself. What the server has to do with it shows in what
    a request costs it beside the crowd, against what one costs it alone.
    """
    with running(server) as (port, pid):
        alone, bytes_before = measured(port, pid, seconds), memory(pid)
        command = [sys.executable, "-m", "tests.benchmarks.server.crowd"]
        with subprocess.Popen(
            [*command, kind, str(count), str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as crowd:
            assert crowd.stdout
            assert crowd.stdin
            crowd.stdout.readline()
            time.sleep(1)
            rate, cost, rest = measured(port, pid, seconds)
            each = (memory(pid) - bytes_before) / count
            crowd.stdin.close()
            crowd.kill()
        again = measured(port, pid, seconds)
        rate_share = 100 * rate / ((alone[0] + again[0]) / 2)
        cost_share = 100 * ((alone[1] + again[1]) / 2) / cost
        print(
            f"  {server:10}{rate_share:6.0f} % of {alone[0]:.0f} and {again[0]:.0f}/s"
            f"   by processor time {cost_share:4.0f} %   {each:.0f} bytes each   {rest}"
        )


parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.server", description=__doc__)
names = [*SCENARIOS, *CROWDS]
parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(names)}")
parser.add_argument("--rounds", type=int, default=3, help="turns of each server (default: 3)")
parser.add_argument("--seconds", type=int, default=2, help="of each turn (default: 2)")
parser.add_argument("--only", nargs="+", default=list(CONTESTANTS), choices=CONTESTANTS)
chosen = parser.parse_args()
if unknown := set(chosen.scenarios) - set(names):
    parser.error(f"no scenario {', '.join(sorted(unknown))}: there are {', '.join(names)}")
chosen.only = [
    name for name in chosen.only if name == "bare" or importlib.util.find_spec(name) is not None
]
for name in chosen.scenarios or names:
    (compare if name in SCENARIOS else disturb)(name, chosen)
