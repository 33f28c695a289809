"""Cookies: the ``Cookie`` field of requests, the ``Set-Cookie`` field of responses (RFC 6265bis).

RFC 6265bis is the revision of RFC 6265 that browsers follow (draft-ietf-httpbis-rfc6265bis).
"""

from __future__ import annotations

from wsgikit.http.dates import format_date
from wsgikit.http.grammar import OWS, is_token
from wsgikit.http.query import decode_utf8

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    SameSite = Literal["Strict", "Lax", "None"]

#: How many cookies of one request are read: browsers keep fewer than 200 for one site.
MAX_COOKIES = 500
#: Octets of name and value together. Browsers refuse a cookie that has more (RFC 6265bis §5.6).
MAX_SIZE = 4096
# Octets of an attribute's value: browsers ignore a longer one (RFC 6265bis §5.6).
_MAX_ATTRIBUTE = 1024

# cookie-octet = %x21 / %x23-2B / %x2D-3A / %x3C-5B / %x5D-7E (RFC 6265bis §4.1.1):
# printable ASCII without the space, quotes, comma, semicolon and backslash
_COOKIE_OCTET = frozenset(map(chr, range(0x21, 0x7F))) - frozenset('",;\\')
# av-octet = %x20-3A / %x3C-7E
_AV_OCTET = frozenset(map(chr, range(0x20, 0x7F))) - frozenset(";")
_DOMAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.")
# What the octets of a cookie never are (RFC 6265bis §5.6): the controls, but for the tab.
_CONTROLS = frozenset(map(chr, (*range(9), *range(10, 32), 127)))


def parse_cookies(text: str) -> dict[str, str]:
    """The cookies of a ``Cookie`` field by name.

    Of two cookies with one name the first counts: browsers send the one with the longer path first
    (RFC 6265bis §5.8.3), which is the one that was set for this very place. A pair of quotes around
    a value is taken off (§4.1.1 has it as an alternative); nothing else is decoded, but octets that
    are not ASCII are read as UTF-8, as browsers write them.

    A piece that is no cookie is skipped and the others are kept: one without ``=`` or without a
    name, with a control character, or longer than :data:`MAX_SIZE`. Pieces after the first
    :data:`MAX_COOKIES` are not read.

    Only spaces and tabs are stripped: to take off more (as ``str.strip`` does) would let a cookie
    pose as another one, whose name has the protection of a prefix.
    """
    text = decode_utf8(text)
    clean = text.isprintable()
    cookies: dict[str, str] = {}
    for piece in text.split(";", MAX_COOKIES)[:MAX_COOKIES]:
        name, equals, value = piece.partition("=")
        name = name.strip(OWS)
        value = value.strip(OWS)
        if not name or not equals or name in cookies or len(name) + len(value) > MAX_SIZE:
            continue
        if not clean and not _CONTROLS.isdisjoint(piece):
            continue
        if '"' in value and len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        cookies[name] = value
    return cookies


def format_cookie(
    name: str,
    value: str,
    *,
    max_age: int | None = None,
    expires: float | None = None,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = False,
    http_only: bool = False,
    same_site: SameSite | None = "Lax",
    partitioned: bool = False,
) -> str:
    """The value of a ``Set-Cookie`` field (RFC 6265bis §4.1).

    :param name: a token. ``__Secure-`` and ``__Host-`` at its start, in any case, are promises that
        browsers keep and that are checked here (§4.1.3).
    :param value: printable ASCII without spaces, quotes, commas, semicolons and backslashes. For
        other text use ``percent_encode``, or base64.
    :param max_age: the cookie's life in seconds; 0 ends it now. None: until the browser closes.
    :param expires: the end of its life in seconds since 1970. Browsers prefer ``max_age``.
    :param path: the paths it is sent to begin with this. None: the directory of the request.
    :param domain: the host it is sent to, and all below it. None: only the host that set it.
    :param secure: whether it is sent over HTTPS only.
    :param http_only: whether scripts of the page cannot see it.
    :param same_site: when other sites cause the request: ``"Strict"`` never sends it, ``"Lax"``
        for links only, ``"None"`` always, and needs ``secure``. None leaves it to the browser.
    :param partitioned: whether each site that embeds this one has a jar of its own (CHIPS). Needs
        ``secure``.
    :raises ValueError: when the name, the value or an option is not as above, or when name and
        value are longer than :data:`MAX_SIZE`: a browser would drop such a cookie silently.
    :raises TypeError: when ``max_age`` is no ``int``.
    """
    if not isinstance(name, str) or not is_token(name):
        raise ValueError(f"the name of a cookie takes a token, not {name!a}")
    if not isinstance(value, str) or not _COOKIE_OCTET.issuperset(value):
        raise ValueError(
            f"the value of cookie {name} takes printable ASCII without spaces, quotes, commas,"
            f" semicolons and backslashes: percent-encode it"
        )
    if len(name) + len(value) > MAX_SIZE:
        raise ValueError(f"cookie {name:.60} has more than {MAX_SIZE} bytes in name and value")
    _check_prefix(name, path=path, domain=domain, secure=secure)
    parts = [f"{name}={value}"]
    if expires is not None:
        try:
            parts.append(f"Expires={format_date(expires)}")
        except ValueError as error:
            raise ValueError(f"expires of cookie {name}: {error}") from None
    if max_age is not None:
        if not isinstance(max_age, int) or isinstance(max_age, bool):
            raise TypeError(f"max_age of cookie {name} takes an int of seconds, not {max_age!r}")
        parts.append(f"Max-Age={max_age}")
    if domain is not None:
        if not domain or not _DOMAIN.issuperset(domain) or len(domain) > 255:
            raise ValueError(f"domain of cookie {name} takes a host name in ASCII, not {domain!a}")
        parts.append(f"Domain={domain}")
    if path is not None:
        if not path.startswith("/") or not _AV_OCTET.issuperset(path) or len(path) > _MAX_ATTRIBUTE:
            raise ValueError(
                f"path of cookie {name} starts with / and takes up to {_MAX_ATTRIBUTE} printable"
                f" ASCII characters without semicolons, not {path!a:.60}"
            )
        parts.append(f"Path={path}")
    if secure:
        parts.append("Secure")
    if http_only:
        parts.append("HttpOnly")
    if same_site is not None:
        if same_site not in ("Strict", "Lax", "None"):
            raise ValueError(
                f'same_site of cookie {name} takes "Strict", "Lax", "None" or None,'
                f" not {same_site!r}"
            )
        if same_site == "None" and not secure:
            raise ValueError(f'cookie {name}: same_site="None" needs secure=True')
        parts.append(f"SameSite={same_site}")
    if partitioned:
        if not secure:
            raise ValueError(f"cookie {name}: partitioned=True needs secure=True")
        parts.append("Partitioned")
    return "; ".join(parts)


def expire_cookie(
    name: str,
    *,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = False,
    http_only: bool = False,
    same_site: SameSite | None = "Lax",
    partitioned: bool = False,
) -> str:
    """The value of a ``Set-Cookie`` field that makes the browser forget a cookie.

    Name, path, domain and ``partitioned`` have to be those that it was set with; the others have to
    be allowed for the name, as in :func:`format_cookie`.
    """
    return format_cookie(
        name,
        "",
        max_age=0,
        expires=0,
        path=path,
        domain=domain,
        secure=secure,
        http_only=http_only,
        same_site=same_site,
        partitioned=partitioned,
    )


def _check_prefix(name: str, *, path: str | None, domain: str | None, secure: bool) -> None:
    # Browsers compare the prefixes without regard to case, since some servers do (§5.7).
    folded = name[:9].lower()
    if folded == "__secure-" and not secure:
        raise ValueError(f"cookie {name}: the prefix __Secure- needs secure=True")
    if folded.startswith("__host-") and not (secure and path == "/" and domain is None):
        raise ValueError(
            f'cookie {name}: the prefix __Host- needs secure=True, path="/", no domain'
        )
