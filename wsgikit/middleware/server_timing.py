"""Server-Timing: where the time of a request went, for the network panel of a browser.

W3C Server Timing (https://www.w3.org/TR/server-timing/), section 2.
"""

from __future__ import annotations

from time import perf_counter

from wsgikit.arguments import check_token
from wsgikit.compose import layer
from wsgikit.http.grammar import is_token, quote
from wsgikit.keys import SERVER_TIMING
from wsgikit.wrap import on_start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["server_timing", "span"]

#: What has to stand inside of this layer, and why.
ORDER = {"outside": {"errors": "a response to an error would have no Server-Timing"}}

# More names than anybody reads, and a field no longer than clients take.
_MOST_NAMES = 50


@layer
def server_timing(app: WSGIApplication, *, total: str = "total") -> WSGIApplication:
    """The response tells how long the work on it took, and how long its parts.

    :param total: the name of the whole, from here until the response starts.
    :raises ValueError: for a name that is no token.

    What takes its time says so by :func:`span`, or to the function that is
    ``wsgikit.server_timing`` in the environ. Times of the same name are added up. The field goes
    with the start of the response: what comes later is not in it.

    Whoever asks can read how long things take here, and draw conclusions. Other sites' scripts
    cannot, unless Timing-Allow-Origin says so. ``when(is_developer, server_timing())`` tells it to
    some alone.
    """
    check_token("total", total, "a token, such as 'total'")

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        if SERVER_TIMING in environ:  # of a layer further out
            return app(environ, start_response)
        began = perf_counter()
        spans = _Spans()
        environ[SERVER_TIMING] = spans.add

        def edit(status: str, headers: HeaderList) -> tuple[str, HeaderList]:
            seconds = perf_counter() - began
            told = _field(total, seconds, spans) if spans else f"{total};dur={1000 * seconds:.2f}"
            headers.append(("Server-Timing", told))
            return status, headers

        return app(environ, on_start(start_response, edit))

    return answer


class span:  # a class, as a generator takes five times as long
    """Time the block of a ``with`` statement as ``name``.

    :param environ: the request's; without a layer ``server_timing`` nothing is timed.
    :param name: a token: ``db``, ``render``.
    :param description: what to show for it, in Latin-1.
    :raises ValueError: at the end of the block, for what a header field cannot hold.

    ::

        with span(request.environ, "db", "orders"):
            rows = database.execute(...)
    """

    __slots__ = ("_add", "_began", "_description", "_name")

    def __init__(self, environ: WSGIEnvironment, name: str, description: str = "") -> None:
        self._add = environ.get(SERVER_TIMING)
        self._name = name
        self._description = description

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(self, *error: object) -> None:
        if self._add is not None:
            self._add(self._name, perf_counter() - self._began, self._description)


class _Spans(list[tuple[str, float, str]]):
    """What was timed in one request: names, seconds, and descriptions as parameters."""

    __slots__ = ()

    def add(self, name: str, seconds: float, description: str = "") -> None:
        # Threads of one request may come here together: appending is all they do.
        if not is_token(name):
            raise ValueError(f"name of a span takes a token, such as 'db', not {name!r}")
        self.append((name, seconds, f";desc={quote(description)}" if description else ""))


def _field(total: str, whole: float, spans: _Spans) -> str:
    """``server-timing-metric = metric-name *( OWS ";" OWS server-timing-param )``, as a list."""
    sums = {total: whole}
    descriptions = {total: ""}
    for name, seconds, description in spans:
        if name in sums or len(sums) < _MOST_NAMES:
            sums[name] = sums.get(name, 0.0) + seconds
            descriptions.setdefault(name, description)
    return ", ".join([f"{name};dur={1000 * sums[name]:.2f}{descriptions[name]}" for name in sums])
