"""The sockets of a loop: who listens, who is connected, what is watched, and until when."""

from __future__ import annotations

import errno
import logging
import socket
from functools import partial
from time import monotonic

from wsgikit.server.connection import Connection
from wsgikit.server.handler import RequestHandler
from wsgikit.server.host import Host
from wsgikit.server.listener import Listener
from wsgikit.server.opening import Opening
from wsgikit.server.openings import Openings
from wsgikit.server.outbox import DAY
from wsgikit.server.pool import Pool
from wsgikit.server.waker import Waker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

log = logging.getLogger("wsgikit.server")

NEVER = float("inf")
#: Seconds in which a client that still sends can take note that it is answered no more.
LINGER = 2.0
#: Seconds for which a stop listens to idle connections: a request may be on its way.
LAST_LOOK = 0.1
#: Seconds after their last request for which it listens to others: they are likely to go on.
RECENT = 1.0
#: Seconds between two looks at the deadlines, at least.
GRAIN = 0.05
#: Seconds until new connections are tried again where the system had no room for them.
RETRY = 1.0

# What was wrong with one connection that was to be accepted, and says nothing of the next.
_GONE = {errno.ECONNABORTED, errno.ECONNRESET, errno.EPROTO, errno.EPERM, errno.EINTR}


class Sockets:
    """All sockets of a loop. But for :meth:`stop`, only the loop calls it."""

    def __init__(self, server: Host, pool: Pool) -> None:
        self._server = server
        self._pool = pool
        self._poller = server.new_poller()
        self.connections: dict[int, Connection] = {}
        #: Those that were just accepted. Their request is often here already: they are watched only
        #: when they turn out to be waiting.
        self.fresh: list[Connection] = []
        #: Those that can't be served yet.
        self.openings = Openings(self._poller)
        # Connections of handlers that read for themselves.
        self._guests: set[socket.socket] = set()
        #: What ends the wait, beside the clients.
        self.waker = Waker()
        self._poller.watch(self.waker.fileno())
        self._listeners: dict[int, Listener] = {}
        for listener in server.listeners:
            listener.base_environ = server.base_environ
            if listener is not server.listener:  # the first: the server's environ is of it
                place = {"SERVER_NAME": listener.host, "SERVER_PORT": str(listener.port)}
                listener.base_environ = server.base_environ | place
            listener.socket.setblocking(False)
            self._listeners[listener.socket.fileno()] = listener
            self._poller.watch(listener.socket.fileno())
        # There may be connections in the system's queue of which nobody will tell.
        self._full = False
        # The system had no room for one, and that was told.
        self._short = False
        # Other processes accept as well: one at a time, so that each of them gets its share.
        self._shared = server.base_environ["wsgi.multiprocess"]
        self._left: list[Listener] = []
        #: When deadlines are to be looked at.
        self.look_at = NEVER
        self.stopping = False
        self._stop_at = self._shut_out_at = NEVER

    def __len__(self) -> int:
        """How many connections there are."""
        return len(self.connections) + len(self.openings) + len(self._guests)

    def patience(self, now: float) -> float | None:
        """For how long nothing but the clients can make work."""
        if self.openings.arrived:
            return 0.0
        return None if self.look_at == NEVER else min(max(0.0, self.look_at - now), DAY)

    def wait(self, seconds: float | None) -> list[tuple[int, int]]:
        """Wait for something to do: pairs of descriptor and flags."""
        if self._left:
            left, self._left = self._left, []
            for listener in left:
                self._accept(listener, one=True)
            seconds = 0.0
        return self._poller.wait(seconds)

    def serve_other(self, fd: int) -> None:
        """Go on with what is no connection."""
        if fd == self.waker.fileno():
            self.waker.heard()
            if self._full:  # a guest may have left
                self._accept_all()
        elif not self.openings.tell(fd) and (listener := self._listeners.get(fd)):
            self._accept(listener, one=self._shared)

    def _accept_all(self) -> None:
        """Accept all who wait anywhere, as far as the limit allows."""
        self._full = False
        for listener in self._listeners.values():
            self._accept(listener)

    def _accept(self, listener: Listener, *, one: bool = False) -> None:
        """Accept all who wait at ``listener``, as far as the limit allows.

        :param one: the next one now, and the others in turns to come.
        """
        self._server.listener = listener
        while True:
            if len(self) >= self._server.limits.connections:
                self._full = True
                return
            try:
                client, address = self._server.get_request()
            except BlockingIOError:
                self._short = False
                return
            except OSError as error:
                if error.errno in _GONE:
                    continue
                if not self._short:
                    log.warning("Cannot accept connections: %s", error.strerror)
                self._full = self._short = True
                self.look_at = min(self.look_at, monotonic() + RETRY)
                return
            wanted = False
            try:
                if self._server.verify_request(client, address):
                    self._server.process_request(client, address)
                    wanted = True
            except Exception:
                self._server.handle_error(client, address)
            if not wanted:
                self._server.shutdown_request(client)
            if one:
                self._left.append(listener)
                return

    def add(self, client: socket.socket, address: Any) -> None:
        """Serve a connection."""
        if not issubclass(self._server.RequestHandlerClass, RequestHandler):
            self._guests.add(client)
            self._pool.put(partial(self._serve_guest, client, address))
            return
        client.setblocking(False)
        limits = self._server.limits
        base = self._server.listener.environ(client)
        opener = self._server.opener
        steps = None if opener is None else opener.open(client, address, base, limits)
        if steps is None:
            self._enter(Connection(client, address, base, limits))
        else:
            deadline = monotonic() + limits.head_time
            self.openings.add(Opening(client, deadline, steps))
            self.look_at = min(self.look_at, deadline)

    def open_some(self) -> None:
        """Go on with those that can't be served yet."""
        for connection in self.openings.go_on():
            self._enter(connection)
        if self._full:
            self._accept_all()

    def _enter(self, connection: Connection) -> None:
        connection.aside = self._pool.aside
        self.connections[connection.fd] = connection
        self.fresh.append(connection)
        self.due(connection, monotonic() + connection.limits.idle)

    def _serve_guest(self, client: socket.socket, address: Any) -> None:
        """Let a handler of another kind have a connection, and a thread, for itself."""
        try:
            if client in self._guests:  # nobody who has waited in vain
                self._server.finish_request(client, address)
        except Exception:
            self._server.handle_error(client, address)
        self._server.shutdown_request(client)
        self._guests.discard(client)
        self.waker.wake()

    def watch(self, connection: Connection, *, write: bool = False) -> None:
        """Be told when there is something to read, or to write."""
        self.forget(connection)
        self._poller.watch(connection.fd, write=write)
        connection.watched = True
        connection.writing = write

    def forget(self, connection: Connection) -> None:
        """Be told no more."""
        if connection.watched:
            self._poller.forget(connection.fd)
            connection.watched = False

    def due(self, connection: Connection, deadline: float) -> None:
        """Let the time of ``connection`` be over at ``deadline``."""
        connection.deadline = deadline
        if deadline < self.look_at:
            self.look_at = deadline

    def linger(self, connection: Connection) -> None:
        """Half-close and read on for a moment: a reset would take the answer from the client.

        RFC 9112, section 9.6.
        """
        try:
            connection.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.close(connection)
            return
        connection.lingering = True
        self.watch(connection)
        self.due(connection, monotonic() + LINGER)

    def close(self, connection: Connection) -> None:
        if self.connections.get(connection.fd) is connection:
            self.forget(connection)
            del self.connections[connection.fd]
            connection.close()
            if self._full:
                self._accept_all()

    def sweep(self, now: float) -> list[Connection]:
        """Close whose time is over; who may have sent something is returned for a last look."""
        looks = []
        idle = self._server.limits.idle
        soonest = self.openings.sweep(now, self.stopping)
        for connection in list(self.connections.values()):
            waiting = connection.waiting
            if connection.busy:
                due = now + idle  # a thread that is done with it tells nobody
            elif connection.deadline > now:
                if waiting and self.stopping and connection.deadline > now + RECENT:
                    asked = connection.deadline - idle
                    connection.deadline = max(asked + RECENT, now + LAST_LOOK)
                due = connection.deadline
            elif connection.listening and not connection.expired:
                connection.expired = True
                looks.append(connection)
                due = now
            else:
                self.close(connection)
                continue
            soonest = min(soonest, due)
        if self._full:
            self._accept_all()
            soonest = min(soonest, now + RETRY)
        if self.stopping:
            soonest = now
        self.look_at = max(soonest, now + GRAIN)
        return looks

    def stop(self, seconds: float) -> None:
        """Listen no more, and come to an end within ``seconds``; from any thread."""
        self._stop_at = monotonic() + seconds
        self.stopping = True
        self.waker.wake()

    def finish(self, now: float) -> bool:
        """Go on with a stop; whether it has come to its end."""
        if self._listeners and self._shut_out_at == NEVER:
            self._shut_out_at = self.look_at = now
            for listener in self._listeners.values():
                listener.shut_out()
            for connection in self.connections.values():
                connection.last = True
            for guest in list(self._guests):  # their threads take them out
                _shut(guest, socket.SHUT_RD)
        if self._listeners:
            self._accept_all()  # who was let in by the system is served
            others = self.connections or self.openings  # then more may be on their way in
            if others and now < min(self._shut_out_at + LAST_LOOK, self._stop_at):
                return False
            for fd in self._listeners:
                self._poller.forget(fd)
            self._listen_no_more()
        return not len(self) or now >= self._stop_at

    def _listen_no_more(self) -> None:
        self._listeners.clear()
        self._left.clear()
        self._server.server_close()

    def close_all(self) -> None:
        """Close what is left; of a connection that a thread still uses, only both directions."""
        self._listen_no_more()
        left = 0
        for connection in self.connections.values():
            if connection.busy:
                left += 1
                _shut(connection.socket, socket.SHUT_RDWR)
            else:
                connection.close()
        for guest in list(self._guests):
            left += 1
            _shut(guest, socket.SHUT_RDWR)
        self._guests.clear()
        if left:
            log.warning(
                "Stopped with %d requests unfinished after %.1f s (stop_timeout is %g s)",
                left,
                max(0.0, monotonic() - self._shut_out_at),
                self._server.stop_timeout,
            )
        self.connections.clear()
        self.openings.close_all()
        self._poller.close()
        self.waker.close()


def _shut(client: socket.socket, how: int) -> None:
    """End who reads or writes."""
    try:
        client.shutdown(how)
    except OSError:
        pass  # the client was quicker
