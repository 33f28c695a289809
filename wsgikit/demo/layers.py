"""Station: a layer written by hand, and WSGI applications of others."""

from __future__ import annotations

from time import perf_counter
from wsgiref.simple_server import demo_app

from wsgikit.compose import layer, stack
from wsgikit.demo.frame import draw
from wsgikit.demo.source import figure, source
from wsgikit.demo.wire import Exchange, curl
from wsgikit.page import escape
from wsgikit.request import Request
from wsgikit.response import Response
from wsgikit.router import Router
from wsgikit.wrap import on_start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["station", "timing"]


@layer
def timing(app: WSGIApplication) -> WSGIApplication:
    """Tells the client how long the application took to begin its answer."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        began = perf_counter()

        def add_time(status: str, headers: HeaderList) -> tuple[str, HeaderList]:
            took = (perf_counter() - began) * 1000
            return status, [*headers, ("Server-Timing", f"app;dur={took:.2f}")]

        return app(environ, on_start(start_response, add_time))

    return answer


def plain(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"No framework, no request object: just WSGI.\n"]


HELLO = """\
from wsgikit import Request, Router, stack
from wsgikit.middleware import debugger, errors

router = Router()


@router.get("/")
@router.get("/{name}")
def hello(request: Request, name: str = "web") -> str:
    return f"Hello, {name}!"


app = stack(errors(), debugger(), router)
"""

station = Router()
station.add("/plain", stack(timing(), plain))
station.mount("/wsgiref", demo_app, name="wsgiref")


@station.get("/")
def layers(request: Request) -> Response:
    content = f"""
<p>A layer is a function from an application to an application. This one is around the whole tour:
the developer tools of your browser show its time beside each request.</p>
{source(timing)}
<p><code>stack(timing(), plain)</code> puts it around an application, whoever made that: you, Flask,
Django, or the standard library.</p>
{source(plain)}
{Exchange(station, request, "GET", "/plain").html()}
<h2>An application of others</h2>
<p>The standard library's <code>wsgiref.simple_server.demo_app</code> knows nothing of wsgikit. It
is mounted here by <code>station.mount("/wsgiref", demo_app)</code>, and
<a href="{escape(request.url_for("wsgiref"))}">shows its environ</a>.</p>
{curl(request, "/wsgiref/any/path?q=1")}
<h2>Your turn</h2>
<p>That was the tour. Here is an application to begin with, as <code>hello.py</code>:</p>
{figure(HELLO, "hello.py")}
<pre class="curl" tabindex="0">python3 -m wsgikit serve hello:app --open</pre>"""
    return draw(request, "layers", content)
