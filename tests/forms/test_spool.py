from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from io import SEEK_CUR, SEEK_END
from mmap import PAGESIZE

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.forms.spool import Spool


@pytest.fixture
def spool():
    spool = Spool()
    yield spool
    spool.close()


def add(spool, *blocks):
    """Append a content; return what opens it."""
    start = spool.begin([*blocks[:1]])
    for block in blocks[1:]:
        spool.write(block)
    return start, sum(map(len, blocks))


def test_contents_are_read_as_they_were_written(spool):
    first, second = add(spool, b"abc", b"def"), add(spool, b"x" * 100_000, b"y")
    empty = add(spool)
    assert spool.open(*first).read() == b"abcdef"
    assert spool.open(*second).read() == b"x" * 100_000 + b"y"
    assert spool.open(*empty).read() == b""


@given(st.lists(st.lists(st.binary(max_size=300), max_size=3), max_size=5))
def test_any_contents(contents):
    spool = Spool()
    try:
        places = [add(spool, *blocks) for blocks in contents]
        for place, blocks in zip(places, contents, strict=True):
            assert spool.open(*place).read() == b"".join(blocks)
    finally:
        spool.close()


def test_what_follows_the_first_blocks_stands_on_a_page(spool):
    add(spool, b"12345", b"6")
    spool.begin([b"a" * 5000])
    assert spool.size % PAGESIZE == 0


def test_a_reader_seeks_like_a_file(spool):
    place = add(spool, b"0123456789")
    reader = spool.open(*place)
    assert reader.seekable()
    assert reader.readable()
    assert not reader.writable()
    assert reader.seek(-3, SEEK_END) == 7
    assert reader.read() == b"789"
    assert reader.seek(2) == 2
    assert reader.seek(3, SEEK_CUR) == reader.tell() == 5
    assert reader.read(2) == b"56"
    assert reader.seek(20) == 20
    assert reader.read() == b""
    with pytest.raises(ValueError, match="negative"):
        reader.raw.seek(-1)


def test_readers_in_many_threads(spool):
    contents = [bytes([number]) * 300_000 for number in range(8)]
    places = [add(spool, content) for content in contents]

    def read(place):
        with spool.open(*place) as reader:
            return b"".join(iter(lambda: reader.read(1000), b""))

    with ThreadPoolExecutor(8) as threads:
        assert [*threads.map(read, places)] == contents


def test_a_closed_spool(spool):
    reader = spool.open(*add(spool, b"abc"))
    spool.close()
    spool.close()
    with pytest.raises(ValueError, match="closed"):
        reader.read()
    with pytest.raises(ValueError, match="closed"):
        spool.write(b"a")


def test_a_forgotten_spool_is_closed_without_a_warning():
    spool = Spool()
    file = spool._file
    del spool
    gc.collect()
    assert file.closed


def test_no_file_is_left_in_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    spool = Spool()
    spool.write(b"a")
    assert [*tmp_path.iterdir()] == []
    spool.close()


def test_a_write_that_takes_only_a_part(spool):
    class Slow:
        """A file that takes three bytes at once, as one does when the disk is nearly full."""

        def __init__(self):
            self.data = b""

        def write(self, block):
            self.data += block[:3]
            return len(block[:3])

        def close(self):
            pass

    spool.close()
    spool._file = Slow()
    spool.write(b"0123456789")
    assert spool._file.data == b"0123456789"
    assert spool.size == 10
