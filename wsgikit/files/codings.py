"""Content codings for files: what compresses them in advance, and reads them again, in pieces.

RFC 9110, section 8.4.1; RFC 1952 (gzip); RFC 7932 (br); RFC 8878 and RFC 9659 (zstd).

gzip is always there, zstd where the interpreter has ``compression.zstd`` (CPython 3.14), br where
the module ``brotli`` is installed; both are looked for when :func:`available` is called.
"""

from __future__ import annotations

import zlib
from importlib import import_module

from wsgikit.trees.opening import BLOCK_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    Recode: TypeAlias = Callable[[Iterable[bytes]], Iterator[bytes]]

__all__ = [
    "GZIP",
    "GZIP_HEAD",
    "SUFFIXES",
    "Coding",
    "Undecodable",
    "available",
    "gzip",
]

#: The content codings, and what the names of files end with that are in them.
SUFFIXES = {"zstd": ".zst", "br": ".br", "gzip": ".gz"}

#: What :func:`gzip` begins with. No name, no time, no system: the same bytes wherever and whenever
#: it runs (RFC 1952, section 2.3).
GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"

# How much of a br file is unpacked at a time, to up to some 16 MiB (RFC 7932, section 9.2): not all
# versions of the module know a limit for what comes out.
_BR_PIECE = 16


class Undecodable(ValueError):
    """The octets are not, or not wholly, in the coding that they should be in."""


class Coding:
    """A way to compress, as small as it can.

    ``compress(blocks)`` and ``decompress(blocks)`` are generators; the latter raises
    :class:`Undecodable`, for what follows the end as well.
    """

    __slots__ = ("compress", "decompress", "name", "suffix")

    def __init__(self, name: str, compress: Recode, decompress: Recode) -> None:
        #: As in Content-Encoding: ``gzip``, ``br``, ``zstd``.
        self.name = name
        #: What its files' names end with.
        self.suffix = SUFFIXES[name]
        self.compress = compress
        self.decompress = decompress

    def __repr__(self) -> str:
        return f"<Coding {self.name}>"


def available() -> list[Coding]:
    """The codings that can be written here."""
    return [coding for coding in (_zstd(), _br(), GZIP) if coding is not None]


def gzip(blocks: Iterable[bytes], level: int = 9) -> Iterator[bytes]:
    """The blocks compressed, the same wherever and whenever: without a time and a name."""
    deflate = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    checksum = size = 0
    yield GZIP_HEAD
    for block in blocks:
        checksum = zlib.crc32(block, checksum)
        size += len(block)
        yield deflate.compress(block)
    yield deflate.flush()
    yield checksum.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")


def _gunzip(blocks: Iterable[bytes]) -> Iterator[bytes]:
    inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        for block in blocks:
            if inflate.eof:
                raise Undecodable("something follows the end")
            while block and not inflate.eof:  # behind the end, the tail stays as it is
                yield inflate.decompress(block, BLOCK_SIZE)
                block = inflate.unconsumed_tail
    except zlib.error as error:
        raise Undecodable(str(error)) from None
    if not inflate.eof or inflate.unused_data:
        raise Undecodable("it ends too early, or something follows")


#: gzip, as small as zlib makes it.
GZIP = Coding("gzip", gzip, _gunzip)


def _br() -> Coding | None:
    try:
        brotli = import_module("brotli")
    except ImportError:
        return None

    def compress(blocks: Iterable[bytes]) -> Iterator[bytes]:
        compressor = brotli.Compressor(quality=11)
        for block in blocks:
            yield compressor.process(block)
        yield compressor.finish()

    def decompress(blocks: Iterable[bytes]) -> Iterator[bytes]:
        decompressor = brotli.Decompressor()
        try:
            for block in blocks:
                for start in range(0, len(block), _BR_PIECE):
                    yield decompressor.process(block[start : start + _BR_PIECE])
        except brotli.error as error:
            raise Undecodable(str(error)) from None
        if not decompressor.is_finished():
            raise Undecodable("it ends too early")

    return Coding("br", compress, decompress)


def _zstd() -> Coding | None:
    try:
        zstd = import_module("compression.zstd")
    except ImportError:
        return None

    def compress(blocks: Iterable[bytes]) -> Iterator[bytes]:
        # The highest level whose window stays within the 8 MB that browsers take (RFC 9659).
        compressor = zstd.ZstdCompressor(level=19)
        for block in blocks:
            yield compressor.compress(block)
        yield compressor.flush()

    def decompress(blocks: Iterable[bytes]) -> Iterator[bytes]:
        decompressor = zstd.ZstdDecompressor()
        try:
            for block in blocks:
                if decompressor.eof:
                    raise Undecodable("something follows the end")
                yield decompressor.decompress(block, BLOCK_SIZE)
                while not decompressor.eof and not decompressor.needs_input:
                    yield decompressor.decompress(b"", BLOCK_SIZE)
        except zstd.ZstdError as error:
            raise Undecodable(str(error)) from None
        if not decompressor.eof or decompressor.unused_data:
            raise Undecodable("it ends too early, or something follows")

    return Coding("zstd", compress, decompress)
