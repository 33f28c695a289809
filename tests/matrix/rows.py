"""The layers: one row each, for all of ``wsgikit.middleware``, and for layers of others."""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass, field

from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from tests.matrix.applications import PLACE
from wsgikit import Request, Response
from wsgikit.metrics import Metrics
from wsgikit.middleware import (
    access_log,
    allowed_hosts,
    ban,
    basic_auth,
    bearer_auth,
    body_limit,
    cache,
    cache_control,
    canary,
    compress,
    concurrency,
    conditional,
    cors,
    csrf,
    deadline,
    debugger,
    error_pages,
    errors,
    etag,
    fallback,
    hang_watchdog,
    head,
    https_redirect,
    maintenance,
    method_override,
    metrics,
    on_close,
    options,
    profile,
    proxy_headers,
    rate_limit,
    redirects,
    request_id,
    security_headers,
    server_timing,
    sessions,
    trace_context,
    trailing_slash,
)
from wsgikit.stores import MemoryStore

logging.getLogger("tests.matrix").setLevel(logging.INFO)
logging.getLogger("tests.matrix").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Row:
    """Layers around the application, what is sent with each request, and what shows that they act.

    ``fields`` are header fields that a response to a GET has to have, with what has to be in their
    values; ``answers`` tells that an error of the application is answered by the row.
    """

    layers: tuple[object, ...]
    sent: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    answers: bool = False


def row(*layers, sent=None, fields=None, answers=False):
    return Row(layers, sent or {}, fields or {}, answers)


def reporting(app):
    """What reporters of errors do: look at what is raised, in the call and in the body."""

    class Reported:
        def __init__(self, body):
            self.body = body
            self.blocks = iter(body)

        def __iter__(self):
            return self

        def __next__(self):
            return seen(next, self.blocks)

        def close(self):
            seen(getattr(self.body, "close", tuple))

    def seen(step, *args):
        try:
            return step(*args)
        except Exception:
            logging.getLogger("tests.matrix").exception("reported")
            raise

    return lambda environ, start_response: Reported(seen(app, environ, start_response))


def visited(app):
    """Each request is a visit, kept in the session."""

    def answer(environ, start_response):
        session = Request(environ).session
        session["visits"] = session.get("visits", 0) + 1
        return app(environ, start_response)

    return answer


FORWARDED = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
ORIGIN = "https://app.example"

ROWS = {
    "access_log": row(access_log(logger="tests.matrix")),
    "allowed_hosts": row(allowed_hosts()),
    "ban": row(ban(store=MemoryStore(), offences=9, seconds=60, duration=60)),
    "basic_auth": row(
        basic_auth(verify=lambda name, password: name == password),
        sent={"Authorization": "Basic YW5uOmFubg=="},
    ),
    "bearer_auth": row(
        bearer_auth(verify=lambda token: "ann" if token == "one" else None),
        sent={"Authorization": "Bearer one"},
    ),
    "body_limit": row(body_limit(max_size=100_000)),
    "cache": row(cache(), fields={"Cache-Status": "wsgikit; fwd="}),
    "cache_control": row(
        cache_control(rules={"*": "max-age=60"}), fields={"Cache-Control": "max-age=60"}
    ),
    "canary": row(
        canary(to=Response("new"), share=0), fields={"Set-Cookie": "canary=old-", "Vary": "Cookie"}
    ),
    "compress": row(
        compress(), sent={"Accept-Encoding": "gzip"}, fields={"Content-Encoding": "gzip"}
    ),
    "concurrency": row(concurrency(store=MemoryStore(), requests=9)),
    "conditional": row(conditional()),
    "cors": row(
        cors(origins=[ORIGIN]),
        errors(),
        sent={"Origin": ORIGIN},
        fields={"Access-Control-Allow-Origin": ORIGIN},
        answers=True,
    ),
    "csrf": row(csrf(), sent={"Sec-Fetch-Site": "same-origin"}),
    "deadline": row(deadline(seconds=600)),
    "debugger": row(debugger(), answers=True),
    "error_pages": row(error_pages(pages={"5xx": Response("sorry")}), errors(), answers=True),
    "errors": row(errors(), answers=True),
    "etag": row(etag(), fields={"ETag": '"'}),
    "fallback": row(fallback(to=Response("another"))),
    "hang_watchdog": row(hang_watchdog(seconds=600)),
    "head": row(head()),
    "https_redirect": row(proxy_headers(trusted=["127.0.0.1"]), https_redirect(), sent=FORWARDED),
    "maintenance": row(maintenance(file=PLACE / "closed")),
    "method_override": row(method_override()),
    "metrics": row(metrics(into=Metrics())),
    "on_close": row(on_close()),
    "options": row(options()),
    "profile": row(profile(directory=PLACE / "profiles")),
    "proxy_headers": row(proxy_headers(trusted=["127.0.0.1"]), sent=FORWARDED),
    "rate_limit": row(
        rate_limit(store=MemoryStore(), requests=10_000, seconds=1), fields={"RateLimit": "r="}
    ),
    "redirects": row(redirects(table={"/old": "/new"})),
    "request_id": row(request_id(), sent={"X-Request-ID": "a" * 32}, fields={"X-Request-ID": "a"}),
    "security_headers": row(
        security_headers(),
        errors(),
        fields={"Content-Security-Policy": "default-src"},
        answers=True,
    ),
    "server_timing": row(server_timing(), fields={"Server-Timing": "total;dur="}),
    "sessions": row(
        sessions(keys=["of a test, and long enough"]), visited, fields={"Set-Cookie": "session="}
    ),
    "trace_context": row(trace_context()),
    "trailing_slash": row(trailing_slash()),
}

#: Layers of other libraries as they are, alone and between layers of wsgikit.
FOREIGN = {
    "werkzeug ProxyFix": row(ProxyFix, sent=FORWARDED),
    "werkzeug DispatcherMiddleware": row(
        functools.partial(DispatcherMiddleware, mounts={"/elsewhere": None})
    ),
    "WhiteNoise": row(functools.partial(WhiteNoise, root=str(PLACE / "public"))),
    "a reporter of errors": row(reporting),
    "all of these": row(
        errors(),
        ProxyFix,
        compress(),
        functools.partial(WhiteNoise, root=str(PLACE / "public")),
        etag(),
        reporting,
        functools.partial(DispatcherMiddleware, mounts={}),
        sent={**FORWARDED, "Accept-Encoding": "gzip"},
        fields={"Content-Encoding": "gzip", "ETag": '"'},
        answers=True,
    ),
}

#: What a public site wants, all at once.
WHOLE = {
    "ten at once": row(
        proxy_headers(trusted=["127.0.0.1"]),
        request_id(),
        access_log(logger="tests.matrix"),
        metrics(into=Metrics()),
        allowed_hosts(),
        security_headers(),
        compress(),
        conditional(),
        body_limit(max_size=100_000),
        errors(),
        sent={"X-Forwarded-Proto": "https", "Accept-Encoding": "gzip"},
        fields={"Content-Encoding": "gzip", "Strict-Transport-Security": "max-age"},
        answers=True,
    ),
    "no layer": row(),
}

ALL = {**WHOLE, **ROWS, **FOREIGN}
