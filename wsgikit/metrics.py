"""How many requests, how long, how many bytes: counted in this process, or by all in a store."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import deque
from threading import Lock

from wsgikit.errors import answer_error
from wsgikit.http.accept import MediaAccept
from wsgikit.http.openmetrics import (
    CONTENT_TYPE,
    OLDER_CONTENT_TYPE,
    Family,
    counter,
    exposition,
    gauge,
    histogram,
)
from wsgikit.http.problem import HTTPError
from wsgikit.response import Response
from wsgikit.stores.forks import rest_at_forks
from wsgikit.stores.limits import check_store, key_bytes
from wsgikit.stores.protocol import StoreError
from wsgikit.tallies import Tallies
from wsgikit.wrap.observe import code_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wsgikit.stores.protocol import Store
    from wsgikit.tallies import Key, Series
    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["BUCKETS", "Metrics"]

#: Upper bounds of durations, in seconds: those of OpenTelemetry's conventions for HTTP.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)

_METHODS = frozenset("GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT QUERY".split())
# How many ended requests are kept before they are added up.
_GATHERED = 500
# What stands for all that has no label of its own.
_OTHER = "_OTHER"
_LONGEST_ROUTE = 200


class Metrics:
    """What the layer ``metrics`` counts; as an application, it shows that.

    :param store: shared by all processes that serve the site, so that each of them shows the sums
        of all. Without, each shows its own.
    :param key: the key in the store. The sums of all who have the same one are added up.
    :param interval: after how many seconds at most the others know what this process has counted.
    :param buckets: the upper bounds of the histogram of durations, in seconds, ascending. Above the
        last one there is always one more, which may be named: infinity.
    :param max_series: how many combinations of method, route and status are kept apart. Those
        beyond are counted together, with ``_OTHER`` as their method and route.
    :raises ValueError: for an option that is out of its range.
    :raises TypeError: for a store that is none, and a key that is no text.

    ========================================  ==========  ==========================================
    ``http_server_requests_total``            counter     by ``method``, ``route``, ``status``
    ``http_server_request_duration_seconds``  histogram   by ``method``, ``route``
    ``http_server_response_bytes_total``      counter     by ``method``, ``route``: content only
    ``http_server_requests_in_flight``        gauge
    ========================================  ==========  ==========================================

    The format is OpenMetrics 1.0 for those who name it in Accept, as Prometheus does, else the
    older text format. What is shown tells strangers more than they need to know: mount it where
    only your collector comes, or behind authentication. With a store that cannot be reached, the
    answer is a 503, and what was counted meanwhile is added later, once.
    """

    def __init__(
        self,
        *,
        store: Store | None = None,
        key: str = "metrics",
        interval: float = 2.0,
        buckets: Sequence[float] = BUCKETS,
        max_series: int = 1000,
    ) -> None:
        bounds = _bounds(buckets)
        key_bytes(key)
        if type(max_series) is not int or max_series < 1:
            raise ValueError(f"max_series takes a number from 1 on, not {max_series!r}")
        if not isinstance(interval, int | float) or not 0 < interval <= 3600:
            raise ValueError(f"interval takes seconds, up to 3600, not {interval!r}")
        self._bounds = bounds
        self._width = len(bounds) + 3  # a bucket above the last, the nanoseconds, the bytes
        # A request only adds to a set and to a queue, which is one step for all threads, with a
        # global lock in the interpreter or without one. To add it up at once, with a lock, would
        # take 1.4 µs, to do so for many in one go takes 0.6.
        self._ended: deque[tuple[tuple[str, str, str], tuple[int, int]]] = deque()
        self._in_flight: set[int] = set()
        #: ``began(request)``: a request has come. ``request`` tells it from all that have not ended
        #: yet: the ``id`` of its environ.
        self.began = self._in_flight.add
        self._max_series = max_series
        self._tallies = None
        if store is not None:
            check_store(store)
            self._tallies = Tallies(store, key, interval, bounds, self._limited, self._taken)
        self._reset()
        rest_at_forks(self)

    def _reset(self) -> None:
        """Begin at nothing; in a child process, where what was counted is the parent's."""
        self._process = os.getpid()
        self._lock = Lock()
        self._series: Series = {}
        self._ended.clear()
        self._in_flight.clear()
        if self._tallies is not None:
            self._tallies.reset()

    def before_fork(self) -> None:
        """For :mod:`wsgikit.stores.forks`: nothing has to come to rest."""

    def after_fork(self) -> None:
        """For :mod:`wsgikit.stores.forks`: begin anew in the child."""
        if os.getpid() != self._process:
            self._reset()

    def ended(
        self, request: int, method: str, route: str, status: str, took: int, sent: int
    ) -> None:
        """The answer to a request is over, after ``took`` nanoseconds and ``sent`` bytes.

        ``status`` is the status line; its code is read when many alike are added up.
        """
        self._in_flight.discard(request)
        ended = self._ended
        ended.append(((method, route, status), (took, sent)))
        if len(ended) >= _GATHERED:
            with self._lock:
                self._gather()
        if self._tallies is not None:
            self._tallies.note()

    def _gather(self) -> None:
        """Add up what has ended; with the lock held."""
        alike: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
        ended = self._ended
        for _ in range(len(ended)):  # whoever takes something out holds the lock
            labels, counted = ended.popleft()
            try:
                alike[labels].append(counted)
            except KeyError:
                alike[labels] = [counted]
        for (method, route, status), pairs in alike.items():
            method = method if method in _METHODS else _OTHER
            key = self._limited(self._series, (method, route, code_of(status)))
            sums = self._series.setdefault(key, [0] * self._width)
            tooks, sents = zip(*pairs, strict=True)
            ordered = sorted(tooks)
            below = 0
            for place, bound in enumerate(self._bounds):
                upto = bisect_right(ordered, bound, below)
                sums[place] += upto - below
                below = upto
            sums[-3] += len(ordered) - below
            sums[-2] += sum(tooks)
            sums[-1] += sum(sents)

    def _limited(self, series: Series, key: Key) -> Key:
        """The key under which ``key`` is counted in ``series``, which must not grow for ever."""
        method, route, status = key
        key = method, route[:_LONGEST_ROUTE], status
        if key in series or len(series) < self._max_series:
            return key
        return _OTHER, _OTHER, status if 100 <= status <= 599 else 0

    def _taken(self) -> tuple[Series, int]:
        """What was counted since the last time, and how many requests are being answered."""
        with self._lock:
            self._gather()
            series, self._series = self._series, {}
            return series, len(self._in_flight)

    def read(self) -> tuple[Series, int]:
        """What was counted, by all, and how many requests are being answered.

        :raises StoreError: when the store has failed.
        """
        if self._tallies is not None:
            return self._tallies.read()
        with self._lock:
            self._gather()
            series = {key: [*values] for key, values in self._series.items()}
            return series, len(self._in_flight)

    def flush(self) -> None:
        """Add what was counted to the store now.

        :raises StoreError: when the store has failed; nothing is lost.
        """
        if self._tallies is not None:
            self._tallies.flush()

    def families(self) -> list[Family]:
        """What was counted, for :func:`wsgikit.http.openmetrics.exposition`.

        :raises StoreError: when the store has failed.
        """
        series, in_flight = self.read()
        requests = []
        routes: dict[tuple[str, str], list[int]] = {}
        for (method, route, status), values in sorted(series.items()):
            labels = {"method": method, "route": route}
            requests.append(({**labels, "status": str(status)}, sum(values[:-2])))
            sums = routes.setdefault((method, route), [0] * len(values))
            routes[method, route] = [one + other for one, other in zip(sums, values, strict=True)]
        labelled = [({"method": key[0], "route": key[1]}, sums) for key, sums in routes.items()]
        return [
            counter("http_server_requests", "Requests that were answered.", requests),
            histogram(
                "http_server_request_duration_seconds",
                "Time from a request to the end of its response.",
                [bound / 1e9 for bound in self._bounds],
                [(labels, sums[:-2], sums[-2] / 1e9) for labels, sums in labelled],
            ),
            counter(
                "http_server_response_bytes",
                "Content of responses, as it was handed to the server.",
                [(labels, sums[-1]) for labels, sums in labelled],
            ),
            gauge(
                "http_server_requests_in_flight",
                "Requests that are being answered.",
                [({}, in_flight)],
            ),
        ]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        return self._shown(environ)(environ, start_response)

    def _shown(self, environ: WSGIEnvironment) -> WSGIApplication:
        try:
            families = self.families()
        except StoreError as failure:
            error = HTTPError(503, "The store of the metrics cannot be reached.")
            error.__cause__ = failure
            return lambda environ, start_response: answer_error(error, environ, start_response)
        known = MediaAccept(environ.get("HTTP_ACCEPT"))
        older = not any(name == "application/openmetrics-text" for name, _, _ in known)
        return Response(
            exposition(families, older=older).encode("utf-8", "replace"),
            headers=[("Cache-Control", "no-store"), ("Vary", "Accept")],
            content_type=OLDER_CONTENT_TYPE if older else CONTENT_TYPE,
        )


def _bounds(buckets: Sequence[float]) -> list[int]:
    """The upper bounds in nanoseconds, without the infinity that the last bucket has anyway."""
    try:
        finite = [*buckets]
        if finite[-1:] == [float("inf")]:
            finite.pop()
        bounds = [round(seconds * 1e9) for seconds in finite]
    except (OverflowError, TypeError, ValueError):
        bounds = []
    if not bounds or bounds[0] <= 0 or bounds != sorted(set(bounds)):
        raise ValueError(f"buckets takes ascending numbers of seconds, not {buckets!r}")
    return bounds
