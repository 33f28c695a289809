"""Where a redirect may lead, and what a reference means (RFC 9110, section 10.2.2; RFC 3986)."""

from __future__ import annotations

import re

from wsgikit.http.grammar import CONTROLS
from wsgikit.http.problem import HTTPError
from wsgikit.http.query import QUERY_SAFE, percent_encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    #: Scheme, authority, path and query of a URL.
    Parts: TypeAlias = tuple[str, str, str, str]

__all__ = ["location", "resolve"]

# What browsers drop from a URL, or read as a slash.
_BENT = CONTROLS | {"\t", "\\"}

# RFC 3986, appendix B: any text is a reference; the fragment is left out.
_REFERENCE = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?")


def location(target: str, external: bool = False) -> str:
    """``target`` as the value of a Location field, what a URL cannot hold percent-encoded.

    :param target: a path, query or fragment of this site; with ``external`` any http or https URL.
    :raises HTTPError: 400 for a target that leaves the site and must not: it begins with ``//`` or
        a scheme, or holds what browsers bend into that. It came from the client as a rule
        (``?next=...``), hence an answer and no failure.
    """
    if not target or not _BENT.isdisjoint(target):
        raise HTTPError(
            400, "The address to go to is empty, or has a backslash or a control character in it."
        )
    encoded = percent_encode(target, QUERY_SAFE + "#")
    scheme, colon, rest = encoded.partition(":")
    if encoded.startswith("//") or (colon and set("/?#").isdisjoint(scheme)):
        if not external:
            raise HTTPError(400, "The address to go to is not on this site.")
        # authority = all between "//" and the next "/", "?" or "#" (RFC 3986 §3.2)
        slashes, host = rest[:2], rest[2:].replace("?", "/").replace("#", "/").partition("/")[0]
        if scheme.lower() not in ("http", "https") or slashes != "//" or not host or "@" in host:
            raise HTTPError(400, "The address to go to is no http or https URL.")
    return encoded


def resolve(reference: str, base: Parts) -> Parts:
    """The URL that ``reference`` means in a response to a request for ``base``.

    :param reference: the value of a Location or Content-Location field: a URL, or what is relative
        to one.
    :param base: scheme, authority, path and query of the request's URL, percent-encoded.
    :returns: the same of the reference, the scheme in lower case, without fragment.

    RFC 3986, section 5.2.
    """
    scheme, authority, path, query = _REFERENCE.match(reference).groups()  # type: ignore[union-attr]
    if scheme is not None:
        return scheme.lower(), authority or "", _without_dots(path), query or ""
    scheme = base[0]
    if authority is None:
        authority = base[1]
        if not path:
            return scheme, authority, base[2], base[3] if query is None else query
        if path[0] != "/":
            path = f"{base[2].rpartition('/')[0]}/{path}"
    return scheme, authority, _without_dots(path), query or ""


def _without_dots(path: str) -> str:
    """``path`` without its segments ``.`` and ``..`` (section 5.2.4)."""
    if "/." not in path:
        return path
    kept: list[str] = []
    last = ""
    for last in path.split("/")[1:]:
        if last == "..":
            del kept[-1:]
        elif last != ".":
            kept.append(last)
    if last in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
