from __future__ import annotations

import subprocess
import sys

import pytest

# What may have been imported before: nothing, the module, the other module, a name from either.
BEFORE = {
    "nothing": "",
    "module": "import wsgikit.middleware.errors",
    "module-as": "import wsgikit.middleware.errors as module; assert module is not None",
    "from-module": "from wsgikit.middleware.errors import errors",
    "from-package": "from wsgikit.middleware import errors",
    "neighbour": "from wsgikit.middleware import debugger",
    "neighbour-module": "import wsgikit.middleware.debugger",
    "by-name": "from importlib import import_module; import_module('wsgikit.middleware.errors')",
    "attribute": "import wsgikit.middleware; wsgikit.middleware.errors",
}


def run(program: str) -> None:
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("name", ["errors", "debugger"])
@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
def test_package_gives_the_function_whatever_was_imported_before(before: str, name: str) -> None:
    run(
        f"{before}\n"
        f"from wsgikit.middleware import {name}\n"
        "import sys, wsgikit.middleware\n"
        "module = type(sys)\n"
        f"assert not isinstance({name}, module), {name}\n"
        f"assert wsgikit.middleware.{name} is {name}\n"
        f"assert sys.modules['wsgikit.middleware.{name}'].{name} is {name}\n"
        "from wsgikit.middleware import *\n"
        "assert not isinstance(errors, module) and not isinstance(debugger, module)\n"
    )


def test_one_layer_does_not_load_its_neighbours() -> None:
    run(
        "import sys\n"
        "from wsgikit.middleware import errors\n"
        "assert 'wsgikit.middleware.debugger' not in sys.modules\n"
        "assert 'wsgikit.debug.page' not in sys.modules\n"
    )


def test_package_names_its_layers() -> None:
    import wsgikit.middleware

    assert {"debugger", "errors"} <= set(dir(wsgikit.middleware))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        wsgikit.middleware.nothing  # noqa: B018
