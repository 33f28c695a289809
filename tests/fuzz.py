"""Try the parsers with as much hostile input as there is time for.

The properties are those of the tests: whatever comes, in whatever blocks, gives one answer, and no
exception but the declared ones. The tests look at a few dozen examples of each; here they go on::

    python -m tests.fuzz                                   # ten minutes, every parser
    python -m tests.fuzz --minutes 60 multipart parts      # one hour, those two
    python -m tests.fuzz --coverage                        # ten minutes, led by what is reached

With ``--coverage``, input is made of what has reached other code before, by atheris
(``pip install atheris``), for one parser after the other. Without, it is Hypothesis that makes it.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from hypothesis import HealthCheck, is_hypothesis_test, settings

FOLDER = Path(__file__).parent
MODULES = {
    path.stem.removeprefix("test_"): f"tests.{folder}.{path.stem}"
    for folder in ("http", "forms")
    for path in sorted((FOLDER / folder).glob("test_*.py"))
} | {name: f"tests.server.test_{name}" for name in ("head", "protocol", "request_line")}
EXAMPLES = 500  # of one property, before the next has its turn
LONGEST = 4096  # bytes of an input that is led by coverage

LED = """
import atheris, sys
with atheris.instrument_imports(include=["wsgikit"]):
    from tests.targets import TARGETS
atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
atheris.Fuzz()
"""


def properties(names: list[str]) -> Iterator[tuple[str, Callable[[], None]]]:
    """Find the tests that take nothing but examples, and the targets of those parsers."""
    targets = importlib.import_module("tests.test_targets").PROPERTIES
    for name in names:
        if name in targets:
            yield f"{name}: target", targets[name]
        if name not in MODULES:
            continue
        for attribute, test in vars(importlib.import_module(MODULES[name])).items():
            if is_hypothesis_test(test) and not inspect.signature(test).parameters:
                yield f"{name}: {attribute}", test


def by_hypothesis(names: list[str], minutes: float) -> None:
    """Give each property its turn until the time is over."""
    settings.register_profile(
        "fuzz",
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("fuzz")
    found = [*properties(names)]
    end, turns = monotonic() + 60 * minutes, 0
    for name, test in cycle(found):
        if monotonic() >= end:
            break
        try:
            test()
        except BaseException:
            print(f"{name} has failed")
            raise
        turns += 1
    print(f"{len(found)} properties, {turns} turns of {EXAMPLES} examples: all hold")


def by_coverage(names: list[str], minutes: float) -> None:
    """Give each target its share of the time, in a process of its own."""
    seeds = importlib.import_module("tests.targets").SEEDS
    names = [name for name in names if name in seeds]
    seconds = max(1, int(60 * minutes / len(names)))
    inputs = 0
    for name in names:
        with TemporaryDirectory(prefix="fuzz-") as corpus:
            for number, seed in enumerate(seeds[name]):
                Path(corpus, f"seed-{number}").write_bytes(seed)
            options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-rss_limit_mb=1024"]
            options += [
                "-timeout=10",
                "-print_final_stats=1",
                f"-artifact_prefix={corpus}/",
                corpus,
            ]
            run = subprocess.run(
                [sys.executable, "-c", LED, name, *options],
                cwd=FOLDER.parent,
                capture_output=True,
                text=True,
                check=False,
            )
        if run.returncode:
            print(run.stdout[-5000:], run.stderr[-5000:], f"{name} has failed", sep="\n")
            raise SystemExit(1)
        words = run.stderr.split()
        units = int(words[words.index("stat::number_of_executed_units:") + 1])
        print(f"{name:15}{units:>12,} inputs in {seconds} s", flush=True)
        inputs += units
    print(f"{len(names)} targets, {inputs:,} inputs: no exception but the declared ones")


def main(arguments: list[str]) -> None:
    known = sorted({*MODULES, *importlib.import_module("tests.targets").TARGETS})
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parsers", nargs="*", metavar="PARSER", help=f"of {', '.join(known)}")
    parser.add_argument("--minutes", type=float, default=10, help="how long (default: 10)")
    parser.add_argument("--coverage", action="store_true", help="led by coverage; needs atheris")
    given = parser.parse_args(arguments)
    if unknown := set(given.parsers) - set(known):
        parser.error(f"no tests of {', '.join(sorted(unknown))}")
    (by_coverage if given.coverage else by_hypothesis)(given.parsers or known, given.minutes)


if __name__ == "__main__":
    main(sys.argv[1:])
