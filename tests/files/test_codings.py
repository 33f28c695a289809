from __future__ import annotations

import gzip as standard
import sys
import zlib
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.files.codings import (
    GZIP,
    SUFFIXES,
    Undecodable,
    available,
    gzip,
)
from wsgikit.trees.opening import BLOCK_SIZE


class Deflating:
    """Stands in for the compressors of brotli and zstd: their methods, with gzip behind them."""

    def __init__(self, **options):
        self._deflate = zlib.compressobj(wbits=31)

    def compress(self, data):
        return self._deflate.compress(data)

    def flush(self):
        return self._deflate.flush()

    process, finish = compress, flush


class Inflating:
    """Stands in for their decompressors."""

    def __init__(self):
        self._inflate = zlib.decompressobj(31)

    @property
    def eof(self):
        return self._inflate.eof

    @property
    def unused_data(self):
        return self._inflate.unused_data

    @property
    def needs_input(self):
        return not self._inflate.unconsumed_tail and not self.eof

    def decompress(self, data, max_length):
        return self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)

    def process(self, data):
        if self.eof:
            raise zlib.error("finished")
        content = self._inflate.decompress(data)
        if self.unused_data:
            raise zlib.error("excess input")
        return content

    def is_finished(self):
        return self.eof


@pytest.fixture
def brotli(monkeypatch):
    module = ModuleType("brotli")
    module.Compressor, module.Decompressor, module.error = Deflating, Inflating, zlib.error
    monkeypatch.setitem(sys.modules, "brotli", module)


@pytest.fixture
def zstd(monkeypatch):
    module = ModuleType("compression.zstd")
    module.ZstdCompressor, module.ZstdDecompressor = Deflating, Inflating
    module.ZstdError = zlib.error
    monkeypatch.setitem(sys.modules, "compression.zstd", module)


@pytest.fixture
def neither(monkeypatch):
    monkeypatch.setitem(sys.modules, "brotli", None)
    monkeypatch.setitem(sys.modules, "compression.zstd", None)


@pytest.fixture
def codings(brotli, zstd):
    """All of them, whatever is installed."""
    return {coding.name: coding for coding in available()}


def pieces(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


def test_gzip_is_always_there(neither):
    assert available() == [GZIP]


def test_the_others_are_where_there_are_modules(codings):
    assert {name: coding.suffix for name, coding in codings.items()} == SUFFIXES
    assert repr(codings["br"]) == "<Coding br>"


def test_those_that_are_really_here():
    data = b"content " * 10_000
    for coding in available():
        coded = b"".join(coding.compress(pieces(data, BLOCK_SIZE)))
        assert len(coded) < 1000
        assert b"".join(coding.decompress([coded])) == data


@pytest.mark.parametrize("name", SUFFIXES)
@pytest.mark.parametrize("size", [1, 7, 4096])
@pytest.mark.parametrize("data", [b"", b"a", b"content " * 50_000], ids=["empty", "a", "long"])
def test_there_and_back(codings, name, size, data):
    coding = codings[name]
    coded = b"".join(coding.compress(pieces(data, BLOCK_SIZE)))
    blocks = list(coding.decompress(pieces(coded, size)))
    assert b"".join(blocks) == data
    if name != "br":  # whose module has no limit that all of its versions know
        assert max(map(len, blocks), default=0) <= BLOCK_SIZE


@pytest.mark.parametrize("name", SUFFIXES)
@pytest.mark.parametrize("size", [1, 4096])
@pytest.mark.parametrize(
    "damage",
    [
        lambda coded: coded[:-1],
        lambda coded: b"",
        lambda coded: coded + b"more",
        lambda coded: b"no such coding",
        lambda coded: coded[:20] + b"\xff" * 9 + coded[29:],
    ],
    ids=["cut", "empty", "more", "other", "damaged"],
)
@pytest.mark.parametrize("count", [1, 9_999])
def test_what_is_not_wholly_in_the_coding(codings, name, size, damage, count):
    content = b"content of some length, and of some variety" * count
    coded = b"".join(codings[name].compress([content]))
    with pytest.raises(Undecodable):
        list(codings[name].decompress(pieces(damage(coded), size)))


@given(st.binary(), st.integers(1, 100))
def test_any_octets_are_decoded_or_undecodable(data, size):
    try:
        decoded = b"".join(GZIP.decompress(pieces(data, size)))
    except Undecodable:
        return
    assert standard.decompress(data) == decoded


def test_gzip_is_reproducible():
    coded = b"".join(GZIP.compress([b"con", b"tent"]))
    assert coded[:10] == b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"  # no flags, no time
    assert standard.decompress(coded) == b"content"
    assert b"".join(gzip([b"content"], level=0)) != coded
