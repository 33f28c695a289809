"""Where a request body ends, and what of the bytes is body: by length, or in chunks.

RFC 9112, sections 6.2 and 7.1. Bytes in, body out, no I/O; each body is fed what has arrived and
says how far it went.
"""

from __future__ import annotations

import re

from wsgikit.http.problem import HTTPError
from wsgikit.server.fields import read_fields
from wsgikit.server.limits import Limits

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
# RFC 9110 §5.6.4: DQUOTE *( qdtext / quoted-pair ) DQUOTE
_QUOTED = rb'"(?:[\t !\x23-\x5b\x5d-\x7e\x80-\xff]++|\\[\t\x20-\x7e\x80-\xff])*+"'
# RFC 9112 §7.1: chunk-size [ chunk-ext ], where chunk-ext is *( BWS ";" BWS chunk-ext-name
# [ BWS "=" BWS chunk-ext-val ] ). Extensions are checked and ignored (§7.1.1).
CHUNK_LINE = re.compile(
    rb"([0-9A-Fa-f]{1,15})(?:[ \t]*+;[ \t]*+%b(?:[ \t]*+=[ \t]*+(?:%b|%b))?+)*+"
    % (_TOKEN, _TOKEN, _QUOTED)
)
# Most have no extensions.
PLAIN_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})\r\n")
#: A longer line before a chunk is refused: it would be all extension.
MAX_CHUNK_LINE = 256
#: Pieces of chunks that are taken at a time: others wait for their turn meanwhile.
MOST_PIECES = 500


class SizedBody:
    """A body with a Content-Length; of length 0 where there is none."""

    __slots__ = ("left",)

    def __init__(self, length: int) -> None:
        self.left = length

    @property
    def complete(self) -> bool:
        return not self.left

    def take(self, data: bytes, start: int) -> tuple[bytes, int]:
        """The part of ``data`` from ``start`` on that is body, and where what follows begins."""
        body = data[start : start + self.left]
        self.left -= len(body)
        return body, start + len(body)


class ChunkedBody:
    """A body in chunks, with trailers that are checked and dropped."""

    __slots__ = ("_chunk", "_limits", "_received", "complete")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._received = 0
        # What is left of the chunk: its bytes and the CRLF after them. 0: at a chunk's line.
        # -1: in the trailers.
        self._chunk = 0
        self.complete = False

    def take(self, data: bytes, start: int) -> tuple[bytes, int]:
        """The body in ``data`` from ``start`` on, and where what was not understood yet begins.

        Of very many chunks only the first ones are taken: there is more while there is any.

        :raises HTTPError: 400 for what is no chunk, 413 for a body and 431 for trailers that are
            larger than the limits.
        """
        parts: list[bytes] = []
        while self._chunk >= 0 and start < len(data) and len(parts) < MOST_PIECES:
            if not self._chunk:
                plain = PLAIN_LINE.match(data, start)
                if plain is not None:
                    digits, start = plain[1], plain.end()
                else:
                    line, end = read_line(data, start)
                    if end < 0:
                        break
                    digits, start = size_of(line), end
                self._begin_chunk(int(digits, 16))
            elif self._chunk > 2:
                part = data[start : start + self._chunk - 2]
                parts.append(part)
                start += len(part)
                self._chunk -= len(part)
            elif self._chunk == 2 and data.startswith(b"\r\n", start):
                start += 2
                self._chunk = 0
            else:  # one of these two bytes, or another one
                if data[start] != b"\n\r"[self._chunk - 1]:
                    raise HTTPError(400, "A chunk does not end where its size says.")
                start += 1
                self._chunk -= 1
        if self._chunk < 0 and not self.complete:
            start = self._take_trailers(data, start)
        return b"".join(parts), start

    def _begin_chunk(self, size: int) -> None:
        self._received += size
        if self._received > self._limits.body_bytes:
            limit = self._limits.body_bytes
            raise HTTPError(413, f"A request body has at most {limit} bytes (limits.body_bytes).")
        self._chunk = size + 2 if size else -1

    def _take_trailers(self, data: bytes, start: int) -> int:
        if data.startswith(b"\r\n", start):
            self.complete = True
            return start + 2
        end = data.find(b"\r\n\r\n", start)
        size = (len(data) if end < 0 else end) - start
        if size > self._limits.head_bytes:
            limit = self._limits.head_bytes
            raise HTTPError(431, f"The trailers have at most {limit} bytes (limits.head_bytes).")
        if end < 0:
            return start
        read_fields(data[start:end], self._limits.fields)
        self.complete = True
        return end + 4


def read_line(data: bytes, start: int) -> tuple[bytes, int]:
    """The line before a chunk and where it ends, or -1 where the rest of it is yet to come."""
    end = data.find(b"\n", start, start + MAX_CHUNK_LINE)
    if end < 0:
        if len(data) - start >= MAX_CHUNK_LINE:
            raise HTTPError(400, f"The line of a chunk has at most {MAX_CHUNK_LINE} bytes.")
        return b"", -1
    if data[end - 1 : end] != b"\r" or end == start:
        raise HTTPError(400, "The line of a chunk ends with CRLF.")
    return data[start : end - 1], end + 1


def size_of(line: bytes) -> bytes:
    """The digits of a chunk's size, in the line before it."""
    matched = CHUNK_LINE.fullmatch(line)
    if matched is None:
        raise HTTPError(400, "The size of a chunk is malformed.")
    return matched[1]
