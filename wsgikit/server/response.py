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

# Fields that the server has to know of, also in the spelling that is usual.
_NOTED = {"content-length", "date", "server", "Content-Length"}

#: Longer values are not remembered.
LONGEST = 256


class ResponseHead:
    """What an application gave to ``start_response``.

    :raises ValueError: for what would break the framing or inject a field; it names the field.
    :raises TypeError: for what is no text.
    """

    __slots__ = ("code", "data", "dated", "length", "named")

    def __init__(self, status: str, headers: HeaderList) -> None:
        #: The value of Content-Length.
        self.length: int | None = None
        #: Date and Server are set by the application.
        self.dated = self.named = False
        lines = [_status_line(status)]
        for name, value in headers:
            if name in _NOTED or name.lower() in _NOTED:
                self._note(name.lower(), value, lines)
            else:
                read = _remembered if len(value) <= LONGEST else _field_line
                lines.append(read(name, value))
        #: The three digits.
        self.code = status[:3]
        #: Status line and fields but for Content-Length, each with its CRLF.
        self.data = b"".join(lines)

    def _note(self, name: str, value: str, lines: list[bytes]) -> None:
        """Take in a field that the server has to know of."""
        if name == "content-length":
            if self.length is not None or not (value.isascii() and value.isdigit()):
                raise ValueError(f"Content-Length is one decimal number, not {value!r}")
            self.length = int(value)
            return
        if name == "date":
            self.dated = True
        else:
            self.named = True
        lines.append(f"{name.title()}: {check_value(value.strip(OWS), name)}\r\n".encode("latin-1"))


@lru_cache(256)
def _status_line(status: str) -> bytes:
    digits = status[:3]
    if not (digits.isascii() and digits.isdigit() and status[3:4] == " "):
        raise ValueError(f"status takes three digits, a space and a phrase, not {status!r}")
    if not "2" <= status[0] <= "5":
        raise ValueError(f"status {status!r} is no final response")
    return f"HTTP/1.1 {check_value(status.strip(OWS), 'the status')}\r\n".encode("latin-1")


def _field_line(name: str, value: str) -> bytes:
    check_name(name)
    if is_hop_by_hop(name):
        raise ValueError(f"{name} is the server's to set")
    return f"{name}: {check_value(value.strip(OWS), name)}\r\n".encode("latin-1")


# Applications repeat themselves, and to check costs more than to remember.
_remembered = lru_cache(1024)(_field_line)
