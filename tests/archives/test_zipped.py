from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.archives import zipped as module
from wsgikit.archives.members import Member
from wsgikit.archives.zipped import zipped


def file(path, content=b"", modified=1_714_550_400, **options):
    return Member(path, io.BytesIO(content), len(content), modified, **options)


def made(*members):
    return zipfile.ZipFile(io.BytesIO(b"".join(zipped(members))))


def contents(archive):
    assert archive.testzip() is None
    return {info.filename: archive.read(info) for info in archive.infolist()}


def stream(data):
    """Unpack as a program does that reads from front to end and knows no directory."""
    found = {}
    while data[:4] == b"PK\3\4":
        _, flags, method, *_, names, extras = struct.unpack_from("<4x5H3L2H", data)
        name, data = data[30 : 30 + names].decode(), data[30 + names + extras :]
        if method == 0:
            assert flags & 8 == 0
            found[name] = None
            continue
        inflate = zlib.decompressobj(-15)
        found[name] = inflate.decompress(data)
        data = inflate.unused_data
        signature, checksum, _, size = struct.unpack_from("<4s3L", data)
        assert (signature, checksum, size) == (
            b"PK\7\10",
            zlib.crc32(found[name]),
            len(found[name]),
        )
        data = data[16:]
    assert data[:4] in (b"PK\1\2", b"PK\5\6")
    return found


def test_files_and_folders():
    archive = made(Member("a/", None), file("a/b.txt", b"text"), file("a/c.bin", bytes(100_000)))
    assert contents(archive) == {"a/": b"", "a/b.txt": b"text", "a/c.bin": bytes(100_000)}
    assert [info.is_dir() for info in archive.infolist()] == [True, False, False]


def test_it_can_be_unpacked_while_it_arrives():
    members = [Member("a/", None), file("a/b.txt", b"text" * 9), file("a/c.jpg", b"\xff\xd8" * 99)]
    data = b"".join(zipped(members))
    assert stream(data) == {"a/": None, "a/b.txt": b"text" * 9, "a/c.jpg": b"\xff\xd8" * 99}


def test_what_is_compressed_in_itself_is_not_compressed():
    text, image = made(file("a.txt", bytes(50_000)), file("a.jpg", bytes(50_000))).infolist()
    assert text.compress_size < 200
    assert 50_000 < image.compress_size < 50_100


def test_an_empty_archive():
    assert contents(made()) == {}


def test_times():
    (info,) = made(file("a", modified=1_714_550_401)).infolist()
    assert info.extra == struct.pack("<2HBl", 0x5455, 5, 1, 1_714_550_401)
    assert info.date_time[0] == 2024


@pytest.mark.parametrize("modified", [0, -1, 2**31, 4_354_819_200, 10**12, -(10**12), 10**30])
def test_times_that_the_format_does_not_have(modified):
    (info,) = made(file("a", b"x", modified=modified)).infolist()
    assert 1980 <= info.date_time[0] <= 2107
    assert bool(info.extra) == (abs(modified) < 2**31)


def test_modes():
    archive = made(file("a"), file("b", executable=True), Member("c/", None))
    modes = [stat.filemode(info.external_attr >> 16) for info in archive.infolist()]
    assert modes == ["-rw-r--r--", "-rwxr-xr-x", "drwxr-xr-x"]


def test_a_file_that_became_shorter():
    with pytest.raises(EOFError):
        list(zipped([Member("a", io.BytesIO(b"short"), 6)]))


def test_a_file_that_grows_is_sent_as_it_was():
    assert contents(made(Member("a", io.BytesIO(b"longer"), 4))) == {"a": b"long"}


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1),
        st.binary(),
    )
)
def test_any_names_and_contents(files):
    data = b"".join(zipped(file(f"top/{name}", content) for name, content in files.items()))
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert contents(archive) == {f"top/{name}": content for name, content in files.items()}


# Zip64


def test_more_members_than_two_bytes_count():
    archive = made(*(Member(f"{number}/", None) for number in range(65_536)))
    assert len(archive.namelist()) == 65_536


@pytest.mark.parametrize("most", [1, 10, 100])
def test_what_four_bytes_do_not_hold(monkeypatch, most):
    monkeypatch.setattr(module, "_MOST", most)  # as if they held less
    members = [file("a.txt", b"text" * 9), file("b.txt", b""), Member("c/", None)]
    archive = made(*members)
    assert contents(archive) == {"a.txt": b"text" * 9, "b.txt": b"", "c/": b""}


def test_a_large_file_has_large_sizes_behind_it(monkeypatch):
    monkeypatch.setattr(module, "_LARGE", 10)
    data = b"".join(zipped([file("a.txt", b"text" * 9), file("b.txt", b"text")]))
    assert contents(zipfile.ZipFile(io.BytesIO(data))) == {"a.txt": b"text" * 9, "b.txt": b"text"}
    versions = [struct.unpack_from("<H", data, at + 4)[0] for at in (0, data.index(b"PK\3\4", 4))]
    assert versions == [45, 20]
    descriptor = data.index(b"PK\7\10")
    assert struct.unpack_from("<2Q", data, descriptor + 8)[1] == 36
    assert data[descriptor + 24 : descriptor + 28] == b"PK\3\4"
