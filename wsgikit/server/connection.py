"""One client's connection, and the channel through which one of its requests is answered."""

from __future__ import annotations

import selectors
import socket
import struct
from contextlib import nullcontext
from io import BytesIO
from time import monotonic

from wsgikit.http.problem import HTTPError
from wsgikit.server.body import Disconnected, open_body
from wsgikit.server.head import NO_REQUEST
from wsgikit.server.limits import Limits
from wsgikit.server.outbox import FileSlice, Outbox, wait_for
from wsgikit.server.protocol import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from io import BufferedIOBase
    from typing import Any

#: What a socket is asked for in one read, and in the first one of a request: of what is taken and
#: given back in large pieces, the allocator keeps many that are nearly empty.
READ_SIZE = 65536
FIRST_READ = 16384
#: A larger body is read by the thread that answers the request, while the application reads it.
SMALL_BODY = 65536
#: Bytes that a response may be ahead of its reader before the application has to wait.
AHEAD = 65536

#: Seconds in which a client may keep the thread of its request waiting; then another thread takes
#: its place as long as it waits.
PATIENCE = 0.02

# l_onoff, l_linger: what is unsent is dropped when the socket is closed, and the peer told.
_RESET = struct.pack("ii", 1, 0)

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection:
    """A client's socket and all that is known about it.

    The loop owns it, but while :attr:`busy` the thread that answers its request does.
    """

    __slots__ = (
        "aborted", "address", "again", "aside", "awaited", "began", "body", "busy", "closed",
        "deadline", "ended", "expired", "fd", "head", "keep", "last", "limits", "lingering",
        "more", "outbox", "patience", "protocol", "received", "requests", "size", "socket",
        "watched", "writing",
    )  # fmt: skip

    def __init__(
        self, connection: socket.socket, address: Any, base: dict[str, Any], limits: Limits
    ) -> None:
        self.socket = connection
        self.fd = connection.fileno()
        self.address = address
        self.limits = limits
        self.protocol = Protocol(base, limits)
        self.outbox = Outbox(connection)
        #: The request under way, and what the loop has read of its body.
        self.head = NO_REQUEST
        self.body: list[bytes] = []
        #: When the head began to arrive, then when its application was called; 0: neither.
        self.began = 0.0
        #: Bytes of the request's body, as they came over the line, and without their framing those
        #: that the loop has read.
        self.received = self.size = 0
        self.requests = 0
        #: The client waits for ``100 Continue``.
        self.awaited = False
        #: A thread answers a request.
        self.busy = False
        #: May the connection be used for another request after this one?
        self.keep = True
        #: The server stops: the response that begins next is the last one, and says so.
        self.last = False
        #: The poller watches it, for writing or for reading.
        self.watched = self.writing = False
        #: Nobody will tell about what else there is to read: it has to be tried.
        self.more = self.ended = False
        #: There is more to be understood of what has arrived: perhaps another request.
        self.again = False
        #: Its last response is not all there, and its end has to say so.
        self.aborted = False
        #: Its turn may still come: the loop then has nothing to do with it.
        self.closed = False
        #: It is read to its end only so that the client gets what was sent.
        self.lingering = False
        #: When its time is over, and whether it was and only a last look is left.
        self.deadline = 0.0
        self.expired = False
        #: Seconds for which a thread still waits itself, and what it does then.
        self.patience = PATIENCE
        self.aside: Callable[[], AbstractContextManager[None]] = nullcontext

    # What the handler of the request sees.

    def input(self) -> BufferedIOBase:
        """``wsgi.input``: what the loop has read, and what is still to come."""
        begin = b"".join(self.body)
        if self.protocol.complete:
            return BytesIO(begin)
        return open_body(self.protocol, begin, self.receive)

    def receive(self) -> None:
        """Wait for more of the request's body: what reading ``wsgi.input`` does.

        :raises Disconnected: the client is gone.
        :raises HTTPError: 408 where it is too slow.
        """
        if self.awaited:
            self.awaited = False
            self.outbox.send(CONTINUE)
            self.began = monotonic()  # the client was not to send anything before
        while True:
            try:
                data = self.socket.recv(READ_SIZE)
                break
            except BlockingIOError:
                now = monotonic()
                if not self._wait(selectors.EVENT_READ, self.body_deadline(now) - now):
                    raise self.overdue() from None
            except OSError as error:
                raise Disconnected("the client left in the middle of its request") from error
        if not data:
            raise Disconnected("the client left in the middle of its request")
        self.received += len(data)
        self.protocol.receive(data)

    def _wait(self, event: int, seconds: float) -> bool:
        """Wait for the client, which soon keeps no other request from a thread."""
        began = monotonic()
        short = min(self.patience, seconds)
        if short > 0 and wait_for(self.socket, event, short):
            self.patience -= monotonic() - began
            return True
        self.patience = 0.0
        with self.aside():
            return wait_for(self.socket, event, seconds - (monotonic() - began))

    def send(self, *blocks: bytes, more: bool = False) -> None:
        """Send a part of the response.

        :param more: others follow: wait until the client has taken nearly all.
        :raises Disconnected: the client is gone or too slow.
        """
        self.awaited = False
        outbox = self.outbox
        outbox.send(*blocks)
        while more and outbox.size > AHEAD:
            if not self._wait(selectors.EVENT_WRITE, self.limits.write_stall):
                raise Disconnected("the client reads slower than limits.write_stall allows")
            outbox.flush()

    def send_file(self, head: bytes, fd: int, offset: int, count: int) -> None:
        """Send a response whose body is a part of a file."""
        self.awaited = False
        self.outbox.send(head, more=True)
        self.outbox.send_file(FileSlice(fd, offset, count))

    def abort(self) -> None:
        """End the connection with a reset: the response broke off, and no framing would tell.

        By TLS it ends without ``close_notify`` as well. A Unix socket knows no reset: who connects
        there by HTTP/1.0, and gets no ``Content-Length``, sees an end like any other.
        """
        self.aborted = True
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    # What the loop does with it.

    @property
    def listening(self) -> bool:
        """A request is waited for, or the rest of one, and nothing else."""
        return not (self.busy or self.outbox.rest or self.lingering)

    @property
    def waiting(self) -> bool:
        """It has no request, no part of one, and nothing to send."""
        return self.listening and not self.began

    def read_request(self, now: float) -> bool:
        """Understand what has arrived; whether it is a request that can be answered.

        It is once its head is here, and its body unless that is large or waited for.

        :raises HTTPError: it is none.
        """
        protocol = self.protocol
        head = self.head
        if head is NO_REQUEST:
            found = protocol.next_request()
            if found is None:
                if not self.began and protocol.pending:
                    self.began = now
                    self.deadline = now + self.limits.head_time
                return False
            head = self.head = found
            if protocol.complete:
                return True
            self.began = now
            self.received = self.size = 0
            if head.expects_continue and not protocol.pending:
                self.awaited = True
                return True
        if block := protocol.read():
            self.body.append(block)
            self.size += len(block)
        if protocol.complete:
            if head.chunked:  # many applications go by the length alone
                head.environ["CONTENT_LENGTH"] = str(self.size)
                del head.environ["HTTP_TRANSFER_ENCODING"]
            return True
        if self.size > SMALL_BODY:
            return True
        self.deadline = self.body_deadline(now)
        self.again = block != b"" and protocol.pending
        return False

    def body_deadline(self, now: float) -> float:
        """When the body has to be there at the rate at which it comes, or more of it.

        What has come quickly is no credit for a silence.
        """
        limits = self.limits
        return min(self.began + self.received / limits.body_rate, now) + limits.body_time

    def overdue(self) -> HTTPError:
        """The answer to a request that has not arrived in its time."""
        limits = self.limits
        if self.head is NO_REQUEST:
            detail = f"A request head takes at most {limits.head_time:g} s (limits.head_time)."
        else:
            detail = (
                f"A request body takes at most {limits.body_time:g} s (limits.body_time)"
                f" and a second for each {limits.body_rate:g} bytes (limits.body_rate), and is"
                f" never silent for {limits.body_time:g} s."
            )
        return HTTPError(408, detail)

    def release(self) -> None:
        """Forget the request that was answered."""
        self.head = NO_REQUEST
        self.body.clear()
        self.began = 0.0
        self.patience = PATIENCE
        self.awaited = self.busy = False

    def close(self) -> None:
        self.closed = True
        self.outbox.close()
        self.socket.close()
