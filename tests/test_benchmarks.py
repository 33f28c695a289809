from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import wsgikit.middleware

CHECKOUT = Path(__file__).parents[1]

REFUSAL = """
from tests.benchmarks.exchange import Exchange
from tests.benchmarks.harness import sound

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"no"]

right = Exchange("/", 200, "text/plain", b"no")
for wrong in (
    Exchange("/", 404),
    Exchange("/", 200, "text/html", b"no"),
    Exchange("/", 200, "text/plain", b"yes"),
    Exchange("/", 200, "text/plain", lambda body: 1 / 0),
):
    assert sound({"a peer": lambda: application}, [right, wrong], ()) == {}
assert sound({"a peer": lambda: application}, [right], ()) == {"a peer": application}
"""


def run(*arguments: str) -> str:
    command = [sys.executable, "-X", "dev", "-W", "error", *arguments]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_benchmarks_time_bare_and_wsgikit_in_every_scenario() -> None:
    rounds = ("--rounds", "1", "--turn", "0.1")
    printed = run("-m", "tests.benchmarks", *rounds, "--only", "bare", "wsgikit")
    names = "hello json form layers middleware routers static stores uploads cold-start"
    for scenario in names.split():
        assert f"\n{scenario}: " in printed
    assert "left out" not in printed, printed


def test_a_wrong_answer_is_told_and_not_timed() -> None:
    printed = run("-c", REFUSAL)
    assert printed.count("answers wrongly, left out") == 4


def test_an_unknown_scenario_is_an_error_that_names_the_known() -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "nothing"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "routers" in done.stderr


def test_every_layer_is_timed() -> None:
    program = "from tests.benchmarks.middleware import CASES; print(*CASES, sep='\\n')"
    timed = {line.partition(",")[0] for line in run("-c", program).splitlines()}
    assert set(wsgikit.middleware.__all__) <= timed


def test_every_layer_has_its_cost_in_the_documentation() -> None:
    page = (CHECKOUT / "docs" / "layers.rst").read_text()
    named = {line[7:].partition(",")[0] for line in page.splitlines() if line.startswith("   * - ")}
    assert sorted(set(wsgikit.middleware.__all__) - named) == []
