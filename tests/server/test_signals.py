"""A server under load: stopped and continued, told to end, reloaded, and with workers that die.

The clients count: a request that got a connection is answered, whole.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from tests.server.callers import Callers, losses

PROGRAM = """
import sys, time
from wsgikit.server import Server, make_server, serve
from wsgikit.server.poller import LevelPoller

def app(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.01)
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH", 0)))
    start_response("200 OK", [])
    return [environ["QUERY_STRING"].encode() + body]

if sys.argv[1] == "level":
    Server.new_poller = LevelPoller
serve(app, port=0, workers=int(sys.argv[2]))
"""


@contextmanager
def running(poller, workers):
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM]
    with subprocess.Popen(
        [*command, poller, str(workers)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        host, port = process.stdout.readline().split()[2].removeprefix("http://").split(":")
        process.address = host, int(port)
        # The access log is long: somebody has to read it.
        process.log = []
        reader = Thread(target=lambda: process.log.extend(process.stderr))
        reader.start()
        try:
            yield process
        finally:
            process.kill()
            reader.join()


@pytest.fixture(params=["edge", "level"])
def process(request):
    with running(request.param, 0) as process:
        yield process


@pytest.fixture
def supervisor():
    with running("edge", 2) as supervisor:
        yield supervisor


def until(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def children(process):
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for pid in path.read_text().split()]


def test_a_process_that_is_stopped_and_continued_loses_no_request(process):
    callers = Callers(process.address)
    for _ in range(15):
        time.sleep(0.03)
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.02)
        process.send_signal(signal.SIGCONT)
    callers.end()
    outcomes = callers.outcomes()
    assert outcomes["answered"] > 100
    assert not losses(outcomes)
    assert not outcomes["refused"]


@pytest.mark.parametrize("pause", [0, 0.05], ids=["busy", "thinking"])
def test_a_process_that_is_told_to_end_loses_no_request(process, pause):
    callers = Callers(process.address, pause=pause)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    outcomes = callers.outcomes()
    assert outcomes["answered"] > 12
    assert not losses(outcomes)
    assert process.wait(10) == 0
    assert "Traceback" not in "".join(process.log)


def test_workers_that_are_told_to_end_lose_no_request(supervisor):
    callers = Callers(supervisor.address)
    time.sleep(0.5)
    supervisor.send_signal(signal.SIGTERM)
    outcomes = callers.outcomes()
    assert outcomes["answered"] > 12
    assert not losses(outcomes)
    assert supervisor.wait(20) == 0


def test_workers_that_are_replaced_under_load_lose_no_request(supervisor):
    callers = Callers(supervisor.address, stubborn=True)
    for _ in range(2):
        before = set(children(supervisor))
        supervisor.send_signal(signal.SIGHUP)
        until(lambda before=before: not before & set(children(supervisor)))
    callers.end()
    outcomes = callers.outcomes()
    assert outcomes["answered"] > 100
    assert not losses(outcomes)
    assert not outcomes["refused"]


def test_a_worker_that_is_killed_loses_only_what_it_had(supervisor):
    """Of each connection that it had, a request was under way at most. Nobody is refused."""
    callers = Callers(supervisor.address, stubborn=True)
    time.sleep(0.5)
    os.kill(children(supervisor)[0], signal.SIGKILL)
    time.sleep(0.5)
    callers.end()
    outcomes = callers.outcomes()
    assert outcomes["answered"] > 100
    assert sum(losses(outcomes).values()) <= 12
    assert not outcomes["refused"]
    assert not outcomes["wrong"]
    assert not outcomes["late"]
