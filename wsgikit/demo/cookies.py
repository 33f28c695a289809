"""Station: a cookie that is set, read and forgotten."""

from __future__ import annotations

from wsgikit.demo.frame import draw
from wsgikit.demo.source import source
from wsgikit.demo.wire import Exchange
from wsgikit.page import escape
from wsgikit.request import Request
from wsgikit.response import Response
from wsgikit.router import Router

__all__ = ["station"]

station = Router()


def counted(request: Request) -> int:
    given = request.cookies.get("cups", "")
    # A cookie is what the client sends: it may be anything.
    return int(given) if given.isdecimal() and len(given) < 6 else 0


@station.post("/more", name="more")
def more(request: Request) -> Response:
    response = Response.redirect(request.url_for("cookies"))
    response.set_cookie("cups", str(counted(request) + 1), max_age=3600)
    return response


@station.post("/forget", name="forget")
def forget(request: Request) -> Response:
    response = Response.redirect(request.url_for("cookies"))
    response.expire_cookie("cups")
    return response


@station.get("/", name="cookies")
def cookies(request: Request) -> Response:
    cups = counted(request)
    kept = {"Cookie": f"cups={cups}"} if cups else {}
    content = f"""
<p>The server keeps nothing here: your browser does, for an hour.</p>
<div class="panel"><p class="count"><b>{cups}</b> cup{"" if cups == 1 else "s"} of tea</p>
{_button(request, "more", "One more", "primary")}
{_button(request, "forget", "Forget it")}</div>
{source(counted, more, forget)}
<p>Unless you say otherwise, a cookie is closed to scripts (<code>HttpOnly</code>) and to requests
that other sites make (<code>SameSite</code>).</p>
<h2>On the wire</h2>
{Exchange(station, request, "POST", "/more", kept).html()}
{Exchange(station, request, "POST", "/forget", kept).html()}"""
    return draw(request, "cookies", content)


def _button(request: Request, name: str, label: str, style: str = "") -> str:
    action = escape(request.url_for(name))
    return (
        f'<form class="inline" method="post" action="{action}">'
        f'<button class="{style}">{label}</button></form>\n'
    )
