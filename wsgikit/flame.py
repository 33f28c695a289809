"""Where the time of a request goes: a clock between every two layers of a stack."""

from __future__ import annotations

from io import BytesIO, StringIO
from statistics import median
from time import perf_counter_ns

from wsgikit.asking import environ_of
from wsgikit.between import between
from wsgikit.stopwatch import DEPTH, Stopwatch
from wsgikit.wrap import close

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import Any

    from wsgikit.stopwatch import Spent
    from wsgikit.types import HeaderList, WSGIApplication, WSGIEnvironment

__all__ = ["Flame", "Share", "flame"]

# Runs that are not counted: the first ones import, connect and fill caches.
_WARM_UP = 3


class Share:
    """A layer or the application, and what it took of one request, in seconds.

    ``call``, ``start``, ``body`` and ``close`` are its own time: while it was called, while the
    part behind it called ``start_response`` or ``write()``, while its body was asked for blocks,
    and while that was closed. ``own`` is their sum; ``total`` adds all parts behind it.
    """

    __slots__ = ("body", "call", "close", "name", "own", "start", "total")

    def __init__(self, name: str, call: float, start: float, body: float, close: float) -> None:
        self.name = name
        self.call = call
        self.start = start
        self.body = body
        self.close = close
        self.own = self.total = call + start + body + close

    def __repr__(self) -> str:
        return f"<Share {self.name}: {self.own * 1e6:.1f} of {self.total * 1e6:.1f} µs>"


class Flame:
    """What the parts of a stack took of a request; ``str(flame)`` draws it in 80 columns.

    ``parts`` are those that the request reached, in that order: from the outermost layer in, the
    last one being what answered. ``request`` is what was asked, ``status`` what was answered,
    ``size`` the bytes and ``blocks`` the number of blocks of its content, ``runs`` how many were
    measured.
    """

    def __init__(
        self, request: str, status: str, size: int, blocks: int, runs: int, parts: list[Share]
    ) -> None:
        self.request = request
        self.status = status
        self.size = size
        self.blocks = blocks
        self.runs = runs
        self.parts = parts

    def __repr__(self) -> str:
        return f"<Flame of {self.request}: {self.parts[0].total * 1e6:.1f} µs>"

    def __str__(self) -> str:
        return self.drawn()

    def drawn(self, width: int = 80) -> str:
        """Draw it: a line a part, with its own time, its total, and both as a bar.

        A bar begins where the dark of the one above it ends, which is that part's own time; the
        dark of all bars together is the whole.

        :param width: columns; fewer than 60 are taken for 60.
        """
        width = max(width, 60)
        whole = self.parts[0].total or 1e-9
        unit, scale, digits = ("ms", 1e3, 2) if whole >= 0.01 else ("µs", 1e6, 1)
        room = min(max(len(part.name) for part in self.parts), width // 3)
        bar = width - room - 20
        blocks = f" in {self.blocks} blocks" if self.blocks > 1 else ""
        lines = [
            self.request,
            f"{self.status}, {self.size} bytes{blocks}, median of {self.runs} runs",
            "",
            f"{'':{room}}{'own ' + unit:>10}{'total':>9}",
        ]
        passed = 0.0
        for part in self.parts:
            name = part.name if len(part.name) <= room else part.name[: room - 1] + "…"
            begin, own, end = (
                round(bar * seconds / whole)
                for seconds in (passed, passed + part.own, passed + part.total)
            )
            flame = " " * begin + "█" * (own - begin) + "░" * (end - own)
            numbers = f"{part.own * scale:10.{digits}f}{part.total * scale:9.{digits}f}"
            lines.append(f"{name:{room}}{numbers} {flame}".rstrip())
            passed += part.own
        return "\n".join(lines)


def flame(
    app: WSGIApplication,
    request: str = "GET /",
    *,
    headers: Collection[tuple[str, str]] = (),
    runs: int = 50,
    clock: Callable[[], int] = perf_counter_ns,
) -> Flame:
    """Ask ``app`` for the same several times, and tell how long each of its parts took.

    :param request: a method and a path, perhaps with a query, or a whole address:
        ``"GET /hello?name=Ada"``, ``"HEAD https://example.com/"``. It has no body and comes from
        this machine, by HTTP/1.1.
    :param headers: its header fields.
    :param runs: how many requests are measured; some more go before them.
    :param clock: nanoseconds, for tests.
    :raises ValueError: for what is no request, header field or number of runs.

    Each time is the median of the runs, and what an application raises is raised here. The layers
    are called again, to stand around the clocks (see :func:`wsgikit.between.between`). They and the
    application do what they do for any request: log, count, write to a database.

    The parts are those that :func:`~wsgikit.lint` would put a validator between. Lists and files
    pass as they are, so that layers treat them as they always do; what is read of ``wsgi.input``
    counts for the reader. The clock takes its own time out of what it measures as far as it can; a
    layer that does nothing is still seen with a microsecond or so.
    """
    if type(runs) is not int or runs < 1:
        raise ValueError(f"runs takes a number from 1 on, not {runs!r}")
    environ = environ_of(request, headers)
    watch = Stopwatch(clock)
    measured = between(app, watch.put)
    for _ in range(_WARM_UP):
        watch.reset()
        _answer(measured, environ)
    seen: dict[tuple[Any, ...], list[Spent]] = {}
    for _ in range(runs):
        spent = watch.reset()
        answer = _answer(measured, environ)
        seen.setdefault((answer, *spent), []).append(spent)
    # Of answers that differ, as from a cache or at a limit, the one that came oftenest.
    ((status, size, blocks), *_), alike = max(seen.items(), key=lambda item: len(item[1]))
    return Flame(request, status, size, blocks, len(alike), _parts(alike))


def _parts(runs: list[Spent]) -> list[Share]:
    """The medians of what each part spent, with the totals."""
    parts: list[Share] = []
    inside: dict[int, float] = {}  # by depth: what the parts took whose outer one is still to come
    for key, spent in reversed(runs[-1].items()):  # from the innermost out
        seconds = [max(0, median(run[key][doing] for run in runs)) / 1e9 for doing in range(DEPTH)]
        part, depth = Share(key[0], *seconds), spent[DEPTH]
        part.total += inside.pop(depth + 1, 0.0)
        inside[depth] = inside.get(depth, 0.0) + part.total
        parts.append(part)
    return parts[::-1]


def _answer(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[str, int, int]:
    """Answer as a server does; the status, the bytes of the content and its blocks."""
    statuses: list[str] = []
    written: list[bytes] = []

    def start_response(status: str, headers: HeaderList, exc_info: Any = None, /) -> Any:
        statuses.append(status)
        return written.append

    fresh = {**environ, "wsgi.input": BytesIO(), "wsgi.errors": StringIO()}
    body = app(fresh, start_response)
    try:
        written.extend(body)
    finally:
        close(body)
    if not statuses:
        raise RuntimeError("start_response was not called; lint() tells by whom")
    blocks = [block for block in written if block]
    return statuses[-1], sum(map(len, blocks)), len(blocks)
