from __future__ import annotations

import gzip
import zlib
from importlib import import_module
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.encoders import LEVELS, MAX_PADDING, encoders


class Framed:
    """A ``compression.zstd`` for interpreters without one: what it was told, in square brackets."""

    FLUSH_BLOCK, FLUSH_FRAME = "|", "."

    def __init__(self, level):
        self.level = level

    def compress(self, data, mode):
        return b"[%d %b%b]" % (self.level, data, mode.encode())


ZSTD = SimpleNamespace(ZstdCompressor=Framed)


def with_zstd(name):
    assert name == "compression.zstd"
    return ZSTD


def without_zstd(name):
    raise ImportError(name)


def unframed(encoded):
    parts = encoded.decode("latin-1").strip("[]").split("][")
    return "".join(part.partition(" ")[2][:-1] for part in parts).encode("latin-1")


DECODERS = {
    "gzip": lambda: zlib.decompressobj(16 + zlib.MAX_WBITS),
    "deflate": lambda: zlib.decompressobj(zlib.MAX_WBITS),
}


def test_the_best_comes_first():
    assert list(encoders(6, load=with_zstd)) == ["zstd", "gzip", "deflate"]
    assert list(encoders(6, load=without_zstd)) == ["gzip", "deflate"]
    assert list(encoders(6, padding=1, load=with_zstd)) == ["gzip"]


def test_the_interpreter_says_what_there_is():
    try:
        from compression import zstd  # noqa: F401
    except ImportError:
        assert list(encoders(6)) == ["gzip", "deflate"]
    else:
        assert list(encoders(6)) == ["zstd", "gzip", "deflate"]


blocks = st.lists(st.binary(max_size=300), max_size=5)


@pytest.mark.parametrize(
    ("coding", "padding"), [("deflate", 0), ("gzip", 0), ("gzip", 1), ("gzip", MAX_PADDING)]
)
@given(given=blocks, last=st.binary(max_size=300), level=st.sampled_from(LEVELS))
def test_what_is_encoded_is_decoded(coding, padding, given, last, level):
    encoder, decoder = encoders(level, padding, without_zstd)[coding](), DECODERS[coding]()
    for block in given:
        assert decoder.decompress(encoder.feed(block)) == block  # to its end
    assert decoder.decompress(encoder.finish(last)) + decoder.flush() == last
    assert (decoder.eof, decoder.unused_data) == (True, b"")


@given(given=blocks, last=st.binary(max_size=300))
def test_zstd_flushes_each_block_and_ends_its_frame(given, last):
    encoder = encoders(3, load=with_zstd)["zstd"]()
    for block in given:
        assert encoder.feed(block) == b"[3 %b|]" % block
    assert encoder.finish(last) == b"[3 %b.]" % last


def real_zstd(name):
    """compression.zstd, where need be as it is for interpreters that lack it."""
    try:
        return import_module(name)
    except ImportError:
        return import_module("backports.zstd")


@given(given=blocks, last=st.binary(max_size=300), level=st.sampled_from(LEVELS))
def test_zstd_is_read_up_to_each_block(given, last, level):
    encoder = encoders(level, load=real_zstd)["zstd"]()
    decoder = real_zstd("compression.zstd").ZstdDecompressor()
    for block in given:
        assert decoder.decompress(encoder.feed(block)) == block
    assert decoder.decompress(encoder.finish(last)) == last
    assert (decoder.eof, decoder.unused_data) == (True, b"")


@pytest.mark.parametrize("level", LEVELS)
def test_the_window_of_zstd_is_no_larger_than_browsers_take(level):
    # RFC 9659, section 3; the head of a frame is that of RFC 8878, section 3.1.1.1.
    whole = encoders(level, load=real_zstd)["zstd"]().finish(bytes(9 * 1024 * 1024))
    descriptor, window = whole[4:6]
    assert descriptor & 0x20 == 0  # not in one segment, whose window would be all of the content
    assert 1 << (10 + (window >> 3)) <= 8 * 1024 * 1024


@pytest.mark.parametrize("coding", ["zstd", *DECODERS])
def test_an_end_needs_no_block(coding):
    encoder = encoders(6, load=with_zstd)[coding]()
    assert encoder.finish() == encoders(6, load=with_zstd)[coding]().finish(b"")


def test_the_same_blocks_give_the_same_octets():
    one, two = (encoders(6)["gzip"]().finish(b"content" * 100) for _ in range(2))
    assert one == two
    assert one[3:8] == b"\0\0\0\0\0"  # neither a name nor a time


def test_a_higher_level_saves_more():
    text = b"".join(b"%d squared is %d; " % (n, n * n) for n in range(2000))
    fast, small = (len(encoders(level)["gzip"]().finish(text)) for level in (1, 9))
    assert small < fast < len(text) / 2


def test_padding_is_random_and_bounded():
    plain = len(encoders(6)["gzip"]().finish(b"content"))
    make = encoders(6, padding=20)["gzip"]
    lengths = {len(make().finish(b"content")) - plain for _ in range(1000)}
    assert lengths == set(range(1, 21))


def test_padding_is_a_name_in_the_head():
    make = encoders(6, padding=MAX_PADDING)["gzip"]
    encoded = next(each for _ in range(1000) if (each := make().finish(b"content"))[10])
    assert encoded[3] == 8
    assert set(encoded[10 : encoded.index(b"\0", 10)]) == {ord("a")}
    assert gzip.decompress(encoded) == b"content"
