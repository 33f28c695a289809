"""A router of any number of routes in each library's own form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from wsgiref.types import WSGIApplication

from tests.benchmarks.bare import TEXT
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
from tests.benchmarks.routes import SHAPES, View, template, text, tree
from wsgikit import Router

Builder = Callable[[int], WSGIApplication]


def by_hand(count: int) -> WSGIApplication:
    def view_of(number: int) -> View:
        return lambda id=None, slug=None: text(number, id, slug)

    return tree(view_of(number) for number in range(count))


def with_wsgikit(count: int) -> WSGIApplication:
    def view_of(number: int) -> Callable[..., str]:
        def view(request: Any, id: int | None = None, slug: str | None = None) -> str:
            return text(number, id, slug)

        return view

    router = Router()
    for number in range(count):
        router.get(template(number))(view_of(number))
    return router


def with_wheezy(count: int) -> WSGIApplication:
    def view_of(number: int) -> Any:
        @wheezy_http.accept_method(("GET", "HEAD"))
        def view(request: Any) -> Any:
            parameters = request.environ["route_args"]
            id, slug = parameters.get("id"), parameters.get("slug")
            response = wheezy_http.HTTPResponse(TEXT)
            response.write(text(number, id and int(id), slug))
            return response

        return view

    # Nested tables: what its manual advises, and much faster than a flat one.
    urls: list[Any] = []
    for number in range(count):
        _, resource, *rest = template(number).split("/", 2)
        if number % len(SHAPES) == 0:
            urls.append((resource + "/", []))
            within = urls[-1][1]
        table, pattern = (within, rest[0]) if rest else (urls, resource)
        table.append((pattern, view_of(number), None, f"v{number}"))
    return wheezy_application(urls)


def with_falcon(count: int) -> WSGIApplication:
    class View:
        def __init__(self, number: int) -> None:
            self.number = number

        def on_get(
            self, request: Any, response: Any, id: int | None = None, slug: str | None = None
        ) -> None:
            response.content_type = TEXT
            response.text = text(self.number, id, slug)

    application = falcon.App()
    for number in range(count):
        application.add_route(template(number), View(number))
    return application


def with_bottle(count: int) -> WSGIApplication:
    def view_of(number: int) -> View:
        def view(id: int | None = None, slug: str | None = None) -> str:
            bottle.response.content_type = TEXT
            return text(number, id, slug)

        return view

    application = bottle.Bottle()
    for number in range(count):
        path = template(number).replace("{", "<").replace("}", ">")
        application.route(path, ["GET"], view_of(number))
    return application


def angled(number: int) -> str:
    """Return a template in Werkzeug's syntax."""
    return template(number).replace("{id:int}", "<int:id>").replace("{slug}", "<slug>")


def with_werkzeug(count: int) -> WSGIApplication:
    def view_of(number: int) -> Any:
        def view(request: Any, id: int | None = None, slug: str | None = None) -> Any:
            return werkzeug.Response(text(number, id, slug))

        return view

    rule = werkzeug_routing.Rule
    return werkzeug_application(
        [rule(angled(number), endpoint=view_of(number), methods=["GET"]) for number in range(count)]
    )


def with_flask(count: int) -> WSGIApplication:
    def view_of(number: int) -> Any:
        def view(id: int | None = None, slug: str | None = None) -> Any:
            return flask.Response(text(number, id, slug), mimetype="text/plain")

        return view

    application = flask.Flask("routers")
    for number in range(count):
        application.add_url_rule(angled(number), f"v{number}", view_of(number), methods=["GET"])
    return application


BUILDERS: dict[str, Builder] = {
    "bare": by_hand,
    "wsgikit": with_wsgikit,
    "wheezy.web": with_wheezy,
    "falcon": with_falcon,
    "bottle": with_bottle,
    "werkzeug": with_werkzeug,
    "flask": with_flask,
}
