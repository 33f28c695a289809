"""Where a redirect may lead (RFC 9110, section 10.2.2; RFC 3986)."""

from __future__ import annotations

from wsgikit.http.grammar import CONTROLS
from wsgikit.http.problem import HTTPError
from wsgikit.http.query import QUERY_SAFE, percent_encode

__all__ = ["location"]

# What browsers drop from a URL, or read as a slash.
_BENT = CONTROLS | {"\t", "\\"}


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
