"""What became of a response: its status, its bytes, its time, and how it ended."""

from __future__ import annotations

from sys import exception
from time import perf_counter_ns

from wsgikit.wrap.body import Extended, Replaced, closers, is_file, on_close

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from typing import TypeVar

    from _typeshed import OptExcInfo

    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

    Facts = TypeVar("Facts")

__all__ = ["Observed", "code_of", "observe"]


class Observed(Extended):
    """A response that :func:`observe` saw from its request to its end."""

    __slots__ = (
        "_before",
        "_blocks",
        "_done",
        "_facts",
        "_inner",
        "_left",
        "_listed",
        "_size",
        "_start_response",
        "_write",
        "began",
        "headers",
        "method",
        "outcome",
        "sent",
        "status",
        "took",
    )

    #: The method of the request, as it came.
    method: str
    #: The status line; empty where no response was started.
    status: str
    #: The fields, to be read only.
    headers: Collection[tuple[str, str]]
    #: The bytes of content that were handed on; of a file those announced, None if they were not.
    sent: int | None
    #: ``"complete"``; ``"failed"`` if the application raised an error; ``"aborted"`` if whoever
    #: takes the blocks stopped before the end: the client is gone, as a rule.
    outcome: str
    #: The :func:`time.perf_counter_ns` of the request, and the nanoseconds from there to the end.
    began: int
    took: int

    _before: Callable[[], object]
    _blocks: Iterator[bytes]
    _done: Callable[..., object] | None
    _facts: object
    _inner: Observed
    _left: int
    _listed: list[bytes] | tuple[bytes, ...]
    _size: int
    _start_response: StartResponse
    _write: Callable[[bytes], object]

    @property
    def code(self) -> int:
        """The status code; 500, the server's answer, where a failure came before any content."""
        if self.outcome == "failed" and not self.sent:
            return 500
        return _CODES.get(self.status) or code_of(self.status)

    def _start(
        self, status: str, headers: HeaderList, exc_info: OptExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        self._write = self._start_response(status, headers, exc_info)
        self.status = status
        self.headers = headers
        return self._written

    def _written(self, block: bytes, /) -> None:
        self._write(block)
        self.sent += len(block)  # type: ignore[operator]  # None comes at the end

    # It stands in for a list: what counts then costs nothing for each block, and the server still
    # sees how many there are.

    def __len__(self) -> int:
        return len(self._listed)

    def __iter__(self) -> Iterator[bytes]:
        return self._blocks

    def close(self) -> None:
        """The end of a list."""
        closing = self.closing
        if closing is not None:
            self.closing = None
            closing()
        elif self._done is not None:
            listed, size = self._listed, 0
            left = self._blocks.__length_hint__()  # type: ignore[attr-defined]
            for block in listed[:-left] if left else listed:
                size += len(block)
            self._left = left
            self._size = size
            self.sent += size  # type: ignore[operator]  # None comes at the end
            self._end("" if left else "complete")

    def _close_with(self) -> None:
        """The end of a list that another one of its kind, further in, has counted."""
        try:
            self._before()
        finally:
            inner = self._inner
            self.sent += inner._size  # type: ignore[operator]
            self._end("" if inner._left else "complete")

    def _counted(self, body: Body) -> Iterator[bytes]:
        """The blocks of what is no list."""
        try:
            for block in body:
                self.sent += len(block)  # type: ignore[operator]
                yield block
            self.outcome = "complete"
        except GeneratorExit:
            raise
        except BaseException:
            self.outcome = "failed"
            raise

    def _closed(self) -> None:
        self._end(self.outcome)

    def _file_closed(self) -> None:
        self.sent = self._length()
        self._end("complete")

    def _end(self, outcome: str) -> None:
        """Tell the end. ``outcome`` is empty where the last block was not taken."""
        if self.method == "HEAD" and outcome != "failed":
            self.sent = 0
        if not outcome:
            outcome = "complete" if self._needs_no_more() else "aborted"
        # A server that cannot send closes the body while it handles the error.
        if exception() is not None and outcome == "complete":
            outcome = "aborted"
        self.outcome = outcome
        self.took = perf_counter_ns() - self.began
        done, self._done = self._done, None
        done(self, self._facts)  # type: ignore[misc]  # it is called once

    def _needs_no_more(self) -> bool:
        """Whether a server may stop here: there is no content, or all that was announced."""
        bodiless = self.method == "HEAD" or self.status[:3] in ("204", "304")
        return bodiless or self.sent == self._length()

    def _length(self) -> int | None:
        for name, value in self.headers:
            if name.lower() == "content-length" and value.isascii() and value.isdigit():
                return int(value[:18])
        return None


# Codes by status line. To read one takes 0.2 µs, to look it up 0.03.
_CODES: dict[str, int] = {}


_MOST_CODES = 500


def code_of(status: str) -> int:
    """The code of a status line, 0 where there is none."""
    try:
        code = int(status[:3])
    except ValueError:
        return 0
    if len(_CODES) < _MOST_CODES and len(status) < 100:
        _CODES[status] = code
    return code


def observe(
    app: WSGIApplication,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    done: Callable[[Observed, Facts], object],
    facts: Facts,
) -> Body:
    """Answer as ``app`` does, and call ``done(observed, facts)`` once when that is over.

    That is when the body was closed or the application has raised an error in the call. Blocks are
    counted as they pass, and those of ``write()``; a file stays one for the server, and its length
    is that of its Content-Length. For HEAD nothing is sent. ``facts`` is whatever ``done`` wants to
    know of the request.
    """
    observed = Observed()  # filled here: a call of __init__ would take 0.15 µs of 1.1
    observed._start_response = start_response
    observed.method = environ["REQUEST_METHOD"]
    observed._done = done
    observed._facts = facts
    observed.closing = None
    observed.status = ""
    observed.headers = ()
    observed.sent = 0
    observed.began = perf_counter_ns()
    try:
        body = app(environ, observed._start)
    except BaseException:
        observed._end("failed")
        raise
    if body.__class__ is list or body.__class__ is tuple:
        observed._listed = body
        observed._blocks = iter(body)
        return observed
    if body.__class__ is Observed:  # one is enough to count, and its end is that of all
        observed._inner = body
        observed._before = body.closing or body.close
        body.closing = observed._close_with
        return body
    if is_file(body, environ):
        return on_close(body, observed._file_closed, environ)
    observed.outcome = ""
    return Replaced(observed._counted(body), *closers(body), observed._closed)
