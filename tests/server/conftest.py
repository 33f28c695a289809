from __future__ import annotations

import os

import pytest

from wsgikit.server import Server, make_server, serve


@pytest.fixture(autouse=True)
def threads(monkeypatch):
    """Another number of threads than usual: ``SERVER_THREADS=1 python -m pytest tests/server``."""
    if number := int(os.environ.get("SERVER_THREADS", 0)):
        monkeypatch.setattr(Server, "threads", number)
        for function in (make_server, serve):
            monkeypatch.setitem(function.__kwdefaults__, "threads", number)
