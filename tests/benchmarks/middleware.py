"""Each layer of wsgikit around the same small application: what it adds to a request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from tests.benchmarks.bare import TEXT
from tests.benchmarks.exchange import Exchange, check
from tests.benchmarks.harness import Runner, Settings, compare, gap
from tests.benchmarks.report import heading, verdict
from wsgikit import Response, stack
from wsgikit.access import Access, as_json
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
from wsgikit.types import Layer

# Nanoseconds: a layer that has nothing to do for this request, so that request and response pass as
# they are; one that only adds header fields; one that is there to see what happens: that logs,
# counts, times or gives ids for a log, without the writing.
NOTHING, FIELDS, SEEN = 150, 500, 2000
# And ten of them, as a public site wants them.
TEN = 15_000
# What adding nine fields by hand takes on a machine for which these goals are meant.
BY_HAND = 300


@dataclass(frozen=True)
class Case:
    """A layer, the request that it is timed with, and what it may cost, if that is settled."""

    layer: Layer
    goal: int | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


PROXY = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_PROTO": "https"}
APP = {"HTTP_ORIGIN": "https://app.example"}
HTTPS = {"wsgi.url_scheme": "https"}
POST = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "0"}
PREFLIGHT = {"REQUEST_METHOD": "OPTIONS", "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "GET"}
NONCES = "script-src 'nonce-{nonce}'"
GZIP = {"HTTP_ACCEPT_ENCODING": "gzip, deflate, br"}
RULES = {"/api/*": "no-store", "text/html": "no-cache", "*": "max-age=60"}


IPV6 = {"REMOTE_ADDR": "2001:db8:1:2:3:4:5:6"}
MILLIONS = {"requests": 10**6, "seconds": 1, "burst": 10**9}  # so that none is refused


TRACED = {"HTTP_TRACEPARENT": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}

written = logging.getLogger("tests.benchmarks")
written.setLevel(logging.INFO)
written.propagate = False
written.addHandler(logging.NullHandler())


def unwritten(access: Access) -> None:
    """A format that leaves out every request."""


def by_hand(app: WSGIApplication) -> WSGIApplication:
    """The least that a layer costs which adds fields, on this machine and at this moment."""
    fields = [(f"X-{number}", "value") for number in range(9)]

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None, /
        ) -> Callable[[bytes], object]:
            return start_response(status, [*headers, *fields], exc_info)

        return app(environ, start)

    return answer


def kept(app: WSGIApplication) -> WSGIApplication:
    """A cache in front of an application whose responses may be kept."""
    return cache()(cache_control(rules={"*": "max-age=86400"})(app))


def kept_by_coding(app: WSGIApplication) -> WSGIApplication:
    """The same with responses that depend on a request field: two looks into the store."""
    return cache()(compress()(cache_control(rules={"*": "max-age=86400"})(app)))


def ten(app: WSGIApplication) -> WSGIApplication:
    """What a public site wants, behind a proxy."""
    return stack(
        proxy_headers(trusted=["10.0.0.0/8"]),
        request_id(),
        access_log(format=unwritten, logger=written.name),
        metrics(into=Metrics()),
        allowed_hosts(),
        security_headers(),
        compress(),
        conditional(),
        body_limit(max_size=1000),
        errors(),
        app,
    )


CASES = {
    "ten at once": Case(ten, TEN, {**PROXY, **GZIP, "HTTP_X_FORWARDED_FOR": "192.0.2.1"}),
    "nine fields, by hand": Case(by_hand),
    "proxy_headers, no proxy": Case(proxy_headers(trusted=["10.0.0.0/8"]), NOTHING),
    "proxy_headers, one proxy": Case(
        proxy_headers(trusted=["10.0.0.0/8"]),
        environ={**PROXY, "HTTP_X_FORWARDED_FOR": "192.0.2.1"},
    ),
    "proxy_headers, Forwarded": Case(
        proxy_headers(trusted=["10.0.0.0/8"], headers=["Forwarded"]),
        environ={**PROXY, "HTTP_FORWARDED": "for=192.0.2.1;proto=https;host=a.example"},
    ),
    "allowed_hosts": Case(allowed_hosts(), NOTHING),
    "https_redirect, by https": Case(https_redirect(), NOTHING, HTTPS),
    "https_redirect, by http": Case(https_redirect(), status=308),
    "security_headers": Case(security_headers(), FIELDS, HTTPS),
    "security_headers, nonce": Case(security_headers(csp=NONCES), FIELDS, HTTPS),
    "cors, no Origin": Case(cors(origins=["https://app.example"]), FIELDS),
    "cors, Origin": Case(cors(origins=["https://app.example"]), FIELDS, APP),
    "cors, preflight": Case(
        cors(origins=["https://app.example"]), environ={**APP, **PREFLIGHT}, status=204
    ),
    "csrf, GET": Case(csrf(), NOTHING),
    "csrf, own page": Case(csrf(), NOTHING, {**POST, "HTTP_SEC_FETCH_SITE": "same-origin"}),
    "csrf, program": Case(csrf(), NOTHING, POST),
    "basic_auth": Case(
        basic_auth(verify=lambda name, password: True),
        environ={"HTTP_AUTHORIZATION": "Basic YW5uOmNvcnJlY3QgaG9yc2U="},
    ),
    "bearer_auth": Case(
        bearer_auth(verify=lambda token: "ann"),
        environ={"HTTP_AUTHORIZATION": "Bearer M5lpIu2OTmGS3bmRIY0vAQ5iXgYdbSX8"},
    ),
    "body_limit, no body": Case(body_limit(max_size=1000), NOTHING),
    "body_limit, length told": Case(body_limit(max_size=1000), environ=POST),
    "body_limit, chunked": Case(
        body_limit(max_size=1000),
        environ={"REQUEST_METHOD": "POST", "HTTP_TRANSFER_ENCODING": "chunked"},
    ),
    "debugger, no failure": Case(debugger()),
    "errors, no failure": Case(errors(), NOTHING),
    "deadline": Case(deadline(seconds=10)),
    "compress, small": Case(compress(), NOTHING, GZIP),
    "compress, not accepted": Case(compress(min_size=0), FIELDS),
    "compress, HEAD": Case(compress(min_size=0), environ={**GZIP, "REQUEST_METHOD": "HEAD"}),
    "conditional, none": Case(conditional(), NOTHING),
    "conditional, false": Case(conditional(), environ={"HTTP_IF_NONE_MATCH": '"a"'}),
    "conditional, 304": Case(conditional(), environ={"HTTP_IF_NONE_MATCH": "*"}, status=304),
    "etag": Case(etag()),
    "cache_control": Case(cache_control(rules=RULES), FIELDS),
    "cache, hit": Case(kept),
    "cache, hit of a variant": Case(kept_by_coding),
    "cache, not to be kept": Case(cache()),
    "redirects, none": Case(redirects(table={"/old": "/new"}), NOTHING),
    "redirects, pattern": Case(redirects(table={"/old/{name}": "/new/{name}"}), NOTHING),
    "maintenance": Case(maintenance(file="closed"), NOTHING),
    "error_pages": Case(error_pages(pages={404: Response("sorry")}), NOTHING),
    "fallback": Case(fallback(to=Response("another")), NOTHING),
    "canary": Case(canary(to=Response("new"), share=0)),
    "access_log, off": Case(access_log(logger="tests.benchmarks.off"), NOTHING),
    "access_log, not written": Case(access_log(format=unwritten, logger=written.name), SEEN),
    "access_log, combined": Case(access_log(logger=written.name)),
    "access_log, JSON": Case(access_log(format=as_json, logger=written.name)),
    "metrics": Case(metrics(into=Metrics()), SEEN),
    "rate_limit, memory": Case(rate_limit(store=MemoryStore(), **MILLIONS)),
    "rate_limit, memory, IPv6": Case(rate_limit(store=MemoryStore(), **MILLIONS), environ=IPV6),
    "rate_limit, safelist": Case(
        rate_limit(store=MemoryStore(), safelist=["192.0.2.0/24"], **MILLIONS),
        NOTHING,
        {"REMOTE_ADDR": "192.0.2.7"},
    ),
    "concurrency, memory": Case(concurrency(store=MemoryStore(), requests=100)),
    "ban, memory": Case(ban(store=MemoryStore(), offences=9, seconds=60, duration=60)),
    "request_id": Case(request_id(), SEEN),
    "request_id, inbound": Case(request_id(), SEEN, {"HTTP_X_REQUEST_ID": "a" * 32}),
    "trace_context": Case(trace_context(), SEEN),
    "trace_context, inbound": Case(trace_context(), SEEN, TRACED),
    "server_timing": Case(server_timing(), SEEN),
    "sessions, not asked for": Case(sessions(keys=["a key of enough bytes"]), NOTHING),
    "profile, not asked for": Case(profile(directory="profiles"), NOTHING),
    "hang_watchdog": Case(hang_watchdog(seconds=60), SEEN),
    "on_close, nothing left": Case(on_close(), NOTHING),
    "method_override, GET": Case(method_override(), NOTHING),
    "method_override, POST": Case(method_override(), NOTHING, POST),
    "head, GET": Case(head(), NOTHING),
    "head, HEAD": Case(head(), environ={"REQUEST_METHOD": "HEAD"}),
    "options, GET": Case(options(), NOTHING),
    "trailing_slash": Case(trailing_slash(), NOTHING),
    "trailing_slash, redirect": Case(trailing_slash(end="append"), status=308),
}


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", TEXT), ("Content-Length", "5")])
    return [b"hello"]


logging.getLogger("tests.benchmarks.off").setLevel(logging.WARNING)


def run(settings: Settings) -> None:
    if settings.only and "wsgikit" not in settings.only:
        return
    heading("middleware", "what each layer adds to a request that it gets")
    runners = {}
    for name, case in CASES.items():
        exchange = Exchange("/hello", case.status, environ=case.environ)
        app: WSGIApplication = case.layer(application)
        if complaint := check(app, [exchange]):
            print(f"  {name}: answers wrongly, left out ({complaint})")
            continue
        bare = Exchange("/hello", environ=case.environ)
        runners[name] = Runner(app, [exchange], settings.seconds)
        runners[f"{name} without"] = Runner(application, [bare], settings.seconds)
    times = compare(runners, settings.rounds)
    added = {
        name: gap(times[name], times[f"{name} without"]) * 1e9 for name in CASES if name in times
    }
    scale = BY_HAND / added["nine fields, by hand"]
    print(f"  {'':28}{'ns':>8}{'scaled':>8}")
    for name, spent in added.items():
        case, scaled = CASES[name], spent * scale
        goal = "   " + verdict(scaled, case.goal, "ns") if case.goal else ""
        print(f"  {name:28}{spent:8.0f}{scaled:8.0f}{goal}")
