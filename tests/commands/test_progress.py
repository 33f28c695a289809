from __future__ import annotations

import os
import re
import sys
from contextlib import contextmanager

from wsgikit.commands import progress as module
from wsgikit.commands.progress import Progress


@contextmanager
def terminal(monkeypatch):
    """Have a terminal of 40 columns for stderr; gives a list that gets what was written there."""
    controller, descriptor = os.openpty()
    written = []
    with open(descriptor, "w", encoding="utf-8") as file, monkeypatch.context() as patched:
        patched.setenv("COLUMNS", "40")
        patched.setattr(sys, "stderr", file)
        yield written
        print("end", file=file, flush=True)
        text = ""
        while not text.endswith("end\r\n"):
            text += os.read(controller, 10_000).decode()
        written += re.split(r"\r\x1b\[K|\r\n", text)
    os.close(controller)


def test_a_line_is_written_over(monkeypatch):
    monkeypatch.setattr(module, "monotonic", iter([0, 0.05, 1, 2]).__next__)
    with terminal(monkeypatch) as written, Progress(4) as progress:
        for name in ("a.css", "soon.css", "b\x1b[2J\u20ac.css", "c" * 100):
            progress.step(name)
    assert written == [
        "",
        " 25 %  1 of 4  a.css",
        " 75 %  3 of 4  b\\x1b[2J\\u20ac.css",
        "100 %  4 of 4  " + "c" * 24,
        "end",
        "",
    ]


def test_what_is_told_stands_above_it(monkeypatch):
    with terminal(monkeypatch) as written, Progress(2) as progress:
        progress.step("a.css")
        progress.tell("b.css: no", error=True)
    assert written == ["", " 50 %  1 of 2  a.css", "b.css: no", "", "end", ""]


def test_quiet(monkeypatch):
    with terminal(monkeypatch) as written, Progress(1, quiet=True) as progress:
        progress.step("a.css")
    assert written == ["end", ""]


def test_nothing_where_nobody_looks_on(capsys):
    with Progress(1) as progress:
        progress.step("a.css")
        progress.tell("told")
    assert capsys.readouterr() == ("told\n", "")
