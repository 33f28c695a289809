"""Time applications in turns (A B C, A B C, ...), so that a slow moment of the machine hits all.

Machines have paces and change them within tens of milliseconds: turns are short, rounds many.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from types import FunctionType
from typing import Any
from wsgiref.types import WSGIApplication

from tests.benchmarks.exchange import Exchange, check
from tests.benchmarks.peers import lacking

SLOW = 1.0  # seconds of a call that is timed once: more of them would tell no more
BATCH = 250  # environs made ahead of the clock: few enough for the processor's cache

Builder = Callable[[], WSGIApplication]


@dataclass(frozen=True)
class Settings:
    """How long to measure, and whom."""

    rounds: int
    seconds: float  # of one turn of one application
    only: Sequence[str]  # names of contestants; empty: all


def drive(application: WSGIApplication, environs: list[dict[str, Any]]) -> float:
    """Answer every environ as a server would; return the seconds that all took."""

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        return None

    join = b"".join
    begin = perf_counter()
    for environ in environs:
        body = application(environ, start_response)
        join(body)
        close = getattr(body, "close", None)
        if close is not None:
            close()
    return perf_counter() - begin


class Runner:
    """An application with the requests that it is timed with."""

    def __init__(
        self, application: WSGIApplication, exchanges: Sequence[Exchange], seconds: float
    ) -> None:
        self.application = application
        self.exchanges = exchanges
        self.seconds = seconds
        # CPython specialises code to whom it calls: one drive for all would fit one of them best.
        self.drive = FunctionType(drive.__code__.replace(), globals())
        each = len(exchanges)  # only whole passes, so that each request counts alike
        self.count = each
        self.slow = 0.0
        pace = self.batch() / each
        if pace > SLOW:
            self.slow = pace
            return
        pace = min(pace, self.batch() / each)
        self.count = max(1, min(BATCH, int(seconds / 4 / pace)) // each) * each
        self.turn()  # warm up

    def batch(self) -> float:
        """Return the seconds of ``self.count`` calls, without those that the environs took."""
        exchanges = self.exchanges
        passes = self.count // len(exchanges)
        environs = [exchange.fresh() for _ in range(passes) for exchange in exchanges]
        gc.disable()  # as timeit does; what the calls leave is collected between the batches
        try:
            spent: float = self.drive(self.application, environs)
        finally:
            gc.enable()
        return spent

    def turn(self) -> float:
        """Return the seconds per call over about ``self.seconds``."""
        if self.slow:
            return self.slow
        self.batch()  # not counted: the others have filled the processor's caches with theirs
        spent, calls = 0.0, 0
        while spent < self.seconds:
            spent += self.batch()
            calls += self.count
        return spent / calls


def compare(runners: Mapping[str, Runner], rounds: int) -> dict[str, list[float]]:
    """Return for each name the seconds per call, one number a round."""
    gc.collect()
    gc.freeze()  # what stands now is no rubbish of the calls
    times: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(rounds):
        for name, runner in runners.items():
            times[name].append(runner.turn())
    gc.unfreeze()
    return times


def ratio(times: Sequence[float], base: Sequence[float]) -> float:
    """Return the median of the rounds' ratios: both of a ratio met the same moments."""
    return median(time / bare for time, bare in zip(times, base, strict=True))


def gap(values: Sequence[float], base: Sequence[float]) -> float:
    """Return the median of the rounds' differences."""
    return median(value - bare for value, bare in zip(values, base, strict=True))


def sound(
    builders: Mapping[str, Builder], exchanges: Sequence[Exchange], only: Sequence[str]
) -> dict[str, WSGIApplication]:
    """Build the applications; tell and leave out who is missing or answers wrongly."""
    applications = {}
    for name, build in builders.items():
        if only and name not in only:
            continue
        if lacking(name):
            print(f"  {name}: not installed, left out")
            continue
        try:
            application = build()
        except Exception as error:  # a version of the peer that is not known here
            print(f"  {name}: cannot be built, left out ({type(error).__name__}: {error})")
            continue
        if complaint := check(application, exchanges):
            print(f"  {name}: answers wrongly, left out ({complaint})")
        else:
            applications[name] = application
    return applications


def race(
    builders: Mapping[str, Builder],
    checks: Sequence[Exchange],
    timed: Sequence[Exchange],
    settings: Settings,
) -> dict[str, list[float]]:
    """Build, check and compare: for each name the seconds per call, one number a round."""
    runners = {
        name: Runner(application, timed, settings.seconds)
        for name, application in sound(builders, checks, settings.only).items()
    }
    return compare(runners, settings.rounds)
