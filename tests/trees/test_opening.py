"""Only regular files are opened, and nothing that is opened holds the request."""

from __future__ import annotations

import os

import pytest

from wsgikit.trees.opening import open_file

DATA = b"content"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(DATA)
    return path


def test_what_was_opened_is_described(path):
    file, status = open_file(path)
    with file:
        assert status.st_size == len(DATA)
        assert os.path.samestat(status, os.stat(path))
        assert not os.get_inheritable(file.fileno())


def test_a_directory_is_no_file(tmp_path):
    with pytest.raises(OSError, match="file"):
        open_file(tmp_path)


def test_a_fifo_is_no_file_and_holds_nobody(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(FileNotFoundError, match="not a regular file"):
        open_file(tmp_path / "fifo")


def test_a_device_is_no_file():
    with pytest.raises(FileNotFoundError, match="not a regular file"):
        open_file(os.devnull)


def test_what_is_not_there_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_file(tmp_path / "nothing")
