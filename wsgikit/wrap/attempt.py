"""An application that may be passed over, and is then unseen."""

from __future__ import annotations

from wsgikit.keys import UWSGI
from wsgikit.wrap.body import Replaced, close, is_file
from wsgikit.wrap.started import Started, restarting, run, settled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from _typeshed import OptExcInfo

    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["attempt", "prefer"]


def attempt(
    app: WSGIApplication,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    accept: Callable[[str, HeaderList], bool],
) -> Body | None:
    """Answer as ``app`` does if ``accept(status, headers)``; else nobody sees its response.

    Returns the body, or None where the response was refused (its body is closed then) and another
    application may answer. An accepted response is streamed as it comes, and so is what replaces it
    (``exc_info``), whatever it is.
    """
    gate = _Gate(start_response, accept)
    body = run(app, environ, gate)
    if gate.open:
        return body
    close(body)
    return None


def prefer(
    app: WSGIApplication,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    accept: Callable[[str, HeaderList], bool],
    instead: Callable[[StartResponse], Body],
) -> Body:
    """Answer as ``app`` does if ``accept(status, headers)``; else nobody sees its response, its
    body is closed, and ``instead(start_response)`` answers.

    What replaces an accepted response after an error (``exc_info``) is judged as well, as long as
    no block was sent: an application that fails between ``start_response`` and its first block is
    still passed over. ``instead`` gets a ``start_response`` that knows of the error then. A list
    and a file for the server cannot fail so late, and are returned as they are.
    """
    if UWSGI in environ:
        start_response = Started(start_response)
    gate = _Judge(start_response, accept)
    body = settled(app, environ, gate)
    if not gate.open:
        close(body)
        return instead(gate.restarting())
    if body.__class__ is list or body.__class__ is tuple or is_file(body, environ):
        return body
    gate.body = body
    blocks = _preferred(gate, instead)
    return Replaced(blocks, blocks.close, gate.close)


def _preferred(gate: _Judge, instead: Callable[[StartResponse], Body]) -> Generator[bytes]:
    for block in gate.body:
        if not gate.open:
            break
        gate.sent = True
        yield block
    if gate.open:
        return
    gate.close()
    body = instead(gate.restarting())
    try:
        for block in body:  # not ``yield from``: that would close ``body`` a second time
            yield block
    finally:
        close(body)


class _Gate:
    """The ``start_response`` of an attempt: lets a response through or holds it back."""

    __slots__ = ("_accept", "_start_response", "open", "written")

    def __init__(
        self, start_response: StartResponse, accept: Callable[[str, HeaderList], bool]
    ) -> None:
        self._start_response = start_response
        self._accept = accept
        self.open = False
        self.written = False

    def __call__(
        self, status: str, headers: HeaderList, exc_info: OptExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        if self.written and exc_info and exc_info[1] is not None:
            raise exc_info[1].with_traceback(exc_info[2])
        self.open = self.open or self._accept(status, headers)
        if self.open:
            return self._start_response(status, headers, exc_info)
        return self._hold_back

    def _hold_back(self, block: bytes, /) -> None:
        self.written = True


class _Judge(Started):
    """The ``start_response`` of :func:`prefer`: judges again what replaces an accepted response."""

    __slots__ = ("_accept", "_failure", "_write", "body", "open", "sent", "written")

    _write: Callable[[bytes], object]
    #: What the application has returned.
    body: Body

    def __init__(
        self, start_response: StartResponse, accept: Callable[[str, HeaderList], bool]
    ) -> None:
        self.start_response = start_response  # what Started does: super() would take 0.5 µs
        self.called = False
        self._accept = accept
        self._failure: OptExcInfo | None = None
        self.open = False
        self.sent = False  # something of an accepted response
        self.written = False  # something of a refused one

    def __call__(
        self, status: str, headers: HeaderList, exc_info: OptExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        self.called = True
        if self.open:
            if exc_info and not self.sent and not self._accept(status, headers):
                self.open = False
                self._failure = exc_info
                return self._hold_back
        elif self.written and exc_info and exc_info[1] is not None:
            raise exc_info[1].with_traceback(exc_info[2])
        elif self._accept(status, headers):
            self.open = True
        else:
            return self._hold_back
        self._write = self.start_response(status, headers, exc_info)
        return self._pass_on

    def _hold_back(self, block: bytes, /) -> None:
        self.written = True

    def _pass_on(self, block: bytes, /) -> None:
        self.sent = True
        self._write(block)

    def restarting(self) -> StartResponse:
        """What to start another response with, after one that was refused."""
        if self._failure is None:
            return self.start_response
        return restarting(self.start_response, self._failure)

    def close(self) -> None:
        """Close the body; a second call does nothing."""
        body, self.body = self.body, ()
        close(body)
