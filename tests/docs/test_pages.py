"""Each module has its page, and each page is in the index."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "modules"
PACKAGE = ROOT / "wsgikit"

MODULES = {
    path.relative_to(PACKAGE).with_suffix("").as_posix()
    for path in PACKAGE.rglob("*.py")
    if path.stem not in ("__init__", "__main__") and path.parent.name != "demo"
} | {"demo"}  # the tour shows its own source; one page says what it is


def test_each_module_has_a_page():
    pages = {path.relative_to(PAGES).with_suffix("").as_posix() for path in PAGES.rglob("*.rst")}
    assert pages - {"index"} == MODULES


def test_each_page_is_about_its_module():
    for module in MODULES:
        text = (PAGES / f"{module}.rst").read_text()
        assert f".. automodule:: wsgikit.{module.replace('/', '.')}\n   :members:\n" in text


def test_each_page_is_in_the_index_once():
    listed = re.findall(r"^   ([a-z_/]+)$", (PAGES / "index.rst").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(MODULES)


def test_each_module_stands_on_a_floor_of_the_design():
    design = (ROOT / "docs" / "design.rst").read_text()
    parts = {module.partition("/")[0] for module in MODULES}
    assert [part for part in sorted(parts) if not re.search(f"``{part}/?``", design)] == []


def test_the_readme_has_each_command_on_one_line():
    """What sets up a fresh machine is copied as a line, by people and by the checks."""
    lines = [line.strip() for line in (ROOT / "README.rst").read_text().splitlines()]
    assert "python3 -m wsgikit demo" in lines
    (tests,) = (line for line in lines if line.startswith("python3 -m venv .venv && "))
    assert tests in (ROOT / ".ci" / "run").read_text().splitlines()
