"""A new process that imports, builds and answers one request, over one that does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.benchmarks.cold_programs import ANSWER, PROGRAMS, REQUEST
from tests.benchmarks.harness import Settings, gap
from tests.benchmarks.peers import lacking
from tests.benchmarks.report import heading, verdict

CHECKOUT = Path(__file__).parents[2]
ROUNDS_SHARE = 4  # of the rounds one in four: a process takes a hundred times a turn

# A process's peak memory counts what its parent had when it forked, so the parent is a small one
# (-S), and it takes the time too: without what starting it from here costs.
LAUNCHER = """
import os, sys, time
begin = time.perf_counter()
pid = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[1:]], os.environ)
_, status, usage = os.wait4(pid, 0)
print(time.perf_counter() - begin, usage.ru_maxrss, status)
"""
KILOBYTES = 1 if sys.platform == "linux" else 1 / 1024  # macOS counts bytes


def start(program: str, cache: str) -> tuple[float, float, list[str]]:
    """Run a program in a new interpreter; return milliseconds, peak MB, and what it printed.

    ``cache`` is the directory of compiled modules: all contestants have theirs after one run.
    """
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    launcher = [sys.executable, "-S", "-c", LAUNCHER]
    command = [*launcher, "-W", "ignore", "-c", program]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True
    )
    *printed, result = done.stdout.splitlines()
    seconds, peak, status = result.split()
    if status != "0":
        printed = done.stderr.splitlines()[-1:]
    return float(seconds) * 1e3, float(peak) * KILOBYTES / 1024, printed


def measure(settings: Settings, cache: str) -> dict[str, list[tuple[float, float]]]:
    """Return for each program that answers rightly its milliseconds and peak MB, round by round."""
    programs = {"(nothing)": "pass"}
    for name, program in PROGRAMS.items():
        if settings.only and name not in settings.only:
            continue
        if lacking(name):
            print(f"  {name}: not installed, left out")
            continue
        *_, printed = start(program + REQUEST, cache)
        if printed == ANSWER:
            programs[name] = program + REQUEST
        else:
            print(f"  {name}: answers wrongly, left out ({printed})")
    if "wsgikit" in programs:
        programs["(import)"] = "import wsgikit"
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for _ in range(max(1, settings.rounds // ROUNDS_SHARE)):
        for name, program in programs.items():
            runs[name].append(start(program, cache)[:2])
    return runs


def run(settings: Settings) -> None:
    """Print the medians of what each adds to an interpreter that does nothing."""
    heading("cold-start", "import, build, first request in a new process, over a bare interpreter")
    if not hasattr(os, "wait4"):
        print("  left out: needs os.posix_spawn and os.wait4")
        return
    with TemporaryDirectory() as cache:
        runs = measure(settings, cache)
    print(f"  {'':12}{'min ms':>10}{'median ms':>11}{'over':>9}{'peak MB':>9}{'over':>7}")
    for name, measured in runs.items():
        times, peaks = zip(*measured, strict=True)
        idle_times, idle_peaks = zip(*runs["(nothing)"], strict=True)
        over, more = gap(times, idle_times), gap(peaks, idle_peaks)
        line = f"  {name:12}{min(times):10.1f}{median(times):11.1f}{over:9.1f}"
        line += f"{median(peaks):9.1f}{more:7.1f}"
        if name == "wsgikit":
            line += f"   {verdict(over, 15, 'ms')}, {verdict(more, 3, 'MB')}"
        elif name == "(import)":
            line += f"   import wsgikit: {verdict(over, 5, 'ms')}"
        print(line)
