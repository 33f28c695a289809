from __future__ import annotations

import socket
import sys
from contextlib import closing
from http.client import HTTPConnection
from threading import Event, Thread
from time import monotonic, sleep
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import Response, layer, stack
from wsgikit.clients import client_address
from wsgikit.keys import DEADLINE
from wsgikit.middleware import concurrency
from wsgikit.stores import MemoryStore, StoreError
from wsgikit.testing import serving

DATA = Response("data")


def checked(*parts):
    """A client of a stack, with validators around it and around its application."""
    *layers, app = parts
    environ = {"REMOTE_ADDR": "192.0.2.7"}
    return TestApp(validator(stack(*layers, validator(app))), extra_environ=environ)


def one_at_once(app, **options):
    return concurrency(app, **{"store": MemoryStore(), "requests": 1, **options})


def ask(app, **given):
    """(status, body) of a request as a server makes it; the body is not closed."""
    environ = {"REMOTE_ADDR": "192.0.2.7", **given}
    setup_testing_defaults(environ)
    started = []

    def start_response(status, headers, exc_info=None):
        started[:] = [int(status[:3])]
        return lambda block: None

    body = app(environ, start_response)
    return started[0] if started else None, body


def test_a_place_is_held_until_the_body_is_closed():
    app = one_at_once(DATA)
    status, body = ask(app)
    assert status == 200
    assert ask(app)[0] == 503
    assert b"".join(body) == b"data"
    assert ask(app)[0] == 503
    body.close()
    assert ask(app)[0] == 200


def test_the_refusal():
    app = one_at_once(DATA)
    _, body = ask(app)
    answer = TestApp(validator(app)).get("/", status=503)
    assert answer.headers["Retry-After"] == "1"
    assert "The limit of requests at once is 1 (default)" in answer.text
    body.close()


def generator():
    yield b"a"
    yield b"b"


class Closing:
    """A body with a close that fails."""

    def __iter__(self):
        return iter([b"a"])

    def close(self):
        raise ValueError("close")


class File:
    def __init__(self):
        self.left = [b"data"]

    def read(self, size=-1):
        return self.left.pop() if self.left else b""

    def close(self):
        pass


class Wrapper:
    def __init__(self, filelike, block_size=8192):
        self.filelike = filelike
        self.close = filelike.close

    def __iter__(self):
        return iter(self.filelike.read, b"")


BODIES = {
    "list": lambda environ: [b"a"],
    "generator": lambda environ: generator(),
    "empty": lambda environ: [],
    "close fails": lambda environ: Closing(),
    "file": lambda environ: environ["wsgi.file_wrapper"](File()),
}


@pytest.mark.parametrize("taken", ["all", "one", "none"])
@pytest.mark.parametrize("kind", BODIES)
def test_whatever_becomes_of_the_body_the_place_is_given_back_once(kind, taken):
    def app(environ, start_response):
        start_response("200 OK", [])
        return BODIES[kind](environ)

    limited = one_at_once(app, requests=2)
    given = {"wsgi.file_wrapper": Wrapper}
    for _ in range(4):
        _, body = ask(limited, **given)
        _, other = ask(limited, **given)
        assert ask(limited)[0] == 503
        if taken != "none":
            for _block in body:
                if taken == "one":
                    break
        for _ in range(3):
            try:
                body.close()
            except ValueError:
                assert kind == "close fails"
        _, again = ask(limited, **given)
        assert ask(limited)[0] == 503
        for each in (other, again):
            try:
                each.close()
            except ValueError:
                assert kind == "close fails"


def test_a_file_stays_one_for_the_server():
    def app(environ, start_response):
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](File())

    _, body = ask(one_at_once(app), **{"wsgi.file_wrapper": Wrapper})
    assert isinstance(body, Wrapper)


def test_an_application_that_fails_gives_its_place_back():
    def app(environ, start_response):
        raise ValueError("failed")

    limited = one_at_once(app)
    for _ in range(3):
        with pytest.raises(ValueError, match="failed"):
            ask(limited)


def test_each_client_for_itself():
    app = one_at_once(DATA, key=client_address)
    _, body = ask(app)
    assert ask(app)[0] == 503
    status, other = ask(app, REMOTE_ADDR="192.0.2.8")
    assert status == 200
    for each in (body, other):
        each.close()


def test_who_is_not_counted():
    app = one_at_once(DATA, safelist=["192.0.2.0/24"])
    assert [ask(app)[0] for _ in range(3)] == [200, 200, 200]
    app = one_at_once(DATA, key=lambda environ: None)
    assert [ask(app)[0] for _ in range(3)] == [200, 200, 200]


def test_layers_with_one_store_and_other_names():
    store = MemoryStore()
    one = concurrency(DATA, store=store, requests=1, name="one")
    other = concurrency(DATA, store=store, requests=1, name="other")
    assert [ask(one)[0], ask(other)[0], ask(one)[0]] == [200, 200, 503]


def test_a_client_that_goes_away_in_the_middle_gives_its_place_back():
    def app(environ, start_response):
        def blocks():
            while True:
                yield b"x" * 65536

        if environ["PATH_INFO"] == "/endless":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return blocks()
        return DATA(environ, start_response)

    def status(path):
        with closing(HTTPConnection(server.host, server.port, timeout=20)) as connection:
            connection.request("GET", path)
            return connection.getresponse().status

    with serving(one_at_once(app)) as server:
        with socket.create_connection((server.host, server.port), timeout=20) as client:
            client.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
            assert status("/") == 503
        deadline = monotonic() + 20
        while status("/") != 200:
            assert monotonic() < deadline
            sleep(0.01)


def test_who_waits_gets_a_place_that_is_given_back():
    inside, leave, statuses = Event(), Event(), []

    def app(environ, start_response):
        if environ["PATH_INFO"] == "/slow":
            inside.set()
            assert leave.wait(20)
        start_response("200 OK", [])
        return [b""]

    limited = one_at_once(app, wait=20)

    def request(path):
        status, body = ask(limited, PATH_INFO=path)
        body.close()
        statuses.append((path, status))

    slow = Thread(target=request, args=("/slow",))
    quick = Thread(target=request, args=("/quick",))
    slow.start()
    assert inside.wait(20)
    quick.start()
    sleep(0.05)
    assert statuses == []
    leave.set()
    slow.join()
    quick.join()
    assert sorted(statuses) == [("/quick", 200), ("/slow", 200)]


def test_who_waits_in_vain_is_refused():
    app = one_at_once(DATA, wait=0.05)
    _, body = ask(app)
    begin = monotonic()
    assert ask(app)[0] == 503
    assert 0.04 < monotonic() - begin < 10
    body.close()


def test_nobody_waits_longer_than_there_is_time():
    app = one_at_once(DATA, wait=3600)
    _, body = ask(app)
    assert ask(app, **{DEADLINE: monotonic() + 0.03})[0] == 503
    assert ask(app, **{DEADLINE: monotonic() - 1})[0] == 503
    body.close()


class Broken(MemoryStore):
    """A store that fails from now on, where ``broken``."""

    broken = True

    def compare_and_set(self, *arguments, **options):
        if self.broken:
            raise StoreError("gone")
        return super().compare_and_set(*arguments, **options)


def test_when_the_store_fails_requests_pass(caplog):
    app = one_at_once(DATA, store=Broken())
    assert [ask(app)[0] for _ in range(3)] == [200, 200, 200]
    (record,) = caplog.records
    assert record.getMessage().startswith("concurrency 'default': requests pass without a limit")


def test_when_the_store_fails_requests_are_refused_if_that_is_wanted(caplog):
    app = one_at_once(DATA, store=Broken(), fail_open=False)
    assert ask(app)[0] == 503
    assert "requests get a 503" in caplog.text


def test_when_the_store_fails_at_the_end_the_answer_is_none_the_worse(caplog):
    store = Broken()
    store.broken = False
    app = one_at_once(DATA, store=store)
    _, body = ask(app)
    store.broken = True
    assert b"".join(body) == b"data"
    body.close()
    assert "gone" in caplog.text


def test_with_validators_inside_and_outside():
    @layer
    def passing(app):
        return app

    client = checked(concurrency(store=MemoryStore(), requests=1), passing(), DATA)
    for _ in range(3):
        assert client.get("/").text == "data"
        assert client.post("/", "body").text == "data"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"store": None}, TypeError, "store takes a store"),
        ({"requests": 0}, ValueError, "requests takes a number"),
        ({"requests": 10_001}, ValueError, "requests takes a number"),
        ({"requests": True}, ValueError, "requests takes a number"),
        ({"wait": -1}, ValueError, "wait takes a number of seconds"),
        ({"wait": float("nan")}, ValueError, "wait takes a number of seconds"),
        ({"lease": 0}, ValueError, "lease takes a number of seconds"),
        ({"lease": "60"}, ValueError, "lease takes a number of seconds"),
        ({"lease": sys.maxsize}, ValueError, "lease takes a number of seconds"),
        ({"name": "a:b"}, ValueError, "name takes a token"),
        ({"key": 1}, TypeError, "key takes a function"),
    ],
    ids=range(11),
)
def test_options_are_checked_when_the_layer_is_put_on(options, error, message):
    with pytest.raises(error, match=message):
        one_at_once(DATA, **options)
