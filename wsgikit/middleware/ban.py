"""Clients that are refused too often are refused at all, for a while: scanners, guessers."""

from __future__ import annotations

import logging
from math import ceil
from time import time

from wsgikit.arguments import check_function
from wsgikit.clients import Clients, client_address
from wsgikit.compose import layer
from wsgikit.environ import text
from wsgikit.errors import answer_error
from wsgikit.http.problem import HTTPError
from wsgikit.stores.limits import check_name, check_store, key_for
from wsgikit.stores.outages import Outages, unavailable
from wsgikit.stores.protocol import StoreError
from wsgikit.wrap import on_start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from wsgikit.stores.protocol import Store
    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["ban", "refused"]

#: What has to stand outside of this layer, and what inside, and why.
ORDER = {
    "inside": {
        "access_log": "the log would lack what is refused",
        "metrics": "what is refused would not be counted",
    },
    "outside": {
        "basic_auth": "it would not see which passwords are wrong",
        "bearer_auth": "it would not see which tokens are wrong",
    },
}

LOG = logging.getLogger("wsgikit.ban")

_DETECTED = "https://iana.org/assignments/http-problem-types#abnormal-usage-detected"
_YEAR = 366 * 86400


def refused(status: int, path: str) -> bool:
    """What counts as an offence unless it is told otherwise: an answer of 401, 403 or 404."""
    return status in (401, 403, 404)


@layer
def ban(
    app: WSGIApplication,
    *,
    store: Store,
    offences: int,
    seconds: int,
    duration: int,
    is_offence: Callable[[int, str], object] = refused,
    name: str = "default",
    key: Callable[[WSGIEnvironment], str | None] = client_address,
    safelist: Collection[str] = (),
    fail_open: bool = True,
) -> WSGIApplication:
    """A client with too many offences is banned: whatever it asks for, it gets a 429 for a while.

    :param store: where offences and bans are kept: for all threads, processes and machines that
        share it.
    :param offences: how many make a ban,
    :param seconds: within so many seconds from the first of them on.
    :param duration: how many seconds a ban lasts.
    :param is_offence: ``is_offence(status, path)`` tells whether what was answered counts against
        the client, by the code of the status and the path that was asked for. By default 401, 403
        and 404 do: :func:`refused`.
    :param name: tells such layers in one store apart. A token.
    :param key: returns whose request it is, a text; None for nobody's, who is never banned. By
        default the address, of IPv6 the network of 64 bits: :func:`wsgikit.clients.client_address`.
    :param safelist: networks whose clients are never banned: ``["10.0.0.0/8"]``.
    :param fail_open: whether requests pass when the store fails. If not, they get a 503. Either is
        logged once a minute (logger ``wsgikit.stores``).
    :raises TypeError: for an option of another type.
    :raises ValueError: for numbers out of range, a name that is no token, and what is no network.

    An offence counts when its response starts, before the client sees it. What is under way when a
    ban begins is still answered. Offences of a client that is banned do not count, and the ban does
    not grow longer. The logger ``wsgikit.ban`` gets a WARNING for each ban.

    RFC 6585 §4 (429); RFC 9110 §10.2.3 (Retry-After).
    """
    check_store(store)
    check_name(name)
    numbers = {"offences": offences, "seconds": seconds, "duration": duration}
    for option, number in numbers.items():
        if type(number) is not int or not 1 <= number <= _YEAR:
            raise ValueError(f"{option} takes a number from 1 to {_YEAR}, not {number!r}")
    check_function("is_offence", is_offence, "a function of a status and a path")
    counters, bans = f"offences:{name}:", f"banned:{name}:"
    clients = Clients(key, safelist)
    outages = Outages(f"ban {name!r}", fail_open, "nobody is banned")

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        client = clients.key(environ)
        if client is None:
            return app(environ, start_response)
        try:
            until = store.get(key_for(bans, client))
        except StoreError as error:
            outages.tell(error)
            if not fail_open:
                return unavailable(environ, start_response)
        else:
            if until is not None:
                return refuse(until, environ, start_response)
        # Routers move the path about.
        path = text(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""))
        counted = False

        def edit(status: str, headers: HeaderList) -> tuple[str, HeaderList]:
            nonlocal counted
            if not counted and is_offence(int(status[:3]), path):
                counted = True
                try:
                    note(client)
                except StoreError as error:
                    outages.tell(error)
            return status, headers

        return app(environ, on_start(start_response, edit))

    def note(client: str) -> None:
        """Count an offence of a client, and ban it if that was one too many."""
        counter = key_for(counters, client)
        if store.increment(counter, expires=seconds, renew=False) < offences:
            return
        until = b"%d" % ceil(time() + duration)
        store.set(key_for(bans, client), until, expires=duration)
        store.delete(counter)  # after the ban it begins anew
        LOG.warning("ban %r: %a is banned for %d s", name, client[:200], duration)

    def refuse(until: bytes, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        # The clock may have been set.
        left = min(max(1, ceil(int(until) - time())), duration)
        error = HTTPError(
            429,
            f"Too much of what you sent was refused. Try again in {left} s.",
            headers=[("Retry-After", str(left))],
            type=_DETECTED,
            extensions={"violated-policies": [name]},
        )
        return answer_error(error, environ, start_response)

    return answer
