"""Query, cookies and an urlencoded form of one request, two fields of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from tests.benchmarks.bare import TEXT, missing, refuse
from tests.benchmarks.exchange import Exchange
from tests.benchmarks.harness import Settings, race, ratio
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

URLENCODED = "application/x-www-form-urlencoded"
SENT = b"name=Zo%C3%AB+Price&email=zoe%40example.org"
ANSWER = "small web|2|31d4d96e407aad42|dark|Zoë Price|zoe@example.org"
REQUEST = {
    "REQUEST_METHOD": "POST",
    "QUERY_STRING": "q=small+web&page=2",
    "HTTP_COOKIE": "sid=31d4d96e407aad42; theme=dark",
    "CONTENT_TYPE": URLENCODED,
    "CONTENT_LENGTH": str(len(SENT)),
}
EXCHANGE = Exchange("/form", 200, "text/plain", ANSWER.encode(), REQUEST, SENT)
CHECKS = [
    EXCHANGE,
    Exchange("/other", 404, environ=REQUEST, sent=SENT),
    Exchange("/form", 405),
]
LIMIT = 1_000_000  # bytes of a body


def by_name(query: Any, cookies: Any, fields: Any) -> str:
    """Return what every view answers, from mappings to one value."""
    return (
        f"{query['q']}|{query['page']}|{cookies['sid']}|{cookies['theme']}"
        f"|{fields['name']}|{fields['email']}"
    )


def by_list(query: Any, cookies: Any, fields: Any) -> str:
    """Return the same from mappings to all values."""
    return (
        f"{query['q'][0]}|{query['page'][0]}|{cookies['sid']}|{cookies['theme']}"
        f"|{fields['name'][0]}|{fields['email'][0]}"
    )


def split(text: str) -> dict[str, str]:
    """Read a Cookie header in the fewest steps, to see what ``http.cookies`` costs."""
    pairs = (pair.strip().partition("=") for pair in text.split(";"))
    return {name: value.strip('"') for name, _, value in pairs if name}


def standard(text: str) -> dict[str, str]:
    """Read a Cookie header with the standard library."""
    return {name: morsel.value for name, morsel in SimpleCookie(text).items()}


def by_hand(parse_cookies: Callable[[str], dict[str, str]]) -> WSGIApplication:
    def form(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/form":
            return missing(environ, start_response)
        if environ["REQUEST_METHOD"] != "POST":
            return refuse(start_response, "405 Method Not Allowed", ("Allow", "POST"))
        if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != URLENCODED:
            return refuse(start_response, "415 Unsupported Media Type")
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > LIMIT:
            return refuse(start_response, "413 Content Too Large")
        query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        cookies = parse_cookies(environ.get("HTTP_COOKIE", ""))
        fields = parse_qs(environ["wsgi.input"].read(length).decode(), keep_blank_values=True)
        body = by_list(query, cookies, fields).encode()
        start_response("200 OK", [("Content-Type", TEXT), ("Content-Length", str(len(body)))])
        return [body]

    return form


def with_wsgikit() -> WSGIApplication:
    router = Router()

    @router.post("/form")
    def form(request: Any) -> str:
        return by_name(request.query, request.cookies, request.form())

    return router


def with_wheezy() -> WSGIApplication:
    @wheezy_http.accept_method("POST")
    def form(request: Any) -> Any:
        response = wheezy_http.HTTPResponse(TEXT)
        response.write(by_list(request.query, request.cookies, request.form))
        return response

    return wheezy_application([("form", form, None, "form")])


def with_falcon() -> WSGIApplication:
    class Form:
        def on_post(self, request: Any, response: Any) -> None:
            response.content_type = TEXT
            response.text = by_name(request.params, request.cookies, request.get_media())

    application = falcon.App()
    application.add_route("/form", Form())
    return application


def with_bottle() -> WSGIApplication:
    application = bottle.Bottle()

    @application.post("/form")
    def form() -> str:
        query, cookies, fields = bottle.request.query, bottle.request.cookies, bottle.request.forms
        bottle.response.content_type = TEXT
        return f"{query.q}|{query.page}|{cookies.sid}|{cookies.theme}|{fields.name}|{fields.email}"

    return application


def with_werkzeug() -> WSGIApplication:
    def form(request: Any) -> Any:
        return werkzeug.Response(by_name(request.args, request.cookies, request.form))

    return werkzeug_application([werkzeug_routing.Rule("/form", endpoint=form, methods=["POST"])])


def with_flask() -> WSGIApplication:
    application = flask.Flask("form")

    @application.post("/form")
    def form() -> Any:
        request = flask.request
        text = by_name(request.args, request.cookies, request.form)
        return flask.Response(text, mimetype="text/plain")

    return application


BUILDERS = {
    "bare": lambda: by_hand(standard),
    "bare split": lambda: by_hand(split),
    "wsgikit": with_wsgikit,
    "wheezy.web": with_wheezy,
    "falcon": with_falcon,
    "bottle": with_bottle,
    "werkzeug": with_werkzeug,
    "flask": with_flask,
}


def run(settings: Settings) -> None:
    heading("form", "POST /form: two values each of query, cookies and urlencoded form")
    times = race(BUILDERS, CHECKS, [EXCHANGE], settings)
    table(times, goal=1.25)
    if "wsgikit" in times and "bare split" in times:
        factor = ratio(times["wsgikit"], times["bare split"])
        print(f"  wsgikit against bare split (Cookie by hand): {factor:.2f}")
