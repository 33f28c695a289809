"""A server's process under load: stopped and continued, and told to end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from http.client import HTTPConnection
from threading import Event, Thread

import pytest

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
serve(app, port=0)
"""


class Client(Thread):
    """Asks on one connection until it is told to end, or the server says that it does."""

    def __init__(self, address, number, end):
        super().__init__()
        self.address, self.number, self.end = address, number, end
        self.answers = 0
        self.error = None

    def run(self):
        client = HTTPConnection(self.address, timeout=20)
        try:
            client.connect()
            while not self.end.is_set():
                slow = self.answers % 20 == self.number
                path = f"/{'slow' if slow else 'quick'}?{self.number}-{self.answers}"
                # One in seven has a body that does not fit in the loop's buffer.
                body = b"x" * 100_000 if self.answers % 7 == 3 else b""
                client.request("POST", path, body)
                response = client.getresponse()
                assert response.read() == path.partition("?")[2].encode() + body
                self.answers += 1
                if response.getheader("Connection") == "close":
                    break
        except Exception as error:
            self.error = error
        finally:
            client.close()


@pytest.fixture(params=["edge", "level"])
def process(request):
    with subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM, request.param],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.address = process.stdout.readline().split()[2].removeprefix("http://")
        # The access log is long: somebody has to read it.
        process.log = []
        reader = Thread(target=lambda: process.log.extend(process.stderr))
        reader.start()
        yield process
        process.kill()
        reader.join()


def clients(process, end):
    started = [Client(process.address, number, end) for number in range(12)]
    for client in started:
        client.start()
    return started


def joined(started):
    for client in started:
        client.join(30)
        assert not client.is_alive()
        assert client.error is None
        assert client.answers


def test_a_process_that_is_stopped_and_continued_loses_no_request(process):
    end = Event()
    started = clients(process, end)
    for _ in range(15):
        time.sleep(0.03)
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.02)
        process.send_signal(signal.SIGCONT)
    end.set()
    joined(started)


def test_a_process_that_is_told_to_end_loses_no_request(process):
    started = clients(process, Event())
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    joined(started)
    assert process.wait(10) == 0
    assert "Traceback" not in "".join(process.log)
