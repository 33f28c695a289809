from __future__ import annotations

import os
from hashlib import sha256
from io import BytesIO
from zlib import crc32

import pytest

import wsgikit.files.content
from wsgikit.files.content import read
from wsgikit.files.versions import Changed, Grown


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 200_000])
@pytest.mark.parametrize("wanted", [-1, 0, 65536, 1_000_000])
def test_a_content(tmp_path, size, wanted):
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)
    with open(tmp_path / "file", "rb") as file:
        content = read(file, os.fstat(file.fileno()), wanted, stored=True)
    assert content.digest == sha256(data).hexdigest()
    assert str(content.etag) == f'"{content.digest[:32]}"'
    assert content.checksum == crc32(data)
    assert content.data == (data if size <= wanted else None)


def test_a_large_file_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(wsgikit.files.content, "DIGEST_LIMIT", 10)
    (tmp_path / "file").write_bytes(b"x" * 11)
    with open(tmp_path / "file", "rb") as file:
        status = os.fstat(file.fileno())
        content = read(file, status, 100, stored=True)
        assert file.tell() == 0
        assert (content.digest, content.checksum, content.data) == ("", None, None)
        assert f"{status.st_mtime_ns:x}" in content.etag.value
        # What is no file of the system has no times: a digest it has to be.
        assert read(file, status, 0, stored=False).digest == sha256(b"x" * 11).hexdigest()


@pytest.mark.parametrize("data", [b"", b"shorter", b"something longer"])
def test_another_length_than_was_told(tmp_path, data):
    (tmp_path / "file").write_bytes(b"as it was")
    status = os.stat(tmp_path / "file")
    with pytest.raises(Changed):
        read(BytesIO(data), status, 100, stored=False)


def test_an_endless_file_is_not_read_to_its_end(tmp_path):
    class Endless:
        blocks = 0

        def read(self, size):
            self.blocks += 1
            return bytes(size)

    (tmp_path / "file").write_bytes(b"as it was")
    endless = Endless()
    with pytest.raises(Changed):
        read(endless, os.stat(tmp_path / "file"), 0, stored=False)
    assert endless.blocks == 1


@pytest.mark.parametrize("size", [0, 9, 300_000])
def test_a_file_that_grows_meanwhile(tmp_path, size):
    path = tmp_path / "file"
    path.write_bytes(bytes(size))
    with open(path, "rb") as file, open(path, "ab", buffering=0) as log:
        status = os.fstat(file.fileno())
        log.write(b"one more line")
        with pytest.raises(Grown):
            read(file, status, 100, stored=True)
        assert file.tell() < 200_000  # the rest is read for nothing


def test_a_file_that_is_written_to_meanwhile(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"as it was")
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        os.utime(path, (1, 1))
        with pytest.raises(Changed):
            read(file, status, 100, stored=True)
