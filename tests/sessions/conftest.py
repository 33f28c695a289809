"""A clock to set, and the ways to keep sessions that each test is tried with."""

from __future__ import annotations

import pytest

from wsgikit.stores import MemoryStore

KEY = "a key of thirty-two bytes, random"


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 1_000_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["signed", "stored"])
def kept(request, clock):
    """The options of sessions() that say where they are kept."""
    if request.param == "signed":
        return {"keys": [KEY], "clock": clock}
    return {"store": MemoryStore(clock=clock), "clock": clock}
