"""What is told of a request when it is over, and the formats in which logs have that on a line.

Apache HTTP Server, "Log Files" (Combined Log Format).
"""

from __future__ import annotations

import re
from time import gmtime, localtime, perf_counter_ns, strftime, time

from wsgikit import environ as env
from wsgikit.debug.redaction import HIDDEN, is_secret
from wsgikit.http.jsontext import dumps
from wsgikit.http.query import percent_decode
from wsgikit.keys import RAW_URI, REQUEST_ID, REQUEST_URI, ROUTE, TRACE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgikit.types import WSGIEnvironment
    from wsgikit.wrap import Observed

__all__ = ["Access", "as_json", "combined", "escaped", "one_line"]

# More of a field that a client sent is cut off.
_LONGEST = 2048
# What separates the pairs of a query: "&", and formerly ";".
_PAIR = re.compile("([^&;=]*)=([^&;]*)")
# The user information of a URL (RFC 3986 §3.2.1), of which there is one where a password is.
_USERINFO = re.compile("(://[^/@:]{0,200}:)[^/@]{1,200}@")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


class Access:
    """A request and what came of it, as a format is given it.

    :param path: SCRIPT_NAME and PATH_INFO, as the request came.
    :param query: its QUERY_STRING.
    :param secret: tells of the name of a parameter whether its value is to be hidden.

    What the client has sent is as it came, only shorter and without secrets: a format that writes
    it on a line of its own making takes :func:`escaped` of it.
    """

    __slots__ = ("_observed", "_path", "_query", "_secret", "environ", "method")

    #: The environ, as the application has left it.
    environ: WSGIEnvironment
    #: The method, ``GET`` and so on.
    method: str

    def __init__(
        self,
        observed: Observed,
        environ: WSGIEnvironment,
        method: str,
        path: str,
        query: str,
        secret: Callable[[str], bool] = is_secret,
    ) -> None:
        self._observed = observed
        self._path = path
        self._query = query
        self._secret = secret
        self.environ = environ
        self.method = method[:40]

    @property
    def status(self) -> int:
        """The status code; 0 where the application has told none."""
        return self._observed.code

    @property
    def sent(self) -> int | None:
        """The bytes of content; None for a file whose length was not announced."""
        return self._observed.sent

    @property
    def outcome(self) -> str:
        """``"complete"``, ``"aborted"`` or ``"failed"``: see :mod:`wsgikit.wrap.observe`."""
        return self._observed.outcome

    @property
    def seconds(self) -> float:
        """How long it took, until the last byte was handed to the server."""
        return self._observed.took / 1e9

    @property
    def time(self) -> float:
        """When the request came, in seconds since 1970."""
        return time() - (perf_counter_ns() - self._observed.began) / 1e9

    @property
    def target(self) -> str:
        """The path and the query: as they came, where the server has kept that (REQUEST_URI)."""
        target = self.environ.get(REQUEST_URI) or self.environ.get(RAW_URI)
        if not target:
            path, query = _short(self._path), _short(self._query)
            target = env.path_url({"PATH_INFO": path, "QUERY_STRING": query})
        return _without_secrets(target, self._secret)

    def get(self, key: str) -> str | None:
        """What the environ has for ``key``, if that is text, and not more than 2048 characters."""
        value = self.environ.get(key)
        return _short(value) if isinstance(value, str) and value else None

    @property
    def referer(self) -> str | None:
        """The field Referer, without the secrets in it."""
        value = self.get("HTTP_REFERER")
        return None if value is None else _without_secrets(value, self._secret)

    @property
    def request_id(self) -> str | None:
        """What the layer ``request_id`` has given the request."""
        return self.get(REQUEST_ID)

    @property
    def trace_id(self) -> str | None:
        """What the layer ``trace_context`` has given the request."""
        trace = self.environ.get(TRACE)
        return None if trace is None else trace.trace_id

    @property
    def route(self) -> str | None:
        """The route that answered, as the router writes it: ``GET /users/{id}``."""
        route = self.environ.get(ROUTE)
        return None if route is None else str(route)


def combined(access: Access) -> str:
    """The Combined Log Format of Apache, with the seconds and the outcome behind it.

    ``client - user [time] "request line" status bytes "referer" "user agent" seconds outcome``
    """
    client = access.get("REMOTE_ADDR") or "-"
    user = access.get("REMOTE_USER") or "-"
    protocol = access.get("SERVER_PROTOCOL") or "-"
    return (
        f"{escaped(client, space=True)} - {escaped(user, space=True)}"
        f" [{_local(int(access.time))}]"
        f' "{escaped(f"{access.method} {access.target} {protocol}")}"'
        f" {access.status or '-'} {'-' if access.sent is None else access.sent}"
        f' "{escaped(access.referer or "-")}" "{escaped(access.get("HTTP_USER_AGENT") or "-")}"'
        f" {access.seconds:.6f} {access.outcome}"
    )


def as_json(access: Access) -> str:
    """One JSON object on a line, in ASCII; what there is not is null."""
    came = access.time
    return dumps(
        {
            "time": f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(came))}.{int(came % 1 * 1000):03d}Z",
            "client": _text(access.get("REMOTE_ADDR")),
            "user": _text(access.get("REMOTE_USER")),
            "method": access.method,
            "target": _text(access.target),
            "protocol": _text(access.get("SERVER_PROTOCOL")),
            "host": _text(access.get("HTTP_HOST")),
            "route": access.route,
            "status": access.status,
            "bytes": access.sent,
            "seconds": round(access.seconds, 6),
            "outcome": access.outcome,
            "referer": _text(access.referer),
            "user_agent": _text(access.get("HTTP_USER_AGENT")),
            "request_id": access.request_id,
            "trace_id": access.trace_id,
        }
    )


def escaped(text: str, *, space: bool = False) -> str:
    """``text`` for a place between quotes on one line of ASCII, as Apache escapes: ``\\x22``.

    :param space: whether a space is escaped too: where there are no quotes.
    """
    plain = text.isascii() and text.isprintable() and not ('"' in text or "\\" in text)
    if plain and not (space and " " in text):
        return text
    return text.translate(_WITHOUT_SPACE if space else _ESCAPES)


class _Escapes(dict[int, str]):
    """For ``str.translate``: what is no printable ASCII, and what would end or escape a quote."""

    def __init__(self, least: str) -> None:
        self._least = least

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if self._least <= char <= "~" and char not in '"\\':
            return char
        return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


_ESCAPES, _WITHOUT_SPACE = _Escapes(" "), _Escapes("!")


def one_line(line: str) -> str:
    """``line`` without what is not printable, which could begin another line: it is escaped."""
    if line.isprintable():
        return line
    return "".join([char if char.isprintable() else ascii(char)[1:-1] for char in line])


def _without_secrets(url: str, secret: Callable[[str], bool]) -> str:
    """``url`` without the values of secret names in its query, and without a password."""

    def hide(pair: re.Match[str]) -> str:
        return f"{pair[1]}={HIDDEN}" if secret(percent_decode(pair[1], plus=True)) else pair[0]

    start, mark, query = _short(url).partition("?")
    return _USERINFO.sub(rf"\1{HIDDEN}@", start) + mark + _PAIR.sub(hide, query)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _text(native: str | None) -> str | None:
    return None if native is None else env.text(native)


def _local(second: int) -> str:
    """``10/Oct/2000:13:55:36 -0700``, with the months in English whatever the locale."""
    global _latest
    if _latest[0] != second:
        at = localtime(second)
        minutes = at.tm_gmtoff // 60
        zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"
        clock = f"{at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d}"
        text = f"{at.tm_mday:02d}/{_MONTHS[at.tm_mon - 1]}/{at.tm_year}:{clock} {zone}"
        _latest = second, text  # one assignment: threads see the one pair or the other
    return _latest[1]


_latest = (-1, "")
