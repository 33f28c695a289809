"""Whose time it is: a clock at each boundary between the parts of a stack."""

from __future__ import annotations

from statistics import median

from wsgikit.wrap import is_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeAlias

    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

    #: By the name of a part, and what tells it from others of that name: nanoseconds for what it
    #: does, by CALL, START, BODY and CLOSE, and at DEPTH how many parts are around it. In the order
    #: in which a request came by them.
    Spent: TypeAlias = dict[tuple[str, object], list[int]]

__all__ = ["BODY", "CALL", "CLOSE", "DEPTH", "START", "Stopwatch"]

#: What a part does with its time: it is called, it starts the response of the part behind it or
#: writes for that, it makes blocks of its body, it closes that.
CALL, START, BODY, CLOSE, DEPTH = range(5)


class Stopwatch:
    """Knows who is at work, and charges the time to them; its own goes to nobody."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.clock = clock
        self.own = 0  # of each time that is taken: what reading the clock and coming here costs
        taken: list[int] = []
        for _ in range(200):
            self.go((spent := [0], 0))
            self.stop(self.clock())
            taken += spent
        self.own = int(median(taken))

    def reset(self) -> Spent:
        """Begin a run: what each part spends, in nanoseconds, goes into the dict."""
        self.spent: Spent = {}
        self.go(([0, 0, 0, 0, 0], CALL))  # the server
        return self.spent

    def stop(self, now: int) -> tuple[list[int], int]:
        """Charge who was at work until ``now``, and return who that is."""
        spent, doing = self._at_work
        spent[doing] += now - self.since - self.own
        return self._at_work

    def go(self, at_work: tuple[list[int], int]) -> None:
        """From now on another one is at work."""
        self._at_work = at_work
        self.since = self.clock()

    def put(self, outer: str, app: WSGIApplication, inner: str) -> WSGIApplication:
        """``app`` with the clock around it."""
        key = (inner, object())  # a layer may stand in the stack twice

        def clocked(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
            outside = self.stop(self.clock())
            spent = self.spent.setdefault(key, [0, 0, 0, 0, outside[0][DEPTH] + 1])
            crossing = Crossing(self, spent, outside[0], start_response)
            self.go((spent, CALL))
            try:
                body = app(environ, crossing.start)
            finally:
                self.stop(self.clock())
                self.go(outside)
            if body.__class__ is list or body.__class__ is tuple or is_file(body, environ):
                return body
            return crossing.with_body(body)

        return clocked


class Crossing:
    """A boundary, for one response: calls go inward, ``start_response`` and ``write()`` outward."""

    __slots__ = ("_blocks", "_body", "_outer", "_spent", "_start_response", "_watch", "_write")

    _write: Callable[[bytes], object]

    def __init__(
        self, watch: Stopwatch, spent: list[int], outer: list[int], start_response: StartResponse
    ) -> None:
        self._watch = watch
        self._spent = spent
        self._outer = outer
        self._start_response = start_response

    def start(self, *args: Any) -> Callable[[bytes], object]:
        inside = self._watch.stop(self._watch.clock())
        self._write = self._run(inside, (self._outer, START), self._start_response, *args)
        return self.write

    def write(self, block: bytes) -> None:
        inside = self._watch.stop(self._watch.clock())
        self._run(inside, (self._outer, START), self._write, block)

    def with_body(self, body: Body) -> Crossing:
        self._body = body
        self._blocks: Iterator[bytes] | None = None
        return self

    def __iter__(self) -> Crossing:
        return self

    def __next__(self) -> bytes:
        outside = self._watch.stop(self._watch.clock())
        block: bytes = self._run(outside, (self._spent, BODY), self._pull)
        return block

    def close(self) -> None:
        outside = self._watch.stop(self._watch.clock())
        self._run(outside, (self._spent, CLOSE), getattr(self._body, "close", tuple))

    def _pull(self) -> bytes:
        if self._blocks is None:
            self._blocks = iter(self._body)
        return next(self._blocks)

    def _run(
        self,
        before: tuple[list[int], int],
        there: tuple[list[int], int],
        step: Callable[..., Any],
        *args: Any,
    ) -> Any:
        self._watch.go(there)
        try:
            return step(*args)
        finally:
            self._watch.stop(self._watch.clock())
            self._watch.go(before)
