from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
{before}
from wsgikit.apps import {name}
assert callable({name}), {name}
import wsgikit.apps
assert wsgikit.apps.{name} is {name}
print(*sorted(name for name in sys.modules if name.startswith("wsgikit.apps.")))
"""


@pytest.mark.parametrize("name", ["cascade", "hosts", "listing", "static"])
@pytest.mark.parametrize(
    "before", ["", "import wsgikit.apps.{name}", "from wsgikit.apps.{name} import {name}"]
)
def test_the_name_is_the_function_in_every_order(name, before):
    program = PROGRAM.format(name=name, before=before.format(name=name))
    run = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == [f"wsgikit.apps.{name}"]  # and no neighbour


def test_an_unknown_name():
    import wsgikit.apps

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        wsgikit.apps.nothing  # noqa: B018
