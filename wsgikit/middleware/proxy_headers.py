"""Behind a proxy: who the client is and what it asked for, as the proxies that we trust tell it.

RFC 7239 (Forwarded), and the X-Forwarded-* fields, which no standard defines.
"""

from __future__ import annotations

from wsgikit.arguments import check_texts
from wsgikit.compose import layer
from wsgikit.environ import native
from wsgikit.errors import answer_error
from wsgikit.http.forwarded import parse_forwarded, parse_node
from wsgikit.http.grammar import CONTROLS, OWS
from wsgikit.http.hosts import host_name, split_host
from wsgikit.http.peers import TrustedPeers
from wsgikit.http.problem import HTTPError
from wsgikit.http.query import percent_decode
from wsgikit.keys import PEER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import TypeAlias

    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

    #: The place of the client, from the right; its address, None where there is none, and its port;
    #: what Forwarded tells beside.
    _Way: TypeAlias = tuple[int, str | None, str, dict[str, str]]

__all__ = ["proxy_headers"]

#: What has to stand inside of this layer, and why.
ORDER = {
    "outside": {
        "access_log": "the log would have the proxy's address in place of the client's",
        "allowed_hosts": "the Host that it checks would be the proxy's",
        "https_redirect": "it would redirect for ever what came to the proxy by https",
        "rate_limit": "all clients would count as one: the proxy",
        "ban": "the proxy would be banned, and all clients with it",
    }
}

# How many proxies are followed; a client inside of a trusted network can tell of any number.
_MOST_HOPS = 100
# How many values of the field that names the client are remembered, and how long they may be.
_MOST_KNOWN, _LONGEST_KNOWN = 1000, 200
_PORTS = {"http": "80", "https": "443"}
_FORWARDED = "HTTP_FORWARDED"
_FIELDS = (
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
)
# What no path that browsers see should hold: they read a backslash as a slash.
_BENT = CONTROLS | {"\t", "\\"}
_DOTS = {"", ".", ".."}


@layer
def proxy_headers(
    app: WSGIApplication,
    *,
    trusted: Collection[str] = (),
    hops: int = 0,
    headers: Collection[str] = ("X-Forwarded-For", "X-Forwarded-Proto"),
) -> WSGIApplication:
    """The client's address, scheme and host are those that trusted proxies report.

    :param trusted: the networks of the proxies: ``["10.0.0.0/8", "2001:db8::7"]``; ``"unix"`` is
        any peer on a Unix socket. What other peers report is ignored, and left in the environ.
    :param hops: instead, how many proxies every request has passed, whatever their addresses: for a
        server that cannot be reached in another way.
    :param headers: the fields that the proxies set, each of them and on every request: what they
        let pass is anybody's. ``X-Forwarded-For``, ``-Proto``, ``-Host``, ``-Port``, ``-Prefix``,
        or ``Forwarded``, which says the same as the first three.
    :raises ValueError: for a network or a field that is none, for ``trusted`` and ``hops`` both or
        neither, and for fields that say the same.

    Proxies append to a field, so it is read from the right: what the peer reports, and while that
    is a trusted proxy too, what that reports. The client is the first that is not trusted; with
    ``hops``, the one so many places from the right. The other fields are read at its place, or at
    their first, where they have fewer: one proxy has set them, and the others passed them on.

    ======================  ========================================================================
    ``X-Forwarded-For``     REMOTE_ADDR, and REMOTE_PORT if it is told. Of a client that is
                            ``unknown`` or hidden, the address is empty.
    ``X-Forwarded-Proto``   ``wsgi.url_scheme``: ``http`` or ``https``
    ``X-Forwarded-Host``    HTTP_HOST
    ``X-Forwarded-Port``    SERVER_PORT, and the port of HTTP_HOST
    ``X-Forwarded-Prefix``  what goes in front of SCRIPT_NAME: a path without dot segments
    ``Forwarded``           ``for``, ``proto`` and ``host`` are as the first three
    ======================  ========================================================================

    It fails closed: what a trusted peer reports and cannot be read is answered by a 400, and so are
    fewer places than ``hops``. A peer that reports nobody is the client: a health check, say.
    ``wsgikit.peer`` is the REMOTE_ADDR that was replaced.
    """
    peers = TrustedPeers(trusted)
    if type(hops) is not int or not 0 <= hops <= _MOST_HOPS:
        raise ValueError(f"hops takes a number of proxies up to {_MOST_HOPS}, not {hops!r}")
    if bool(trusted) == bool(hops):
        raise ValueError("proxy_headers() takes either trusted or hops, to know whom to believe")
    fields = _checked(headers)
    named_by = fields.get("Forwarded") or fields.get("X-Forwarded-For")
    reported = [(name, key, _RULES[name]) for name, key in fields.items() if name in _RULES]

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        if hops or peers[environ.get("REMOTE_ADDR", "")]:
            try:
                believe(environ)
            except HTTPError as error:
                return answer_error(error, environ, start_response)
        return app(environ, start_response)

    def believe(environ: WSGIEnvironment) -> None:
        """Put into ``environ`` what the proxies report."""
        place = hops or 1
        text = environ.get(named_by) if named_by else None
        if text:
            place, address, port, told = ways[text]
            if address is not None:
                _set_client(environ, address, port)
            for name in _TOLD if told else ():
                if name in told and not _RULES[name](environ, told[name]):
                    raise _unread(name)
        for name, key, rule in reported:
            text = environ.get(key)
            if text and not rule(environ, _at(place, text)):
                raise _unread(name)

    def read(text: str) -> _Way:
        """What the field that names the client tells."""
        elements = parse_forwarded(text) if named_by == _FORWARDED else None
        if elements is None:
            way = _nodes(text)
        else:
            # Who is not named is hidden; what is malformed must stay so.
            way = ["" if each is None else each.get("for", "unknown") for each in elements]
        if not way:
            return hops or 1, None, "", {}
        place, address, port = find(way)
        return place, address, port, (elements[-place] if elements else None) or {}

    def find(way: list[str]) -> tuple[int, str, str]:
        """The place of the client, from the right, and its address and port."""
        if len(way) < hops:
            raise HTTPError(400, f"The request has passed fewer than {hops} proxies (hops).")
        for place, text in enumerate(way[: -_MOST_HOPS - 1 : -1], 1):
            if place < hops:
                continue
            node = parse_node(text)
            if node is None:
                break
            address = str(node[0] or "")
            if place in (hops, len(way)) or not (address and peers[address]):
                return place, address, node[1]
        raise _unread("the client")

    ways = _Ways(read)
    return answer


class _Ways(dict[str, "_Way"]):
    """Where the client stands in a field and who it is, by the field: clients come again."""

    def __init__(self, read: Callable[[str], _Way]) -> None:
        self._read = read

    def __missing__(self, text: str) -> _Way:
        way = self._read(text)
        if len(text) <= _LONGEST_KNOWN:
            if len(self) >= _MOST_KNOWN:
                self.clear()
            self[text] = way
        return way


def _checked(headers: Collection[str]) -> dict[str, str]:
    """Each field to be read, with its key in the environ."""
    names = {name.lower() for name in check_texts("headers", headers, "names of fields")}
    if not names or names - {name.lower() for name in _FIELDS}:
        raise ValueError(f"headers takes some of {', '.join(_FIELDS)}; not {headers!r}")
    if "forwarded" in names and names & {name.lower() for name in _FIELDS[1:4]}:
        raise ValueError(f"headers has Forwarded and what says the same: {headers!r}")
    keyed = [(name, f"HTTP_{name.upper().replace('-', '_')}") for name in _FIELDS]
    return {name: key for name, key in keyed if name.lower() in names}


def _unread(what: str) -> HTTPError:
    return HTTPError(400, f"What a proxy reports cannot be read: {what}.")


def _items(text: str) -> list[str]:
    # No quoted strings here: a quote of the client's must not swallow what a proxy appended.
    return [item for part in text.split(",") if (item := part.strip(OWS))]


def _nodes(text: str) -> list[str]:
    """The addresses in X-Forwarded-For, those of IPv6 in brackets as in Forwarded."""
    return [
        f"[{item}]" if item.count(":") > 1 and item[0] != "[" else item for item in _items(text)
    ]


def _at(place: int, text: str) -> str:
    """What was appended to a field so many places from the right, or what began it."""
    if "," not in text:
        return text.strip(OWS)
    items = _items(text) or [""]
    return items[-min(place, len(items))]


# What is reported goes into the environ. False: it cannot be read.


def _set_client(environ: WSGIEnvironment, address: str, port: str) -> None:
    if PEER not in environ:
        environ[PEER] = environ.get("REMOTE_ADDR", "")
    environ["REMOTE_ADDR"] = address
    environ.pop("REMOTE_HOST", None)  # the proxy's
    environ.pop("REMOTE_PORT", None)
    if port:
        environ["REMOTE_PORT"] = port


def _set_scheme(environ: WSGIEnvironment, value: str) -> bool:
    scheme = value.lower()
    if scheme not in _PORTS:
        return False
    environ["wsgi.url_scheme"] = scheme
    return True


def _set_host(environ: WSGIEnvironment, value: str) -> bool:
    if split_host(value) is None:
        return False
    environ["HTTP_HOST"] = value
    return True


def _set_port(environ: WSGIEnvironment, value: str) -> bool:
    if not value or split_host(f"host:{value}") is None:
        return False
    environ["SERVER_PORT"] = value
    host = host_name(environ.get("HTTP_HOST", ""))
    if host is not None:
        usual = value == _PORTS[environ["wsgi.url_scheme"]]
        environ["HTTP_HOST"] = host if usual else f"{host}:{value}"
    return True


def _set_prefix(environ: WSGIEnvironment, value: str) -> bool:
    prefix = percent_decode(value).rstrip("/")
    first, *segments = prefix.split("/")
    if (
        first
        or not value.isascii()
        or not _BENT.isdisjoint(prefix)
        or not _DOTS.isdisjoint(segments)
    ):
        return False
    environ["SCRIPT_NAME"] = native(prefix) + environ.get("SCRIPT_NAME", "")
    return True


# What Forwarded tells beside the client, in the order in which it counts.
_TOLD = ("proto", "host")

_RULES = {
    "proto": _set_scheme,
    "host": _set_host,
    "X-Forwarded-Proto": _set_scheme,
    "X-Forwarded-Host": _set_host,
    # Which port goes without saying depends on the scheme, and a host brings its own.
    "X-Forwarded-Port": _set_port,
    "X-Forwarded-Prefix": _set_prefix,
}
