from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]


def fuzz(*arguments):
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "tests.fuzz", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def test_the_fuzz_run_finds_the_properties():
    run = fuzz("--minutes", "0.01", "multipart", "parts", "spool")
    assert run.returncode == 0, run.stderr
    assert "all hold" in run.stdout
    assert int(run.stdout.split()[0]) > 8


def test_an_unknown_parser():
    run = fuzz("nothing")
    assert run.returncode == 2
    assert "no tests of nothing" in run.stderr
