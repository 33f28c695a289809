"""The programs in docs/examples, each run as a person runs it and asked over a real connection."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from pathlib import Path
from threading import Timer
from unicodedata import normalize
from urllib.parse import urlencode

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"


class Running:
    """An example that listens: its ``port``, and what it ``printed`` before it said so."""

    def __init__(self, process, printed):
        self.process = process
        self.printed = printed
        self.port = int(re.search(r"http://[^:/]+:(\d+)", printed[-1])[1])

    def ask(self, method, path, **headers):
        """The response and its content; the connection is closed after it."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def say(self, *blocks):
        """Send bytes as they are, and return all that comes until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as client:
            for block in blocks:
                client.sendall(block)
            with suppress(OSError):  # the server may have been quicker
                client.shutdown(socket.SHUT_WR)
            return client.makefile("rb").read()


@contextmanager
def running(name):
    """The example ``name`` on a free port, until the end of the block."""
    environment = {**os.environ, "PORT": "0", "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", EXAMPLES / f"{name}.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    watchdog = Timer(60, process.kill)  # no step may wait for ever: reads then come to an end
    watchdog.start()
    with process:
        try:
            printed = []
            for line in process.stdout:
                printed.append(line)
                if "http://" in line:
                    break
            else:
                pytest.fail(f"{name} ended without an address:\n{''.join(printed)}")
            yield Running(process, printed)
        finally:
            process.terminate()
            process.stdout.read()
            process.wait()
            watchdog.cancel()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_each_program_is_run_here(path):
    assert f'"{path.stem}"' in Path(__file__).read_text()


def test_hello():
    with running("hello") as example:
        _, page = example.ask("GET", "/")
        _, text = example.ask("GET", "/hello/Ada")
        missing, _ = example.ask("GET", "/nowhere")
    assert b"<h1>Hello, web!</h1>" in page
    assert text == b"Hello, Ada!"
    assert missing.status == 404


def test_a_signal_ends_what_serve_serves():
    with running("hello") as example:
        example.process.send_signal(signal.SIGTERM)
        assert example.process.wait(30) == 0


def test_step_1_answers_several_clients_in_turn():
    with running("step1_socket") as example:
        for _ in range(3):
            response, body = example.ask("GET", "/")
            assert (response.status, response.reason) == (200, "OK")
            assert response.headers["Content-Type"] == "text/html; charset=utf-8"
            assert response.headers["Content-Length"] == str(len(body))
            assert parsedate_to_datetime(response.headers["Date"]).tzinfo is not None
            assert body == b"<h1>Hello, web!</h1>"


def test_step_1_sends_lines_that_end_in_crlf_and_closes():
    with running("step1_socket") as example:
        answer = example.say(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"HTTP/1.1 200 OK"
    assert b"\n" not in head.replace(b"\r\n", b"")
    assert b"Connection: close" in head
    assert body == b"<h1>Hello, web!</h1>"


@pytest.mark.parametrize(
    ("request_", "line", "body"),
    [
        (b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 200 OK", b""),
        (b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.1 200 OK", b"<h1>Hello, web!</h1>"),
        (
            b"GET / HTTP/1.1\r\n\r\n",
            b"HTTP/1.1 400 Bad Request",
            b"A request names one Host.\n",
        ),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
            b"HTTP/1.1 405 Method Not Allowed",
            b"There is only GET here.\n",
        ),
        (b"\x16\x03\x01\r\n\r\n", b"HTTP/1.1 400 Bad Request", b"This is not HTTP/1.1.\n"),
    ],
    ids=["HEAD", "HTTP/1.0", "no Host", "POST", "no HTTP"],
)
def test_step_1_answers_other_requests(request_, line, body):
    with running("step1_socket") as example:
        answer = example.say(request_)
    assert answer.partition(b"\r\n")[0] == line
    assert answer.partition(b"\r\n\r\n")[2] == body


def test_step_1_reads_a_head_in_any_pieces():
    with running("step1_socket") as example:
        pieces = (bytes([octet]) for octet in b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert example.say(*pieces).endswith(b"<h1>Hello, web!</h1>")


@pytest.mark.parametrize(
    "request_",
    [b"", b"GET / HT", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000],
    ids=["nothing", "a part", "no end"],
)
def test_step_1_leaves_a_client_without_a_request_and_goes_on(request_):
    with running("step1_socket") as example:
        try:
            assert example.say(request_) == b""
        except ConnectionError:
            pass  # it closed while we were still talking
        assert example.ask("GET", "/")[1] == b"<h1>Hello, web!</h1>"


def test_step_2():
    with running("step2_wsgiref") as example:
        response, body = example.ask("GET", "/")
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/html"
    assert body == b"<h1>Hello, web!</h1>"


@pytest.mark.parametrize("name", ["step3_wsgikit", "step3_werkzeug"])
def test_step_3(name):
    with running(name) as example:
        response, body = example.ask("GET", "/")
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert body == b"Hello World!"


def test_step_4():
    with running("step4_router") as example:
        _, home = example.ask("GET", "/")
        response, page = example.ask("GET", "/hello/%3Cb%3E")
        missing, _ = example.ask("GET", "/hello/")
        refused, _ = example.ask("DELETE", "/hello/Ada")
    assert b"<h1>Hello, web!</h1>" in home
    assert b'href="/hello/Ada"' in home
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b"<h1>Hello, &lt;b&gt;!</h1>" in page
    assert missing.status == 404
    assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_step_5():
    with running("step5_stack") as example:
        home, _ = example.ask("GET", "/")
        style, css = example.ask("GET", "/static/hello.css")
        again, _ = example.ask(
            "GET", "/static/hello.css", **{"If-None-Match": style.headers["ETag"]}
        )
        failed, page = example.ask("GET", "/oops", Accept="text/html")
    assert "/hello/{name}" in "".join(example.printed)
    assert home.headers["Server-Timing"].startswith("app;dur=")
    assert style.headers["Content-Type"] == "text/css; charset=utf-8"
    assert css == (EXAMPLES / "public" / "hello.css").read_bytes()
    assert again.status == 304
    assert failed.status == 500
    assert b"This page fails" in page


def test_flask_inside():
    with running("flask_inside") as example:
        _, items = example.ask("GET", "/shop/")
        _, item = example.ask("GET", "/shop/items/3")
        _, health = example.ask("GET", "/shop/health")
        missing, _ = example.ask("GET", "/shop/nothing")
    assert b'href="/shop/items/3"' in items
    assert item == b'{"item":3}\n'
    assert health == b"well"
    assert missing.headers["Content-Type"] == "text/html; charset=utf-8"  # Flask's own 404
    assert missing.status == 404


def test_sign_in():
    with running("sign_in") as example:

        def post(path, fields, **headers):
            body = urlencode(fields)
            headers |= {"Content-Type": "application/x-www-form-urlencoded"}
            connection = HTTPConnection("127.0.0.1", example.port, timeout=20)
            try:
                connection.request("POST", path, body, headers)
                response = connection.getresponse()
                response.read()
                return response, (response.headers["Set-Cookie"] or "").partition(";")[0]
            finally:
                connection.close()

        right = {"name": "ann", "password": "correct horse battery staple"}
        wrong = {"name": "ann", "password": "wrong horse"}
        answer, planted = post("/sign-in", wrong)
        _, page = example.ask("GET", "/sign-in", Cookie=planted)
        assert answer.headers["Location"] == "/sign-in"
        assert b"The name or the password is wrong." in page

        refused, _ = post("/sign-in", right, **{"Sec-Fetch-Site": "cross-site"})
        assert refused.status == 403
        answer, cookie = post("/sign-in", right, Cookie=planted)
        assert answer.headers["Location"] == "/"
        assert cookie.startswith("session=")
        assert cookie != planted
        assert b"Hello, ann!" in example.ask("GET", "/", Cookie=cookie)[1]
        assert b"Hello" not in example.ask("GET", "/", Cookie=planted)[1]

        answer, gone = post("/sign-out", {}, Cookie=cookie)
        assert gone == "session="
        assert b"Hello" not in example.ask("GET", "/", Cookie=cookie)[1]

        assert post("/sign-in", {**wrong, "name": "a:b"})[0].status == 400
        names = [normalize(form, "nob\u00f6dy") for form in ("NFC", "NFD")] * 6
        answers = [post("/sign-in", {**wrong, "name": name})[0] for name in names[:11]]
        assert [answer.status for answer in answers] == [303] * 10 + [429]
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
