from __future__ import annotations

import logging
import sys
from io import BytesIO
from threading import Thread
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest
from flask import Flask, request
from webtest import TestApp

from wsgikit import HTTPError, Request, Response, Router, stack
from wsgikit.metrics import Metrics
from wsgikit.middleware import errors, metrics
from wsgikit.middleware.metrics import route_template

TEXT = [("Content-Type", "text/plain")]


def hello(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"hello"]


def checked(*parts):
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))))


def counted(into):
    """{(method, route, status): (requests, bytes)} of what was counted."""
    return {key: (sum(values[:-2]), values[-1]) for key, values in into.read()[0].items()}


def test_requests_are_counted_by_method_route_and_status():
    router = Router()

    @router.get("/users/{id:int}")
    def user(request: Request, id: int) -> str:
        if id > 2:
            raise HTTPError(404)
        return "user"

    @router.post("/users")
    def add(request: Request) -> Response:
        return Response("made", 201)

    into = Metrics()
    app = checked(metrics(into=into), errors(), router)
    for path in ("/users/1", "/users/2"):
        app.get(path)
    app.get("/users/3", status=404)
    app.post("/users")
    app.head("/users/1")
    app.get("/nowhere", status=404)
    found = counted(into)
    missing = found.pop(("GET", "/users/{id:int}", 404))
    unknown = found.pop(("GET", "", 404))
    assert missing[0] == unknown[0] == 1
    assert found == {
        ("GET", "/users/{id:int}", 200): (2, 8),
        ("POST", "/users", 201): (1, 4),
        ("HEAD", "/users/{id:int}", 200): (1, 0),
    }


def test_routes_below_mounts_have_their_whole_template():
    inner, outer = Router(), Router()
    inner.get("/items/{id}")(lambda request, id: "text")
    outer.mount("/shop", inner)
    outer.mount("/raw", hello)
    into = Metrics()
    app = checked(metrics(into=into), outer)
    app.get("/shop/items/a")
    app.get("/raw/any/thing")
    app.get("/shop/none", status=404)
    assert sorted(counted(into)) == [
        ("GET", "/raw/*", 200),
        ("GET", "/shop/*", 404),
        ("GET", "/shop/items/{id}", 200),
    ]


def test_the_label_may_come_from_another_framework():
    def other(environ, start_response):
        environ["other.endpoint"] = "shop.items"
        return hello(environ, start_response)

    into = Metrics()
    layer = metrics(into=into, route=lambda environ: environ["other.endpoint"])
    checked(layer, other).get("/x")
    assert list(counted(into)) == [("GET", "shop.items", 200)]


def test_the_label_of_flask():
    flask = Flask("shop")

    @flask.before_request
    def note_route():
        if request.url_rule is not None:
            request.environ["shop.route"] = request.url_rule.rule

    @flask.get("/orders/<int:id>")
    def order(id):
        return f"order {id}"

    into = Metrics()
    layer = metrics(into=into, route=lambda environ: environ.get("shop.route"))
    app = checked(layer, flask)
    app.get("/orders/7")
    app.get("/none", status=404)
    assert sorted(counted(into)) == [("GET", "", 404), ("GET", "/orders/<int:id>", 200)]


def test_no_label_is_the_empty_one(caplog):
    into = Metrics()
    app = checked(metrics(into=into, route=lambda environ: environ.get("none")), hello)
    for _ in range(600):  # more than are kept before they are added up
        app.get("/")
    assert counted(into) == {("GET", "", 200): (600, 3000)}
    assert not caplog.records


def test_a_label_may_be_a_text_of_another_class():
    class Route(str):
        __slots__ = ()

    into = Metrics()
    checked(metrics(into=into, route=lambda environ: Route("/x")), hello).get("/")
    assert counted(into) == {("GET", "/x", 200): (1, 5)}


@pytest.mark.parametrize(
    "route",
    [lambda environ: environ["none"], lambda environ: 5, lambda environ: b"/x", lambda environ: []],
    ids=["fails", "int", "bytes", "list"],
)
def test_a_label_that_fails_is_told_and_the_request_is_counted(route, caplog):
    into = Metrics()
    checked(metrics(into=into, route=route), hello).get("/")
    assert counted(into) == {("GET", "", 200): (1, 5)}
    assert into.read()[1] == 0
    assert "route of metrics() failed" in caplog.text


def test_methods_that_clients_make_up_are_one():
    into = Metrics()
    app = TestApp(metrics(hello, into=into), lint=False)
    for method in ("FOO", "BAR", "get"):
        app.request("/", method=method)
    assert counted(into) == {("_OTHER", "", 200): (3, 15)}


@pytest.mark.parametrize("late", [False, True])
def test_failures_count_as_500(late):
    def app(environ, start_response):
        if late:
            return iter(blocks())
        raise LookupError

    def blocks():
        raise LookupError
        yield

    into = Metrics()
    with pytest.raises(LookupError):
        checked(metrics(into=into), app).get("/")
    assert counted(into) == {("GET", "", 500): (1, 0)}
    assert into.read()[1] == 0


def test_requests_in_flight():
    def app(environ, start_response):
        seen.append(into.read()[1])
        start_response("200 OK", TEXT)
        yield b"a"
        seen.append(into.read()[1])

    seen, into = [], Metrics()
    checked(metrics(into=into), app).get("/")
    assert seen == [1, 1]
    assert into.read()[1] == 0


def test_bytes_of_files_and_of_write():
    def file(environ, start_response):
        start_response("200 OK", [*TEXT, ("Content-Length", "4")])
        return environ["wsgi.file_wrapper"](BytesIO(b"file"))

    def unknown(environ, start_response):
        start_response("200 OK", TEXT)
        return environ["wsgi.file_wrapper"](BytesIO(b"file"))

    def written(environ, start_response):
        start_response("200 OK", TEXT)(b"written")
        return []

    for app, size in (file, 4), (unknown, 0), (written, 7):
        into = Metrics()
        environ = {"REQUEST_METHOD": "GET", "wsgi.file_wrapper": FileWrapper}
        start = lambda status, headers, exc_info=None: lambda block: None  # noqa: E731
        body = metrics(app, into=into)(environ, start)
        assert isinstance(body, FileWrapper) == (app is not written)
        if app is written:
            list(body)
        body.close()
        assert counted(into) == {("GET", "", 200): (1, size)}


def test_a_response_that_was_broken_off_is_counted():
    into = Metrics()
    start = lambda status, headers, exc_info=None: None  # noqa: E731
    metrics(hello, into=into)({"REQUEST_METHOD": "GET"}, start).close()
    assert counted(into) == {("GET", "", 200): (1, 0)}


def test_the_metrics_are_an_application_to_mount():
    into, router = Metrics(), Router()
    router.get("/")(lambda request: "home")
    router.add("/metrics", into)
    app = checked(metrics(into=into), router)
    app.get("/")
    page = app.get("/metrics")
    assert 'http_server_requests_total{method="GET",route="/",status="200"} 1\n' in page
    assert "http_server_requests_in_flight 1\n" in page
    again = app.get("/metrics")
    assert 'http_server_requests_total{method="GET",route="/metrics",status="200"} 1\n' in again


def test_threads_count_every_request():
    def work():
        for _ in range(500):
            body = app({"REQUEST_METHOD": "GET"}, lambda status, headers, exc_info=None: None)
            list(body)
            body.close()

    into = Metrics()
    app = metrics(hello, into=into)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert counted(into) == {("GET", "", 200): (3000, 15000)}
    assert into.read()[1] == 0


def test_a_template_without_a_route_is_empty():
    assert route_template({}) == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"into": None}, "into takes a Metrics"),
        ({"into": Metrics(), "route": "path"}, "route takes a function"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(TypeError, match=message):
        metrics(hello, **options)


def test_the_option_into_is_needed():
    with pytest.raises(TypeError, match="needs the option 'into'"):
        metrics()


def test_nothing_is_logged_for_a_request(caplog):
    caplog.set_level(logging.DEBUG)
    checked(metrics(into=Metrics()), hello).get("/")
    assert caplog.records == []
