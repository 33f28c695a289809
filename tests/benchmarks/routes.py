"""Routing tables of any size, the paths asked of them, and the hand-written tree of dicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from tests.benchmarks.bare import TEXT, missing, refuse
from tests.benchmarks.exchange import Exchange

#: The routes of one resource: static ones and ones with parameters, as an API has them.
SHAPES = ("/{id:int}/items/{slug}", "", "/about", "/{id:int}/items", "/{id:int}")
MISSES = ("/nowhere", "/r0/seven/items", "/r1/7/items/red/more", "/r1/7/parts", "/r0/about/")

View = Callable[..., str]


def template(number: int) -> str:
    """Return the template of a route; ``/r0/{id:int}/items/{slug}`` is the first."""
    resource, shape = divmod(number, len(SHAPES))
    return f"/r{resource}{SHAPES[shape]}"


def text(number: int, id: int | None, slug: str | None) -> str:
    """Return what the view of a route answers: its number and its parameters."""
    return f"{number} {id} {slug}"


def exchange(number: int) -> Exchange:
    """Return a request of the route of that number."""
    shape = template(number)
    path = shape.replace("{id:int}", "7").replace("{slug}", "red")
    id = 7 if "{id" in shape else None
    slug = "red" if "{slug" in shape else None
    return Exchange(path, 200, "text/plain", text(number, id, slug).encode())


def lookups(count: int) -> dict[str, list[Exchange]]:
    """Return the requests of each kind of look-up; the mixed ones meet every shape alike."""
    resources = count // len(SHAPES)
    starts = range(0, count, max(1, resources // 10) * len(SHAPES))
    return {
        "first": [exchange(0)],
        "last": [exchange(count - 1)],
        "mixed": [exchange(start + shape) for start in starts for shape in range(len(SHAPES))],
        "miss": [Exchange(path, 404) for path in MISSES],
    }


INT, STR, LEAF = object(), object(), object()  # keys that no segment equals


def tree(views: Iterable[View]) -> WSGIApplication:
    """Return an application of plain dicts by path segment: what a careful hand writes."""
    root: dict[Any, Any] = {}
    for number, view in enumerate(views):
        node = root
        for segment in template(number).split("/"):
            key = INT if segment.endswith(":int}") else STR if segment[:1] == "{" else segment
            node = node.setdefault(key, {})
        node[LEAF] = {"GET": view, "HEAD": view}

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if not path.isascii():  # PEP 3333: the bytes of UTF-8, read as Latin-1
            path = path.encode("latin-1").decode(errors="replace")
        node = root
        values: list[int | str] = []
        for segment in path.split("/"):
            below = node.get(segment)
            if below is None:
                if INT in node and segment.isascii() and segment.isdigit():
                    below = node[INT]
                    values.append(int(segment))
                elif STR in node and segment:
                    below = node[STR]
                    values.append(segment)
                else:
                    return missing(environ, start_response)
            node = below
        methods = node.get(LEAF)
        if methods is None:
            return missing(environ, start_response)
        method = environ["REQUEST_METHOD"]
        view = methods.get(method)
        if view is None:
            allow = ("Allow", ", ".join(methods))
            return refuse(start_response, "405 Method Not Allowed", allow)
        body = view(*values).encode()
        start_response("200 OK", [("Content-Type", TEXT), ("Content-Length", str(len(body)))])
        return [] if method == "HEAD" else [body]

    return application
