"""Which sockets have something: epoll where there is one, any selector elsewhere.

A socket is watched either for reading or for writing, and whoever is told of it goes on until it
has nothing more: with edges, what is left is told only once.
"""

from __future__ import annotations

import select
import selectors
from math import ceil
from typing import TypeAlias

#: Set in the flags of a socket whose end, or an error, comes after what there is to read.
ENDED = ~5  # beyond EPOLLIN (1) and EPOLLOUT (4)


class EdgePoller:
    """Edge-triggered epoll: a connection that is kept costs no system call to be watched again."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._read = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
        self._write = select.EPOLLOUT | select.EPOLLET

    def watch(self, fd: int, *, write: bool = False) -> None:
        """Tell when ``fd`` has something to read, or takes something; also if it does already."""
        self._epoll.register(fd, self._write if write else self._read)

    def forget(self, fd: int) -> None:
        self._epoll.unregister(fd)

    def wait(self, seconds: float | None) -> list[tuple[int, int]]:
        """Wait until something happens, or ``seconds`` are over: pairs of ``fd`` and flags."""
        return self._epoll.poll(seconds)

    def close(self) -> None:
        self._epoll.close()


class LevelPoller:
    """Any selector: tells again and again what was left, so there is nothing to ask for."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def watch(self, fd: int, *, write: bool = False) -> None:
        self._selector.register(fd, selectors.EVENT_WRITE if write else selectors.EVENT_READ)

    def forget(self, fd: int) -> None:
        self._selector.unregister(fd)

    def wait(self, seconds: float | None) -> list[tuple[int, int]]:
        # Rounded up: a wait that ends too early is done again and again.
        milliseconds = None if seconds is None else ceil(seconds * 1000) / 1000
        return [(key.fd, 0) for key, _ in self._selector.select(milliseconds)]

    def close(self) -> None:
        self._selector.close()


Poller: TypeAlias = EdgePoller | LevelPoller


def best_poller() -> Poller:
    """The one that this system has."""
    return EdgePoller() if hasattr(select, "epoll") else LevelPoller()
