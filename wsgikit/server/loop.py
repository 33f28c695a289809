"""The loop: one thread that owns all sockets, and hands out requests that are complete.

A slow client costs no thread: a head and a small body are read here as they come, and what a slow
reader has not taken is sent here. Which thread runs the loop may change during a call of the
application (:mod:`wsgikit.server.inline`).
"""

from __future__ import annotations

import logging
from collections import deque
from functools import partial
from threading import Event, Lock
from time import monotonic

from wsgikit.http.problem import HTTPError
from wsgikit.server.access import log_access
from wsgikit.server.body import Disconnected
from wsgikit.server.connection import FIRST_READ, READ_SIZE, Connection
from wsgikit.server.head import NO_REQUEST
from wsgikit.server.host import Host
from wsgikit.server.inline import Inline
from wsgikit.server.poller import ENDED
from wsgikit.server.pool import Pool
from wsgikit.server.preamble import refusal
from wsgikit.server.sockets import Sockets

log = logging.getLogger("wsgikit.server")

#: Threads that may wait for slow clients, beside those that run calls.
SPARE = 1000


class Loop:
    """Serves the connections of ``server`` until it is stopped.

    :param server: its listening socket, its limits, and what it does with a request.
    """

    def __init__(self, server: Host) -> None:
        self.server = server
        #: Connections that are to be looked at.
        self.ready: deque[Connection] = deque()
        # Connections that other threads are done with.
        self._returned: deque[Connection] = deque()
        # Held to change who owns a connection.
        self._lock = Lock()
        self.over = Event()
        # One of them runs the loop. With a single one beside it, calls are one after another.
        self.pool = Pool(server.threads + 1, SPARE if server.threads > 1 else 0)
        self.sockets = Sockets(server, self.pool)
        self._inline = Inline(lambda: self.pool.put(self.run))
        self.now = monotonic()
        self._asked = 0.0

    def start(self) -> None:
        """Serve, in a thread of the pool."""
        self.pool.put(self.run)

    def run(self) -> None:
        """Own the loop, until it is over or another thread has taken it over during a call."""
        try:
            # Each of those that are ready has its turn, then comes who became ready meanwhile: a
            # client that always has more must not keep the loop to itself.
            while self._wait():
                for _ in range(len(self.ready)):
                    connection = self.ready.popleft()
                    try:
                        if not self._serve(connection):
                            return
                    except Exception:
                        self._fail(connection)
        except BaseException:
            self._end()  # nobody would answer any more: let the server come to its end
            raise

    def _take_back(self, connection: Connection) -> None:
        """Go on with a connection that another thread is done with, whatever happens."""
        try:
            self._finish(connection)
        except Exception:
            self._fail(connection)

    def _fail(self, connection: Connection) -> None:
        log.exception("Error in the server on the connection of %s", connection.address)
        self.sockets.close(connection)

    def _wait(self) -> bool:
        """Fill :attr:`ready`; whether there is anything left to wait for."""
        sockets = self.sockets
        self.now = monotonic()
        if sockets.stopping and sockets.finish(self.now):
            self._end()
            return False
        if self.now >= sockets.look_at:
            self.ready.extend(sockets.sweep(self.now))
        if sockets.openings.arrived:
            sockets.open_some()
        self.ready.extend(sockets.fresh)
        sockets.fresh.clear()
        for fd, flags in sockets.wait(0.0 if self.ready else sockets.patience(self.now)):
            connection = sockets.connections.get(fd)
            if connection is None:
                sockets.serve_other(fd)  # may close listed ones, and open others
            else:
                if flags & ENDED:
                    connection.ended = True
                self.ready.append(connection)
        while self._returned:
            self._take_back(self._returned.popleft())
        self.now = monotonic()
        return True

    def _serve(self, connection: Connection) -> bool:
        """Go on with ``connection``; whether the loop still belongs to this thread."""
        if connection.busy and self._set_aside(connection):
            return True
        if connection.closed:
            return True
        if connection.again:
            connection.again = False
            return self._advance(connection)
        if connection.outbox.rest:
            self._send(connection)
            return True
        size = FIRST_READ if connection.head is NO_REQUEST else READ_SIZE
        try:
            data = connection.socket.recv(size)
        except BlockingIOError:
            connection.more = False
            if connection.expired:
                self._expire(connection)
            elif not connection.watched:
                self.sockets.watch(connection)
            return True
        except OSError:
            data = b""
        if not data:
            self.sockets.close(connection)
            return True
        connection.expired = False
        # A read that was filled may have left something, and an end is told but once.
        connection.more = connection.ended or len(data) == size
        if connection.lingering:
            if connection.more:
                self.ready.append(connection)
            return True
        connection.protocol.receive(data)
        connection.received += len(data)
        return self._advance(connection)

    def _advance(self, connection: Connection) -> bool:
        """Answer the request that has arrived, if it has; returns as :meth:`_serve`."""
        try:
            complete = connection.read_request(self.now)
        except HTTPError as error:
            self._refuse(connection, error)
            return True
        if complete:
            return self._dispatch(connection)
        if connection.deadline <= self.now:
            self._expire(connection)  # it sends, but too slowly
            return True
        self.sockets.due(connection, connection.deadline)
        if connection.more or connection.again:
            self.ready.append(connection)
        elif not connection.watched:
            self.sockets.watch(connection)
        return True

    def _dispatch(self, connection: Connection) -> bool:
        """Have the request answered, here or by a worker; returns as :meth:`_serve`."""
        pool, inline = self.pool, self._inline
        complete = connection.protocol.complete
        connection.busy = True
        connection.requests += 1
        path = connection.head.environ["PATH_INFO"]
        if complete and pool.free > 0 and inline.suits(path, self.now):
            call = inline.begin()
            began = connection.began = monotonic()
            self._run(connection)
            if not inline.end(call, path, monotonic() - began):
                self._give_back(connection)
                return False
            self._finish(connection)
        elif -pool.free >= connection.limits.queue:
            detail = f"At most {connection.limits.queue} requests wait (limits.queue)."
            self._refuse(connection, HTTPError(503, detail, headers=[("Retry-After", "1")]))
        else:
            if not complete:  # the worker reads from the socket: events would only disturb
                self.sockets.forget(connection)
            pool.put(partial(self._work, connection))
        return True

    def _work(self, connection: Connection) -> None:
        if self.over.is_set():  # it has waited in vain: no application is called any more
            connection.close()
            return
        if connection.protocol.complete:
            connection.began = monotonic()
        self._run(connection)
        if connection.outbox.file_next:
            self._send_file(connection)
        else:
            self._give_back(connection)

    def _run(self, connection: Connection) -> None:
        try:
            self.server.finish_request(connection, connection.address)
        except Exception:
            connection.keep = False
            self.server.handle_error(connection, connection.address)

    def _give_back(self, connection: Connection) -> None:
        """Return a connection to the loop, from another thread."""
        with self._lock:
            if (
                connection.keep
                and connection.watched
                and not (connection.outbox.rest or connection.protocol.pending or connection.more)
                and not self.sockets.stopping
            ):
                # There is nothing to do for the loop: it need not even wake up.
                connection.deadline = monotonic() + connection.limits.idle
                connection.release()
                return
        self._returned.append(connection)
        self.sockets.waker.wake()
        if self.over.is_set():
            connection.close()

    def _set_aside(self, connection: Connection) -> bool:
        """Be told no more about a connection that a thread answers; whether it still does."""
        with self._lock:
            if connection.busy:
                self.sockets.forget(connection)
            return connection.busy

    def _finish(self, connection: Connection) -> None:
        """Go on with a connection whose request was answered."""
        protocol = connection.protocol
        connection.release()
        if connection.aborted:
            self.sockets.close(connection)
        elif connection.outbox.rest:
            self.sockets.watch(connection, write=True)
            self.sockets.due(connection, monotonic() + connection.limits.write_stall)
        elif not connection.keep:
            self.sockets.linger(connection)
            if connection.more:
                self.ready.append(connection)
        else:
            connection.deadline = self.now + connection.limits.idle
            if not connection.watched or connection.writing:
                self.sockets.watch(connection)
            if protocol.pending or connection.more:
                connection.again = protocol.pending
                self.ready.append(connection)

    def _send(self, connection: Connection) -> None:
        """Go on sending what a slow reader has not taken."""
        if connection.outbox.file_next:
            connection.busy = True
            self.sockets.forget(connection)
            self.pool.put(partial(self._send_file, connection))
            return
        try:
            done = connection.outbox.flush(turn=True)
        except Disconnected:
            self.sockets.close(connection)
            return
        if done or connection.outbox.file_next:
            self._finish(connection)
        else:
            self.sockets.due(connection, self.now + connection.limits.write_stall)
            if not connection.outbox.full:
                self.ready.append(connection)

    def _send_file(self, connection: Connection) -> None:
        """Send a file as far as the client takes it: a worker's task."""
        try:
            connection.outbox.flush()
        except Disconnected as error:
            log.debug("%s", error)
            connection.keep = False
            connection.outbox.close()
        self._give_back(connection)

    def _expire(self, connection: Connection) -> None:
        """End a connection whose time is over; who was in the middle of a request is told."""
        if connection.began:
            self._refuse(connection, connection.overdue())
        else:
            self.sockets.close(connection)

    def _refuse(self, connection: Connection, error: HTTPError) -> None:
        """Answer what is no request, and end the connection."""
        line = connection.head.line or connection.protocol.line
        log_access(connection.address, line, error.status, 0, 0.0)
        connection.keep = False
        connection.lingering = True
        try:
            connection.outbox.send(refusal(error, line))
        except Disconnected:
            self.sockets.close(connection)
        else:
            self._finish(connection)

    def stop(self, seconds: float) -> None:
        """Take no new connections, answer what has arrived, and cut what lasts longer."""
        self.sockets.stop(seconds)

    def turns(self) -> bool:
        """Whether it has gone round since this was last asked; from one thread."""
        turned = self.now >= self._asked and not self.over.is_set()
        self._asked = monotonic()
        self.sockets.waker.wake()
        return turned

    def _end(self) -> None:
        self._inline.close()
        self.sockets.close_all()
        self.over.set()
        self.sockets.waker.news.set()
        while self._returned:
            self._returned.popleft().close()
        self.pool.close()
