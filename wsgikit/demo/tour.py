"""The tour as one application, and its first page, which draws that application."""

from __future__ import annotations

from wsgikit.compose import stack, when
from wsgikit.demo import cookies, failures, files, form, layers, negotiation, routes, streaming
from wsgikit.demo.frame import STATIONS, draw, home_of
from wsgikit.demo.source import source
from wsgikit.describe import describe
from wsgikit.middleware import debugger, errors
from wsgikit.page import escape
from wsgikit.request import Request
from wsgikit.response import Response
from wsgikit.router import Router

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.describe import Description
    from wsgikit.types import WSGIApplication

__all__ = ["app"]

router = Router()

ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<g fill="none" stroke="#3b82c4" stroke-width="3"><rect x="2" y="2" width="28" height="28" rx="6"/>
<rect x="8" y="8" width="16" height="16" rx="4"/></g><rect x="13" y="13" width="6" height="6"
fill="#3b82c4"/></svg>"""


def make_app() -> WSGIApplication:
    router.mount("/routes", routes.station)
    router.mount("/form", form.station)
    router.mount("/files", files.station)
    router.mount("/negotiation", negotiation.station)
    router.mount("/cookies", cookies.station)
    router.mount("/streaming", streaming.station)
    router.mount("/errors", failures.station)
    router.mount("/layers", layers.station)
    return stack(
        layers.timing(),
        errors(),
        when(failures.for_developers, debugger()),
        router,
    )


# What the layers do, in the drawing.
ABOUT = {
    "timing": "tells how long it took",
    "errors": "answers what goes wrong",
    "when": "shows developers what went wrong",
}


@router.get("/favicon.ico")
def icon(request: Request) -> Response:
    return Response(ICON, content_type="image/svg+xml", headers={"Cache-Control": "max-age=3600"})


@router.get("/")
def home(request: Request) -> Response:
    description = describe(app)
    content = f"""
<p>This tour is a web application made with wsgikit, and wsgikit's server has sent it. Nothing was
installed for it, and it needs no network. Each station does something, and shows the lines that do
it.</p>
<p>A request passes the layers from the outside to the inside, and the router picks what answers it.
The answer takes the same way back.</p>
<div class="stack">{_drawn(description, home_of(request, ""))}</div>
<h2>The source of that</h2>
{source(make_app)}
<p>The drawing is made from <code>describe(app)</code>. Here is the same in a terminal:</p>
<details class="tree"><summary><code>python3 -m wsgikit show wsgikit.demo:app</code></summary>
<pre tabindex="0">{escape(description)}</pre></details>
<h2>Four words are enough</h2>
<dl>
<dt>application</dt><dd>What answers: <code>app(environ, start_response)</code>, as WSGI has it. A
router is one, a response is one, a Flask application is one.</dd>
<dt>view</dt><dd>A function of a request that returns a response, text or data. The router makes an
application of it.</dd>
<dt>middleware</dt><dd>A function that takes an application and returns one.</dd>
<dt>layer</dt><dd>A middleware with its options, ready to be stacked.</dd>
</dl>"""
    return draw(request, "", content)


def _drawn(part: Description, home: str) -> str:
    """Boxes in boxes: the layers, and inside of them the router with its stations."""
    if part.kind == "layer":
        inner = _drawn(part.parts[0][1], home)
        about = escape(ABOUT.get(part.name, ""))
        return f'<div class="box"><p><code>{escape(part.heading())}</code> {about}</p>{inner}</div>'
    stations = [
        _station(label.removesuffix("/*").removeprefix("/"), station, home)
        for label, station in part.parts
        if label.endswith("/*")
    ]
    return (
        f'<div class="box router"><p><code>{escape(part.heading())}</code> picks what answers</p>\n'
        f"<ul>{''.join(stations)}</ul></div>"
    )


def _station(slug: str, part: Description, home: str) -> str:
    title, summary = STATIONS[slug]
    return (
        f'<li><a href="{home}/{slug}/"><b>{title}</b></a> <span class="soft">{summary}</span>\n'
        f"<details><summary><code>/{slug}/*</code></summary>{_routes(part)}</details></li>\n"
    )


def _routes(part: Description) -> str:
    items = [f"<li>{_route(label, inner)}</li>" for label, inner in part.parts]
    return f"<ul>{''.join(items)}</ul>" if items else ""


def _route(label: str, part: Description) -> str:
    """The route, its layers and its view."""
    names = [layer.heading() for layer in part.layers()]
    while part.kind == "layer":
        part = part.parts[0][1]
    names.append(part.name)
    return f"<code>{escape(label)}</code> {escape(' → '.join(names))}{_routes(part)}"


app = make_app()
