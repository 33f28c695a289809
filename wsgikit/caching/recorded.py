"""A response that is copied while it is sent."""

from __future__ import annotations

from wsgikit.wrap import Transformer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgikit.types import HeaderList

__all__ = ["Recorded", "announced"]


class Recorded(Transformer):
    """A response on its way, and a copy of it to be kept.

    :param headers: its fields, which get a Cache-Status as it starts.
    :param keep: is given the content once it is complete, and tells whether it is kept.
    :param told: makes the Cache-Status, of whether the response is kept.
    :param max_size: how much content is copied at most. Bytes.
    """

    __slots__ = ("_blocks", "_headers", "_keep", "_max_size", "_size", "_told", "file")

    waits = True

    def __init__(
        self,
        headers: HeaderList,
        keep: Callable[[bytes], bool],
        told: Callable[[bool], tuple[str, str]],
        max_size: int,
    ) -> None:
        self._headers = headers
        self._keep = keep
        self._told = told
        self._max_size = max_size
        self._blocks: list[bytes] | None = []
        self._size = 0
        #: Whether the body is a file, which is left to the server.
        self.file = False

    def whole(self, content: bytes) -> bytes:
        """The same content; it is kept before the response starts."""
        self._headers.append(self._told(self._keep(content)))
        return content

    def stream(self) -> bool:
        """Blocks are passed on as they come; what they were is kept after the last."""
        self._headers.append(self._told(False))
        return not self.file

    def feed(self, block: bytes) -> bytes:
        """The same block."""
        if self._blocks is not None:
            self._blocks.append(block)
            self._size += len(block)
            if self._size > self._max_size:
                self._blocks = None
        return block

    def finish(self) -> bytes:
        """Nothing to add."""
        if self._blocks is not None:
            self._keep(b"".join(self._blocks))
        return b""


def announced(headers: HeaderList) -> int:
    """The Content-Length; 0 where there is none."""
    for name, value in headers:
        if name.lower() == "content-length" and value.isascii() and value.isdigit():
            return int(value[:18])
    return 0
