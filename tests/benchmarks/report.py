"""The tables: microseconds, the ratio to bare, and the goal beside wsgikit's line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from tests.benchmarks.harness import ratio


def verdict(value: float, goal: float, unit: str = "x") -> str:
    """Return the goal and whether a value reaches it, in words."""
    return f"goal <= {goal:g} {unit}: {'met' if value <= goal else 'MISSED'}"


def table(times: Mapping[str, Sequence[float]], goal: float | None = None) -> None:
    """Print a line a contestant; the ratio needs a contestant named ``bare``."""
    print(f"  {'':12}{'min µs':>10}{'median µs':>11}{'x bare':>9}")
    for name, values in times.items():
        line = f"  {name:12}{min(values) * 1e6:10.2f}{median(values) * 1e6:11.2f}"
        if "bare" in times:
            factor = ratio(values, times["bare"])
            line += f"{factor:9.2f}"
            if goal is not None and name == "wsgikit":
                line += "   " + verdict(factor, goal)
        print(line)


def heading(name: str, what: str) -> None:
    """Print a scenario's name and what it does."""
    print(f"\n{name}: {what}")


def routes_table(
    names: Sequence[str],
    kinds: Sequence[str],
    times: Mapping[str, Sequence[float]],
    pace: Mapping[str, float],
) -> None:
    """Print a line a router: building a route, then median µs and ratio to bare of each look-up."""
    print(
        f"  {'':12}{'build µs/route':>15}"
        + "".join(f"{kind + ' µs':>12}   x bare" for kind in kinds)
    )
    for name in names:
        line = f"  {name:12}{pace[name] * 1e6:15.1f}"
        for kind in kinds:
            values = times[f"{name} {kind}"]
            line += f"{median(values) * 1e6:12.2f}"
            base = times.get(f"bare {kind}")
            line += f"{ratio(values, base):9.2f}" if base else " " * 9
        print(line)
    if "wsgikit" not in names:
        return
    goals = [f"build {verdict(pace['wsgikit'] * 1e6, 100, 'µs')}"]
    for kind in "mixed", "miss":
        if f"bare {kind}" in times:
            factor = ratio(times[f"wsgikit {kind}"], times[f"bare {kind}"])
            goals.append(f"{kind} {verdict(factor, 2.0)}")
    print(f"  wsgikit: {', '.join(goals)}")
