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
