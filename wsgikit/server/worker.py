"""A worker: one of several processes that serve, seen from inside.

It tells its supervisor when it is ready and that it lives, and comes to an end when that one is
gone, however it went.
"""

from __future__ import annotations

import logging
import os
import random
import signal
from dataclasses import dataclass
from itertools import count
from threading import Thread
from time import sleep

from wsgikit.server.server import Server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from socket import socket as Socket
    from typing import Any

    from wsgikit.types import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger("wsgikit.server")

# What a worker tells: it serves, its loop turns, it has answered its share, it can't serve as ...;
# a line follows the last one.
READY, ALIVE, FULL, FAILED = b"r", b".", b"f", b"!"

#: Characters of the line that says why it cannot serve.
LINE = 1000
#: Signs of life in ``worker_timeout``.
SIGNS = 4
#: Seconds beyond ``stop_timeout`` for what a program does at its end.
GRACE = 5.0


class WorkerError(Exception):
    """A worker cannot serve; the message is one line that says why.

    What ``on_worker_start`` raises becomes one. If it raises one itself, that is told as it is.
    """


@dataclass(frozen=True, kw_only=True)
class Workers:
    """The options of :func:`~wsgikit.server.serve` that are about processes, checked.

    :raises TypeError: a hook cannot be called.
    :raises ValueError: another option is out of its range.
    """

    workers: int = 0
    worker_requests: int | None = None
    worker_timeout: float = 30.0
    on_worker_start: Callable[[Server], object] | None = None
    on_worker_stop: Callable[[Server], object] | None = None

    def __post_init__(self) -> None:
        workers, requests, timeout = self.workers, self.worker_requests, self.worker_timeout
        if type(workers) is not int or workers < 0:
            raise ValueError(f"workers takes a whole number from 0 on, not {workers!r}")
        if requests is not None and (type(requests) is not int or requests < 1):
            raise ValueError(f"worker_requests takes a whole number from 1 on, not {requests!r}")
        if not isinstance(timeout, int | float) or not 0 < timeout < float("inf"):
            raise ValueError(f"worker_timeout takes a positive number of seconds, not {timeout!r}")
        for name in ("on_worker_start", "on_worker_stop"):
            hook = getattr(self, name)
            if hook is not None and not callable(hook):
                raise TypeError(f"{name} takes a callable, not {hook!r}")

    def started(self, server: Server) -> None:
        """Call ``on_worker_start``."""
        if self.on_worker_start is not None:
            self.on_worker_start(server)

    def stopped(self, server: Server) -> None:
        """Call ``on_worker_stop``; what it raises is logged."""
        if self.on_worker_stop is not None:
            try:
                self.on_worker_stop(server)
            except Exception:
                log.exception("Error in on_worker_stop")


class Worker:
    """Serves, in a process that was forked for it.

    :param server: listens already, and nobody has served with it yet.
    :param contact: connected with the supervisor.
    """

    def __init__(self, server: Server, options: Workers, contact: Socket) -> None:
        self._server = server
        self._options = options
        self._contact = contact
        self._ready = self._full = False

    def run(self, blocked: Iterable[int]) -> int:
        """Serve until SIGTERM, or until the supervisor is gone: the exit status.

        :param blocked: the signals that stay blocked.
        """
        # A terminal sends the first two to all of its processes. They are the supervisor's.
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _leave_alone)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            Thread(target=self._keep_in_touch, name="wsgikit-contact", daemon=True).start()
            self._start()
        except BaseException as error:
            if not self._server.stopping:
                log.debug("A worker could not start", exc_info=True)
                self._tell(FAILED + _line(error).encode("utf-8", "replace") + b"\n")
                return 1
            return 0
        self._server.wait()
        self._options.stopped(self._server)
        return 0 if self._server.stopping else 1

    def _start(self) -> None:
        server, requests = self._server, self._options.worker_requests
        self._options.started(server)
        if requests is not None:
            # Not all at the same time: they have begun together.
            share = requests + random.randint(0, requests // 10)
            app: Any = server.get_app()
            server.set_app(counted(app, share, self._fill))
        self._ready = True
        server.start()
        self._tell(READY)

    def _stop(self, number: int, frame: object) -> None:
        """Begin to stop. Once more is harmless: a service manager signals the whole group."""
        if not self._server.stopping:
            self._server.begin_shutdown()
        if not self._ready:
            raise SystemExit  # nobody has been let in

    def _fill(self) -> None:
        """Ask to be replaced, and serve until it is done."""
        if not self._full:
            self._full = True
            self._tell(FULL)

    def _tell(self, news: bytes) -> None:
        try:
            self._contact.sendall(news)
        except OSError:
            pass  # there is nobody to be told: the other thread finds that out

    def _keep_in_touch(self) -> None:
        """Give signs of life, and end this process after its supervisor."""
        self._contact.settimeout(self._options.worker_timeout / SIGNS)
        while True:
            try:
                self._contact.recv(1)
                break  # nothing is ever sent: it is the end
            except TimeoutError:
                self._tell(ALIVE if self._server.turns() else b"")
            except OSError:
                break  # the same, but it had not read everything
        log.warning("The supervisor is gone: worker %d comes to its end", os.getpid())
        self._server.begin_shutdown()
        sleep(self._server.stop_timeout + GRACE if self._ready else 0)
        os._exit(1)


def _leave_alone(number: int, frame: object) -> None:
    """For signals that are others' business. Ignoring them would pass on to subprocesses."""


def _line(error: BaseException) -> str:
    first = (str(error).splitlines() or [""])[0][:LINE]
    if isinstance(error, WorkerError):
        return first
    name = type(error).__name__
    return f"on_worker_start failed with {name}: {first}" if first else name


def counted(app: WSGIApplication, share: int, full: Callable[[], object]) -> WSGIApplication:
    """``app``; from its call number ``share`` on, ``full`` is called before."""
    numbers = count(1)

    def counting(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if next(numbers) >= share:
            full()
        return app(environ, start_response)

    return counting
