"""What a request asks of a cache: which URL it is about, and how old an answer it takes."""

from __future__ import annotations

from wsgikit.caching.shelf import url_key
from wsgikit.environ import host, native
from wsgikit.http.caching import seconds
from wsgikit.http.hosts import split_host
from wsgikit.http.location import resolve
from wsgikit.http.query import PATH_SAFE, percent_decode, percent_encode_octets
from wsgikit.http.selecting import selector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgikit.caching.entry import Entry
    from wsgikit.caching.shelf import Found
    from wsgikit.http.location import Parts
    from wsgikit.types import WSGIEnvironment

__all__ = [
    "is_alike",
    "is_for_application",
    "is_usable",
    "key_of",
    "key_of_reference",
    "place_of",
    "way_of",
    "why",
]


def is_for_application(environ: WSGIEnvironment) -> bool:
    """Whether a request passes the cache by: for a change, for content, or another protocol."""
    # One after the other: this is what each request passes. Content is no part of the key.
    return (
        "HTTP_IF_MATCH" in environ
        or "HTTP_IF_UNMODIFIED_SINCE" in environ
        or "HTTP_TRANSFER_ENCODING" in environ
        or "HTTP_UPGRADE" in environ
        or environ.get("CONTENT_LENGTH", "") not in ("", "0")
    )


def key_of(environ: WSGIEnvironment) -> str:
    """The key of the request's URL."""
    return url_key(*place_of(environ))


def place_of(environ: WSGIEnvironment) -> Parts:
    """Scheme, host, path and query of the request's URL, as an environ has them."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return (environ["wsgi.url_scheme"], host(environ), path or "/", environ.get("QUERY_STRING", ""))


def key_of_reference(reference: str, place: Parts) -> str | None:
    """The key of what a response to a request for ``place`` refers to; None on other origins."""
    scheme, authority, path, query = place
    base = scheme, authority, percent_encode_octets(path, PATH_SAFE), query
    there = resolve(reference, base)
    if there[0] != scheme or _origin(scheme, there[1]) != _origin(scheme, authority):
        return None
    return url_key(scheme, authority, native(percent_decode(there[2])) or "/", there[3])


def _origin(scheme: str, authority: str) -> tuple[str, str]:
    """The host and the port of an authority, in one spelling."""
    name, port = split_host(authority) or (authority, "")
    return name, port or ("443" if scheme == "https" else "80")


def is_usable(entry: Entry, age: int, asked: dict[str, str]) -> bool:
    """Whether a stored response answers without the application (§4, §5.2.1)."""
    if entry.validates:
        return False
    left = entry.lifetime - age
    if not asked:
        return left > 0
    if "no-cache" in asked:
        return False
    newest = seconds(asked.get("min-fresh", ""))
    if newest is not None and newest > left:
        return False
    oldest = seconds(asked.get("max-age", ""))
    over = -left if left <= 0 else -1
    if oldest is not None and age > oldest:
        over = max(over, age - oldest)
    if over < 0:
        return True
    if "max-stale" not in asked or not entry.may_be_stale:
        return False
    most = seconds(asked["max-stale"])
    return over <= most if most is not None else asked["max-stale"] == ""


def is_alike(found: Found, environ: WSGIEnvironment) -> bool:
    """Whether the application answers a request as it does others for the same response.

    Not so where it may answer with a part, with the 304 of one client, or for one that is known.
    """
    if "HTTP_RANGE" in environ or "HTTP_AUTHORIZATION" in environ or environ.get("REMOTE_USER"):
        return False
    # Conditions about what is kept take the place of the client's.
    return found.entry is not None or (
        "HTTP_IF_NONE_MATCH" not in environ and "HTTP_IF_MODIFIED_SINCE" not in environ
    )


def way_of(found: Found, find: Callable[[str], str | None]) -> str:
    """The key of the flight that a request may wait for: of its URL and, as far as it is known what
    responses depend on, of its variant."""
    return ":".join([found.key, *[selector(names, find) for names in sorted(found.lists)]])


def why(found: Found, asked: dict[str, str]) -> str:
    """Why the application is asked, in the words of RFC 9211 §2.2."""
    entry = found.entry
    if entry is None:
        return "vary-miss" if found.lists else "uri-miss"
    return "request" if asked and not entry.validates else "stale"
