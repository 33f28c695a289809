from __future__ import annotations

import os
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.files.send import BLOCK_SIZE, open_file, send_file
from wsgikit.http.dates import format_date

DATA = bytes(range(256)) * 4
MODIFIED = 1_500_000_000
ETAG = f'"{MODIFIED * 10**9:x}-{len(DATA):x}"'
DATE = format_date(MODIFIED)
FIELDS = [("Content-Type", "image/png"), ("Content-Disposition", "inline")]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(DATA)
    os.utime(path, (MODIFIED, MODIFIED))
    return path


class Answer:
    """One answer to a request for a file, seen by wsgiref's validator; the file must be closed."""

    def __init__(self, path, method="GET", *, wrapper=None, **fields):
        environ = {"REQUEST_METHOD": method, "QUERY_STRING": ""}
        setup_testing_defaults(environ)
        if wrapper is not None:
            environ["wsgi.file_wrapper"] = wrapper
        environ.update({f"HTTP_{name}": value for name, value in fields.items()})
        file, status = open_file(path)

        def app(environ, start_response):
            return send_file(file, status, FIELDS, environ, start_response)

        body = validator(app)(environ, self.start)
        try:
            self.body = b"".join(body)
        finally:
            body.close()
        assert file.closed
        assert FIELDS[-1] == ("Content-Disposition", "inline")

    def start(self, status, headers, exc_info=None):
        self.status = int(status[:3])
        assert len({name for name, _ in headers}) == len(headers)
        self.headers = dict(headers)


def test_a_whole_file(path):
    answer = Answer(path)
    assert (answer.status, answer.body) == (200, DATA)
    assert answer.headers == {
        "Content-Type": "image/png",
        "Content-Disposition": "inline",
        "ETag": ETAG,
        "Last-Modified": DATE,
        "Accept-Ranges": "bytes",
        "Content-Length": "1024",
    }


def test_head(path):
    answer = Answer(path, "HEAD", RANGE="bytes=0-1")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers == Answer(path).headers


@pytest.mark.parametrize("size", [0, 1, BLOCK_SIZE, BLOCK_SIZE + 1, 3 * BLOCK_SIZE])
@pytest.mark.parametrize("wrapper", [None, FileWrapper], ids=["alone", "wrapper"])
def test_every_size(path, size, wrapper):
    path.write_bytes(b"x" * size)
    answer = Answer(path, wrapper=wrapper)
    assert (answer.status, len(answer.body)) == (200, size)
    assert answer.headers["Content-Length"] == str(size)


# --- conditions


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"IF_NONE_MATCH": ETAG}, 304),
        ({"IF_NONE_MATCH": f"W/{ETAG}"}, 304),
        ({"IF_NONE_MATCH": f'"a", {ETAG}'}, 304),
        ({"IF_NONE_MATCH": "*"}, 304),
        ({"IF_NONE_MATCH": '"other"'}, 200),
        ({"IF_NONE_MATCH": "rubbish"}, 200),
        ({"IF_NONE_MATCH": '"other"', "IF_MODIFIED_SINCE": DATE}, 200),
        ({"IF_MODIFIED_SINCE": DATE}, 304),
        ({"IF_MODIFIED_SINCE": format_date(MODIFIED + 1)}, 304),
        ({"IF_MODIFIED_SINCE": format_date(MODIFIED - 1)}, 200),
        ({"IF_MODIFIED_SINCE": "yesterday"}, 200),
        ({"IF_MATCH": ETAG}, 200),
        ({"IF_MATCH": "*"}, 200),
        ({"IF_MATCH": f"W/{ETAG}"}, 412),
        ({"IF_MATCH": '"other"'}, 412),
        ({"IF_UNMODIFIED_SINCE": DATE}, 200),
        ({"IF_UNMODIFIED_SINCE": format_date(MODIFIED - 1)}, 412),
        ({"IF_MATCH": ETAG, "IF_NONE_MATCH": ETAG}, 304),
    ],
    ids=str,
)
def test_conditions(path, method, fields, status):
    answer = Answer(path, method, **fields)
    assert answer.status == status
    if status == 304:
        assert answer.headers == {"ETag": ETAG, "Last-Modified": DATE}
        assert answer.body == b""


# --- ranges


@pytest.mark.parametrize(
    ("text", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-1023", 0, 1024),
        ("bytes=1000-", 1000, 1024),
        ("bytes=1000-9999999999999999999999", 1000, 1024),
        ("bytes=-24", 1000, 1024),
        ("bytes=-5000", 0, 1024),
        ("bytes=0-9, 5-19", 0, 20),
        ("BYTES=5-5", 5, 6),
    ],
)
@pytest.mark.parametrize("wrapper", [None, FileWrapper], ids=["alone", "wrapper"])
def test_a_part(path, text, start, stop, wrapper):
    answer = Answer(path, wrapper=wrapper, RANGE=text)
    assert (answer.status, answer.body) == (206, DATA[start:stop])
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/1024"
    assert answer.headers["Content-Length"] == str(stop - start)
    assert answer.headers["Content-Type"] == "image/png"


@pytest.mark.parametrize(
    "text", ["bytes=0-1,5-6", "bytes=1-0", "lines=0-1", "bytes=", "bytes", "", "bytes=\xb2-\xb3"]
)
def test_a_range_that_is_ignored(path, text):
    answer = Answer(path, RANGE=text)
    assert (answer.status, answer.body) == (200, DATA)
    assert "Content-Range" not in answer.headers


@pytest.mark.parametrize("text", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_that_is_not_there(path, text):
    answer = Answer(path, RANGE=text)
    assert answer.status == 416
    assert answer.headers["Content-Range"] == "bytes */1024"
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "Content-Disposition" not in answer.headers


@pytest.mark.parametrize(
    ("given", "status"),
    [(ETAG, 206), (DATE, 206), (f"W/{ETAG}", 200), ('"other"', 200), (format_date(0), 200)],
)
def test_a_range_of_a_certain_version(path, given, status):
    assert Answer(path, RANGE="bytes=0-9", IF_RANGE=given).status == status


def test_conditions_come_before_the_range(path):
    assert Answer(path, RANGE="bytes=5000-", IF_NONE_MATCH=ETAG).status == 304


def test_other_methods_know_no_range(path):
    assert Answer(path, "POST", RANGE="bytes=0-9").status == 200


# --- time


def test_a_date_before_1970_is_told_as_1970(path):
    os.utime(path, (-1e9, -1e9))
    assert Answer(path).headers["Last-Modified"] == format_date(0)


def test_a_date_in_the_future_is_never_told(path):
    # RFC 9110 §8.8.2.1; and so nobody is told that nothing has changed since then
    os.utime(path, (4e9, 4e9))
    answer = Answer(path)
    assert answer.headers["Last-Modified"] != format_date(4e9)
    assert Answer(path, IF_MODIFIED_SINCE=format_date(MODIFIED)).status == 200


# --- files that change, bodies that are not sent


def lazily(path, **environ):
    """A body that is not asked for yet, and its file."""
    given = {"REQUEST_METHOD": "GET"} | environ
    file, status = open_file(path)
    return send_file(file, status, FIELDS, given, lambda status, headers: None), file


def test_a_file_that_grows_is_sent_as_long_as_it_was(path):
    body, file = lazily(path)
    with path.open("ab") as more:
        more.write(b"more")
    assert b"".join(body) == DATA
    body.close()
    assert file.closed


@pytest.mark.parametrize("environ", [{}, {"HTTP_RANGE": "bytes=0-1000"}], ids=["whole", "part"])
def test_a_file_that_becomes_shorter_breaks_off(path, environ):
    body, file = lazily(path, **environ)
    os.truncate(path, 100)
    blocks = iter(body)
    assert next(blocks) == DATA[:100]
    with pytest.raises(EOFError, match="shorter"):
        next(blocks)
    body.close()
    assert file.closed


@pytest.mark.parametrize("environ", [{}, {"HTTP_RANGE": "bytes=0-1000"}], ids=["whole", "part"])
@pytest.mark.parametrize("blocks", [0, 1])
def test_a_body_that_is_closed_early_closes_the_file(path, environ, blocks):
    body, file = lazily(path, **environ)
    for _ in zip(range(blocks), body, strict=False):
        pass
    body.close()
    assert file.closed


def test_the_wrapper_of_the_server_gets_whole_files(path):
    body, file = lazily(path, **{"wsgi.file_wrapper": FileWrapper})
    assert type(body) is FileWrapper
    assert body.filelike is file
    assert body.blksize == BLOCK_SIZE
    body.close()
    assert file.closed


def test_the_wrapper_of_the_server_may_be_a_function(path):
    body, file = lazily(path, **{"wsgi.file_wrapper": lambda file, size: file})
    assert body is file
    file.close()


@pytest.mark.parametrize(
    "fields",
    [{}, {"HTTP_RANGE": "bytes=0-1"}, {"HTTP_IF_NONE_MATCH": "*"}, {"HTTP_IF_MATCH": '"a"'}],
    ids=str,
)
def test_a_server_that_refuses_the_start_gets_the_file_closed(path, fields):
    def refuse(status, headers):
        raise OSError("gone")

    file, status = open_file(path)
    with pytest.raises(OSError, match="gone"):
        send_file(file, status, FIELDS, {"REQUEST_METHOD": "GET"} | fields, refuse)
    assert file.closed


def test_a_wrapper_that_fails_gets_the_file_closed(path):
    def fail(file, size):
        raise RuntimeError("no wrapper")

    file, status = open_file(path)
    environ = {"REQUEST_METHOD": "GET", "wsgi.file_wrapper": fail}
    with pytest.raises(RuntimeError, match="no wrapper"):
        send_file(file, status, FIELDS, environ, lambda status, headers: None)
    assert file.closed


# --- opening


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


@given(st.text(st.characters(max_codepoint=255)), st.text(st.characters(max_codepoint=255)))
def test_any_range_and_condition_is_answered(tmp_path_factory, wanted, validator):
    file = tmp_path_factory.getbasetemp() / "any"
    file.write_bytes(DATA)
    fields = {"RANGE": f"bytes={wanted}", "IF_RANGE": validator, "IF_NONE_MATCH": validator}
    assert Answer(file, **fields).status in (200, 206, 304, 416)
