"""So many requests at once, in all or of each client, counted by all who share a store."""

from __future__ import annotations

import random
from time import monotonic, sleep

from wsgikit.clients import Clients
from wsgikit.compose import layer
from wsgikit.errors import answer_error
from wsgikit.http.problem import HTTPError
from wsgikit.keys import DEADLINE
from wsgikit.stores.limits import check_name, check_store
from wsgikit.stores.outages import Outages
from wsgikit.stores.protocol import StoreError
from wsgikit.stores.semaphore import MAX_PLACES, Semaphore
from wsgikit.wrap import on_close

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from wsgikit.stores.protocol import Store
    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["concurrency"]

#: What has to stand outside of this layer, and why.
ORDER = {
    "inside": {
        "access_log": "the log would lack what is refused",
        "metrics": "what is refused would not be counted",
        "proxy_headers": "where clients are counted apart, all would count as the proxy",
    }
}

# The pauses between two looks for a free place, in seconds.
_SHORTEST, _LONGEST = 0.005, 0.1


def everybody(environ: WSGIEnvironment) -> str:
    """The ``key`` by which all requests are counted together."""
    return ""


@layer
def concurrency(
    app: WSGIApplication,
    *,
    store: Store,
    requests: int,
    wait: float = 0.0,
    lease: float = 60.0,
    name: str = "default",
    key: Callable[[WSGIEnvironment], str | None] = everybody,
    safelist: Collection[str] = (),
    fail_open: bool = True,
) -> WSGIApplication:
    """At most so many requests are answered at once; one more gets a 503, at once or after a wait.

    :param store: where they are counted: together by all threads, processes and machines that
        share it.
    :param requests: how many at once, up to 10,000.
    :param wait: how many seconds a request waits for a place. It keeps its thread meanwhile, and
        waits no longer than ``wsgikit.deadline`` in the environ says.
    :param lease: after how many seconds a request gives up its place in any case. So those of a
        process that was killed come back; let it be longer than any request takes, downloads
        included.
    :param name: tells such layers in one store apart. A token.
    :param key: returns what is counted together, a text; None for what is not counted. By default
        all requests; :func:`wsgikit.clients.client_address` counts each client for itself.
    :param safelist: networks whose clients are not counted: ``["10.0.0.0/8"]``.
    :param fail_open: whether requests pass when the store fails. If not, they get a 503. Either is
        logged once a minute (logger ``wsgikit.stores``).
    :raises TypeError: for an option of another type.
    :raises ValueError: for numbers out of range, a name that is no token, and what is no network.

    A request has its place until its response is over: sent, broken off, or failed. It is given
    back once, when the server closes the body.

    RFC 9110 §15.6.4 (503), §10.2.3 (Retry-After).
    """
    check_store(store)
    check_name(name)
    if type(requests) is not int or not 1 <= requests <= MAX_PLACES:
        raise ValueError(f"requests takes a number from 1 to {MAX_PLACES}, not {requests!r}")
    if not isinstance(wait, int | float) or not 0 <= wait <= 3600:
        raise ValueError(f"wait takes a number of seconds, up to an hour, not {wait!r}")
    if not isinstance(lease, int | float) or not 1 <= lease <= 86400:
        raise ValueError(f"lease takes a number of seconds from 1 to a day, not {lease!r}")
    semaphore = Semaphore(store, f"concurrency:{name}:", requests, lease)
    clients = Clients(key, safelist)
    outages = Outages(f"concurrency {name!r}", fail_open, "requests pass without a limit")

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        client = clients.key(environ)
        if client is None:
            return app(environ, start_response)
        try:
            place = semaphore.acquire(client) or wait_for_one(client, environ)
        except StoreError as error:
            return outages.instead(error, app)(environ, start_response)
        if place is None:
            return refuse(environ, start_response)

        def release() -> None:
            try:
                semaphore.release(client, place)
            except StoreError as error:  # then it ends by itself
                outages.tell(error)

        try:
            body = app(environ, start_response)
        except BaseException:
            release()
            raise
        return on_close(body, release, environ)

    def wait_for_one(client: str, environ: WSGIEnvironment) -> bytes | None:
        end = min(monotonic() + wait, environ.get(DEADLINE, float("inf")))
        place, pause = None, _SHORTEST
        while place is None and (left := end - monotonic()) > 0:
            sleep(min(left, random.uniform(pause / 2, pause)))
            pause = min(pause * 1.5, _LONGEST)
            place = semaphore.acquire(client)
        return place

    def refuse(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        error = HTTPError(
            503,
            f"The limit of requests at once is {requests} ({name}). Try again in a moment.",
            headers=[("Retry-After", "1")],
        )
        return answer_error(error, environ, start_response)

    return answer
