"""The parts of a multipart form one after another, as they arrive, with nothing kept of them."""

from __future__ import annotations

from wsgikit import environ as env
from wsgikit.forms.described import Described
from wsgikit.http.multipart import MultipartParser, parse_boundary
from wsgikit.http.problem import HTTPError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Self

    from wsgikit.http.multipart import Event
    from wsgikit.http.parts import Part
    from wsgikit.types import WSGIEnvironment

__all__ = ["MAX_READ", "StreamedPart", "stream_parts"]

#: How many bytes of a part are read at once unless the view says otherwise.
MAX_READ = 1024 * 1024


class StreamedPart(Described):
    """A field or a file of a form that is still arriving: an iterator of its content, in blocks.

    Its content is there once, and until the next part is asked for; what is not read of it by then
    is passed over.
    """

    __slots__ = ("_done", "_events", "_parser")

    def __init__(self, part: Part, events: Iterator[Event], parser: MultipartParser) -> None:
        super().__init__(part)
        self._events = events
        self._parser = parser
        self._done = False

    @property
    def filename(self) -> str | None:
        """The file's name, without a path and fit for use on any system; it may be empty.

        None where the part is no file. See :func:`wsgikit.http.parts.clean_filename`.
        """
        return self.part.filename

    @property
    def original_filename(self) -> str | None:
        """The file's name as the client gave it: to be shown, never to be opened."""
        return self.part.original_filename

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        """The next block of the content.

        :raises HTTPError: for what is wrong with the form, which is found as it arrives.
        """
        if not self._done:
            for event in self._events:
                if isinstance(event, bytes):
                    return event
                break
            else:
                self._parser.close()  # raises again, for who went on after an error
            self._done = True
        raise StopIteration

    def read(self, max_size: int = MAX_READ) -> bytes:
        """What is left of the content, of at most ``max_size`` bytes.

        :raises HTTPError: 413 when it is more.
        """
        blocks = []
        size = 0
        for block in self:
            size += len(block)
            if size > max_size:
                raise HTTPError(413, f"The part {self.name!a} has more than max_size={max_size}.")
            blocks.append(block)
        return b"".join(blocks)

    def text(self, max_size: int = MAX_READ) -> str:
        """What is left of a field, as text: in the charset of its Content-Type, else UTF-8.

        :raises HTTPError: 413 when it is more than ``max_size`` bytes, 415 for an unknown charset.
        """
        return self.read(max_size).decode(self.part.codec or "utf-8", "replace")

    def __repr__(self) -> str:
        return f"<StreamedPart {self.name!a} filename={self.original_filename!a}>"


def stream_parts(
    environ: WSGIEnvironment, max_size: int | None, max_fields: int, max_file_size: int | None
) -> Iterator[StreamedPart]:
    """The parts of a form, as :meth:`wsgikit.Request.stream_parts` describes them."""
    parser = MultipartParser(
        parse_boundary(environ.get("CONTENT_TYPE", "")),
        max_fields=max_fields,
        max_memory=None,
        max_file_size=max_file_size,
    )
    return _parts(parser, env.stream_body(environ, max_size))


def _parts(parser: MultipartParser, blocks: Iterable[bytes]) -> Iterator[StreamedPart]:
    events = _events(parser, blocks)
    for part in events:
        streamed = StreamedPart(part, events, parser)  # type: ignore[arg-type]  # nothing else
        yield streamed
        for _ in streamed:
            pass


def _events(parser: MultipartParser, blocks: Iterable[bytes]) -> Iterator[Event]:
    for block in blocks:
        yield from parser.feed(block)
    parser.close()
