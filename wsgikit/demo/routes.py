"""Station: a router, its converters, and what an address gets that no route has."""

from __future__ import annotations

from datetime import date

from wsgikit.demo.frame import draw
from wsgikit.demo.source import source
from wsgikit.demo.wire import Exchange, curl
from wsgikit.http.problem import HTTPError
from wsgikit.http.query import encode_query
from wsgikit.page import escape
from wsgikit.request import Request
from wsgikit.response import Response
from wsgikit.router import Router

__all__ = ["station"]

sample = Router()


@sample.get("/hello/{name}")
def hello(request: Request, name: str) -> str:
    return f"Hello, {name}!"


@sample.get("/sum/{a:int}/{b:int}")
def add(request: Request, a: int, b: int) -> dict[str, int]:
    if abs(a) + abs(b) > 2**53:
        raise HTTPError(400, "JavaScript has no whole numbers as large as that.")
    return {"a": a, "b": b, "sum": a + b}


@sample.get("/days/{day:date}")
def weekday(request: Request, day: date) -> str:
    return f"{day} is a {day:%A}."


@sample.get("/notes/{path:path}")
def note(request: Request, path: str) -> list[str]:
    return path.split("/")


station = Router()
station.mount("/try", sample)

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "DELETE")

# Request, and what to look at in the response.
EXAMPLES = (
    ("GET", "/hello/Ada", "a <code>str</code> is sent as plain text"),
    ("GET", "/sum/19/23", "a <code>dict</code> is sent as JSON"),
    ("GET", "/sum/19/many", "no route: that is no <code>int</code>"),
    ("GET", "/days/1815-12-10", "the view gets a <code>date</code>"),
    ("GET", "/notes/2026/tea/green", "one parameter, several segments"),
    ("DELETE", "/hello/Ada", "405, and which methods there are"),
    ("OPTIONS", "/hello/Ada", "the same as an answer"),
)


@station.get("/")
def routes(request: Request) -> Response:
    method = request.query.get("method", "GET")
    path = request.query.get("path", "/sum/19/23")
    if method not in METHODS:
        raise HTTPError(400, f"The method is one of {', '.join(METHODS)}.")
    exchange = Exchange(station, request, method, "/try/" + path.removeprefix("/"))
    content = f"""
<p>A router picks a view by the path and the method. <code>{{name}}</code> takes one segment of the
path, <code>{{a:int}}</code> one that is a whole number, and the view gets it as an
<code>int</code>. What a view returns becomes the response.</p>
{source(hello, add, weekday, note)}
<h2>Ask it</h2>
<form class="ask" action="#answer">
<label>Method <select name="method">{_choices(method)}</select></label>
<label class="wide">Path <input name="path" required maxlength="200" autocomplete="off"
autocapitalize="off" spellcheck="false" value="{escape(path)}"></label>
<button class="primary">Ask</button></form>
<p>Or one of these:</p>
<ul class="examples">{"".join(_example(*each) for each in EXAMPLES)}</ul>
<div id="answer">{exchange.html()}</div>
<p>From a terminal:</p>
{curl(request, "/try/sum/19/23", "-i")}"""
    return draw(request, "routes", content)


def _choices(current: str) -> str:
    return "".join(
        f"<option{' selected' if method == current else ''}>{method}</option>" for method in METHODS
    )


def _example(method: str, path: str, about: str) -> str:
    query = escape(encode_query([("method", method), ("path", path)]))
    return f'<li><a href="?{query}#answer"><code>{method} {path}</code></a> {about}</li>'
