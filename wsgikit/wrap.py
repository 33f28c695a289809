"""Interception: the only code that stands before ``start_response`` or replaces a body.

PEP 3333 leaves many ways open to an application: it may call ``start_response`` late (when the
first block is asked for), twice (with ``exc_info``), use ``write()``, return a body with
``close()`` or without, and fail at any moment. Each function here is right for all of them, so that
a layer need not be.
"""

from __future__ import annotations

import sys
from itertools import chain

from wsgikit.keys import FILE_WRAPPER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Iterator

    from _typeshed import OptExcInfo

    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = [
    "Replaced",
    "add_headers",
    "attempt",
    "close",
    "closers",
    "guard",
    "is_file",
    "no_content",
    "on_close",
    "on_start",
    "without_body",
]


def on_start(
    start_response: StartResponse,
    edit: Callable[[str, HeaderList], tuple[str, HeaderList]],
) -> StartResponse:
    """Pass each status and header list through ``edit`` on its way out.

    ``edit(status, headers)`` gets a list of its own, which it may change and return. It is called
    again if the application replaces its response after an error (``exc_info``).
    """

    def start(
        status: str, headers: HeaderList, exc_info: OptExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        return start_response(*edit(status, [*headers]), exc_info)

    return start


def add_headers(start_response: StartResponse, extra: Collection[tuple[str, str]]) -> StartResponse:
    """Append the fields ``extra`` to whatever response starts, also to one that replaces it."""

    def start(
        status: str, headers: HeaderList, exc_info: OptExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        return start_response(status, [*headers, *extra], exc_info)

    return start


class Replaced:
    """A body in the place of another: iterates ``blocks``, and ``close()`` calls all ``closers``.

    A generator alone cannot stand for a body: closed before its first ``next``, its ``finally``
    never runs. All closers run, in order, also when one of them fails; the first failure is raised
    at the end.
    """

    __slots__ = ("_blocks", "_closers")

    def __init__(self, blocks: Iterable[bytes], *closers: Callable[[], object]) -> None:
        self._blocks = blocks
        self._closers = closers

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._blocks)

    def close(self) -> None:
        """Close everything that this body replaced; a second call does nothing."""
        closers, self._closers = self._closers, ()
        failure: BaseException | None = None
        for closer in closers:
            try:
                closer()
            except BaseException as error:
                failure = error if failure is None else failure
        if failure is not None:
            raise failure


def closers(*bodies: object) -> list[Callable[[], object]]:
    """The ``close`` methods of those bodies that have one."""
    methods = (getattr(body, "close", None) for body in bodies)
    return [method for method in methods if method is not None]


def close(body: object) -> None:
    """Close a body that is not going to be sent."""
    for closer in closers(body):
        closer()


def is_file(body: object, environ: WSGIEnvironment) -> bool:
    """Whether ``body`` is of the server's ``wsgi.file_wrapper``, which can send it faster.

    Where that is a function, nobody but the server knows its results. There, files count (uWSGI's
    function gives the file itself back), and wrappers that name theirs as PEP 3333's example does.
    """
    wrapper = environ.get(FILE_WRAPPER)
    if isinstance(wrapper, type):
        return isinstance(body, wrapper)
    return wrapper is not None and (hasattr(body, "read") or hasattr(body, "filelike"))


def on_close(body: Body, hook: Callable[[], object], environ: WSGIEnvironment) -> Body:
    """Have ``hook()`` called once when ``body`` is done with, after the body's own ``close``.

    A body made by ``wsgi.file_wrapper`` is returned itself, with its ``close`` extended, so that
    the server still recognises it; any other is replaced.
    """
    if is_file(body, environ):
        try:
            body.close = Replaced((), *closers(body), hook).close  # type: ignore[attr-defined]
        except AttributeError:  # a class written in C: the server sends it block by block
            pass
        else:
            return body
    return Replaced(body, *closers(body), hook)


class _Started:
    """A ``start_response`` that remembers whether it was called."""

    __slots__ = ("called", "start_response")

    def __init__(self, start_response: StartResponse) -> None:
        self.start_response = start_response
        self.called = False

    def __call__(
        self, status: str, headers: HeaderList, exc_info: OptExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        self.called = True
        return self.start_response(status, headers, exc_info)

    def require(self, app: WSGIApplication) -> None:
        if not self.called:
            raise RuntimeError(f"{app!r} did not call start_response before its first block")


def _run(app: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
    """Call ``app`` and come back when its response has started.

    An application may wait with ``start_response`` until its first block is asked for; that block
    is then taken here and given back in front of the others.
    """
    started = _Started(start_response)
    body = app(environ, started)
    if started.called:
        return body
    try:
        blocks = iter(body)
        first = next(blocks, None)
        started.require(app)
    except BaseException:
        close(body)
        raise
    return Replaced(() if first is None else chain((first,), blocks), *closers(body))


def without_body(app: WSGIApplication) -> WSGIApplication:
    """Answer with the status and fields of ``app`` and no content, for HEAD (RFC 9110 §9.3.2)."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        def start(
            status: str, headers: HeaderList, exc_info: OptExcInfo | None = None, /
        ) -> Callable[[bytes], object]:
            start_response(status, headers, exc_info)
            return _swallow

        close(_run(app, environ, start))
        return no_content()

    return answer


def no_content() -> Body:
    """A body without content that leaves Content-Length alone.

    For an empty list, wsgiref's handlers would add ``Content-Length: 0``, which a HEAD response
    must not say of content that is longer (RFC 9110 §8.6).
    """
    return iter((b"",))


def _swallow(block: bytes, /) -> None:
    """The ``write()`` of a response that nobody sees."""


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


def attempt(
    app: WSGIApplication,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    accept: Callable[[str, HeaderList], bool],
) -> Body | None:
    """Answer as ``app`` does if ``accept(status, headers)``; else nobody sees its response.

    Returns the body, or None where the response was refused (its body is closed then) and another
    application may answer. An accepted response is streamed as it comes.
    """
    gate = _Gate(start_response, accept)
    body = _run(app, environ, gate)
    if gate.open:
        return body
    close(body)
    return None


def guard(
    app: WSGIApplication,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    rescue: Callable[[Exception], WSGIApplication],
) -> Body:
    """Answer as ``app`` does, and as the application ``rescue(error)`` does where ``app`` raises.

    Errors are caught in the call and while the body is iterated, as long as nothing has been sent;
    the rescue is started with ``exc_info``, so that a server which has sent headers raises the
    error again and breaks the connection, as PEP 3333 has it. The body is not touched where it
    cannot fail (a list, a file for the server).
    """
    try:
        body = app(environ, start_response)
    except Exception as error:
        return _rescued(environ, start_response, rescue(error))
    if body.__class__ is list or body.__class__ is tuple or is_file(body, environ):
        return body
    blocks = _guarded(body, environ, start_response, rescue)
    return Replaced(blocks, blocks.close, *closers(body))


def _guarded(
    body: Body,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    rescue: Callable[[Exception], WSGIApplication],
) -> Generator[bytes]:
    try:
        for block in body:  # not ``yield from``: that would close ``body`` a second time
            yield block
    except Exception as error:
        # All of it in here: wsgiref's start_response raises the error that is being handled.
        rescued = _rescued(environ, start_response, rescue(error))
        try:
            for block in rescued:
                yield block
        finally:
            close(rescued)


def _rescued(
    environ: WSGIEnvironment, start_response: StartResponse, rescue: WSGIApplication
) -> Body:
    failure = sys.exc_info()

    def start(
        status: str, headers: HeaderList, exc_info: OptExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        return start_response(status, headers, exc_info or failure)

    return rescue(environ, start)
