"""Station: errors on purpose, as a visitor sees them and as a developer does."""

from __future__ import annotations

from wsgikit.demo.frame import draw
from wsgikit.demo.source import source
from wsgikit.demo.wire import Exchange, curl
from wsgikit.http.problem import HTTPError
from wsgikit.page import escape
from wsgikit.request import Request
from wsgikit.response import Response
from wsgikit.router import Router

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.types import WSGIEnvironment

__all__ = ["for_developers", "station"]

station = Router()


@station.get("/sold-out", name="sold-out")
def sold_out(request: Request) -> Response:
    raise HTTPError(409, "The last cup is taken.", extensions={"cups": 0})


@station.get("/fail", name="fail")
def fail(request: Request) -> dict[str, float]:
    guests = {"Ada": 3, "Grace": 2, "Alan": 0}
    api_token = "open sesame"  # the page does not show what has such a name
    return {guest: share(cups) for guest, cups in guests.items() if api_token}


def share(cups: int) -> float:
    return 12 / cups


def for_developers(environ: WSGIEnvironment) -> bool:
    """Whether the request may get the developer's page."""
    return environ.get("QUERY_STRING") != "as=visitor"


@station.get("/")
def errors(request: Request) -> Response:
    fail_at = escape(request.url_for("fail"))
    sold_out_at = escape(request.url_for("sold-out"))
    as_json = Exchange(station, request, "GET", "/sold-out", {"Accept": "application/json"})
    as_text = Exchange(station, request, "GET", "/sold-out")
    content = f"""
<h2>Refused</h2>
<p>A view that cannot answer raises an <code>HTTPError</code>. A browser gets a page, a program
problem details (RFC 9457), and a terminal a line of text.</p>
<p><a class="button" href="{sold_out_at}">Order the last cup</a></p>
{source(sold_out)}
{as_json.html()}
{as_text.html()}
<h2>Broken</h2>
<p>This view divides by zero. The layer <code>errors</code> logs the traceback, and tells a visitor
no more than that something went wrong. Inside of it, the layer <code>debugger</code> shows the
developer the source, the variables and the request, but only to a browser on the same machine.</p>
<p class="buttons"><a class="button" href="{fail_at}?as=visitor">See it as a visitor</a>
<a class="button" href="{fail_at}">See it as the developer</a></p>
{source(fail, share)}
<p>The same in a terminal, where the developer gets the traceback as text:</p>
{curl(request, "/fail")}
<p>These two layers are around the whole tour, as <code>stack(errors(), when(for_developers,
debugger()), …)</code>. <code>when</code> leaves a layer out where a function says so:</p>
{source(for_developers)}"""
    return draw(request, "errors", content)
