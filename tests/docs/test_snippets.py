"""The Python in the README and in the documentation's pages, run as it stands there.

The blocks of one page run from the top to the bottom in one namespace, as a reader would try them;
``>>>`` examples must print what the page says. What stands under ``__main__`` does not run.
"""

from __future__ import annotations

import ast
import doctest
import textwrap
from http.client import HTTPConnection
from pathlib import Path

import pytest

import wsgikit.middleware
from wsgikit.testing import serving

ROOT = Path(__file__).parents[2]
LAYERS = ROOT / "docs" / "modules" / "middleware"
PAGES = [ROOT / "README.rst", *sorted((ROOT / "docs").rglob("*.rst"))]


def blocks(page):
    """``(language, line number, code)`` of each literal code block of a page."""
    lines = page.read_text().splitlines()
    for number, line in enumerate(lines, 1):
        words = line.lstrip(" *-").split()
        if words[:2] != ["..", "code-block::"]:
            continue
        indent = line.index("..")
        code = []
        for below in lines[number:]:
            if below.strip() and len(below) - len(below.lstrip()) <= indent:
                break
            code.append("" if below.strip().startswith(":") and not any(code) else below)
        yield words[2], number, textwrap.dedent("\n".join(code)) + "\n"


def with_python(page):
    return any(language in ("python", "pycon") for language, _, _ in blocks(page))


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if with_python(page)],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_the_python_of_a_page_runs(page):
    namespace = {"__name__": "page"}
    for language, number, code in blocks(page):
        name = f"{page}, block at line {number}"
        if language == "python":
            tree = ast.parse(code, name)
            ast.increment_lineno(tree, number)
            exec(compile(tree, str(page), "exec"), namespace)
        elif language == "pycon":
            examples = doctest.DocTestParser().get_doctest(code, namespace, name, str(page), number)
            report = []
            doctest.DocTestRunner(verbose=False).run(examples, out=report.append, clear_globs=False)
            assert not report, "".join(report)
            assert examples.examples, f"{name}: nothing to try"
            namespace.update(examples.globs)


def test_the_readme_shows_a_program_that_is_tested():
    """The example of the README is docs/examples/hello.py, which is run over a real connection."""
    programs = [code for language, _, code in blocks(ROOT / "README.rst") if language == "python"]
    assert programs[0].strip() == (ROOT / "docs/examples/hello.py").read_text().strip()


@pytest.mark.parametrize("name", wsgikit.middleware.__all__)
def test_the_program_of_a_layers_page_serves_and_answers(name, monkeypatch, tmp_path):
    """It is run as it stands, as the file that somebody pastes it into."""
    page = LAYERS / f"{name}.rst"
    statuses = []

    def serve(app, **options):
        with serving(app) as server:
            connection = HTTPConnection(server.host, server.port, timeout=30)
            connection.request("GET", "/")
            response = connection.getresponse()
            response.read()
            connection.close()
        statuses.append(response.status)

    monkeypatch.setattr(wsgikit, "serve", serve)
    monkeypatch.chdir(tmp_path)
    programs = [code for language, _, code in blocks(page) if language == "python"]
    assert programs, f"{page} has no program"
    exec(compile(programs[0], str(page), "exec"), {"__name__": "__main__"})
    assert statuses, f"{page}: its first program serves nothing"
    assert statuses[0] < 500
