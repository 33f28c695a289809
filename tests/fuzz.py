"""Try the parsers with as much hostile input as there is time for.

The properties are those of the tests: whatever comes, in whatever blocks, gives one answer, and no
exception but the declared ones. The tests look at a few dozen examples of each; here they go on::

    python -m tests.fuzz                                   # ten minutes, every parser
    python -m tests.fuzz --minutes 60 multipart parts      # one hour, those two
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from time import monotonic

from hypothesis import HealthCheck, is_hypothesis_test, settings

FOLDER = Path(__file__).parent / "http"
MODULES = sorted(path.stem.removeprefix("test_") for path in FOLDER.glob("test_*.py"))
EXAMPLES = 500  # of one property, before the next has its turn


def properties(names: list[str]) -> Iterator[tuple[str, Callable[[], None]]]:
    """Find the tests that take nothing but examples."""
    for name in names:
        for attribute, test in vars(importlib.import_module(f"tests.http.test_{name}")).items():
            if is_hypothesis_test(test) and not inspect.signature(test).parameters:
                yield f"{name}: {attribute}", test


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("parsers", nargs="*", metavar="PARSER", help=f"of {', '.join(MODULES)}")
    parser.add_argument("--minutes", type=float, default=10, help="how long (default: 10)")
    given = parser.parse_args(arguments)
    if unknown := set(given.parsers) - set(MODULES):
        parser.error(f"no tests of {', '.join(sorted(unknown))}")
    settings.register_profile(
        "fuzz",
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("fuzz")
    found = [*properties(given.parsers or MODULES)]
    end, turns = monotonic() + 60 * given.minutes, 0
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


if __name__ == "__main__":
    main(sys.argv[1:])
