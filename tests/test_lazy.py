from __future__ import annotations

import importlib
import sys

import pytest

PACKAGE = """
from __future__ import annotations
from wsgikit.lazy import lazy
lazy(__name__, {"thing": "thing", "other": "thing", "part": None, "absent": "thing", "gone": None})
"""
THING = """
def thing(): return "thing"
def other(): return "other"
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A lazy package: ``thing`` has the name of its module, ``part`` is a module itself."""
    name = "lazy_package_of_a_test"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text(PACKAGE)
    (folder / "thing.py").write_text(THING)
    (folder / "part.py").write_text("value = 1\n")
    (folder / "stranger.py").write_text("value = 2\n")
    (folder / "broken.py").write_text("raise LookupError('broken')\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield name
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


def loaded(package):
    return sorted(name.partition(".")[2] for name in sys.modules if name.startswith(package + "."))


def test_nothing_is_loaded_before_it_is_asked_for(package):
    module = importlib.import_module(package)
    assert loaded(package) == []
    assert module.thing() == "thing"
    assert loaded(package) == ["thing"]


def test_a_name_is_looked_up_once(package):
    module = importlib.import_module(package)
    assert "other" not in vars(module)
    assert module.other() == "other"
    assert vars(module)["other"] is module.other


def test_a_submodule_may_be_what_is_exported(package):
    assert importlib.import_module(package).part.value == 1
    assert importlib.import_module(package).part is sys.modules[f"{package}.part"]


IMPORTS = {
    "attribute": "import {p}; got = {p}.thing",
    "from package": "from {p} import thing as got",
    "from module": "from {p}.thing import thing as got",
    "module first": "import {p}.thing; from {p} import thing as got",
    "module as": "import {p}.thing as got",
    "a neighbour's name first": "from {p} import other; from {p} import thing as got",
    "the neighbour by its module": "from {p}.thing import other; import {p}; got = {p}.thing",
    "star": "import {p}; {p}.__all__ = ['thing']\nfrom {p} import *\ngot = thing",
    "by importlib": (
        "import importlib, {p}; importlib.import_module('{p}.thing'); got = {p}.thing"
    ),
    "again after a reload": (
        "import importlib, {p}, {p}.thing; importlib.reload({p}); got = {p}.thing"
    ),
}


@pytest.mark.parametrize("statement", IMPORTS.values(), ids=IMPORTS)
def test_a_function_with_the_name_of_its_module_is_found_in_every_order_of_imports(
    package, statement
):
    names: dict[str, object] = {}
    exec(statement.format(p=package), names)
    assert names["got"]() == "thing"
    assert sys.modules[f"{package}.thing"].thing is names["got"]


def test_a_submodule_that_is_not_exported_is_a_module_as_usual(package):
    module = importlib.import_module(package)
    with pytest.raises(AttributeError):
        _ = module.stranger
    importlib.import_module(f"{package}.stranger")
    assert module.stranger is sys.modules[f"{package}.stranger"]


def test_what_is_set_by_hand_stays(package):
    module = importlib.import_module(package)
    module.thing = 1
    assert module.thing == 1


def test_an_unknown_name(package):
    module = importlib.import_module(package)
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nothing'"):
        _ = module.nothing
    with pytest.raises(ImportError, match="nothing"):
        exec(f"from {package} import nothing")


def test_a_name_that_the_submodule_lacks(package):
    with pytest.raises(AttributeError, match="absent"):
        _ = importlib.import_module(package).absent


def test_a_submodule_that_is_not_there(package):
    with pytest.raises(ModuleNotFoundError, match="gone"):
        _ = importlib.import_module(package).gone


def test_a_submodule_that_fails_leaves_nothing_behind(package):
    module = importlib.import_module(package)
    with pytest.raises(LookupError, match="broken"):
        importlib.import_module(f"{package}.broken")
    assert "broken" not in vars(module)


def test_dir_names_what_is_exported(package):
    module = importlib.import_module(package)
    assert {"thing", "other", "part", "__name__"} <= set(dir(module))
    assert loaded(package) == []
