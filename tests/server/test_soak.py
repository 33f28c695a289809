from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def test_a_moment_of_every_kind_of_client_leaves_nothing_behind():
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "tests.benchmarks.server.soak"]
    run = subprocess.run(
        [*command, "--minutes", "0.05"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "verdict: all is well" in run.stdout
