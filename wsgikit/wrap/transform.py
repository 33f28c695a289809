"""Other content, made of a whole or block by block, with the fields that go with it."""

from __future__ import annotations

from itertools import chain

from wsgikit.wrap.body import Replaced, close, closers, is_file
from wsgikit.wrap.started import Started, settled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _typeshed import OptExcInfo

    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Transformer", "transform"]


# Bytes that are read of a file at a time.
_BLOCK_SIZE = 64 * 1024


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
    body = settled(app, environ, held)
    transformer = held.transformer
    if transformer is None:
        return body
    try:
        return held.settle(transformer, body, environ)
    except BaseException:
        close(body)
        raise


class _Held(Started):
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

    _response: tuple[str, HeaderList]
    _write: Callable[[bytes], object]

    def __init__(
        self,
        start_response: StartResponse,
        begin: Callable[[str, HeaderList], Transformer | None],
    ) -> None:
        self.start_response = start_response  # what Started does: super() would take 0.5 µs
        self.called = False
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
        # Outside of here it is the first one, whatever it replaces.
        self._response = (status, headers)
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
