"""What is on its way to a client: sent as far as its socket takes it, the rest kept for later."""

from __future__ import annotations

import logging
import os
import selectors
import socket
import stat
from collections import deque
from io import BufferedRandom, BufferedReader, FileIO

from wsgikit.server.body import Disconnected

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

log = logging.getLogger("wsgikit.server")

#: Bytes of a file that one call sends: a fast reader must not keep a thread from looking up.
FILE_PIECE = 1 << 20
#: Bytes after which the loop turns to others.
TURN = 1 << 20

#: The system sends files without their being read.
CAN_SEND_FILES = hasattr(os, "sendfile")
#: It sends several blocks in one call.
CAN_GATHER = hasattr(socket.socket, "sendmsg")

#: The longest wait, in seconds: poll() counts milliseconds, and no more than 24 days of them, while
#: a body has a second for each 500 of its bytes.
DAY = 86400.0

_MSG_MORE = getattr(socket, "MSG_MORE", 0)  # what follows belongs to the same packet
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


class FileSlice:
    """``count`` bytes of an open file from ``offset`` on, under a descriptor of its own."""

    def __init__(self, fd: int, offset: int, count: int) -> None:
        self._fd = os.dup(fd)
        self._offset = offset
        #: How many bytes are still to be sent.
        self.count = count

    def send(self, to: socket.socket) -> None:
        """Send what the socket takes.

        :raises OSError: it takes nothing now (``BlockingIOError``), or the client is gone.
        :raises Disconnected: the file can't be read on, which is logged.
        """
        try:
            sent = self._send(to)
        except (BlockingIOError, ConnectionError, TimeoutError):
            raise
        except OSError as error:
            self._give_up(error.strerror)
        if not sent:
            self._give_up("it has become shorter")
        self._offset += sent
        self.count -= sent

    def _give_up(self, reason: object) -> NoReturn:
        log.error("The last %d bytes of a file could not be sent: %s", self.count, reason)
        raise Disconnected("a file could not be sent")

    def _send(self, to: socket.socket) -> int:
        return os.sendfile(to.fileno(), self._fd, self._offset, min(self.count, FILE_PIECE))

    def close(self) -> None:
        os.close(self._fd)


def plain_file(file: Any) -> tuple[int, int, int] | None:
    """Descriptor, place and size of what is left to read of a file that the system can send.

    None for any other: an object with a ``fileno`` may change what it reads, as GzipFile does.
    """
    if not CAN_SEND_FILES or type(file) not in (BufferedReader, BufferedRandom, FileIO):
        return None
    fd = file.fileno()
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        return None
    place = file.tell()
    return fd, place, max(0, status.st_size - place)


class Outbox:
    """Sends on a socket that does not block; what it doesn't take is sent by :meth:`flush`."""

    __slots__ = ("_socket", "full", "rest", "size")

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        #: What is left to be sent. An attribute, and tested as it is: each request asks for it.
        self.rest: deque[memoryview | FileSlice] | None = None
        #: Bytes in memory that the socket has not taken.
        self.size = 0
        #: The last :meth:`flush` ended because the socket takes no more.
        self.full = False

    @property
    def file_next(self) -> bool:
        """What is left begins with a file: reading it may block."""
        rest = self.rest
        return rest is not None and len(rest) > 0 and isinstance(rest[0], FileSlice)

    def send(self, *blocks: bytes, more: bool = False) -> None:
        """Send ``blocks`` in one call, as far as the socket takes them.

        :param more: something follows at once.
        :raises Disconnected: the client is gone.
        """
        sent = 0
        if not self.rest:
            try:
                if len(blocks) > 1 and CAN_GATHER:
                    sent = self._socket.sendmsg(blocks)
                else:
                    block = b"".join(blocks)
                    sent = self._socket.send(block, _MSG_MORE if more else 0)
                    if sent == len(block):
                        return
            except BlockingIOError:
                pass
            except OSError as error:
                raise Disconnected("the client stopped reading the response") from error
        for block in blocks:
            if sent < len(block):
                self._keep(memoryview(block)[sent:])
                sent = 0
            else:
                sent -= len(block)

    def send_file(self, part: FileSlice) -> None:
        """Leave ``part`` to :meth:`flush`, which also closes it."""
        self._add(part)

    def _keep(self, rest: memoryview) -> None:
        self._add(rest)
        self.size += len(rest)

    def _add(self, rest: memoryview | FileSlice) -> None:
        if self.rest is None:
            self.rest = deque()
        self.rest.append(rest)

    def flush(self, *, turn: bool = False) -> bool:
        """Send what is left, as far as the socket takes it; whether that was all.

        :param turn: send about :data:`TURN` bytes of it, and no file, which may block: the loop has
            others to serve.
        :raises Disconnected: the client is gone, or a file has become shorter.
        """
        self.full = False
        enough = self.size - TURN if turn else -1
        try:
            while self.rest and self.size > enough and not (turn and self.file_next):
                self._send_first(self.rest)
        except BlockingIOError:
            self.full = True
        except Disconnected:
            raise
        except OSError as error:
            raise Disconnected("the client stopped reading the response") from error
        return not self.rest

    def _send_first(self, rest: deque[memoryview | FileSlice]) -> None:
        """Send what the socket takes of the first piece."""
        item = rest[0]
        if isinstance(item, FileSlice):
            item.send(self._socket)
            if not item.count:
                rest.popleft()
                item.close()
        else:
            sent = self._socket.send(item)
            self.size -= sent
            if sent < len(item):
                rest[0] = item[sent:]
            else:
                rest.popleft()

    def close(self) -> None:
        """Give up what is left."""
        while self.rest:
            item = self.rest.popleft()
            if isinstance(item, FileSlice):
                item.close()


def wait_for(connection: socket.socket, event: int, seconds: float) -> bool:
    """Wait until ``connection`` can be read from, or written to; False after ``seconds``, or a day.

    :param event: ``selectors.EVENT_READ`` or ``EVENT_WRITE``.
    """
    with _Selector() as selector:
        selector.register(connection, event)
        return seconds > 0 and bool(selector.select(min(seconds, DAY)))
