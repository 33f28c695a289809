"""Each row of docs/compared.rst names a test that there is, or says why there is nothing."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import wsgikit.middleware

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "compared.rst").read_text()
ROWS = re.findall(r"^   \* - (.*)\n     - (.*)\n     -(.*)$", PAGE, re.MULTILINE)
TESTS = re.findall(r":test:`([^`]*)`", PAGE)


@pytest.mark.parametrize("test", sorted(set(TESTS)))
def test_each_test_exists(test):
    path, function = test.split("::")
    tree = ast.parse((ROOT / path).read_text())
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_each_row_shows_something_or_says_why_not():
    assert ROWS.count(("There", "Here", " Shown by")) == PAGE.count("list-table")
    for there, here, shown in ROWS:
        if (there, here) == ("There", "Here"):
            continue
        if shown:
            assert re.fullmatch(r" :test:`[^`]+`", shown), there
            assert not here.startswith("not here"), there
        else:
            assert here.startswith("not here, because "), there


def test_each_house_has_its_table():
    houses = re.findall(r"^(.+)\n-+$", PAGE, re.MULTILINE)
    assert houses == [
        "Rack",
        "rack-contrib",
        "rack-protection",
        "chi",
        "tower-http",
        "Werkzeug",
        "Starlette",
        "WhiteNoise",
        "Without a counterpart",
    ]
    assert PAGE.count("list-table") == len(houses)


def test_each_layer_of_wsgikit_is_in_a_row():
    here = " ".join(here for _, here, _ in ROWS)
    missing = [name for name in wsgikit.middleware.__all__ if not re.search(rf"\b{name}\b", here)]
    assert missing == []
