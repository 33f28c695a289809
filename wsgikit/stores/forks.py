"""Fork without leaving a lock or a connection behind that the child cannot use.

A child process has the one thread that forked. A lock that another thread held stays locked in it
for ever, what that thread was changing stays half changed, and a connection to SQLite must not
cross the fork at all (sqlite.org/howtocorrupt.html, 2.6). So whoever has such a thing is asked to
come to rest before each fork, and told after it, on both sides, that it may go on.
"""

from __future__ import annotations

import os
from threading import Lock
from weakref import WeakSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Restful(Protocol):
        """What comes to rest at a fork."""

        def before_fork(self) -> None:
            """Finish what runs, and let nothing begin."""

        def after_fork(self) -> None:
            """Go on: in the process that forked, and in its child."""


_known: WeakSet[Restful] = WeakSet()
_resting: list[Restful] = []
_lock = Lock()


def rest_at_forks(one: Restful) -> None:
    """Call ``one.before_fork()`` and ``one.after_fork()`` around each fork while ``one`` exists."""
    with _lock:
        _known.add(one)


def _before() -> None:
    _lock.acquire()
    for one in _known:
        one.before_fork()
        _resting.append(one)


def _after() -> None:
    while _resting:
        _resting.pop().after_fork()
    _lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
