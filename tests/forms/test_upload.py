from __future__ import annotations

import resource
from contextlib import contextmanager

import pytest

from wsgikit.forms.upload import Storage, Upload
from wsgikit.http.parts import Part

PART = Part("photo", "C:\\x.png", "image/png", b"")


@pytest.fixture(params=[1000, 0], ids=["memory", "disk"])
def storage(request):
    storage = Storage(request.param)
    yield storage
    storage.close()


def upload(storage, *blocks):
    made = Upload(PART, storage)
    for block in blocks:
        made.write(block)
    return made


def test_what_the_client_says(storage):
    made = upload(storage, b"abc")
    assert (made.name, made.content_type, made.size) == ("photo", "image/png", 3)
    assert (made.filename, made.original_filename) == ("x.png", "C:\\x.png")
    assert made.media_type.essence == "image/png"
    assert repr(made) == "<Upload 'photo' filename='C:\\\\x.png' size=3>"


def test_content(storage):
    made, other = upload(storage, b"abc", b"", b"def"), upload(storage, b"xyz")
    assert made.read() == made.read() == b"abcdef"
    assert b"".join(made) == b"abcdef"
    assert other.read() == b"xyz"
    assert upload(storage).read() == b""


def test_readers_are_independent(storage):
    made = upload(storage, b"abcdef")
    with made.open() as first, made.open() as second:
        assert first.read(3) == b"abc"
        assert second.read(2) == b"ab"
        assert first.read() == b"def"
        assert first.seek(1) == 1
        assert first.read() == b"bcdef"


def test_blocks_are_of_limited_size(storage):
    made = upload(storage, b"x" * 300_000)
    assert [len(block) for block in made] == [131072, 131072, 37856]


def test_save(storage, tmp_path):
    made = upload(storage, b"abc")
    path = tmp_path / "x"
    made.save(path)
    assert path.read_bytes() == b"abc"
    with pytest.raises(FileExistsError):
        upload(storage, b"new").save(str(path))
    assert path.read_bytes() == b"abc"
    upload(storage, b"new").save(path, replace=True)
    assert path.read_bytes() == b"new"


@contextmanager
def full(size=100_000):
    """No file gets larger, as if the disk were full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("size", [100_001, 300_000])
def test_of_a_file_that_cannot_be_written_nothing_is_left(size, replace, storage, tmp_path):
    made = upload(storage, b"x" * size)
    path = tmp_path / "x"
    with full(), pytest.raises(OSError, match="File too large"):
        made.save(path, replace=replace)
    assert [*tmp_path.iterdir()] == []
    made.save(path)
    assert path.stat().st_size == size


def test_a_file_that_was_there_is_not_taken_away(storage, tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"old")
    made = upload(storage, b"x" * 100_001)
    with full(), pytest.raises(OSError, match="File too large"):
        made.save(path, replace=True)
    assert path.exists()
    upload(storage, b"new").save(path, replace=True)
    assert path.read_bytes() == b"new"


def test_a_file_that_somebody_else_has_taken_away(storage, tmp_path):
    path = tmp_path / "x"

    class Gone(Upload):
        def __iter__(self):
            path.unlink()
            raise InterruptedError

    with pytest.raises(InterruptedError):
        Gone(PART, storage).save(path)
    assert not path.exists()


def test_what_is_gone_is_not_saved(storage, tmp_path):
    made = upload(storage, b"abc")
    storage.close()
    with pytest.raises(ValueError, match="the upload 'photo' is gone"):
        made.save(tmp_path / "x")
    assert [*tmp_path.iterdir()] == []


def test_what_is_gone(storage):
    made = upload(storage, b"abc")
    storage.close()
    storage.close()
    for use in (made.open, made.read, lambda: [*made]):
        with pytest.raises(ValueError, match="the upload 'photo' is gone"):
            use()


def test_memory_is_used_up_to_a_bound():
    storage = Storage(10)
    first = upload(storage, b"12345")
    assert storage.spool is None
    second = upload(storage, b"1234", b"56")
    assert storage.spool is not None
    # What did not fit has given its room back.
    spooled = storage.spool.size
    third = upload(storage, b"12345")
    assert storage.spool.size == spooled
    assert storage.room == 0
    assert [first.read(), second.read(), third.read()] == [b"12345", b"123456", b"12345"]
    storage.close()
