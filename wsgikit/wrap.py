"""Interception: the only code that stands before ``start_response`` or replaces a body.

PEP 3333 leaves many ways open to an application: it may call ``start_response`` late (when the
first block is asked for), twice (with ``exc_info``), use ``write()``, return a body with
``close()`` or without, and fail at any moment. Each function here is right for all of them, so that
a layer need not be.
"""

from __future__ import annotations

import sys
from itertools import chain
from sys import exception
from time import perf_counter_ns

from wsgikit.keys import FILE_WRAPPER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Iterator
    from typing import TypeVar

    from _typeshed import OptExcInfo

    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

    Facts = TypeVar("Facts")

__all__ = [
    "Observed",
    "Replaced",
    "Transformer",
    "add_headers",
    "add_unless",
    "attempt",
    "close",
    "closers",
    "guard",
    "is_file",
    "no_content",
    "observe",
    "on_close",
    "on_start",
    "transform",
    "without_body",
]


# Bytes that are read of a file at a time.
_BLOCK_SIZE = 64 * 1024


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


# Names that most responses have. To look one up takes 20 ns, to make it lower case 50.
_USUAL = ("Content-Type", "Content-Length", "Cache-Control", "Date", "ETag", "Set-Cookie", "Vary")


def add_unless(
    names: Collection[str],
    extra: Collection[tuple[str, str]],
    edit: Callable[[str, HeaderList], tuple[str, HeaderList]],
) -> Callable[[StartResponse], StartResponse]:
    """Append the fields ``extra`` to responses that have none of the fields ``names`` themselves.

    Those that have one go through ``edit``, as with :func:`on_start`. ``names`` are in lower case.
    To be called once; what it returns is put around the ``start_response`` of each request.
    """
    names = frozenset(names)
    others = frozenset([name for name in _USUAL if name.lower() not in names])

    def around(start_response: StartResponse) -> StartResponse:
        def start(
            status: str, headers: HeaderList, exc_info: OptExcInfo | None = None, /
        ) -> Callable[[bytes], object]:
            for name, _ in headers:
                if name not in others and name.lower() in names:
                    return start_response(*edit(status, [*headers]), exc_info)
            return start_response(status, [*headers, *extra], exc_info)

        return start

    return around


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
    methods = []
    for body in bodies:  # a comprehension would take another 0.4 µs
        method = getattr(body, "close", None)
        if method is not None:
            methods.append(method)
    return methods


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


def on_close(
    body: Body,
    hook: Callable[[], object],
    environ: WSGIEnvironment,
    first: Callable[[], object] | None = None,
) -> Body:
    """Have ``hook()`` called once when ``body`` is done with, after the body's own ``close``.

    ``first()`` is called before that, if it is given. A body made by ``wsgi.file_wrapper`` is
    returned itself, with its ``close`` extended, so that the server still recognises it; so is an
    :class:`Observed`. Any other is replaced.
    """
    begin = () if first is None else (first,)
    if isinstance(body, Observed):
        body.closing = Replaced((), *begin, body.closing or body.close, hook).close
        return body
    calls = (*begin, *closers(body), hook)
    if is_file(body, environ):
        try:
            body.close = Replaced((), *calls).close  # type: ignore[attr-defined]
        except AttributeError:  # a class written in C: the server sends it block by block
            pass
        else:
            return body
    return Replaced(body, *calls)


class Observed:
    """A response that :func:`observe` saw from its request to its end."""

    __slots__ = (
        "_done",
        "_facts",
        "_inner",
        "_listed",
        "_method",
        "_start_response",
        "_taken",
        "_write",
        "began",
        "closing",
        "headers",
        "outcome",
        "sent",
        "status",
        "took",
    )

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

    #: What ``close()`` calls first and once, if there is something. Whoever puts another one in its
    #: place has that call what was there: ``closing or close``.
    closing: Callable[[], object] | None

    _done: Callable[..., object] | None
    _facts: object
    _inner: Observed | None
    _listed: list[bytes] | tuple[bytes, ...]
    _method: str
    _start_response: StartResponse
    _taken: Iterator[bytes] | None
    _write: Callable[[bytes], object]

    @property
    def code(self) -> int:
        """The status code; 500, the server's answer, where a failure came before any content."""
        if self.outcome == "failed" and not self.sent:
            return 500
        return _CODES.get(self.status) or _code(self.status)

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

    # It stands in for a list, or for another one of its kind that does: what counts then costs
    # nothing for each block, and the server still sees how many there are.

    def __len__(self) -> int:
        return len(self._listed)

    def __iter__(self) -> Iterator[bytes]:
        self._taken = blocks = iter(self._listed if self._inner is None else self._inner)
        return blocks

    def close(self) -> None:
        """The end of a list."""
        closing, inner = self.closing, self._inner
        if closing is not None:
            self.closing = None
            closing()
            return
        if inner is not None:
            self._inner = None
            try:
                inner.close()
            finally:
                self.close()
            return
        listed, self._listed, taken = self._listed, (), self._taken
        left = len(listed) if taken is None else taken.__length_hint__()  # type: ignore[attr-defined]
        for block in listed[:-left] if left else listed:
            self.sent += len(block)  # type: ignore[operator]
        self._end("" if left else "complete")

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
        """Tell the end, once. ``outcome`` is empty where the last block was not taken."""
        done = self._done
        if done is None:
            return
        self._done = None
        if self._method == "HEAD" and outcome != "failed":
            self.sent = 0
        if not outcome:
            outcome = "complete" if self._needs_no_more() else "aborted"
        # A server that cannot send closes the body while it handles the error.
        if outcome == "complete" and exception() is not None:
            outcome = "aborted"
        self.outcome = outcome
        self.took = perf_counter_ns() - self.began
        done(self, self._facts)

    def _needs_no_more(self) -> bool:
        """Whether a server may stop here: there is no content, or all that was announced."""
        bodiless = self._method == "HEAD" or self.status[:3] in ("204", "304")
        return bodiless or self.sent == self._length()

    def _length(self) -> int | None:
        for name, value in self.headers:
            if name.lower() == "content-length" and value.isascii() and value.isdigit():
                return int(value[:18])
        return None


# Codes by status line. To read one takes 0.2 µs, to look it up 0.03.
_CODES: dict[str, int] = {}
_MOST_CODES = 500


def _code(status: str) -> int:
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
    observed._method = environ["REQUEST_METHOD"]
    observed._done = done
    observed._facts = facts
    observed._taken = observed._inner = observed.closing = None
    observed.status = observed.outcome = ""
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
        return observed
    if isinstance(body, Observed):
        observed._listed = body._listed
        observed._inner = body
        return observed
    if is_file(body, environ):
        return on_close(body, observed._file_closed, environ)
    return Replaced(observed._counted(body), *closers(body), observed._closed)


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
    return _settled(app, environ, _Started(start_response))


def _settled(app: WSGIApplication, environ: WSGIEnvironment, started: _Started) -> Body:
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


class Transformer:
    """What :func:`transform` makes of the content of one response; subclasses say it.

    One of :meth:`whole` and :meth:`stream` is called, before the response starts. Either may still
    change the list of header fields that ``begin`` was given.
    """

    __slots__ = ()

    #: Whether to wait for the end of a body with a Content-Length, to be given the whole. If not,
    #: content is known as a whole where nobody has to wait for it: it is a list, or the first block
    #: is all of it.
    waits = False

    def whole(self, content: bytes) -> bytes:
        """What to send in place of ``content``, which is all there is."""
        raise NotImplementedError

    def stream(self) -> bool:
        """Content comes block by block. Whether to change it; if not, the body is not touched."""
        return False

    def feed(self, block: bytes) -> bytes:
        """What to send now, after ``block``, which is not empty."""
        raise NotImplementedError

    def finish(self) -> bytes:
        """What to send after the last block."""
        raise NotImplementedError


def transform(
    app: WSGIApplication,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    begin: Callable[[str, HeaderList], Transformer | None],
) -> Body:
    """Answer as ``app`` does, with other content: what a transformer makes of it.

    ``begin(status, headers)`` gets a list of its own, which it may change. Where it returns None,
    as it should for HEAD and for statuses without content, the response starts with these fields,
    and its body is not touched. Otherwise it is held back until the transformer has decided.

    A response that replaces one that is held (``exc_info``) goes to ``begin`` as well; one that
    replaces a started one is passed on as it is. Content that is longer or shorter than its
    Content-Length raises :class:`ValueError` at its end, so that it does not come out as complete.
    """
    held = _Held(start_response, begin)
    body = _settled(app, environ, held)
    transformer = held.transformer
    if transformer is None:
        return body
    try:
        return held.settle(transformer, body, environ)
    except BaseException:
        close(body)
        raise


class _Held(_Started):
    """The ``start_response`` of :func:`transform`: holds a response until it is decided upon."""

    __slots__ = (
        "_begin",
        "_length",
        "_open",
        "_response",
        "_size",
        "_write",
        "transformer",
    )

    _response: tuple[str, HeaderList, OptExcInfo | None]
    _write: Callable[[bytes], object]

    def __init__(
        self,
        start_response: StartResponse,
        begin: Callable[[str, HeaderList], Transformer | None],
    ) -> None:
        super().__init__(start_response)
        self._begin = begin
        self._open = False  # has the response been started? It is held where it has not
        self._length: int | None = None  # of the content, as the response says it
        self._size = 0  # of the content that has come
        self.transformer: Transformer | None = None

    def __call__(
        self, status: str, headers: HeaderList, exc_info: OptExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        if self._open:
            write = self.start_response(status, headers, exc_info)
            self.transformer = None
            return write
        self.called = True
        if self.transformer is not None and not exc_info:
            raise RuntimeError("start_response was called twice, and without exc_info")
        if self._size and exc_info and exc_info[1] is not None:
            raise exc_info[1].with_traceback(exc_info[2])
        headers = [*headers]
        self.transformer = self._begin(status, headers)
        self._response = (status, headers, exc_info)
        if self.transformer is None:
            return self._start()
        self._length = _content_length(headers)
        return self._written

    def settle(self, transformer: Transformer, body: Body, environ: WSGIEnvironment) -> Body:
        """What to send of ``body``, which the application has returned."""
        if self._open:  # by write()
            return Replaced(self._changed(body), *closers(body))
        if body.__class__ is list or body.__class__ is tuple:
            content = b"".join(body)
            if self._length is None or self._length == len(content):
                changed = self._whole(transformer, content)
                return body if changed is content else [changed]
        blocks: Iterable[bytes] = body
        taken: list[bytes] = []
        if is_file(body, environ):
            read = getattr(body, "read", None)
            if read is not None:  # of the file itself one would get lines
                blocks = iter(lambda: read(_BLOCK_SIZE), b"")
        elif self._length is not None:
            blocks = iter(body)
            taken = self._take(blocks)
            if self.transformer is not None and self._size == self._length:
                changed = self._whole(self.transformer, b"".join(taken))
                return Replaced(self._only(changed, blocks), *closers(body))
        if not self._open:
            self._stream()
        blocks = chain(taken, blocks) if taken else blocks
        if self.transformer is not None:
            self._size = 0
            return Replaced(self._changed(blocks), *closers(body))
        return Replaced(blocks, *closers(body)) if taken else body

    def _take(self, blocks: Iterator[bytes]) -> list[bytes]:
        """All blocks, up to the announced length, if the transformer waits for them; else one."""
        taken = []
        for block in blocks:
            taken.append(block)
            self._size += len(block)
            transformer = self.transformer  # with this block, another response may have come
            if transformer is None or not transformer.waits or self._size >= (self._length or 0):
                break
        return taken

    def _whole(self, transformer: Transformer, content: bytes) -> bytes:
        content = transformer.whole(content)
        self._start()
        return content

    def _stream(self) -> None:
        if self.transformer is not None and not self.transformer.stream():
            self.transformer = None
        self._start()

    def _start(self) -> Callable[[bytes], object]:
        self._open = True
        self._write = self.start_response(*self._response)
        del self._response  # an error in it refers to its frames, and those to us
        return self._write

    def _written(self, block: bytes, /) -> None:
        if not self._open:
            self._stream()
        self._write(self._fed(block))

    def _only(self, content: bytes, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """All the content; then the application may do more, but not send more."""
        yield content
        for block in blocks:
            if block and self.transformer is not None:
                raise _another_length()
            yield block

    def _changed(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        for block in blocks:
            yield self._fed(block)
        if self.transformer is not None:
            if self._length is not None and self._size != self._length:
                raise _another_length()
            yield self.transformer.finish()

    def _fed(self, block: bytes) -> bytes:
        if self.transformer is None or not block:
            return block
        self._size += len(block)
        return self.transformer.feed(block)


def _another_length() -> ValueError:
    return ValueError("the body is shorter or longer than its Content-Length")


def _content_length(headers: HeaderList) -> int | None:
    for name, value in headers:
        if name.lower() == "content-length" and value.isascii() and value.isdigit():
            return int(value) if len(value) < 19 else None
    return None
