from __future__ import annotations

import os
import signal
import sys
from threading import Event, Thread
from urllib.request import Request, urlopen

import pytest

import wsgikit
from wsgikit.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A current directory of its own, and none of our variables in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    for name in os.environ:
        if name.startswith("WSGIKIT_"):
            monkeypatch.delenv(name)
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(tmp_path) in str(getattr(module, "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def refused(capsys):
    """Gives the one line on stderr of a command that fails."""

    def run(*argv, status=2):
        assert main(argv) == status
        out, err = capsys.readouterr()
        assert out == ""
        (line,) = err.splitlines()
        assert line.startswith("wsgikit: error: ")
        return line.removeprefix("wsgikit: error: ")

    return run


class Served:
    """Runs ``main(argv)`` here, lets ``visit(url)`` look at it, and stops it by a signal."""

    def __init__(self, monkeypatch, capsys):
        self.opened, self._capsys = [], capsys
        monkeypatch.setattr("webbrowser.open", self._open)
        self.ready = Event()
        serve = wsgikit.server.run.serve

        def served(app, *, ready, **options):
            def visit(url):
                if ready is not None:
                    ready(url)
                Thread(target=self._look, args=(url,)).start()

            serve(app, ready=visit, **options)

        monkeypatch.setattr(wsgikit, "serve", served)

    def _open(self, url):
        self.opened.append(url)
        self.ready.set()

    def _look(self, url):
        try:
            self.url = url
            self.result = self.visit(url)
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    def __call__(self, argv, visit):
        self.visit = visit
        assert main(argv) == 0
        out, self.err = self._capsys.readouterr()
        everywhere = ", and on the other addresses of this machine" if "0.0.0.0" in argv else ""
        assert out == f"Serving on {self.url}{everywhere} (Ctrl+C stops)\n"
        return self.result


@pytest.fixture
def served(monkeypatch, capsys):
    return Served(monkeypatch, capsys)


@pytest.fixture
def get():
    def fetch(url, **headers):
        with urlopen(Request(url, headers=headers), timeout=10) as response:
            return response.read().decode()

    return fetch
