"""Routers of ten to five thousand routes: look-ups must not slow down as they grow."""

from __future__ import annotations

from time import perf_counter
from wsgiref.types import WSGIApplication

from tests.benchmarks.exchange import answer, check
from tests.benchmarks.harness import Runner, Settings, compare
from tests.benchmarks.peers import lacking
from tests.benchmarks.report import heading, routes_table
from tests.benchmarks.routes import lookups
from tests.benchmarks.tables import BUILDERS, Builder

SIZES = (10, 100, 1000, 5000)
PATIENCE = 5.0  # seconds that building one table may take


def built(build: Builder, count: int) -> tuple[WSGIApplication, float]:
    """Return an application and the seconds of building it, its first request with it.

    Some routers compile at the first request. What is quick is built again: the best counts.
    """
    first = lookups(count)["first"][0]
    times: list[float] = []
    while not times or (sum(times) < 0.1 and len(times) < 10):
        begin = perf_counter()
        application = build(count)
        answer(application, first.fresh())
        times.append(perf_counter() - begin)
    return application, min(times)


def run(settings: Settings) -> None:
    """Print a table for each size; tell and leave out whose building takes too long."""
    heading("routers", "static and parameter routes, five a resource; building has a first request")
    names = [name for name in BUILDERS if not settings.only or name in settings.only]
    pace: dict[str, float] = {}  # seconds a route, in the table before
    for count in SIZES:
        print(f"  {count} routes")
        kinds = lookups(count)
        runners: dict[str, Runner] = {}
        for name in list(names):
            expected = pace.get(name, 0.0) * count
            if lacking(name):
                complaint = "not installed"
            elif expected > PATIENCE:
                complaint = f"building would take about {expected:.0f} s"
            else:
                try:
                    application, seconds = built(BUILDERS[name], count)
                except Exception as error:  # a version of the peer that is not known here
                    complaint = f"{type(error).__name__}: {error}"
                else:
                    pace[name] = seconds / count
                    asked = [exchange for kind in kinds.values() for exchange in kind]
                    complaint = check(application, asked)
            if complaint:
                names.remove(name)
                print(f"  {name}: left out ({complaint})")
                continue
            for kind, exchanges in kinds.items():
                runners[f"{name} {kind}"] = Runner(application, exchanges, settings.seconds)
        routes_table(names, list(kinds), compare(runners, settings.rounds), pace)
