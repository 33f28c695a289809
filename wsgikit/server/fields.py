"""The field lines of a request: bytes in, their part of an environ out, strictly.

RFC 9112, section 5 (field syntax); RFC 9110, section 5.3 (repeated fields); PEP 3333. What is read
here depends on nothing but the bytes, and clients repeat themselves, so it is remembered.
"""

from __future__ import annotations

import re
from functools import lru_cache

from wsgikit.http.grammar import OWS, is_token
from wsgikit.http.hosts import split_host
from wsgikit.http.problem import HTTPError

#: The bytes that a line of a head may have: HTAB, SP, VCHAR and obs-text. Dropping these from a
#: head leaves its line breaks, and whatever has no place in it.
LINE_BYTES = bytes({9, *range(32, 127), *range(128, 256)})

# RFC 9110 §7.2, RFC 3986 §3.2.2: uri-host [ ":" port ]. Userinfo (@) has no place in it.
# Of addresses in brackets, split_host knows more.
_HOST = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=-]++|%[0-9A-Fa-f]{2})*+(?::([0-9]{0,5}))?")

# Fields that frame the message or route it, or that joining would spoil: twice is refused.
_SINGLE = {"CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_HOST", "HTTP_TRANSFER_ENCODING"}

# What has to be read before the body is.
_FRAMING = {"CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "HTTP_EXPECT"}

#: Longer blocks of fields, and more of them, are not remembered: clients choose them.
REMEMBERED = 512
LONGEST = 2048


class RequestFields:
    """What the fields of a request say. Shared between requests: not to be changed."""

    __slots__ = ("closes", "environ", "framed", "keeps")

    def __init__(self, environ: dict[str, str]) -> None:
        #: Their environ keys.
        self.environ = environ
        options = [option.strip(OWS) for option in environ.get("HTTP_CONNECTION", "").split(",")]
        lower = [option.lower() for option in options]
        #: The connection options ``close`` and ``keep-alive`` are among them.
        self.closes, self.keeps = "close" in lower, "keep-alive" in lower
        #: There is one that says how a body is sent.
        self.framed = not _FRAMING.isdisjoint(environ)


class EnvironKeys(dict[str, str]):
    """Field name, as it was sent: environ key. What is asked for is checked, and kept for the next.

    The key of a name with an underscore is empty: in an environ it would look like the field with
    a hyphen (``X_Forwarded_For``), which a proxy in front may have filtered.
    """

    #: No more names than these are kept, and no longer ones: clients choose them.
    ROOM = 1024
    LONGEST = 64

    def __missing__(self, name: str) -> str:
        if not is_token(name):
            raise HTTPError(400, "A header field is malformed.")
        key = "" if "_" in name else name.upper().replace("-", "_")
        if key and key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = "HTTP_" + key
        if len(self) < self.ROOM and len(name) <= self.LONGEST:
            self[name] = key
        return key


_KEYS = EnvironKeys()


def read_fields(data: bytes, most: int) -> RequestFields:
    """The fields in ``data``: lines with CRLF between them, none after the last.

    :param most: how many there may be.
    :raises HTTPError: 400 for what is no field, or stands twice where it may stand once; 431 for
        too many.
    """
    if data.count(b"\n") >= most:
        raise HTTPError(431, f"There are at most {most} header fields (limits.fields).")
    return _remembered(data) if len(data) <= LONGEST else _read(data)


def _read(data: bytes) -> RequestFields:
    environ: dict[str, str] = {}
    lines = data.decode("latin-1").split("\r\n") if data else []
    if data.translate(None, LINE_BYTES) != b"\r\n" * (len(lines) - 1):
        raise HTTPError(400, "A header field has a control character, or ends without CRLF.")
    keys = _KEYS
    try:
        for line in lines:
            name, value = line.split(":", 1)
            key = keys[name]
            if key not in environ:
                environ[key] = value.strip(OWS)
            elif key in _SINGLE:
                raise HTTPError(400, f"{name} stands twice.")
            else:
                separator = "; " if key == "HTTP_COOKIE" else ", "
                environ[key] += separator + value.strip(OWS)
    except ValueError:
        raise HTTPError(400, "A header field is malformed.") from None
    environ.pop("", None)
    if not is_host(environ.get("HTTP_HOST", "")):
        raise HTTPError(400, "The Host field is malformed.")
    return RequestFields(environ)


_remembered = lru_cache(REMEMBERED)(_read)


def is_host(text: str) -> bool:
    """Whether a Host field, or the authority of a target, may have this value."""
    if text[:1] == "[":
        return split_host(text) is not None
    matched = _HOST.fullmatch(text)
    return matched is not None and int(matched[1] or 0) <= 65535
