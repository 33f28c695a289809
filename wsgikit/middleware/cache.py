"""A shared cache: responses that may be kept answer others, too (RFC 9111, RFC 5861, RFC 9211)."""

from __future__ import annotations

from io import BytesIO
from time import monotonic, time

from wsgikit.arguments import check_clock, check_size
from wsgikit.caching.asking import (
    is_alike,
    is_for_application,
    is_usable,
    key_of,
    key_of_reference,
    place_of,
    way_of,
    why,
)
from wsgikit.caching.fetch import Fetch
from wsgikit.caching.flights import PATIENCE, TURNS, Flights
from wsgikit.caching.send import send, status_field
from wsgikit.caching.shelf import Found, Shelf, url_key
from wsgikit.caching.source import Source, finder
from wsgikit.compose import layer
from wsgikit.errors import answer_error
from wsgikit.failures import LOG, request_line
from wsgikit.http.cache_control import parse_cache_control
from wsgikit.http.problem import HTTPError
from wsgikit.keys import DEADLINE
from wsgikit.stores import MemoryStore
from wsgikit.stores.limits import MAX_VALUE, check_store
from wsgikit.stores.protocol import StoreError
from wsgikit.wrap import add_headers, close, on_close, on_start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgikit.caching.entry import Entry
    from wsgikit.stores.protocol import Store
    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["cache"]

#: What has to stand outside of this layer, and what inside, and why.
ORDER = {
    "inside": {
        "proxy_headers": "pages would be kept under the host and scheme of the proxy",
        "allowed_hosts": "whoever makes up a Host could fill the store",
        "ban": "what is kept would be sent to those who are banned",
        "basic_auth": "what is kept would be sent to those who have no password",
        "bearer_auth": "what is kept would be sent to those who have no token",
        "access_log": "what is answered from the store would not be logged",
        "metrics": "what is answered from the store would not be counted",
        "request_id": "the id of one request would be told to others",
        "trace_context": "the trace of one request would be told to others",
        "server_timing": "the times of one request would be told to others",
        "security_headers": "the nonce of one response would be kept with it",
        "cors": "each origin would have a copy of its own",
        "method_override": "a GET that stands for another method would be answered from the store",
    },
    "outside": {
        "compress": "what is kept would be compressed anew for each client",
        "conditional": "nobody would tell the cache that its copy is still good",
        "etag": "what is kept would have no tag to be validated by",
        "cache_control": "what it allows would come too late: nothing would be kept",
    },
}

_NONE: dict[str, str] = {}
_BYPASSED = (status_field("fwd=bypass"),)
_UNREACHABLE = (status_field("fwd=bypass; detail=store-unreachable"),)


@layer
def cache(
    app: WSGIApplication,
    *,
    store: Store | None = None,
    max_size: int = MAX_VALUE,
    clock: Callable[[], float] = time,
) -> WSGIApplication:
    """A response that may be kept answers other requests as well, without the application.

    :param store: where responses are kept. Processes that share it share them; without, each
        process has up to 64 MiB of its own.
    :param max_size: larger responses are passed on as they come, and not kept. Bytes, with the
        fields; no more than the store's ``max_value``.
    :param clock: the time of day in seconds, as :func:`time.time` gives it.
    :raises TypeError: for an option of another type.
    :raises ValueError: for a size below 1.

    This is a shared cache as RFC 9111 has it: what a response says of itself decides. Kept are
    responses to GET that allow it by ``public``, ``s-maxage``, ``max-age``, ``no-cache`` (used only
    after the application has said that they are unchanged) or an Expires. A response that says
    nothing is not kept: there is no guess at how long it is good. Not kept, whatever they say, are
    206, responses with ``Vary: *``, and those with a Set-Cookie, unless ``private="set-cookie"`` or
    ``no-cache="set-cookie"`` takes that field out of them. Of a request with an Authorization or a
    REMOTE_USER, only what says ``public``, ``s-maxage`` or ``must-revalidate`` (§3.5). Files for
    the server (``wsgi.file_wrapper``) are not read, and a page that has the nonce of its
    Content-Security-Policy in it is not kept.

    What is no longer fresh is validated: the application gets If-None-Match and If-Modified-Since,
    and a 304 makes the stored response fresh again. In the time of ``stale-while-revalidate`` the
    client gets the old one, and the application is asked when its response is over; in that of
    ``stale-if-error`` the old one stands in for a 500, 502, 503, 504 or a failure. The directives
    of a request count, too: ``no-cache``, ``no-store``, ``max-age``, ``min-fresh``, ``max-stale``
    and ``only-if-cached`` (504). Conditions, HEAD and a single range are answered from what is
    kept.

    Of many that want the same at once, one asks the application and the others wait for it, for ten
    seconds at most: in one process, and in all that share the store. The same is one variant of one
    URL; as long as it is not known on which fields the responses depend, a request may wait for
    another variant first, and then once for its own. Nobody waits for what was not kept the last
    time. Requests with a Range, with conditions, an Authorization or a REMOTE_USER wait for others
    and for each other, but none of the others waits for them.

    A POST, PUT, DELETE or other unsafe request that succeeds takes away what is kept for its URL,
    and for the Location and Content-Location of its response if they are of the same origin, same
    scheme, host and port; a response that was under way meanwhile is not kept either (§4.4).

    Each response to GET and HEAD has a Cache-Status (RFC 9211), and one from the store an Age.
    A store that cannot be reached is passed by.
    """
    check_size("max_size", max_size, 1)
    check_clock(clock)
    store = MemoryStore() if store is None else store
    check_store(store)
    shelf, flights = Shelf(store, max_size), Flights(store)
    source = Source(app, shelf, flights, max_size, clock)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD"):
            if method in ("OPTIONS", "TRACE"):
                return app(environ, start_response)
            return change(environ, start_response)
        told = environ.get("HTTP_CACHE_CONTROL")
        asked = _NONE if told is None else parse_cache_control(told)
        if "no-store" in asked or is_for_application(environ):
            return app(environ, add_headers(start_response, _BYPASSED))
        key = key_of(environ)
        try:
            found = shelf.look(key, finder(environ))
        except StoreError:
            return app(environ, add_headers(start_response, _UNREACHABLE))
        entry = found.entry
        if entry is not None:
            age = entry.age(clock())
            if is_usable(entry, age, asked):
                told = f"hit; ttl={entry.lifetime - age}"
                return send(entry, environ, start_response, age, told)
            if not asked and 0 <= age - entry.lifetime < entry.while_revalidate:
                return stale(entry, age, found, environ, start_response)
        if "only-if-cached" in asked:
            error = HTTPError(504, "This is not in the cache, and the request wants nothing else.")
            return answer_error(error, environ, start_response)
        if method == "HEAD" or (entry is not None and entry.validates):
            return ask(found, found.key, asked, environ, start_response)
        return collapse(found, asked, environ, start_response)

    def ask(
        found: Found,
        way: str,
        asked: dict[str, str],
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Body:
        return Fetch(source, found, way, environ, why(found, asked)).run(start_response)

    def collapse(
        found: Found, asked: dict[str, str], environ: WSGIEnvironment, start_response: StartResponse
    ) -> Body:
        """Answer with what another request fetches for this one, too; else ask the application."""
        find, began, now = finder(environ), clock(), monotonic()
        end = min(now + PATIENCE, environ.get(DEADLINE, now + PATIENCE))
        own, turns = "", TURNS
        if not is_alike(found, environ):  # it may wait for others, but they not for it
            own, turns = ":own", 1
            flights.wait(way_of(found, find), end - now)
        way = way_of(found, find) + own
        for _ in range(turns):
            if flights.passes(way):
                break
            flight = flights.begin(way)
            try:
                leads = flight is not None and flight.lease()
                if flight is None:
                    flights.wait(way, end - monotonic())
                elif not leads:
                    flights.wait_elsewhere(way, end - monotonic())
                try:
                    found = shelf.look(found.key, find)
                except StoreError:
                    found, end = Found(found.key, None), now
                body = landed(found, began, asked, environ, start_response)
                if body is None and leads:
                    body = ask(found, way, asked, environ, start_response)
                if body is not None:
                    return body
            finally:  # the response has started: it is known whether it is kept
                if flight is not None:
                    flight.land()
            if monotonic() >= end:
                break
            way = way_of(found, find) + own  # it may be known by now that this is another variant
        return ask(found, way, asked, environ, start_response)

    def landed(
        found: Found,
        began: float,
        asked: dict[str, str],
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Body | None:
        """Answer with what another request has fetched meanwhile; None where that is no answer."""
        entry = found.entry
        if entry is None or entry.validates:
            return None
        age = entry.age(clock())
        # Whoever wants a new one gets what was fetched or validated since it asked.
        if age >= entry.lifetime or (asked and entry.born <= began):
            return None
        told = f"hit; collapsed; ttl={entry.lifetime - age}"
        return send(entry, environ, start_response, age, told)

    def stale(
        entry: Entry,
        age: int,
        found: Found,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Body:
        """Answer with what is stale, and have the application asked when that is over."""
        again = {**environ, "REQUEST_METHOD": "GET", "wsgi.input": BytesIO()}
        for name in ("HTTP_RANGE", DEADLINE):
            again.pop(name, None)
        told = f"hit; ttl={entry.lifetime - age}; detail=stale-while-revalidate"
        body = send(entry, environ, start_response, age, told)
        return on_close(body, lambda: revalidate(found, again), environ)

    def revalidate(found: Found, environ: WSGIEnvironment) -> None:
        way = way_of(found, finder(environ))
        flight = flights.begin(way)
        if flight is None:
            return
        try:
            if flight.lease():
                found = shelf.look(found.key, finder(environ))
                body = landed(found, 0.0, _NONE, environ, _unseen)
                if body is None:
                    body = ask(found, way, _NONE, environ, _unseen)
                try:
                    for _ in body:
                        pass
                finally:
                    close(body)
        except Exception:
            LOG.exception("%s failed to be revalidated", request_line(environ))
        finally:
            flight.land()

    def change(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        """An unsafe request: what it succeeds with makes stored responses invalid (§4.4)."""
        place = place_of(environ)

        def edit(status: str, headers: HeaderList) -> tuple[str, HeaderList]:
            if status[:1] in "23":
                keys = {url_key(*place)}
                for name, value in headers:
                    if name.lower() in ("location", "content-location"):
                        key = key_of_reference(value, place)
                        if key is not None:
                            keys.add(key)
                try:
                    for key in keys:
                        shelf.forget(key)
                except StoreError:
                    pass
            return status, [*headers, status_field("fwd=method")]

        return app(environ, on_start(start_response, edit))

    return answer


def _unseen(
    status: str, headers: HeaderList, exc_info: object = None, /
) -> Callable[[bytes], object]:
    return _swallow


def _swallow(block: bytes, /) -> None:
    """The ``write()`` of a response that nobody sees."""
