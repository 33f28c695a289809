"""Station: one resource in the form and the language that the client prefers."""

from __future__ import annotations

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

station = Router()

GREETINGS = {
    "en": "Good day!",
    "de": "Guten Tag!",
    "fr": "Bonjour !",
    "ar": "نهارك سعيد!",
    "ja": "こんにちは。",
}

PAGE = """<!DOCTYPE html>
<html lang="{language}">
<meta name="color-scheme" content="light dark">
<title>{words}</title>
<h1 dir="auto">{words}</h1>
"""


@station.get("/greeting", name="greeting")
def greeting(request: Request) -> Response:
    language = request.accept_language.best(list(GREETINGS)) or "en"
    words = GREETINGS[language]
    form = request.accept.best(["text/html", "application/json", "text/plain"])
    if form == "text/html":
        response = Response.html(PAGE.format(language=language, words=escape(words)))
    elif form == "application/json":
        response = Response.json({"greeting": words, "language": language})
    elif form == "text/plain":
        response = Response(words)
    else:
        raise HTTPError(406, "A greeting comes as HTML, JSON or text.")
    response.headers["Content-Language"] = language
    response.headers.vary("Accept", "Accept-Language")
    return response


# Accept, Accept-Language, and whose they might be.
CLIENTS = (
    ("text/html,application/xhtml+xml,*/*;q=0.8", "en", "a browser"),
    ("application/json", "de-CH, fr;q=0.8", "a program in Switzerland"),
    ("text/plain", "ja, en;q=0.5", "a terminal in Kyoto"),
    ("image/png", "en", "somebody who wants a picture"),
)


@station.get("/")
def negotiation(request: Request) -> Response:
    accept = request.query.get("accept", "application/json")
    language = request.query.get("language", request.headers.get("Accept-Language", "en") or "en")
    asked = {"Accept": accept, "Accept-Language": language}
    exchange = Exchange(station, request, "GET", "/greeting", asked)
    content = f"""
<p>A client says what it likes, with weights. The server has something to offer, and
<code>best</code> finds what suits both. <code>Vary</code> tells caches what the answer depended
on.</p>
<form class="ask" action="#answer">
<label class="wide">Accept <input name="accept" value="{escape(accept)}"></label>
<label class="wide">Accept-Language <input name="language" value="{escape(language)}"></label>
<button class="primary">Ask</button></form>
<ul class="examples">{"".join(_client(*each) for each in CLIENTS)}</ul>
<div id="answer">{exchange.html()}</div>
{source(greeting)}
<p>See what <a href="{escape(request.url_for("greeting"))}">your own browser</a> gets, and what curl
does:</p>
{curl(request, "/greeting", "-i -H 'Accept-Language: fr'")}"""
    return draw(request, "negotiation", content)


def _client(accept: str, language: str, who: str) -> str:
    query = escape(encode_query([("accept", accept), ("language", language)]))
    return f'<li><a href="?{query}#answer">As {who}</a></li>'
