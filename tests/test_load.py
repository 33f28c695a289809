from __future__ import annotations

import os
import sys

import pytest

from wsgikit.load import LoadError, load

HELLO = """
from wsgikit import Response, Router, stack

class Site:
    inner = Response("inner")

site = Site()
app = stack(lambda app: lambda environ, start_response: app(environ, start_response), Router())
number = 42
nothing = None

def make_app():
    return Response("made")

def make_number():
    return 42

def fail():
    return 1 / 0

def anything(*args):
    return app(*args)

_hidden = app
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current directory, with hello.py in it; what is imported from it is forgotten."""
    (tmp_path / "hello.py").write_text(HELLO)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(tmp_path) in str(getattr(module, "__file__", "")):
            del sys.modules[name]


def told(target, **options):
    with pytest.raises(LoadError) as raised:
        load(target, **options)
    message = str(raised.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    "target",
    ["hello:app", "hello", "hello.py", "hello.py:app", "./hello.py", "hello:anything"],
)
def test_the_application_of_a_module_or_file(folder, target):
    assert callable(load(target))


def test_a_name_may_have_dots(folder):
    assert repr(load("hello:site.inner")) == "<Response 200 OK>"


def test_the_second_usual_name(folder):
    (folder / "other.py").write_text("application = print")
    assert load("other") is print


@pytest.mark.parametrize(
    ("target", "factory"),
    [("hello:make_app()", False), ("hello:make_app", True), ("hello", True), ("hello.py:()", True)],
)
def test_a_factory_is_called(folder, target, factory):
    assert repr(load(target, factory=factory)) == "<Response 200 OK>"


def test_a_module_of_a_package(folder):
    (folder / "shop").mkdir()
    (folder / "shop" / "web.py").write_text("app = print")
    assert load("shop.web:app") is print


def test_a_file_finds_its_neighbours_and_its_own_classes(folder):
    (folder / "site").mkdir()
    (folder / "site" / "neighbour.py").write_text("app = print")
    (folder / "site" / "wsgi.py").write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from neighbour import app\n"
        "@dataclass\nclass Point:\n    x: int\n"
    )
    assert load("site/wsgi.py") is print
    assert load(str(folder / "site" / "wsgi.py:app")) is print


def test_a_file_needs_no_suffix(folder):
    (folder / "site.wsgi").write_text("application = print")
    assert load("./site.wsgi") is print


def test_a_file_takes_no_module_s_place(folder):
    (folder / "json.py").write_text("app = print")
    before = sys.modules.get("json")
    assert load("json.py") is print
    assert sys.modules.get("json") is before


def test_the_current_directory_is_searched_once(folder):
    load("hello")
    load("hello")
    assert sys.path.count(str(folder)) == 1


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        ("nope", {}, "there is no module 'nope' in {folder} or elsewhere on sys.path"),
        ("nope.web:app", {}, "there is no module 'nope' in {folder} or elsewhere on sys.path"),
        (
            "hello.app",
            {},
            "there is no module 'hello.app' in {folder} or elsewhere on sys.path; a name in a"
            " module comes after a colon: hello:app",
        ),
        ("", {}, "'' names no module; a file is named by its path, as in dir/app.py"),
        (".", {}, "'.' names no module; a file is named by its path, as in dir/app.py"),
        ("nope.py", {}, "there is no file nope.py"),
        ("dir/nope", {}, "there is no file dir/nope"),
        ("./", {}, "./ is no file"),
        ("hello:site.outer", {}, "hello has no 'site.outer'; it has app, make_app,"),
        ("hello:nope", {}, "hello has no 'nope'; it has app, make_app, make_number, fail,"),
        ("hello.py:nope", {}, "hello.py has no 'nope'; it has app, make_app, make_number, fail,"),
        ("empty", {}, "empty has no app or application"),
        ("empty", {"factory": True}, "empty has no make_app or create_app"),
        ("hello:number", {}, "hello:number is no WSGI application but an int"),
        ("hello:nothing", {}, "hello:nothing is no WSGI application but None"),
        ("hello:make_number()", {}, "hello:make_number() is no WSGI application but an int"),
        ("hello:site()", {}, "hello:site() cannot be called: it is a Site"),
        ("hello:make_app", {}, "hello:make_app takes no arguments, so it is no WSGI application;"),
    ],
)
def test_what_is_not_there(folder, target, options, message):
    (folder / "empty.py").write_text("")
    assert told(target, **options).startswith(message.format(folder=os.getcwd()))


def test_what_was_imported_is_not_offered(folder):
    message = told("hello:nope")
    assert "Router" not in message
    assert "stack" not in message
    assert "_hidden" not in message


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import nowhere_else", "ModuleNotFoundError: No module named 'nowhere_else' ({}, line 1)"),
        ("import broken.part", "ModuleNotFoundError: No module named 'broken.part'; 'broken' "),
        ("x = 1\ndef (\n", "SyntaxError: invalid syntax ({}, line 2)"),
        ("\n\n1 / 0", "ZeroDivisionError: division by zero ({}, line 3)"),
        ("raise LookupError", "LookupError ({}, line 1)"),
        ("raise OSError('one\\ntwo')", "OSError: one ({}, line 1)"),
        ("import sys\nsys.exit('over')", "SystemExit: over ({}, line 2)"),
        ("raise SyntaxError('made up')", "SyntaxError: made up"),
    ],
)
@pytest.mark.parametrize("target", ["broken", "broken.py"])
def test_what_fails_is_told_with_its_place(folder, code, message, target):
    (folder / "broken.py").write_text(code)
    line = told(target)
    assert line.startswith(f"{target} failed with {message.format('broken.py')}")
    assert "broken" not in sys.modules


def test_a_failing_factory_is_told_with_its_place(folder):
    line = told("hello:fail()")
    assert line.endswith("failed with ZeroDivisionError: division by zero (hello.py, line 19)")


def test_the_cause_is_kept_where_code_failed(folder):
    with pytest.raises(LoadError) as raised:
        load("hello:fail()")
    assert isinstance(raised.value.__cause__, ZeroDivisionError)
    with pytest.raises(LoadError) as raised:
        load("nope")
    assert raised.value.__cause__ is None


def test_a_module_that_fails_when_a_name_is_asked_for(folder):
    (folder / "late.py").write_text("def __getattr__(name):\n    raise RuntimeError(name)")
    assert told("late:app") == "late:app failed with RuntimeError: app (late.py, line 2)"
