"""A greeting under a fixed path: what a library costs before it does anything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from tests.benchmarks.bare import TEXT, missing, refuse
from tests.benchmarks.exchange import Exchange
from tests.benchmarks.harness import Settings, race
from tests.benchmarks.peers import (
    bottle,
    falcon,
    flask,
    werkzeug,
    werkzeug_application,
    werkzeug_routing,
    wheezy_application,
    wheezy_http,
)
from tests.benchmarks.report import heading, table
from wsgikit import Router

GREETING = "Hello, World!"
EXCHANGE = Exchange("/hello", media="text/plain", body=GREETING.encode())
CHECKS = [
    EXCHANGE,
    Exchange("/other", 404),
    Exchange("/hello/", 404),
    Exchange("/hello", 405, environ={"REQUEST_METHOD": "DELETE"}),
]


def by_hand() -> WSGIApplication:
    def hello(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/hello":
            return missing(environ, start_response)
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD"):
            return refuse(start_response, "405 Method Not Allowed", ("Allow", "GET, HEAD"))
        body = GREETING.encode()
        start_response("200 OK", [("Content-Type", TEXT), ("Content-Length", str(len(body)))])
        return [] if method == "HEAD" else [body]

    return hello


def with_wsgikit() -> WSGIApplication:
    router = Router()

    @router.get("/hello")
    def hello(request: Any) -> str:
        return GREETING

    return router


def with_wheezy(*middleware: Any) -> WSGIApplication:
    @wheezy_http.accept_method(("GET", "HEAD"))
    def hello(request: Any) -> Any:
        response = wheezy_http.HTTPResponse(TEXT)
        response.write(GREETING)
        return response

    return wheezy_application([("hello", hello, None, "hello")], *middleware)


def with_falcon(*middleware: Any) -> WSGIApplication:
    class Hello:
        def on_get(self, request: Any, response: Any) -> None:
            response.content_type = TEXT
            response.text = GREETING

    application = falcon.App(middleware=list(middleware))
    application.add_route("/hello", Hello())
    return application


def with_bottle(*plugins: Any) -> WSGIApplication:
    application = bottle.Bottle()
    for plugin in plugins:
        application.install(plugin)

    @application.get("/hello")
    def hello() -> str:
        bottle.response.content_type = TEXT
        return GREETING

    return application


def with_werkzeug() -> WSGIApplication:
    def hello(request: Any) -> Any:
        return werkzeug.Response(GREETING)

    return werkzeug_application([werkzeug_routing.Rule("/hello", endpoint=hello, methods=["GET"])])


def with_flask() -> WSGIApplication:
    application = flask.Flask("hello")

    @application.get("/hello")
    def hello() -> Any:
        return flask.Response(GREETING, mimetype="text/plain")

    return application


BUILDERS = {
    "bare": by_hand,
    "wsgikit": with_wsgikit,
    "wheezy.web": with_wheezy,
    "falcon": with_falcon,
    "bottle": with_bottle,
    "werkzeug": with_werkzeug,
    "flask": with_flask,
}


def run(settings: Settings) -> None:
    heading("hello", "GET /hello as text/plain")
    table(race(BUILDERS, CHECKS, [EXCHANGE], settings), goal=4.0)
