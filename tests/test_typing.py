"""What ``mypy --strict`` says: right programs pass, a mistake is found on the line where it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import wsgikit

PREAMBLE = """
from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from wsgikit import Request, Response, Router, describe, layer, stack, when
from wsgikit.types import Layer


@layer
def compress(
    app: WSGIApplication, *, level: int = 6, types: Iterable[str] = ()
) -> WSGIApplication:
    return app


@layer
def named(app: WSGIApplication, *, name: str) -> WSGIApplication:
    return app


@layer
def plain(app: WSGIApplication) -> WSGIApplication:
    return app


class Foreign:
    def __init__(self, app: WSGIApplication, level: int = 1) -> None:
        self.app = app

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        return self.app(environ, start_response)


def hello(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"hello"]


router = Router()
app: WSGIApplication
bound: Layer
"""

RIGHT = {
    "wraps now": "app = compress(hello, level=6)",
    "wraps now, without options": "app = plain(hello)",
    "binds for later": "bound = compress(level=6, types=['text/html'])",
    "binds nothing": "bound = plain()",
    "wraps what was wrapped": "app = compress(named(hello, name='a'))",
    "a layer is called": "app = compress(level=6)(hello)",
    "a session": "count: int = Request({}).session.get('count', 0) + 1",
    "messages": "texts: list[tuple[str, str]] = Request({}).session.flashes()",
    "stack": "app = stack(compress(level=6), named(name='a'), plain(), hello)",
    "stack of an application": "app = stack(hello)",
    "stack of a middleware as it is": "app = stack(plain, compress, hello)",
    "stack ends with a router": "app = stack(plain(), router)",
    "stack ends with a response": "app = stack(plain(), Response('text'))",
    "stack ends with a stack": "app = stack(plain(), stack(plain(), router))",
    "foreign layers": "app = stack(Foreign, partial(Foreign, level=2), lambda app: app, hello)",
    "foreign application": "app = stack(plain(), Foreign(hello))",
    "when": "bound = when(lambda environ: environ['PATH_INFO'] == '/', compress(level=6))",
    "when in a stack": "app = stack(when(lambda environ: True, plain()), hello)",
    "stacks are stacked": "app = stack(*[plain(), compress()], hello)",
    "names": "text: str = compress.__name__",
    "describe": "names: list[str] = [part.name for part in describe(hello).layers()]",
    "views": """
        @router.get("/users/{id:int}", plain(), compress(level=6))
        def user(request: Request, id: int) -> Response:
            return Response.json({"id": id})

        back: Response = user(Request({}), 1)
    """,
    "a view as an application": """
        @Request.application
        def view(request: Request) -> str:
            return "hello"

        app = stack(plain(), view)
    """,
    "our layers": """
        from wsgikit.middleware import debugger, errors

        app = stack(errors(handlers={404: lambda request, error: "none"}), debugger(), router)
        app = errors(hello)
    """,
    "our applications": """
        from wsgikit.apps import cascade, static

        app = stack(plain(), cascade(static("public"), router))
    """,
}

# The line with the mistake ends with the comment "!".
WRONG = {
    "unknown option, bound": "compress(levle=6)  # !",
    "unknown option, wrapping": "compress(hello, levle=6)  # !",
    "option of another type, bound": "compress(level='6')  # !",
    "option of another type, wrapping": "compress(hello, level='6')  # !",
    "option by position": "compress(hello, 6)  # !",
    "option for none": "plain(level=6)  # !",
    "missing option, bound": "named()  # !",
    "missing option, wrapping": "named(hello)  # !",
    "no application": "compress(6, level=6)  # !",
    "inside a stack": """
        app = stack(
            plain(),
            compress(level='6'),  # !
            hello,
        )
    """,
    "stack with no layer": "stack(6, hello)  # !",
    "stack with None": "stack(plain(), None, hello)  # !",
    "stack with an application among the layers": "stack(hello, hello)  # !",
    "stack without application": "stack(plain(), compress(level=6))  # !",
    "stack ends with a layer without ()": "stack(plain(), compress)  # !",
    "stack of nothing": "stack()  # !",
    "a layer as an application": "app = plain()  # !",
    "an application as a layer": "bound = hello  # !",
    "when without a layer": "when(lambda environ: True, hello)  # !",
    "when without a predicate": "when(True, plain())  # !",
    "no middleware": """
        @layer  # !
        def wrong(level: int) -> int:
            return level
    """,
    "a view without request": """
        @Request.application  # !
        def view() -> str:
            return "hello"
    """,
}


def program(source):
    return f"{PREAMBLE}\n{dedent(source).strip()}\n"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What mypy finds in all programs, in one run: {name: {line}}, and its report."""
    folder = tmp_path_factory.mktemp("programs")
    names = {}
    for number, (name, source) in enumerate([*RIGHT.items(), *WRONG.items()]):
        names[f"program_{number}.py"] = name
        (folder / f"program_{number}.py").write_text(program(source))
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary"]
    root = Path(wsgikit.__file__).parent.parent
    run = subprocess.run(
        [*command, f"--cache-dir={folder / 'cache'}", *names],
        cwd=folder,
        env={**os.environ, "MYPYPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode in (0, 1), run.stderr + run.stdout
    lines = {name: set() for name in names.values()}
    reports = dict.fromkeys(names.values(), "")
    for report in run.stdout.splitlines():
        file, _, rest = report.partition(":")
        if file in names:
            reports[names[file]] += f"{rest}\n"
            number, _, kind = rest.partition(": ")
            if kind.startswith("error"):
                lines[names[file]].add(int(number))
    return lines, reports


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_program_passes(found, name):
    lines, reports = found
    assert lines[name] == set(), reports[name]


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_found_on_its_line(found, name):
    lines, reports = found
    marked = program(WRONG[name]).splitlines()
    (line,) = (number for number, text in enumerate(marked, 1) if text.endswith("# !"))
    assert lines[name] == {line}, reports[name]
