"""What one client may take of the server: bytes, seconds, places.

Whoever goes over a limit is refused with the status named here and its connection is closed, or it
is closed without a word where nothing could be answered. Refusals name the limit.
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """The limits of a :class:`~wsgikit.server.Server`: ``serve(app, limits=Limits(fields=50))``.

    :param head_bytes: bytes of a request head; beyond it 431, or 414 where its first line alone is
        longer. Trailers count by it too.
    :param fields: fields of a request head, or of the trailers; beyond it 431.
    :param body_bytes: bytes of a request body; beyond it 413.
    :param connections: open connections; beyond it new ones wait in the system's queue.
    :param queue: requests that wait for a thread; beyond it 503 with ``Retry-After``.
    :param requests: requests on one connection; the last one is answered with a close.
    :param idle: seconds between two requests of a connection, and before the first.
    :param head_time: seconds from a head's first byte to its last; beyond it 408.
    :param body_time: seconds that a body may take beside those that ``body_rate`` grants, and for
        which the client may be silent in its midst; beyond them 408.
    :param body_rate: bytes a second: a body gets one more second for each that many of its bytes.
    :param write_stall: seconds in which a client that reads its response takes nothing of it.
    :raises ValueError: a limit is no positive number.
    """

    head_bytes: int = 65536
    fields: int = 100
    body_bytes: int = 1 << 30
    connections: int = 16384
    queue: int = 1024
    requests: int = 10_000
    idle: float = 30.0
    head_time: float = 30.0
    body_time: float = 30.0
    body_rate: float = 500.0
    write_stall: float = 30.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type == "int":
                if type(value) is not int or value < 1:
                    raise ValueError(f"{field.name} takes a whole number from 1 on, not {value!r}")
            elif not isinstance(value, int | float) or not 0 < value < float("inf"):
                raise ValueError(f"{field.name} takes a positive number, not {value!r}")
