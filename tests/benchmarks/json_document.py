"""A JSON document made of two path parameters, an int and a str."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from tests.benchmarks.bare import missing, refuse
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

PATH = "/users/42/posts/hello-world"
DOCUMENT = {"user": 42, "slug": "hello-world"}
EXCHANGE = Exchange(
    PATH, media="application/json", body=lambda body: bool(json.loads(body) == DOCUMENT)
)
CHECKS = [
    EXCHANGE,
    Exchange("/users/someone/posts/hello-world", 404),
    Exchange("/users/42/posts", 404),
    Exchange(PATH + "/more", 404),
    Exchange(PATH, 405, environ={"REQUEST_METHOD": "DELETE"}),
]


def by_hand() -> WSGIApplication:
    def post(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if not path.isascii():  # PEP 3333: the bytes of UTF-8, read as Latin-1
            path = path.encode("latin-1").decode(errors="replace")
        parts = path.split("/")
        if len(parts) != 5 or parts[1] != "users" or parts[3] != "posts":
            return missing(environ, start_response)
        user, slug = parts[2], parts[4]
        if not (user.isascii() and user.isdigit() and slug):
            return missing(environ, start_response)
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD"):
            return refuse(start_response, "405 Method Not Allowed", ("Allow", "GET, HEAD"))
        body = json.dumps({"user": int(user), "slug": slug}).encode()
        length = str(len(body))
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", length)])
        return [] if method == "HEAD" else [body]

    return post


def with_wsgikit() -> WSGIApplication:
    router = Router()

    @router.get("/users/{user:int}/posts/{slug}")
    def post(request: Any, user: int, slug: str) -> dict[str, Any]:
        return {"user": user, "slug": slug}

    return router


def with_wheezy() -> WSGIApplication:
    @wheezy_http.accept_method(("GET", "HEAD"))
    def post(request: Any) -> Any:
        parameters = request.environ["route_args"]
        document = {"user": int(parameters["user"]), "slug": parameters["slug"]}
        return wheezy_http.json_response(document)

    return wheezy_application([("users/{user:int}/posts/{slug}", post, None, "post")])


def with_falcon() -> WSGIApplication:
    class Post:
        def on_get(self, request: Any, response: Any, user: int, slug: str) -> None:
            response.media = {"user": user, "slug": slug}

    application = falcon.App()
    application.add_route("/users/{user:int}/posts/{slug}", Post())
    return application


def with_bottle() -> WSGIApplication:
    application = bottle.Bottle()

    @application.get("/users/<user:int>/posts/<slug>")
    def post(user: int, slug: str) -> dict[str, Any]:
        return {"user": user, "slug": slug}

    return application


def with_werkzeug() -> WSGIApplication:
    def post(request: Any, user: int, slug: str) -> Any:
        document = json.dumps({"user": user, "slug": slug})
        return werkzeug.Response(document, mimetype="application/json")

    rule = werkzeug_routing.Rule("/users/<int:user>/posts/<slug>", endpoint=post, methods=["GET"])
    return werkzeug_application([rule])


def with_flask() -> WSGIApplication:
    application = flask.Flask("json")

    @application.get("/users/<int:user>/posts/<slug>")
    def post(user: int, slug: str) -> dict[str, Any]:
        return {"user": user, "slug": slug}

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
    heading("json", f"GET {PATH} as application/json, an int and a str from the path")
    table(race(BUILDERS, CHECKS, [EXCHANGE], settings), goal=1.3)
