"""Bytes of a file as the body of a response: all of them, one range, or several in one (§14).

RFC 9110, section 14.6 (multipart/byteranges); RFC 2046, section 5.1 (multipart).
"""

from __future__ import annotations

import os

from wsgikit import http
from wsgikit.files.versions import Changed, status_since
from wsgikit.trees.opening import BLOCK_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from wsgikit.files.representation import Representation
    from wsgikit.files.versions import Identity

__all__ = ["GAP", "Multipart", "blocks_of"]

#: Less than the head of any part, in bytes: ranges with no more between them are one part.
GAP = 64


def blocks_of(file: BinaryIO, identity: Identity | None, start: int, stop: int) -> Iterator[bytes]:
    """The bytes that were announced: all of them, no more should the file grow, and of one version.

    :param identity: the version that was announced; None for what is no file of the system.
    :raises EOFError: when the file became shorter, and
    :raises Changed: when it was written to: the client must not take what it has for the whole. The
        server breaks the connection then.
    """
    file.seek(start)
    while start < stop:
        block = file.read(min(BLOCK_SIZE, stop - start))
        if not block:
            raise EOFError("the file became shorter while it was sent")
        if identity is not None and _is_other(file.fileno(), identity):
            raise Changed("the file was written to while it was sent")
        start += len(block)
        yield block


def _is_other(descriptor: int, identity: Identity) -> bool:
    """Whether the file was written to. One that has grown, as logs do, may have been added to."""
    modified, _, size, _, _ = identity
    status = status_since(descriptor, identity)
    return status.st_mtime_ns != modified and status.st_size <= size


class Multipart:
    """Several ranges in one response.

    :param shown: of what they are parts.
    :param ranges: (start, stop) pairs, as :func:`wsgikit.http.ranges.parse_range` gives them.
    """

    __slots__ = ("_end", "_heads", "_ranges", "media", "size")

    def __init__(self, shown: Representation, ranges: list[tuple[int, int]]) -> None:
        # Nobody who writes the content can know it, and chance does not put it there.
        boundary = os.urandom(16).hex()
        media = shown.media()
        described = f"Content-Type: {media}\r\n" if media else ""
        self._heads = []
        line = f"--{boundary}"
        for start, stop in ranges:
            ranged = http.ranges.content_range(start, stop, shown.size)
            head = f"{line}\r\n{described}Content-Range: {ranged}\r\n\r\n"
            self._heads.append(head.encode("latin-1"))
            line = f"\r\n--{boundary}"
        self._end = f"{line}--\r\n".encode("latin-1")
        self._ranges = ranges
        #: The value of Content-Type.
        self.media = f"multipart/byteranges; boundary={boundary}"
        #: The length of all of it in bytes.
        self.size = sum(stop - start for start, stop in ranges)
        self.size += sum(map(len, self._heads)) + len(self._end)

    def blocks(self, file: BinaryIO, identity: Identity | None) -> Iterator[bytes]:
        """What is sent, the parts read from ``file``: see :func:`blocks_of`."""
        for head, (start, stop) in zip(self._heads, self._ranges, strict=True):
            yield head
            yield from blocks_of(file, identity, start, stop)
        yield self._end
