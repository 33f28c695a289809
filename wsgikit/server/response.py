"""Status and header fields of a response: checked, and as they go over the line.

PEP 3333, "The start_response() Callable"; RFC 9110, sections 5.1, 5.5 and 15.
"""

from __future__ import annotations

from functools import lru_cache
from wsgiref.util import is_hop_by_hop

from wsgikit.http.grammar import OWS, check_name, check_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.types import HeaderList


class FieldLines(dict[tuple[str, str], bytes]):
    """Field, as an application gave it: its line with CRLF; it is checked when first asked for.

    The line of a field that the server has to know of is empty.

    Applications repeat themselves: to remember costs less than to check, and less than a loop.

    :raises ValueError: for what would break the framing or inject a field; it names the field.
    :raises TypeError: for what is no text.
    """

    #: No more lines than these are kept, and none with longer values.
    ROOM = 1024
    LONGEST = 256

    def __missing__(self, field: tuple[str, str]) -> bytes:
        name, value = field
        if not (isinstance(name, str) and isinstance(value, str)):
            raise TypeError(f"a header field is two pieces of text, not {field!r}")
        if name.lower() in ("content-length", "date", "server"):
            line = b""
        else:
            check_name(name)
            if is_hop_by_hop(name):
                raise ValueError(f"{name} is the server's to set")
            line = _line(name, value)
        if len(value) <= self.LONGEST:
            if len(self) >= self.ROOM:
                self.clear()
            self[field] = line
        return line


class ResponseHead:
    """What an application gave to ``start_response``. Shared between responses: not to be changed.

    :raises ValueError: for what would break the framing or inject a field; it names the field.
    :raises TypeError: for what is no text.
    """

    __slots__ = ("bodiless", "code", "data", "length", "sets")

    def __init__(self, status: str, headers: HeaderList) -> None:
        #: The value of Content-Length.
        self.length: int | None = None
        lines = [_status_line(status), *map(_LINES.__getitem__, headers)]
        sets = set()
        place = 0
        for _ in range(lines.count(b"")):
            place = lines.index(b"", place + 1)
            name, value = headers[place - 1]
            name = name.lower()
            if name != "content-length":
                lines[place] = _line(name.title(), value)
                sets.add(name)
            elif self.length is None and value.isascii() and value.isdigit():
                self.length = int(value)
            else:
                raise ValueError(f"Content-Length is one decimal number, not {value!r}")
        #: Which of Date and Server are set by the application, in lower case.
        self.sets = frozenset(sets)
        #: The three digits.
        self.code = status[:3]
        #: No response with this status has content (RFC 9110 §6.4.1, §15.3.6).
        self.bodiless = self.code in ("204", "205", "304")
        #: Status line and fields but for Content-Length, each with its CRLF.
        self.data = b"".join(lines)


#: More heads than these are not remembered, and no longer ones.
REMEMBERED = 512
LONGEST = 1024

_LINES = FieldLines()
_heads: dict[tuple[object, ...], ResponseHead] = {}


def response_head(status: str, headers: HeaderList) -> ResponseHead:
    """The head that an application gave, made once for all responses that have the same."""
    key = (status, *headers)
    try:
        head = _heads.get(key)
    except TypeError:
        raise TypeError(f"headers takes a list of (name, value), not {headers!r}") from None
    if head is None:
        head = ResponseHead(status, headers)
        if len(head.data) <= LONGEST:
            if len(_heads) >= REMEMBERED:
                _heads.clear()
            _heads[key] = head
    return head


@lru_cache(256)
def _status_line(status: str) -> bytes:
    digits = status[:3]
    if not (digits.isascii() and digits.isdigit() and status[3:4] == " "):
        raise ValueError(f"status takes three digits, a space and a phrase, not {status!r}")
    if not "2" <= status[0] <= "5":
        raise ValueError(f"status {status!r} is no final response")
    return f"HTTP/1.1 {check_value(status.strip(OWS), 'the status')}\r\n".encode("latin-1")


def _line(name: str, value: str) -> bytes:
    return f"{name}: {check_value(value.strip(OWS), name)}\r\n".encode("latin-1")
