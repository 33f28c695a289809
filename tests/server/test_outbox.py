from __future__ import annotations

import gzip
import io
import os
import selectors
import socket

import pytest

from wsgikit.server import outbox
from wsgikit.server.body import Disconnected
from wsgikit.server.outbox import FileSlice, Outbox, plain_file, wait_for


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    yield ours, theirs
    ours.close()
    theirs.close()


def fill(ours, size):
    while True:
        ours.send(b"x" * size)


def drained(theirs, count):
    data = b""
    while len(data) < count:
        data += theirs.recv(count - len(data))
    return data


@pytest.mark.parametrize("gather", [True, False])
def test_what_is_not_taken_is_sent_later(pair, gather, monkeypatch):
    monkeypatch.setattr(outbox, "CAN_GATHER", gather)
    ours, theirs = pair
    box = Outbox(ours)
    blocks = [b"head", b"a" * 3_000_000, b"b" * 10]
    box.send(*blocks)
    assert box.rest
    assert 0 < box.size < 3_000_014
    box.send(b"next")
    got = b""
    while not box.flush():
        got += drained(theirs, 1000)
    assert got + drained(theirs, 3_000_018 - len(got)) == b"".join(blocks) + b"next"
    assert (bool(box.rest), box.size) == (False, 0)


def test_a_socket_that_takes_nothing(pair):
    ours, _ = pair
    for size in (65536, 1):
        with pytest.raises(BlockingIOError):
            fill(ours, size)
    box = Outbox(ours)
    box.send(b"more")
    assert box.size == 4
    box.close()
    assert not box.rest


@pytest.mark.parametrize("later", [False, True])
def test_a_client_that_is_gone(pair, later):
    ours, theirs = pair
    box = Outbox(ours)
    if later:
        box.send(b"x" * 3_000_000)
    theirs.close()
    with pytest.raises(Disconnected):
        box.flush() if later else box.send(b"x")


def test_a_file_goes_between_blocks(pair, tmp_path):
    ours, theirs = pair
    (tmp_path / "file").write_bytes(b"0123456789")
    box = Outbox(ours)
    with (tmp_path / "file").open("rb") as file:
        box.send_file(FileSlice(file.fileno(), 2, 5))
    assert box.file_next
    box.send(b"end")
    assert box.flush()
    assert drained(theirs, 8) == b"23456end"


def test_a_file_that_is_not_sent_is_closed(pair, tmp_path):
    (tmp_path / "file").write_bytes(b"0123456789")
    box = Outbox(pair[0])
    with (tmp_path / "file").open("rb") as file:
        box.send_file(FileSlice(file.fileno(), 0, 10))
        fd = box.rest[0]._fd
    box.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_plain_files(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        file.read(3)
        assert plain_file(file) == (file.fileno(), 3, 7)
    with path.open("r+b", buffering=0) as file:
        file.seek(99)
        assert plain_file(file) == (file.fileno(), 99, 0)


def test_files_that_are_not_plain(tmp_path, monkeypatch):
    path = tmp_path / "file"
    with gzip.open(path, "wb") as file:
        file.write(b"0")
    with gzip.open(path) as file:
        assert plain_file(file) is None
    assert plain_file(io.BytesIO()) is None
    reading, writing = os.pipe()
    os.close(writing)
    with open(reading, "rb") as file:
        assert plain_file(file) is None
    monkeypatch.setattr(outbox, "CAN_SEND_FILES", False)
    with path.open("rb") as file:
        assert plain_file(file) is None


def test_waiting_has_an_end(pair):
    ours, theirs = pair
    assert not wait_for(ours, selectors.EVENT_READ, 0.01)
    assert not wait_for(ours, selectors.EVENT_WRITE, -1)
    assert wait_for(ours, selectors.EVENT_WRITE, 1e9)
    theirs.send(b"x")
    assert wait_for(ours, selectors.EVENT_READ, 10)


@pytest.mark.skipif(not outbox.CAN_SEND_FILES, reason="the system sends no files")
def test_a_file_that_cannot_be_read_is_told(pair, tmp_path, caplog):
    folder = os.open(tmp_path, os.O_RDONLY)
    part = FileSlice(folder, 0, 10)
    os.close(folder)
    box = Outbox(pair[0])
    box.send_file(part)
    with pytest.raises(Disconnected, match="a file could not be sent"):
        box.flush()
    box.close()
    (told,) = caplog.messages
    assert told.startswith("The last 10 bytes of a file could not be sent: ")


def test_a_turn_ends_after_a_while_and_before_a_file(pair, tmp_path, monkeypatch):
    monkeypatch.setattr(outbox, "TURN", 25_000)
    (tmp_path / "file").write_bytes(b"f" * 10)
    ours, theirs = pair
    box = Outbox(ours)
    with pytest.raises(BlockingIOError):
        fill(ours, 1000)
    for letter in (b"a", b"b", b"c", b"d"):
        box.send(letter * 10_000)
    with (tmp_path / "file").open("rb") as file:
        box.send_file(FileSlice(file.fileno(), 0, 10))
    theirs.setblocking(False)
    there_is(theirs)
    assert (box.flush(turn=True), box.full, box.size) == (False, False, 10_000)
    assert (box.flush(turn=True), box.full, box.size) == (False, False, 0)
    assert (box.flush(turn=True), box.file_next, box.full) == (False, True, False)
    assert box.flush()
    pieces = [letter * 10_000 for letter in (b"a", b"b", b"c", b"d")]
    assert there_is(theirs) == b"".join(pieces) + b"f" * 10


def there_is(theirs):
    """What can be read now."""
    data = b""
    while True:
        try:
            data += theirs.recv(100_000)
        except BlockingIOError:
            return data
