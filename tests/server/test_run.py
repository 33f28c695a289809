from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import wsgiref.simple_server
from http.client import HTTPConnection
from threading import Event, Thread
from urllib.request import urlopen

import pytest

from wsgikit.server.handler import RequestHandler
from wsgikit.server.run import make_server, serve
from wsgikit.server.server import Server
from wsgikit.server.signals import ends, stopped_by_signals

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def hello(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]


def test_make_server_serves_one_request_at_a_time_of_the_caller():
    with make_server("127.0.0.1", 0, hello) as server:
        client = HTTPConnection(server.host, server.port, timeout=10)
        client.request("GET", "/")
        server.handle_request()
        assert client.getresponse().read() == b"hello"
        client.close()


def test_the_stock_make_server_takes_the_classes():
    make = wsgiref.simple_server.make_server
    with make("127.0.0.1", 0, hello, Server, RequestHandler) as server:
        with urlopen(server.start().url) as response:
            assert response.read() == b"hello"


def test_what_is_no_application_is_refused_before_listening():
    with pytest.raises(TypeError, match="app takes a WSGI callable, not 'hello'"):
        make_server("127.0.0.1", 0, "hello")


@pytest.mark.parametrize("name", ["timeout", "stop_timeout"])
@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_seconds_are_checked(name, seconds):
    with pytest.raises(ValueError, match=f"{name} takes a positive number of seconds"):
        serve(hello, **{name: seconds})


@pytest.mark.parametrize("threads", [0, 1.5, True])
def test_the_number_of_threads_is_checked(threads):
    with pytest.raises(ValueError, match="threads takes a whole number from 1 on"):
        make_server("127.0.0.1", 0, hello, threads=threads)


def test_the_second_signal_does_not_wait_for_the_running_request(caplog):
    release, called = Event(), Event()

    def app(environ, start_response):
        called.set()
        assert release.wait(10)
        return hello(environ, start_response)

    def client(url):
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, port), timeout=10) as sock:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert called.wait(10)
            os.kill(os.getpid(), signal.SIGINT)
            with pytest.raises(ConnectionError):
                connect_until_refused(host, port)  # the first signal has arrived
            os.kill(os.getpid(), signal.SIGINT)
            assert sock.recv(1) == b""

    with pytest.raises(KeyboardInterrupt):
        serve(app, port=0, timeout=5, ready=lambda url: Thread(target=client, args=(url,)).start())
    release.set()
    told = r"Stopped with 1 requests unfinished after ([0-9.]+) s \(stop_timeout is 30 s\)"
    assert float(re.search(told, caplog.text)[1]) < 30


@pytest.mark.parametrize("number", SIGNALS)
def test_serve_returns_after_a_signal(number, capsys):
    before = [signal.getsignal(each) for each in SIGNALS]
    told = []

    def client(url):
        with urlopen(url) as response:
            told.append((url, response.read()))
        os.kill(os.getpid(), number)

    serve(hello, port=0, ready=lambda url: Thread(target=client, args=(url,)).start())
    ((url, body),) = told
    assert body == b"hello"
    assert capsys.readouterr().out == f"Serving on {url} (Ctrl+C stops)\n"
    assert [signal.getsignal(each) for each in SIGNALS] == before


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("", "http://127.0.0.1:{}, and on the other addresses of this machine"),
        ("::", "http://[::1]:{}, and on the other addresses of this machine"),
        ("::1", "http://[::1]:{}"),
    ],
)
def test_the_address_is_one_that_can_be_opened(host, told, capsys):
    urls = []

    def end(url):
        urls.append(url)
        os.kill(os.getpid(), signal.SIGTERM)

    serve(hello, host=host, port=0, ready=end)
    port = urls[0].rpartition(":")[2]
    assert capsys.readouterr().out == f"Serving on {told.format(port)} (Ctrl+C stops)\n"


def test_serve_without_ready_takes_a_signal_that_comes_early(monkeypatch):
    # The address is printed last before it serves: the earliest moment that others know.
    monkeypatch.setattr("builtins.print", lambda *args, **kwargs: signal.raise_signal(SIGNALS[1]))
    serve(hello, port=0)


def test_the_second_signal_does_what_it_did_before():
    with make_server("127.0.0.1", 0, hello).start() as server:
        with stopped_by_signals(server):
            signal.raise_signal(signal.SIGINT)
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("other", [signal.SIG_IGN, print], ids=["ignored", "the program's"])
def test_a_hangup_that_means_something_else_is_left_alone(other):
    before = signal.signal(signal.SIGHUP, other)
    with make_server("127.0.0.1", 0, hello) as server, stopped_by_signals(server):
        assert signal.getsignal(signal.SIGHUP) is other
    signal.signal(signal.SIGHUP, before)


def test_where_there_is_no_hangup(monkeypatch):
    monkeypatch.delattr(signal, "SIGHUP")
    assert ends() == (signal.SIGINT, signal.SIGTERM)


def test_a_hangup_leaves_no_file_behind(tmp_path):
    path = tmp_path / "s"
    serve(hello, bind=[f"unix:{path}"], ready=lambda url: os.kill(os.getpid(), signal.SIGHUP))
    assert not path.exists()


def test_outside_of_the_main_thread_signals_are_left_alone():
    seen = []

    def inside():
        with stopped_by_signals(server):
            seen.extend(signal.getsignal(each) for each in SIGNALS)

    before = [signal.getsignal(each) for each in SIGNALS]
    with make_server("127.0.0.1", 0, hello) as server:
        thread = Thread(target=inside)
        thread.start()
        thread.join()
    assert seen == before


PROGRAM = """
import sys
from wsgikit.server.run import serve

def app(environ, start_response):
    print("called", flush=True)
    sys.stdin.readline()
    start_response("200 OK", [("X-End", "1")])
    return [b"complete"]

serve(app, port=0)
print("returned", flush=True)
"""


def connect_until_refused(host, port):
    while True:
        socket.create_connection((host, int(port)), timeout=10).close()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_lets_the_running_request_of_a_process_complete(number):
    with subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        address = process.stdout.readline().split()[2].removeprefix("http://")
        client = HTTPConnection(address, timeout=10)
        client.request("GET", "/a")
        assert process.stdout.readline() == "called\n"
        process.send_signal(number)
        with pytest.raises(ConnectionError):  # nothing new is taken: it is stopping
            connect_until_refused(*address.split(":"))
        process.stdin.write("\n")
        process.stdin.flush()
        assert client.getresponse().read() == b"complete"
        client.close()
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, "returned\n")
    assert '127.0.0.1 "GET /a HTTP/1.1" 200 8 ' in err
    assert "Traceback" not in err
