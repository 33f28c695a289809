"""So many requests of each client in a time (RFC 6585 §4), counted by all who share a store."""

from __future__ import annotations

from wsgikit.clients import Clients, client_address
from wsgikit.compose import layer
from wsgikit.errors import answer_error
from wsgikit.limiter import Limiter
from wsgikit.stores.outages import Outages
from wsgikit.stores.protocol import StoreError
from wsgikit.wrap import add_headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from wsgikit.stores.protocol import Store
    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["rate_limit"]

#: What has to stand outside of this layer, and what inside, and why.
ORDER = {
    "inside": {
        "access_log": "the log would lack what is refused",
        "metrics": "what is refused would not be counted",
    },
    "outside": {"cache": "what one client was told of its limit would be kept for others"},
}


@layer
def rate_limit(
    app: WSGIApplication,
    *,
    store: Store,
    requests: int,
    seconds: int,
    burst: int | None = None,
    name: str = "default",
    key: Callable[[WSGIEnvironment], str | None] = client_address,
    safelist: Collection[str] = (),
    fail_open: bool = True,
) -> WSGIApplication:
    """A client that sends too many requests gets a 429, and is told when to come again.

    :param store: where they are counted: together by all threads, processes and machines that
        share it, which let through exactly what one would.
    :param requests: how many requests of one client pass,
    :param seconds: in so many seconds: one each ``seconds / requests``.
    :param burst: how many may come at once, when none have come for long; as many as ``requests``
        if it is None. They come on top of the even flow.
    :param name: tells limits in one store apart, and what clients are told of them. A token.
    :param key: returns whose request it is, a text; None for nobody's, which is not limited. By
        default the address, of IPv6 the network of 64 bits: :func:`wsgikit.clients.client_address`.
    :param safelist: networks whose clients are not limited: ``["10.0.0.0/8", "2001:db8::/32"]``.
    :param fail_open: whether requests pass when the store fails. If not, they get a 503. Either is
        logged once a minute (logger ``wsgikit.stores``).
    :raises TypeError: for an option of another type.
    :raises ValueError: for numbers out of range, a name that is no token, and what is no network.

    Each response has ``RateLimit-Policy`` and ``RateLimit``: ``r`` is how many more requests may
    come now, ``t`` the seconds until there is one more. A 429 has Retry-After as well, the same
    ``t``. What is refused does not count. Several limits are several layers, with a name each.

    draft-ietf-httpapi-ratelimit-headers-11; RFC 9110 §10.2.3 (Retry-After).
    """
    limiter = Limiter(store, requests=requests, seconds=seconds, burst=burst, name=name)
    clients = Clients(key, safelist)
    outages = Outages(f"rate_limit {name!r}", fail_open, "requests pass without a limit")

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        client = clients.key(environ)
        if client is None:
            return app(environ, start_response)
        try:
            taken = limiter.take(client)
        except StoreError as error:
            return outages.instead(error, app)(environ, start_response)
        if taken.wait:
            return answer_error(limiter.error(taken), environ, start_response)
        return app(environ, add_headers(start_response, limiter.fields(taken)))

    return answer
