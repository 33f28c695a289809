from __future__ import annotations

import os

import pytest

from wsgikit.server import Server, loop, make_server, serve
from wsgikit.server.inline import Inline
from wsgikit.server.poller import LevelPoller, best_poller


@pytest.fixture(autouse=True)
def threads(monkeypatch):
    """Another number of threads than usual: ``SERVER_THREADS=1 python -m pytest tests/server``."""
    if number := int(os.environ.get("SERVER_THREADS", 0)):
        monkeypatch.setattr(Server, "threads", number)
        for function in (make_server, serve):
            monkeypatch.setitem(function.__kwdefaults__, "threads", number)


class Never(Inline):
    """Leaves all to the workers."""

    def __init__(self, retake):
        super().__init__(retake)
        self.account.resumes = float("inf")


@pytest.fixture(
    params=[(best_poller, Inline), (best_poller, Never), (LevelPoller, Inline)],
    ids=["inline", "workers", "level"],
)
def ways(request, monkeypatch):
    """Each way of watching sockets and of calling the application."""
    poller, inline = request.param
    monkeypatch.setattr(Server, "new_poller", staticmethod(poller))
    monkeypatch.setattr(loop, "Inline", inline)
