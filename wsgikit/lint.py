"""Who breaks :pep:`3333`: a validator between every two layers of a stack.

A validator around a whole application tells that something is wrong, one between all its layers who
did it: every call that passes it has two sides.
"""

from __future__ import annotations

from contextvars import ContextVar

from wsgikit.between import SERVER, between
from wsgikit.conformance import body_fault, call_fault, content_length, start_fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, NoReturn, TypeVar

    from wsgikit.types import Body, WSGIApplication

    Result = TypeVar("Result")

__all__ = ["Violation", "lint"]


class Violation(AssertionError):
    """A breach of :pep:`3333`.

    ``layer`` is who did it: a layer as it was written, an application, or ``"the server"``.
    """

    def __init__(self, layer: str, message: str) -> None:
        super().__init__(f"{layer}: {message}")
        self.layer = layer


def lint(app: WSGIApplication) -> WSGIApplication:
    """The stack ``app`` with a validator between every two of its layers, for tests.

    The application that it returns answers as ``app`` does. Where a layer, the application or the
    server breaks :pep:`3333`, a :class:`Violation` names it. It is raised on the spot, and again
    further out if a layer has caught it in between, so that none is lost.

    What :mod:`wsgiref.validate` does not look for: there has to be a ``write()`` that
    ``start_response`` returns, every body has to be closed by the end, by a layer once, there may
    be neither more nor less content than Content-Length says (a HEAD and a 304 may have less), none
    with a 204 or a 304 (RFC 9110 §8.6, §15.3.5, §15.4.5), and fields such as Connection are the
    server's. What that refuses and :pep:`3333` does not is let through: a 200 without a
    Content-Type, a 204 with one, ``read()`` without a size, and names of fields with a ``-`` or
    ``_`` at their end.

    The layers are called again, to stand around the validators; ``app`` itself stays as it is (see
    :func:`wsgikit.between.between`). Bodies pass block by block: no file is one for the server.

    Replaces ``wsgi.input`` and ``wsgi.errors``.
    """
    return between(app, _validated)


def _validated(outer: str, app: WSGIApplication, inner: str) -> WSGIApplication:
    """``app``, whose name is ``inner``, with a validator around it for the sake of ``outer``."""

    def linted(*args: Any, **options: Any) -> Body:
        around = _trial.get()
        trial = _Trial() if around is None or outer == SERVER else around
        trial.require(outer, call_fault(args, options))
        environ, start_response = args
        sides = _Sides(trial, outer, inner)
        environ["wsgi.input"] = _Input(sides, environ["wsgi.input"])
        environ["wsgi.errors"] = _Errors(sides, environ["wsgi.errors"])
        response = _Response(sides, start_response, environ["REQUEST_METHOD"])
        return response.with_body(trial.run(app, environ, response.start))

    linted.__qualname__ = inner
    return linted


class _Trial:
    """What is known of one request: the first violation, and the responses on their way."""

    __slots__ = ("responses", "violation")

    def __init__(self) -> None:
        self.responses: list[_Response] = []
        self.violation: Violation | None = None

    def blame(self, who: str, fault: str) -> NoReturn:
        violation = Violation(who, fault)
        if self.violation is None:
            self.violation = violation
        raise violation

    def require(self, who: str, fault: str | None) -> None:
        if fault is not None:
            self.blame(who, fault)

    def run(self, step: Callable[..., Result], *args: Any) -> Result:
        """Take a step of the response, and raise what was found in it, also if a layer caught it.

        What else the step raises passes, ``StopIteration`` too.
        """
        token = _trial.set(self)
        try:
            return step(*args)
        finally:
            _trial.reset(token)
            if self.violation is not None:
                raise self.violation


# The request that a validator further out is at work on. An environ could not tell: whoever calls
# an application wrongly may pass none.
_trial: ContextVar[_Trial | None] = ContextVar("wsgikit.lint", default=None)


class _Sides:
    """Who stands outside and inside of a validator."""

    __slots__ = ("inner", "outer", "trial")

    def __init__(self, trial: _Trial, outer: str, inner: str) -> None:
        self.trial = trial
        self.outer = outer
        self.inner = inner

    def blame_outer(self, fault: str) -> NoReturn:
        self.trial.blame(self.outer, fault)

    def blame_inner(self, fault: str) -> NoReturn:
        self.trial.blame(self.inner, fault)


class _Response:
    """A response that passes: its ``start_response``, its ``write()``, and its body."""

    def __init__(self, sides: _Sides, start_response: Callable[..., Any], method: str) -> None:
        self.sides = sides
        self._method = method
        self._status = ""
        self._start_response = start_response
        self._write: Callable[[bytes], object] | None = None
        self._left: int | None = None  # what Content-Length allows still
        self._body: Any = None
        self._blocks: Iterator[bytes] | None = None
        self.closed = False

    def start(self, *args: Any, **options: Any) -> Callable[..., object]:
        sides = self.sides
        sides.trial.require(sides.inner, start_fault(args, options))
        if self._write is not None and (len(args) == 2 or args[2] is None):
            sides.blame_inner("start_response is called a second time only with exc_info")
        write = self._start_response(*args)
        if not callable(write):
            sides.blame_outer(f"start_response returns write(data), not {write!r}")
        self._write = write
        self._status = args[0][:3]
        self._left = content_length(args[1])
        return self.write

    def write(self, *args: Any, **options: Any) -> None:
        if len(args) != 1 or options or self._write is None:
            self.sides.blame_inner("write() takes a block of bytes, by position")
        self._count(args[0])
        self._write(args[0])

    def with_body(self, body: Any) -> _Response:
        self.sides.trial.require(self.sides.inner, body_fault(body))
        self._body = body
        self.sides.trial.responses.append(self)
        return self

    def __iter__(self) -> _Response:
        return self

    def __next__(self) -> bytes:
        sides = self.sides
        if self.closed:
            sides.blame_outer("a body is asked for no block after it was closed")
        try:
            if self._blocks is None:
                self._blocks = sides.trial.run(iter, self._body)
            block: bytes = sides.trial.run(next, self._blocks)
        except StopIteration:
            if self._write is None:
                sides.blame_inner("start_response was not called")
            if self._left and self._method != "HEAD" and self._status != "304":
                sides.blame_inner("there is less content than Content-Length says")
            raise
        if self._write is None:
            sides.blame_inner("start_response is called before the first block")
        self._count(block)
        return block

    def close(self) -> None:
        sides = self.sides
        if self.closed and sides.outer != SERVER:
            sides.blame_outer(f"the body of {sides.inner} was closed twice")
        self.closed = True
        body, self._body = self._body, ()
        sides.trial.run(getattr(body, "close", tuple))
        if sides.outer == SERVER:
            for other in reversed(sides.trial.responses):
                if not other.closed:
                    other.sides.blame_outer(f"the body of {other.sides.inner} was not closed")

    def _count(self, block: object) -> None:
        if type(block) is not bytes:
            self.sides.blame_inner(f"a block is bytes, not {type(block).__name__}")
        if block and self._status in ("204", "304"):
            self.sides.blame_inner(f"a {self._status} has no content")
        if self._left is not None:
            self._left -= len(block)
            if self._left < 0:
                self.sides.blame_inner("there is more content than Content-Length says")


class _Input:
    """``wsgi.input``: ``inner`` reads from it what ``outer`` has put there."""

    def __init__(self, sides: _Sides, stream: Any) -> None:
        self._sides = sides
        self._stream = stream

    def read(self, *size: int) -> bytes:
        return self._checked(self._stream.read(*self._one(size)))

    def readline(self, *size: int) -> bytes:
        return self._checked(self._stream.readline(*self._one(size)))

    def readlines(self, *hint: int) -> list[bytes]:
        return [self._checked(line) for line in self._stream.readlines(*self._one(hint))]

    def __iter__(self) -> Iterator[bytes]:
        for line in self._stream:
            yield self._checked(line)

    def close(self) -> None:
        self._sides.blame_inner("wsgi.input is the server's to close")

    def _one(self, args: tuple[int, ...]) -> tuple[int, ...]:
        if len(args) > 1:
            self._sides.blame_inner("the methods of wsgi.input take a size at most")
        return args

    def _checked(self, data: object) -> bytes:
        if type(data) is not bytes:
            self._sides.blame_outer(f"wsgi.input gives bytes, not {type(data).__name__}")
        return data


class _Errors:
    """``wsgi.errors``: ``inner`` writes to it."""

    def __init__(self, sides: _Sides, stream: Any) -> None:
        self._sides = sides
        self._stream = stream

    def write(self, text: str) -> None:
        if type(text) is not str:
            self._sides.blame_inner(f"wsgi.errors takes str, not {type(text).__name__}")
        self._stream.write(text)

    def writelines(self, lines: list[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        self._sides.blame_inner("wsgi.errors is the server's to close")
