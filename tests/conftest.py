from __future__ import annotations

import signal

import pytest
from hypothesis import settings

from tests.clock import Clock
from tests.programs import Program
from wsgikit.stores import MemoryStore

# Shared machines are slow at times: a test's answer counts, not its time.
settings.register_profile("wsgikit", deadline=None, max_examples=60)
settings.load_profile("wsgikit")

# What a shell starts in the background ignores Ctrl+C, and so would the programs of the tests.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# And what is to outlive its terminal, by nohup say, ignores the end of that.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def python():
    """Starts ``python3 ...``, and ends it, with all of its processes, after the test."""
    started = []

    def start(*arguments, **options):
        started.append(Program(*arguments, **options))
        return started[-1]

    yield start
    for each in started:
        each.end()


@pytest.fixture
def program(python):
    """Starts a program that is given as its text."""
    return lambda source, *arguments: python("-c", source, *arguments)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["signed", "stored"])
def kept(request, clock):
    """The options of sessions() that say where they are kept."""
    if request.param == "signed":
        return {"keys": ["a key of thirty-two bytes, random"], "clock": clock}
    return {"store": MemoryStore(clock=clock), "clock": clock}
