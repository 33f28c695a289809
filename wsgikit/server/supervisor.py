"""The supervisor: a process that serves nobody, and keeps as many workers as were asked for.

It binds the sockets and forks; the workers inherit them. So there is always one that listens, and
a connection that the system has let in waits for whichever worker takes it. It has one thread and
no part of the application's work, and so little that can break it.
"""

from __future__ import annotations

import logging
import selectors
import signal
from collections import deque
from time import monotonic

from wsgikit.server.outbox import DAY
from wsgikit.server.process import NEVER, Process
from wsgikit.server.server import Server
from wsgikit.server.signals import ENDS, SignalQueue
from wsgikit.server.worker import GRACE, Worker, WorkerError, Workers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from socket import socket

log = logging.getLogger("wsgikit.server")

#: Seconds after which the end of a worker says nothing about how the next one will fare.
SETTLED = 10.0
#: Seconds before the next try: at once, then these, twice as long each time.
SHORTEST, LONGEST = 0.5, 30.0
#: A worker has so many times ``worker_timeout`` to be ready: loading an application may take long.
STARTING = 10
#: Seconds by which a wait may last too long before the whole machine is thought to have stood.
STOOD = 1.0

_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


class Slot:
    """The place of one worker."""

    def __init__(self) -> None:
        self.worker: Process | None = None
        #: Starts, to take the worker's place when it is ready.
        self.heir: Process | None = None
        #: When the next one may be started, and how long the one after it will have to wait.
        self.start_at = 0.0
        self._pause = 0.0

    def failed(self, born: float) -> float:
        """What was started at ``born`` has come to its end: the seconds before the next start."""
        now = monotonic()
        pause = 0.0 if now - born > SETTLED else self._pause
        self._pause = min(max(2 * pause, SHORTEST), LONGEST)
        self.start_at = now + pause
        return pause

    def try_at_once(self) -> None:
        """Forget the failures: somebody may have mended what was wrong."""
        self.start_at = self._pause = 0.0


class Supervisor:
    """Serves with worker processes until SIGINT or SIGTERM; SIGHUP replaces them one by one.

    :param server: listens, and is never started in this process.
    """

    def __init__(self, server: Server, options: Workers) -> None:
        self._server = server
        self._options = options
        self._slots = [Slot() for _ in range(options.workers)]
        # Those that were told to stop.
        self._leaving: list[Process] = []
        # Places whose worker is to be replaced when another is ready; the first of them is at it.
        self._renew: deque[Slot] = deque()
        self._reloading = self._stopping = False
        # Until all are ready for the first time; what kept them from it.
        self._starting = True
        self._failure = ""
        # A SIGHUP came meanwhile: some may have loaded what was there before.
        self._late = False
        # When it has looked last, and how long the wait after it was to last.
        self._looked, self._patience = monotonic(), NEVER
        # The second signal that was to end it.
        self._ended_by = 0
        server.base_environ["wsgi.multiprocess"] = True

    def run(self, ready: Callable[[], object]) -> None:
        """Serve.

        :param ready: called once all workers are ready.
        :raises WorkerError: one of the first workers cannot serve.
        """
        with SignalQueue((*ENDS, signal.SIGHUP, signal.SIGCHLD)) as self._signals:
            try:
                while not self._stopping or self._leaving:
                    self._go_on()
                    if self._starting and self._all_ready():
                        self._starting = False
                        ready()
                        if self._late:
                            self._reload()
                    self._wait()
            finally:
                self._kill()
                for process in self._processes():
                    process.reap(wait=True)
        if self._ended_by:
            signal.raise_signal(self._ended_by)
        if self._failure:
            raise WorkerError(self._failure)

    def _all_ready(self) -> bool:
        workers = [slot.worker for slot in self._slots]
        return not self._stopping and all(worker and worker.ready for worker in workers)

    def _processes(self) -> list[Process]:
        """All that run, or were not reaped."""
        found = [process for slot in self._slots for process in (slot.worker, slot.heir) if process]
        return found + self._leaving

    def _wait(self) -> None:
        """Wait for signals, news of workers and the next deadline, and take them in."""
        self._patience = min(max(0.0, self._next_deadline() - monotonic()), DAY)
        with _Selector() as selector:
            selector.register(self._signals, selectors.EVENT_READ)
            for process in self._processes():
                if not process.silent:
                    selector.register(process.contact, selectors.EVENT_READ)
            selector.select(self._patience)
        for process in self._processes():
            process.hear()
        for number in self._signals.pending():
            self._obey(number)
        for process in self._processes():
            outcome = process.reap()
            if outcome is not None:
                self._ended(process, outcome)

    def _next_deadline(self) -> float:
        timeout = self._options.worker_timeout
        deadlines = [min(p.seen + timeout, p.ready_by, p.deadline) for p in self._processes()]
        deadlines += [slot.start_at for slot in self._slots if slot.worker is None]
        deadlines += [slot.start_at for slot in self._renew if slot.heir is None]
        return min(deadlines, default=0.0)

    def _go_on(self) -> None:
        """Do what is due."""
        now = monotonic()
        stood = now - self._looked > self._patience + STOOD
        self._looked = now
        for process in self._processes():
            if stood:
                # The workers stood as well.
                process.seen = max(process.seen, now)
                process.ready_by = max(process.ready_by, now + self._options.worker_timeout)
            self._watch(process, now)
        if self._stopping:
            return
        first = self._slots[0].worker
        # What is wrong with all of them shows in the first, and is told once.
        alone = self._starting and not (first and first.ready)
        for slot in self._slots[:1] if alone else self._slots:
            if slot.worker is None and slot.start_at <= now:
                slot.worker = self._start(slot)
            elif slot.worker and slot.worker.full and slot not in self._renew:
                self._renew.append(slot)
        self._replace(now)

    def _watch(self, process: Process, now: float) -> None:
        """Kill it if its time is over."""
        timeout = self._options.worker_timeout
        if process.deadline <= now:
            log.error("Worker %d does not come to its end: killed", process.pid)
        elif process.seen + timeout <= now:
            told = "Worker %d gave no sign of life for %g s (worker_timeout): killed"
            log.error(told, process.pid, timeout)
        elif process.ready_by <= now:
            told = "Worker %d was not ready within %g s (%g times worker_timeout): killed"
            log.error(told, process.pid, STARTING * timeout, STARTING)
        else:
            return
        process.kill()

    def _replace(self, now: float) -> None:
        """Go on replacing workers, one by one: the new one is ready before the old one stops."""
        while self._renew:
            slot = self._renew[0]
            if slot.heir is None and slot.start_at <= now:
                slot.heir = self._start(slot)
            if slot.heir is None or not slot.heir.ready:
                return
            self._retire(slot.worker)
            slot.worker, slot.heir = slot.heir, None
            self._renew.popleft()
        if self._reloading:
            self._reloading = False
            log.info("Reloaded: %d new workers", len(self._slots))

    def _start(self, slot: Slot) -> Process | None:
        def run(contact: socket, blocked: Iterable[int]) -> int:
            return Worker(self._server, self._options, contact).run(blocked)

        try:
            process = Process(run, self._signals.numbers, self._leave)
        except OSError as error:
            told = f"Cannot start a worker: {error.strerror}"
            self._failed(slot, told)
            return None
        process.ready_by = process.born + STARTING * self._options.worker_timeout
        return process

    def _leave(self) -> None:
        """Close, in a worker, what is the supervisor's alone."""
        self._signals.forget()
        for process in self._processes():
            process.contact.close()

    def _obey(self, number: int) -> None:
        """Do what a signal means."""
        if number == signal.SIGHUP:
            self._late = self._starting
            if not (self._starting or self._stopping):
                self._reload()
        elif number in ENDS:
            if self._stopping:
                self._ended_by = number
                self._kill()
            self._stop()

    def _reload(self) -> None:
        """Begin to replace all workers; the new ones have the certificates of now."""
        self._server.reload_certificates()
        self._reloading = True
        self._renew = deque(slot for slot in self._slots if slot.worker)
        for slot in self._slots:
            slot.try_at_once()
            self._retire(slot.heir)  # it may have loaded what was there before
            slot.heir = None

    def _stop(self) -> None:
        """Listen no more, and have all workers stop."""
        self._stopping = True
        for listener in self._server.listeners:
            listener.shut_out()
        self._server.server_close()
        for slot in self._slots:
            self._retire(slot.worker)
            self._retire(slot.heir)
        self._slots.clear()
        self._renew.clear()

    def _retire(self, process: Process | None) -> None:
        """Have it answer what it has accepted, and end."""
        if process is not None:
            process.stop(self._server.stop_timeout + GRACE)
            self._leaving.append(process)

    def _ended(self, process: Process, outcome: str) -> None:
        """A worker is no more."""
        if process in self._leaving:
            self._leaving.remove(process)
            return
        slot = next(s for s in self._slots if process in (s.worker, s.heir))
        told = f"Worker {process.pid} {outcome}"
        if process is slot.worker:
            slot.worker, slot.heir = slot.heir, None
            if slot in self._renew:
                self._renew.remove(slot)
            self._failed(slot, told, process)
            return
        slot.heir = None
        if self._reloading:
            self._reloading = False
            self._renew.clear()
            slot.failed(process.born)
            log.error("Not reloaded, the workers before it go on: %s", told)
        else:
            self._failed(slot, told, process)

    def _failed(self, slot: Slot, told: str, process: Process | None = None) -> None:
        """There is no worker, or no more; one that was ready could serve, however soon it ended."""
        pause = slot.failed(process.born if process else monotonic())
        if self._starting and not (process and process.ready):
            self._failure = (process.failure if process else "") or told
            self._stop()
        elif pause:
            log.error("%s; another one is started in %g s", told, pause)
        else:
            log.error("%s; another one is started", told)

    def _kill(self) -> None:
        """End all at once."""
        for process in self._processes():
            process.kill()
