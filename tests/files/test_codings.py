from __future__ import annotations

import gzip as standard
import sys
from importlib import import_module

import brotli
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


@pytest.fixture
def zstd(monkeypatch):
    """compression.zstd, where need be as it is for interpreters that lack it."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            module = import_module(name)
        except ImportError:
            continue
        monkeypatch.setitem(sys.modules, "compression.zstd", module)
        return module
    raise AssertionError("the extra test has neither")


@pytest.fixture
def neither(monkeypatch):
    monkeypatch.setitem(sys.modules, "brotli", None)
    monkeypatch.setitem(sys.modules, "compression.zstd", None)


@pytest.fixture
def codings(zstd):
    """All of them."""
    return {coding.name: coding for coding in available()}


def pieces(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


def test_gzip_is_always_there(neither):
    assert available() == [GZIP]


def test_the_others_are_where_there_are_modules(codings):
    assert {name: coding.suffix for name, coding in codings.items()} == SUFFIXES
    assert repr(codings["br"]) == "<Coding br>"


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


def test_little_is_not_unpacked_to_much_at_once(codings):
    compressor = brotli.Compressor(quality=5)
    coded = b"".join(compressor.process(bytes(2**20)) for _ in range(256)) + compressor.finish()
    assert len(coded) < 4096
    sizes = [len(block) for block in codings["br"].decompress([coded])]
    assert sum(sizes) == 2**28
    assert max(sizes) <= 2**25


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
    try:
        decoded = b"".join(codings[name].decompress(pieces(damage(coded), size)))
    except Undecodable:
        return
    assert name != "gzip"  # the others have no checksum here: what is damaged may be read
    assert decoded != content  # and is not taken for what it is not


@given(st.binary(), st.integers(1, 100))
def test_any_octets_are_decoded_or_undecodable(data, size):
    try:
        decoded = b"".join(GZIP.decompress(pieces(data, size)))
    except Undecodable:
        return
    assert standard.decompress(data) == decoded


@pytest.mark.parametrize("name", SUFFIXES)
def test_they_are_read_by_others(codings, zstd, name):
    read = {"gzip": standard.decompress, "br": brotli.decompress, "zstd": zstd.decompress}[name]
    data = b"content of several blocks, " * 9_000
    coded = b"".join(codings[name].compress(pieces(data, BLOCK_SIZE)))
    assert read(coded) == data
    assert len(coded) < 2_000


def test_a_window_is_no_larger_than_browsers_take(codings, zstd):
    # RFC 9659, section 3; the head of a frame is that of RFC 8878, section 3.1.1.1.
    coded = b"".join(codings["zstd"].compress(pieces(bytes(20_000_000), BLOCK_SIZE)))
    descriptor, window = coded[4:6]
    assert descriptor & 0x20 == 0  # not in one segment, whose window would be all of the content
    assert 1 << (10 + (window >> 3)) <= 8 * 1024 * 1024


def test_gzip_is_reproducible():
    coded = b"".join(GZIP.compress([b"con", b"tent"]))
    assert coded[:10] == b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"  # no flags, no time
    assert standard.decompress(coded) == b"content"
    assert b"".join(gzip([b"content"], level=0)) != coded
