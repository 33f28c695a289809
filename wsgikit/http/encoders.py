"""Content codings, written block by block: zstd, gzip and deflate.

RFC 9110, section 8.4.1; RFC 1952 (gzip); RFC 1950 (deflate, which is zlib's format); RFC 8878 and
RFC 9659 (zstd, which is where the interpreter has ``compression.zstd``: CPython 3.14).
"""

from __future__ import annotations

import zlib
from importlib import import_module
from os import urandom

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Protocol

    class Encoder(Protocol):
        """What encodes one representation. A first block may be the last."""

        def feed(self, block: bytes, /) -> bytes:
            """All that is needed to read up to the end of ``block``."""

        def finish(self, last: bytes = b"", /) -> bytes:
            """``last`` and the end, with nothing to follow."""


#: How much work is put into saving bytes: 1 is the fastest, 9 saves the most.
LEVELS = range(1, 10)

#: The most that padding can add. Names of files are short; this one has no meaning.
MAX_PADDING = 1000

_GZIP = 16 + zlib.MAX_WBITS
_GZIP_HEAD = 10  # octets
_FNAME = 8  # RFC 1952, section 2.3.1


def encoders(
    level: int, padding: int = 0, load: Callable[[str], ModuleType] = import_module
) -> dict[str, Callable[[], Encoder]]:
    """What makes an encoder for each coding that there is, the best first.

    :param level: one of :data:`LEVELS`.
    :param padding: up to so many octets without meaning are added to each representation, at
        random. There is only gzip then, as it has room for these: the name of a file.
    :param load: how ``compression.zstd`` is imported.
    """
    if padding:
        return {"gzip": lambda: Padded(level, padding)}
    made: dict[str, Callable[[], Encoder]] = {}
    try:
        zstd = load("compression.zstd")
    except ImportError:
        pass
    else:
        made["zstd"] = lambda: Zstd(zstd, level)
    # Last, as some servers and clients took it for another format: without zlib's head.
    return {
        **made,
        "gzip": lambda: Zlib(level, _GZIP),
        "deflate": lambda: Zlib(level, zlib.MAX_WBITS),
    }


class Zlib:
    """gzip or deflate. No time and no name: of the same blocks always the same octets."""

    __slots__ = ("_compressor",)

    def __init__(self, level: int, wbits: int) -> None:
        self._compressor = zlib.compressobj(level, zlib.DEFLATED, wbits)

    def feed(self, block: bytes, /) -> bytes:
        """All that is needed to read up to the end of ``block``."""
        return self._compressor.compress(block) + self._compressor.flush(zlib.Z_SYNC_FLUSH)

    def finish(self, last: bytes = b"", /) -> bytes:
        """``last`` and the end."""
        return self._compressor.compress(last) + self._compressor.flush()


class Padded(Zlib):
    """gzip with a name of random length in its head, which tells nothing and is not unpacked.

    Heal the BREACH: Palacios, Fariña and others (2022).
    """

    __slots__ = ("_name",)

    def __init__(self, level: int, padding: int) -> None:
        super().__init__(level, _GZIP)
        length = int.from_bytes(urandom(4), "little") % padding  # and the zero octet at its end
        self._name = b"a" * length + b"\0"

    def feed(self, block: bytes, /) -> bytes:
        """All that is needed to read up to the end of ``block``."""
        return self._named(super().feed(block))

    def finish(self, last: bytes = b"", /) -> bytes:
        """``last`` and the end."""
        return self._named(super().finish(last))

    def _named(self, encoded: bytes) -> bytes:
        name, self._name = self._name, b""
        if not name:
            return encoded
        head = bytearray(encoded[:_GZIP_HEAD])
        head[3] |= _FNAME
        return bytes(head) + name + encoded[_GZIP_HEAD:]


class Zstd:
    """zstd in one frame, whose window is of no more than 8 MiB up to level 9 (RFC 9659)."""

    __slots__ = ("_compressor",)

    def __init__(self, zstd: ModuleType, level: int) -> None:
        self._compressor = zstd.ZstdCompressor(level=level)

    def feed(self, block: bytes, /) -> bytes:
        """All that is needed to read up to the end of ``block``."""
        encoded: bytes = self._compressor.compress(block, self._compressor.FLUSH_BLOCK)
        return encoded

    def finish(self, last: bytes = b"", /) -> bytes:
        """``last`` and the end."""
        encoded: bytes = self._compressor.compress(last, self._compressor.FLUSH_FRAME)
        return encoded
