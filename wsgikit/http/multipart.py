"""Multipart forms, parsed as they arrive: bytes in, events out, no I/O.

RFC 7578 (``multipart/form-data``); RFC 2046, section 5.1 (``multipart``).
"""

from __future__ import annotations

from wsgikit.http.grammar import TOKEN, split_list
from wsgikit.http.params import parse_params
from wsgikit.http.parts import Part, parse_head
from wsgikit.http.problem import HTTPError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn, TypeAlias

    Event: TypeAlias = Part | bytes | None

__all__ = ["MultipartParser", "parse_boundary", "plain_fields"]

_FORM = "multipart/form-data"
# boundary := 0*69<bchars> bcharsnospace (RFC 2046, section 5.1.1), and the other characters of
# tokens: an old recipe for clients, which many follow, has a "$" at the end.
_BCHARS = TOKEN.union("'()+_,-./:=? ")
_LONGEST = 70

# What stands between a boundary and a plain field's name, and the longest name that is plain.
_PLAIN = '\r\nContent-Disposition: form-data; name="'
_LONGEST_NAME = 500

# Where the parser is: in the content of a part or before the first one, in the head of a part, or
# behind the last boundary.
_CONTENT, _HEAD, _END = range(3)

# Most parts are small, so their end is looked for in so many bytes first. Where there are more than
# 30,000 to search, CPython prepares for a microsecond, and is then fast whatever stands in them.
_NEAR = 2048

_UNLIMITED = 1 << 62


def parse_boundary(content_type: str) -> str:
    """The boundary that a Content-Type of ``multipart/form-data`` names.

    :returns: 1 to 70 letters, digits and ``!#$%&'()*+,-./:=?^_`|~``, and spaces but at the end.
    :raises HTTPError: 415 when it is another type; 400 when it has no boundary, two, or a
        malformed one.
    """
    # What nearly all clients send.
    kind, _, boundary = content_type.partition("; boundary=")
    if kind == _FORM and boundary.replace("-", "").isalnum() and _is_boundary(boundary):
        return boundary
    kind, params = parse_params(content_type)
    if kind.lower() != _FORM:
        raise HTTPError(415, "This takes a form: multipart/form-data.")
    boundary = params.get("boundary", "")
    names = [item.partition("=")[0].lower() for item in split_list(content_type, ";")]
    if names.count("boundary") != 1 or "boundary*" in names or not _is_boundary(boundary):
        raise HTTPError(400, "A multipart form has one boundary in its Content-Type.")
    return boundary


def plain_fields(body: bytes, boundary: str, max_fields: int) -> list[tuple[str, str]] | None:
    """The fields of a whole form that has only fields, written as browsers do.

    :param boundary: as :func:`parse_boundary` gives it.
    :returns: names and values, as :class:`MultipartParser` finds them in five times the time; None
        for any other form, one that is to be refused among them.
    """
    try:
        text = f"\r\n{str(body, 'utf-8')}"
    except UnicodeDecodeError:
        return None
    line = f"\r\n--{boundary}"
    first, *pieces = text.split(line + _PLAIN)
    # Every boundary has been found and the last one is in the last piece.
    if first or not 0 < len(pieces) <= max_fields or text.count(line) != len(pieces) + 1:
        return None
    last, _, rest = pieces[-1].partition(line)
    if rest not in ("--\r\n", "--"):
        return None
    pieces[-1] = last
    pairs = []
    for piece in pieces:
        name, found, value = piece.partition('"\r\n\r\n')
        if not found or not name.isprintable() or len(name) > _LONGEST_NAME:
            return None
        if '"' in name or "%" in name or name == "_charset_":
            return None
        pairs.append((name, value))
    return pairs


class MultipartParser:
    """Parses one form: :meth:`feed` it what arrives, :meth:`close` it where the body ends.

    The events are a :class:`~wsgikit.http.parts.Part` where a part begins, ``bytes`` for each piece
    of its content, and None where it ends::

        parser = MultipartParser(parse_boundary(content_type))
        for block in blocks:
            for event in parser.feed(block):
                ...
        parser.close()

    However a form is cut into blocks, the parts, their contents and the errors are the same. The
    time is linear in its length, and no more is kept of it than the head of a part.

    The parser is stricter than RFC 2046 where leniency would only help who wants two parsers to
    disagree: lines end with CRLF and are not folded, no whitespace follows a boundary (no transport
    of HTTP adds it there), and nothing but a line break follows the last one.

    :param boundary: what separates the parts: see :func:`parse_boundary`.
    :param codec: Python's codec for the names of fields and files.
    :param max_size: bytes of the form, all in all.
    :param max_fields: how many parts it may have, fields and files.
    :param max_head_size: bytes of the head of a part.
    :param max_memory: bytes of the contents of all fields together; files do not count.
    :param max_file_size: bytes of one file.
    :param max_preamble_size: bytes before the first boundary, which mean nothing.
    :raises ValueError: when ``boundary`` is none, or a limit is negative.

    None stands for no limit.
    """

    __slots__ = (
        "_codec",
        "_delimiter",
        "_error",
        "_held",
        "_limits",
        "_max_head",
        "_memory",
        "_part",
        "_parts",
        "_room",
        "_size",
        "_skip",
        "_state",
    )

    def __init__(
        self,
        boundary: str,
        *,
        codec: str = "utf-8",
        max_size: int | None = None,
        max_fields: int | None = 1000,
        max_head_size: int | None = 4096,
        max_memory: int | None = 1024 * 1024,
        max_file_size: int | None = None,
        max_preamble_size: int | None = 1024,
    ) -> None:
        if not _is_boundary(boundary):
            raise ValueError(f"boundary takes what parse_boundary() gives, not {boundary!a}")
        self._limits = limits = {
            "max_size": _UNLIMITED if max_size is None else max_size,
            "max_fields": _UNLIMITED if max_fields is None else max_fields,
            "max_head_size": _UNLIMITED if max_head_size is None else max_head_size,
            "max_memory": _UNLIMITED if max_memory is None else max_memory,
            "max_file_size": _UNLIMITED if max_file_size is None else max_file_size,
            "max_preamble_size": _UNLIMITED if max_preamble_size is None else max_preamble_size,
        }
        for name, limit in limits.items():
            if limit < 0:
                raise ValueError(f"{name} takes a number from 0 on, or None, not {limit}")
        self._codec = codec
        self._delimiter = b"\r\n--" + boundary.encode()
        self._error: HTTPError | None = None
        self._state = _CONTENT
        self._part: Part | None = None
        # A boundary stands at the beginning of a line; so does the beginning of the form, as if
        # there were a line break before it, which is skipped like the one between head and content.
        self._held = b"\r\n"
        self._skip = 2
        self._size = limits["max_size"]
        self._parts = limits["max_fields"]
        self._max_head = limits["max_head_size"] + 4  # with the CR LF CR LF behind it
        self._memory = limits["max_memory"]
        self._room = limits["max_preamble_size"]

    def feed(self, data: bytes) -> list[Event]:
        """The events of the next bytes of the form.

        :raises HTTPError: 400 for what is malformed, 413 for what breaks a limit, 415 for a part in
            an encoding that is not read. Nothing can be fed any more then.
        """
        if self._error is not None:
            raise self._error
        events: list[Event] = []
        try:
            if len(data) > self._size:
                self._parse(data[: self._size], events)
                self._refuse("max_size", "the form")
            self._size -= len(data)
            self._parse(data, events)
        except HTTPError as error:
            self._error = error
            raise
        return events

    def close(self) -> None:
        """Tell that there is no more.

        :raises HTTPError: 400 when the form is not complete: its last boundary is missing.
        """
        if self._error is not None:
            raise self._error
        if self._state != _END or self._held not in (b"", b"\r\n"):
            self._error = HTTPError(400, "The form ended before its last boundary.")
            raise self._error

    def _parse(self, data: bytes, events: list[Event]) -> None:
        # The one hot loop: a pass for each part, a call into C for whatever has a length.
        buffer = self._held + data if self._held else data
        delimiter, state, part = self._delimiter, self._state, self._part
        room, skip = self._room, self._skip
        find, add, length, at = buffer.find, events.append, len(delimiter), 0
        while state != _END:
            if state == _HEAD:
                stop = find(b"\r\n\r\n", at, at + self._max_head)
                if stop < 0:
                    if len(buffer) - at >= self._max_head:
                        self._refuse("max_head_size", "the head of a part")
                    break
                part = parse_head(buffer[at:stop], self._codec)
                add(part)
                is_field = part.original_filename is None
                room = self._memory if is_field else self._limits["max_file_size"]
                # The content may be missing: the second line break is then that of the boundary.
                at, skip, state = stop + 2, 2, _CONTENT
            stop = find(delimiter, at, at + _NEAR) if skip else -1
            if stop < 0:
                stop = find(delimiter, at)
            certain = stop if stop >= 0 else self._certain(buffer, at)
            if certain > at + skip:
                room -= certain - at - skip
                if room < 0:
                    self._refuse_content(part)
                if part is not None:
                    add(buffer[at + skip : certain])
            if certain > at:
                skip = 0
            at = certain
            if stop < 0:
                break
            tail = buffer[stop + length : stop + length + 2]
            if tail == b"\r\n":
                state = _HEAD
                self._parts -= 1
                if self._parts < 0:
                    self._refuse("max_fields", "the form", "parts")
            elif tail == b"--":
                state = _END
            elif b"\r\n".startswith(tail) or b"--".startswith(tail):
                break
            else:
                raise HTTPError(400, "A boundary is followed by something else than a line break.")
            at += length + 2
            if part is not None:
                add(None)
                if part.original_filename is None:
                    self._memory = room
                part = None
        self._held = held = buffer[at:]
        if state == _END and not b"\r\n".startswith(held):
            raise HTTPError(400, "The last boundary is followed by something.")
        self._state, self._part, self._room, self._skip = state, part, room, skip

    def _certain(self, buffer: bytes, at: int) -> int:
        """Where the content ends that no boundary can begin in, as far as it has come."""
        # A boundary has its one CR at its beginning: the last CR decides.
        last = buffer.rfind(b"\r", max(at, len(buffer) - len(self._delimiter) + 1))
        return last if last >= 0 and self._delimiter.startswith(buffer[last:]) else len(buffer)

    def _refuse(self, limit: str, what: str, unit: str = "bytes") -> NoReturn:
        size = self._limits[limit]
        raise HTTPError(413, f"There are more {unit} in {what} than {limit}={size}.")

    def _refuse_content(self, part: Part | None) -> NoReturn:
        if part is None:
            size = self._limits["max_preamble_size"]
            raise HTTPError(400, f"No boundary within the first max_preamble_size={size} bytes.")
        if part.original_filename is None:
            self._refuse("max_memory", "the fields of the form")
        self._refuse("max_file_size", "a file")


def _is_boundary(text: str) -> bool:
    plain = text.replace("-", "")
    usual = plain.isalnum() and plain.isascii()
    return 0 < len(text) <= _LONGEST and (usual or (_BCHARS.issuperset(text) and text[-1] != " "))
