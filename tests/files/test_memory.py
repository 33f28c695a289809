from __future__ import annotations

import os

import pytest

from wsgikit.files.memory import LARGEST, Memory
from wsgikit.files.representation import Stored
from wsgikit.files.versions import Changed
from wsgikit.http.etags import ETag


@pytest.fixture
def stored(tmp_path):
    """Makes a file of so many bytes."""

    def make(size):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        path.write_bytes(b"x" * size)
        return Stored([], os.stat(path), ETag("a"), None, str(path))

    return make


def test_a_content_is_kept_and_dropped(stored):
    memory = Memory(1000, evicts=True)
    shown = stored(100)
    memory.keep(shown, b"x" * 100)
    assert shown.content == (b"x" * 100,)
    assert memory.size == 100
    memory.keep(shown, b"x" * 100)
    assert memory.size == 100
    memory.drop(shown)
    memory.drop(shown)
    assert (memory.size, shown.content) == (0, None)


def test_the_limit_holds_and_the_oldest_goes(stored):
    memory = Memory(250, evicts=True)
    files = [stored(100) for _ in range(3)]
    for shown in files:
        memory.keep(shown, b"x" * 100)
        assert memory.size <= 250
    assert [shown.content is not None for shown in files] == [False, True, True]


def test_what_is_in_use_stays(stored):
    memory = Memory(250, evicts=True)
    first, second, third = [stored(100) for _ in range(3)]
    memory.keep(first, b"x" * 100)
    memory.keep(second, b"x" * 100)
    memory.renew(first)
    memory.keep(third, b"x" * 100)
    assert [shown.content is not None for shown in (first, second, third)] == [True, False, True]
    memory.renew(second)  # read again
    assert [shown.content is not None for shown in (first, second, third)] == [False, True, True]


def test_without_eviction_the_first_stay(stored):
    memory = Memory(250, evicts=False)
    files = [stored(100) for _ in range(3)]
    for shown in files:
        memory.keep(shown, b"x" * 100)
    memory.renew(files[2])
    assert [shown.content is not None for shown in files] == [True, True, False]


def test_large_files_are_not_kept(stored):
    memory = Memory(10 * LARGEST, evicts=True)
    for size, kept in ((LARGEST, True), (LARGEST + 1, False)):
        shown = stored(size)
        memory.keep(shown, b"x" * size)
        assert (shown.content is not None) is kept
        memory.renew(shown)
        assert (shown.content is not None) is kept


def test_nothing_is_kept_in_no_memory(stored):
    memory = Memory(0, evicts=True)
    for size in (0, 1):
        shown = stored(size)
        memory.keep(shown, b"x" * size)
        memory.renew(shown)
        assert shown.content is None


def test_what_is_no_longer_the_content_is_not_kept(stored):
    memory = Memory(1000, evicts=True)
    shown = stored(100)
    memory.keep(shown, b"x" * 99)
    assert shown.content is None
    with open(shown.path, "ab") as file:
        file.write(b"x")
    with pytest.raises(Changed):
        memory.renew(shown)
