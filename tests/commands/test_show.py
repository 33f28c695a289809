from __future__ import annotations

import os
import sys

import pytest

from wsgikit.cli import main

HELLO = """
from wsgikit import Router
app = Router()
@app.get("/hello/{name}")
def hello(request, name):
    return f"Hello, {name}!"
"""


@pytest.fixture(autouse=True)
def hello(folder):
    (folder / "hello.py").write_text(HELLO)


def test_an_application_that_fails_to_load(refused, folder):
    (folder / "broken.py").write_text("import nowhere_else")
    line = refused("serve", "broken", status=1)
    assert line == (
        "broken failed with ModuleNotFoundError: No module named 'nowhere_else'"
        " (broken.py, line 1); --traceback shows it all"
    )


@pytest.mark.parametrize("value", ["1", "true", "YES", "on"])
def test_the_traceback_of_what_fails_to_load(capsys, refused, folder, monkeypatch, value):
    (folder / "broken.py").write_text("1 / 0")
    monkeypatch.setenv("WSGIKIT_TRACEBACK", value)
    assert main(["show", "broken"]) == 1
    first, *_, before, last = capsys.readouterr().err.splitlines()
    assert first == "Traceback (most recent call last):"
    assert before == "ZeroDivisionError: division by zero"
    assert last.endswith("division by zero (broken.py, line 1)")
    assert refused("show", "broken", "--no-traceback", status=1)


def test_a_file_that_asks_for_input_and_is_interrupted(folder, capsys):
    (folder / "ask.py").write_text("raise KeyboardInterrupt")
    assert main(["show", "ask"]) == 130
    assert capsys.readouterr() == ("", "")


def test_show_prints_the_stack_and_the_routes(capsys):
    assert main(["show", "hello:app"]) == 0
    assert capsys.readouterr().out == "Router\n└─ GET /hello/{name}  hello\n"


def test_show_of_the_demo(capsys):
    assert main(["show", "wsgikit.demo:app"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["timing", "errors"]
    assert "├─ /routes/*         Router" in lines


def test_show_in_a_terminal_that_has_no_corners(monkeypatch, folder):
    with open(folder / "out", "w", encoding="ascii") as file:
        monkeypatch.setattr(sys, "stdout", file)
        assert main(["show", "hello"]) == 0
    assert (folder / "out").read_text() == "Router\n?? GET /hello/{name}  hello\n"


def test_a_pipe_that_nobody_reads_is_no_news(capsys, monkeypatch):
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdout", file)
        assert main(["show", "hello"]) == 1
    assert capsys.readouterr().err == ""


STACK = """
from wsgikit import stack
from wsgikit.middleware import allowed_hosts, errors
def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["HTTP_X_NAME"].encode()]
app = stack(errors(), allowed_hosts(hosts=["a.example"]), hello)
"""
MEASURED = ["--header", "X-Name: Ada", "--header", "X-B: c", "--runs", "5"]


def test_show_draws_the_times_of_a_request(capsys, folder, monkeypatch):
    (folder / "stacked.py").write_text(STACK)
    monkeypatch.setenv("COLUMNS", "80")
    asked = "GET http://a.example/hello"
    assert main(["show", "stacked:app", "--request", asked, *MEASURED]) == 0
    out, err = capsys.readouterr()
    first, second, empty, head, *parts = out.splitlines()
    assert (first, second, empty, err) == (asked, "200 OK, 3 bytes, median of 5 runs", "", "")
    assert head.split() == ["own", "µs", "total"]
    assert [line.split()[0] for line in parts] == [
        "errors()",
        "allowed_hosts(hosts=['a.e…",
        "hello",
    ]
    assert {len(line) for line in parts} == {80}
    assert "\x1b" not in out  # no colour


def test_show_draws_as_wide_as_the_terminal_up_to_what_can_be_read(capsys, folder, monkeypatch):
    (folder / "stacked.py").write_text(STACK)
    for columns, width in ("100", 100), ("300", 120), ("20", 60):
        monkeypatch.setenv("COLUMNS", columns)
        assert main(["show", "stacked:app", "--request", "GET /", "--runs", "1"]) == 0
        assert max(map(len, capsys.readouterr().out.splitlines())) == width


def test_times_in_a_terminal_that_has_no_blocks(monkeypatch, folder):
    (folder / "stacked.py").write_text(STACK)
    with open(folder / "out", "w", encoding="ascii") as file:
        monkeypatch.setattr(sys, "stdout", file)
        assert main(["show", "stacked:app", "--request", "GET /", "--runs", "1"]) == 0
    *_, head, first, second = (folder / "out").read_text().splitlines()
    assert "own us" in head
    assert "#" in second
    assert "?" not in first + second


def test_the_request_may_stand_in_the_environment(capsys, folder, monkeypatch):
    (folder / "stacked.py").write_text(STACK)
    monkeypatch.setenv("WSGIKIT_REQUEST", "GET http://a.example/")
    monkeypatch.setenv("WSGIKIT_HEADER", "X-Name: Ada")
    assert main(["show", "stacked:app", "--runs", "1"]) == 0
    assert "200 OK, 3 bytes" in capsys.readouterr().out


def test_an_application_that_raises(capsys, refused, folder):
    (folder / "raising.py").write_text("def app(environ, start_response):\n    1 / 0\n")
    line = refused("show", "raising", "--request", "GET /", status=1)
    assert (
        line == "raising failed with ZeroDivisionError: division by zero; --traceback shows it all"
    )
    assert main(["show", "raising", "--request", "GET /", "--traceback"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "wsgikit: error: raising failed with ZeroDivisionError: division by zero"
    (folder / "silent.py").write_text("def app(environ, start_response):\n    raise LookupError\n")
    line = refused("show", "silent", "--request", "GET /", status=1)
    assert line == "silent failed with LookupError; --traceback shows it all"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--request", "hello"], "request takes a method and a path, such as 'GET /', not 'hello'"),
        (["--request", "GET /", "--header", "a"], "a name, a colon and a value, not 'a'"),
        (["--request", "GET /", "--header", "a b: c"], "a field name takes letters"),
        (["--request", "GET /", "--runs", "0"], "a number from 1 to 100000, not '0'"),
        (["--header", "a: b"], "--header goes with --request"),
    ],
    ids=["request", "no field", "field", "runs", "alone"],
)
def test_what_cannot_be_asked_for(refused, arguments, message):
    assert message in refused("show", "hello", *arguments)
