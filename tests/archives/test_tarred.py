from __future__ import annotations

import io
import tarfile

import pytest

from wsgikit.archives.members import Member
from wsgikit.archives.tarred import tarred


def file(path, content=b"", modified=1_714_550_400, **options):
    return Member(path, io.BytesIO(content), len(content), modified, **options)


def made(*members):
    return tarfile.open(fileobj=io.BytesIO(b"".join(tarred(members))), mode="r|gz")


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 100_000])
def test_files_and_folders(size):
    content = b"x" * size
    with made(Member("a/", None, modified=5), file("a/b", content), file("a/c", b"c")) as archive:
        found = [(info.name, info.isdir(), info.mtime) for info in (archive.next(),)]
        assert found == [("a", True, 5)]
        for path, expected in (("a/b", content), ("a/c", b"c")):
            info = archive.next()
            assert (info.name, info.mtime, info.isreg()) == (path, 1_714_550_400, True)
            assert archive.extractfile(info).read() == expected
        assert archive.next() is None


def test_it_tells_no_owner():
    with made(file("a"), file("b", executable=True), Member("c/", None)) as archive:
        members = archive.getmembers()
    assert [oct(info.mode) for info in members] == ["0o644", "0o755", "0o755"]
    assert {(info.uid, info.gid, info.uname, info.gname) for info in members} == {(0, 0, "", "")}


@pytest.mark.parametrize("path", ["é/€", "x" * 300, "a/" * 200 + "b"])
def test_long_and_foreign_names(path):
    with made(file(path, b"x")) as archive:
        assert archive.getnames() == [path]


@pytest.mark.parametrize("modified", [-1, 2**33, 10**15])
def test_any_time(modified):
    with made(file("a", modified=modified)) as archive:
        assert archive.next().mtime == modified


def test_it_is_the_same_whenever_it_is_made():
    assert b"".join(tarred([file("a", b"x")])) == b"".join(tarred([file("a", b"x")]))


def test_a_file_that_became_shorter():
    with pytest.raises(EOFError):
        list(tarred([Member("a", io.BytesIO(b"short"), 6)]))
