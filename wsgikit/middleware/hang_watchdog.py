"""Requests that hang, told while they do: where the code is that does not come back."""

from __future__ import annotations

import logging
import os
import sys
from contextvars import copy_context
from threading import Condition, Lock, Thread, get_ident
from time import monotonic
from traceback import format_stack

from wsgikit.compose import layer
from wsgikit.failures import request_line
from wsgikit.stores.forks import rest_at_forks
from wsgikit.wrap import is_file, on_close

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["hang_watchdog"]

#: What has to stand outside of this layer, and why.
ORDER = {
    "inside": {
        "request_id": "what it logs would lack the id",
        "trace_context": "what it logs would lack the ids of the trace",
    }
}

LOG = logging.getLogger("wsgikit.hangs")

_NEVER = float("inf")


@layer
def hang_watchdog(app: WSGIApplication, *, seconds: float = 30.0) -> WSGIApplication:
    """A request that takes too long is told in the log, once, with the stack of its thread.

    :param seconds: how long a request may run before that. It counts until the body is closed, but
        for a list, a tuple and a file only until it is returned: what comes then is the network's.
        So a stream of events is told as well, unless ``when(predicate, hang_watchdog())`` leaves
        it out.
    :raises ValueError: for what is no positive number of seconds.

    Nobody is interrupted. The logger is ``wsgikit.hangs``, the level WARNING; when such a request
    does come to its end, that is told too. The filters of ``request_id`` and ``trace_context`` find
    their ids, where these layers stand outside of this one.

    One thread watches for all such layers of a process. It is started with the first request,
    sleeps while there are none, and wakes up once in ``seconds`` while there are. Under gevent the
    stack may be that of another greenlet; uWSGI runs threads with ``--enable-threads`` only.
    """
    if not isinstance(seconds, int | float) or not 0 < seconds < _NEVER:
        raise ValueError(f"seconds takes a positive number of seconds, not {seconds!r}")

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        watched = Watched(environ, seconds)
        _watcher.watch(watched)
        try:
            body = app(environ, start_response)
        except BaseException:
            _watcher.release(watched)
            raise
        if body.__class__ is list or body.__class__ is tuple or is_file(body, environ):
            _watcher.release(watched)
            return body
        return on_close(body, lambda: _watcher.release(watched), environ)

    return answer


class Watched:
    """A request that is being answered."""

    __slots__ = ("began", "context", "end", "environ", "over", "seconds", "thread", "told")

    def __init__(self, environ: WSGIEnvironment, seconds: float) -> None:
        self.environ = environ
        self.seconds = seconds
        self.thread = get_ident()
        self.context = copy_context()  # of the request, for filters of the log
        self.told = self.over = False
        self.began = monotonic()
        self.end = self.began + seconds

    def tell(self, message: str, *args: object) -> None:
        """Log as if the request did it itself."""
        line = request_line(self.environ)
        self.context.copy().run(LOG.warning, f"%s {message}", line, *args)

    def tell_stack(self) -> None:
        """Log where the thread of the request is."""
        frame = sys._current_frames().get(self.thread)
        if self.over:  # what the thread does by now is something else
            return
        stack = "".join(format_stack(frame)) if frame else "(its thread is gone)\n"
        self.tell("has been running for %g seconds. Its stack:\n%s", self.seconds, stack.rstrip())


class Watcher:
    """The thread that watches, and what it watches."""

    def __init__(self) -> None:
        self._reset()
        rest_at_forks(self)

    def _reset(self) -> None:
        """Begin anew: in a child process there is neither the thread nor any of the requests."""
        self._process = os.getpid()
        self._change = Condition(Lock())
        # Those of one limit end in the order in which they began: the first is the next.
        self._running: dict[float, dict[Watched, None]] = {}
        self._wakes = _NEVER
        self._thread: Thread | None = None

    def watch(self, watched: Watched) -> None:
        """From now on."""
        with self._change:
            running = self._running.get(watched.seconds)
            if running is None:
                running = self._running[watched.seconds] = {}
            running[watched] = None
            if self._thread is None:
                self._start()
            elif watched.end < self._wakes:
                self._wakes = watched.end
                self._change.notify()

    def release(self, watched: Watched) -> None:
        """It has come to its end."""
        with self._change:
            watched.over = True
            self._running.get(watched.seconds, {}).pop(watched, None)
        if watched.told:
            watched.tell("has come to its end after %.1f seconds", monotonic() - watched.began)

    def before_fork(self) -> None:
        """For :mod:`wsgikit.stores.forks`: nothing has to come to rest."""

    def after_fork(self) -> None:
        """For :mod:`wsgikit.stores.forks`: begin anew in the child."""
        if os.getpid() != self._process:
            self._reset()

    def _start(self) -> None:
        thread = Thread(target=self._run, name="hang_watchdog", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # there are too many: one of the next requests may have more luck
            return
        self._thread = thread

    def _run(self) -> None:
        while True:
            late = self._next()
            try:
                late.tell_stack()
            except Exception:
                LOG.exception("A request that hangs could not be told")

    def _next(self) -> Watched:
        """Wait for a request that has been running for too long."""
        with self._change:
            while True:
                firsts = [next(iter(running)) for running in self._running.values() if running]
                first = min(firsts, key=lambda watched: watched.end, default=None)
                left = first.end - monotonic() if first else None
                if first and left is not None and left <= 0:
                    first.told = True
                    del self._running[first.seconds][first]
                    return first
                self._wakes = first.end if first else _NEVER
                self._change.wait(left)


_watcher = Watcher()
