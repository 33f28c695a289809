"""Choose scenarios, contestants and rounds on the command line."""

from __future__ import annotations

import argparse
import platform

from tests.benchmarks import (
    cold_start,
    form,
    hello,
    json_document,
    layers,
    middleware,
    routers,
    static_files,
    stores,
    uploads,
)
from tests.benchmarks.harness import Settings

SCENARIOS = {
    "hello": hello.run,
    "json": json_document.run,
    "form": form.run,
    "layers": layers.run,
    "middleware": middleware.run,
    "routers": routers.run,
    "static": static_files.run,
    "stores": stores.run,
    "uploads": uploads.run,
    "cold-start": cold_start.run,
}

parser = argparse.ArgumentParser(
    prog="python -m tests.benchmarks",
    description="Compare wsgikit with its peers (the bench extra) and with bare WSGI functions.",
    epilog="Ratios are medians over the rounds. Short turns and many rounds tell more than the"
    " reverse: a machine that changes its pace then does so for all alike.",
)
parser.add_argument(
    "scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(SCENARIOS)} (default: all)"
)
parser.add_argument(
    "--rounds", type=int, default=40, help="turns of each (default: 40; cold-start a quarter)"
)
parser.add_argument(
    "--turn", type=float, default=2.0, metavar="MS", help="length of a turn (default: 2)"
)
parser.add_argument("--only", nargs="+", default=(), metavar="NAME", help="leave all others out")

chosen = parser.parse_args()
if unknown := set(chosen.scenarios) - set(SCENARIOS):
    parser.error(f"no scenario {', '.join(sorted(unknown))}: there are {', '.join(SCENARIOS)}")
if chosen.rounds < 1 or chosen.turn <= 0:
    parser.error("--rounds takes a number from 1 on, --turn one above 0")
names = {**form.BUILDERS, **uploads.BUILDERS, **static_files.builders("")}
if set(chosen.only) - set(names):
    parser.error(f"--only takes names of {', '.join(names)}")
print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}")
for name in chosen.scenarios or SCENARIOS:
    SCENARIOS[name](Settings(chosen.rounds, chosen.turn / 1000, chosen.only))
