from __future__ import annotations

import errno
import os
from io import BytesIO

import pytest

from wsgikit.files.representation import Opened, Packaged, Representation, Stored
from wsgikit.files.versions import Changed, identity_of
from wsgikit.http.etags import ETag
from wsgikit.trees.opening import TROUBLE

FIELDS = [
    ("Content-Type", "text/css"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Disposition", "inline"),
    ("Cache-Control", "no-cache"),
    ("Content-Security-Policy", "sandbox"),
    ("Vary", "Accept-Encoding"),
    ("Content-Encoding", "gzip"),
]


def test_what_each_status_says():
    shown = Representation(FIELDS, 7, ETag("a"), 784111777)
    assert shown.whole == [
        *FIELDS,
        ("ETag", '"a"'),
        ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("Accept-Ranges", "bytes"),
        ("Content-Length", "7"),
    ]
    assert shown.known is None
    assert shown.lasting() == [
        ("Cache-Control", "no-cache"),
        ("Content-Security-Policy", "sandbox"),
        ("Vary", "Accept-Encoding"),
        ("ETag", '"a"'),
    ]
    assert shown.known == shown.lasting()
    assert shown.media() == "text/css"


def test_what_has_no_date_and_no_type():
    shown = Representation([], 7, ETag("a"), None)
    assert [name for name, _ in shown.whole] == ["ETag", "Accept-Ranges", "Content-Length"]
    assert (shown.date, shown.media()) == (None, "")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"content")
    return path


def stored(path):
    return Stored(FIELDS, os.stat(path), ETag("a"), None, str(path))


def test_a_stored_file_is_opened_anew(path):
    shown = stored(path)
    for _ in range(2):
        with shown.open() as file:
            assert file.read() == b"content"
            assert not os.get_inheritable(file.fileno())


def fifo(path):
    path.unlink()
    os.mkfifo(path)  # to open it must not hold anybody


CHANGES = {
    "written": lambda path: path.write_bytes(b"other"),
    "gone": os.unlink,
    "fifo": fifo,
    "folder": lambda path: (path.unlink(), path.mkdir()),
    "loop": lambda path: (path.unlink(), path.symlink_to(path)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_stored_file_that_changed(path, change):
    shown = stored(path)
    before = os.listdir("/dev/fd")
    change(path)
    with pytest.raises(Changed):
        shown.open()
    assert os.listdir("/dev/fd") == before


@pytest.mark.parametrize("number", TROUBLE)
def test_trouble_of_the_server_is_told_as_such(path, monkeypatch, number):
    def fail(path, flags):
        raise OSError(number, os.strerror(number))

    shown = stored(path)
    monkeypatch.setattr("wsgikit.files.representation.os.open", fail)
    with pytest.raises(OSError, match=os.strerror(number)):
        shown.open()
    assert errno.ENOENT not in TROUBLE


def test_an_open_file_is_taken_once(path):
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        shown = Opened(FIELDS, status, ETag("a"), None, file)
        assert not shown.taken
        assert shown.open() is file
        assert shown.taken
        assert shown.identity == identity_of(status)


def test_a_packaged_file():
    shown = Packaged(FIELDS, 7, ETag("a"), lambda: BytesIO(b"content"))
    assert shown.open().read() == b"content"
    assert (shown.identity, shown.modified) == (None, None)
