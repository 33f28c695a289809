"""Station: a form that is read, checked and escaped, and answered by a redirect."""

from __future__ import annotations

from wsgikit.demo.frame import draw
from wsgikit.demo.source import source
from wsgikit.demo.wire import Exchange
from wsgikit.http.query import encode_query
from wsgikit.page import escape
from wsgikit.request import Request
from wsgikit.response import Response
from wsgikit.router import Router

__all__ = ["station"]

station = Router()

CUPS = [str(number) for number in range(1, 13)]


@station.post("/")
def order(request: Request) -> Response:
    form = request.form(max_size=2000)
    name, cups = form.get("name", "").strip(), form.get("cups", "")
    problems = {}
    if not 1 <= len(name) <= 40:
        problems["name"] = "A name has 1 to 40 characters."
    if cups not in CUPS:
        problems["cups"] = "There are 1 to 12 cups."
    if problems:
        return draw_form(request, name, cups, problems)
    query = encode_query({"name": name, "cups": cups})
    return Response.redirect(f"?{query}#done")


@station.get("/", name="form")
def form(request: Request) -> Response:
    return draw_form(request, request.query.get("name", ""), request.query.get("cups", ""), {})


def draw_form(request: Request, name: str, cups: str, problems: dict[str, str]) -> Response:
    done = ""
    if name and not problems:
        done = (
            f'<p id="done" class="note" role="status">Tea for {escape(name)}: {escape(cups)}.</p>'
        )
    right = Exchange(station, request, "POST", "/", form="name=Ada&cups=3")
    content = f"""
<p>Leave a field empty, ask for 99 cups, or call yourself
<code>&lt;script&gt;alert(1)&lt;/script&gt;</code>: the browser's own checks are off here, so that
you see those of the server.</p>
<form class="panel" method="post" action="{escape(request.url_for("form"))}" novalidate>
{_field("name", "Name", name, problems, 'autocomplete="given-name"')}
{_field("cups", "Cups of tea", cups, problems, 'inputmode="numeric"')}
<button class="primary">Order</button></form>
{done}
{source(order)}
<p>A wrong order gets the form again, with what was typed and the status 422. A right one gets a
redirect (303), so that going back or reloading orders nothing twice.</p>
<h2>On the wire</h2>
{right.html()}"""
    return draw(request, "form", content, status=422 if problems else 200)


def _field(name: str, label: str, value: str, problems: dict[str, str], more: str) -> str:
    problem = problems.get(name)
    mark = f' aria-invalid="true" aria-describedby="{name}-problem"' if problem else ""
    told = f'<p class="problem" id="{name}-problem">{problem}</p>' if problem else ""
    return (
        f'<p><label for="{name}">{label}</label><input id="{name}" name="{name}" required {more}'
        f' value="{escape(value)}"{mark}></p>{told}'
    )
