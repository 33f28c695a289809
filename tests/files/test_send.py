from __future__ import annotations

import os
from contextlib import contextmanager
from http.client import HTTPConnection
from threading import Thread
from time import time
from wsgiref import simple_server
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wsgikit.files.send
from wsgikit.files.send import send_file
from wsgikit.files.versions import Changed, etag_of_times
from wsgikit.http.dates import format_date
from wsgikit.server.run import make_server
from wsgikit.trees.opening import BLOCK_SIZE, open_file

DATA = bytes(range(256)) * 4
MODIFIED = 1_500_000_000
DATE = format_date(MODIFIED)
FIELDS = [("Content-Type", "image/png"), ("Content-Disposition", "inline")]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(DATA)
    os.utime(path, (MODIFIED, MODIFIED))
    return path


@pytest.fixture(autouse=True)
def later(monkeypatch):
    """It is a minute later: what was written just now has settled."""
    monkeypatch.setattr(wsgikit.files.send, "time", lambda: time() + 60)


def etag(path):
    return str(etag_of_times(os.stat(path), time() + 60))


class Answer:
    """One answer to a request for a file, seen by wsgiref's validator; the file must be closed."""

    def __init__(self, path, method="GET", *, wrapper=None, fields=FIELDS, **asked):
        environ = {"REQUEST_METHOD": method, "QUERY_STRING": ""}
        setup_testing_defaults(environ)
        if wrapper is not None:
            environ["wsgi.file_wrapper"] = wrapper
        environ.update({f"HTTP_{name}": value for name, value in asked.items()})
        file, status = open_file(path)
        before = fields.copy()

        def app(environ, start_response):
            return send_file(file, status, fields, environ, start_response)

        body = validator(app)(environ, self.start)
        try:
            self.body = b"".join(body)
        finally:
            body.close()
        assert file.closed
        assert fields == before

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
        "ETag": etag(path),
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


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_other_methods_get_the_whole_and_no_validators(path, method):
    # What they did is done: conditions cannot stop it any more, and validators would be of that.
    answer = Answer(path, method, IF_MATCH='"other"', IF_NONE_MATCH="*", RANGE="bytes=0-1")
    assert (answer.status, answer.body) == (200, DATA)
    assert answer.headers == dict([*FIELDS, ("Content-Length", "1024")])


def test_validators_of_ones_own_are_taken(path):
    fields = [*FIELDS, ("etag", '"v7"'), ("last-modified", format_date(MODIFIED - 60))]
    answer = Answer(path, fields=fields)
    assert answer.headers["ETag"] == '"v7"'
    assert answer.headers["Last-Modified"] == format_date(MODIFIED - 60)
    assert Answer(path, fields=fields, IF_NONE_MATCH='"v7"').status == 304
    assert Answer(path, fields=fields, IF_UNMODIFIED_SINCE=format_date(MODIFIED - 61)).status == 412


def test_validators_of_ones_own_that_are_none_are_not_taken(path):
    fields = [*FIELDS, ("ETag", "v7"), ("Last-Modified", "yesterday")]
    assert Answer(path, fields=fields).headers["ETag"] == etag(path)
    assert Answer(path, fields=fields).headers["Last-Modified"] == DATE


# --- which ranges: what is a condition is in test_conditional_requests


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
        ("bytes=0-9, 50-59", 0, 60),  # to begin another part would take more than what is between
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
    ("text", "wrapper", "given"),
    [
        ("bytes=0-", FileWrapper, True),
        ("bytes=1000-", FileWrapper, True),
        ("bytes=-24", FileWrapper, True),
        ("bytes=1000-1022", FileWrapper, False),
        ("bytes=0-0,1000-", FileWrapper, False),
        ("bytes=0-", lambda file, size: file, False),  # uWSGI's, which sends all of it
        ("bytes=0-", None, False),
    ],
)
def test_a_part_that_the_server_sends(path, text, wrapper, given):
    environ = {"REQUEST_METHOD": "GET", "HTTP_RANGE": text, "wsgi.file_wrapper": wrapper}
    body = send_file(*open_file(path), FIELDS, environ, lambda status, headers: None)
    assert isinstance(body, FileWrapper) is given
    if given:
        assert body.blksize == BLOCK_SIZE
        assert body.filelike.raw.tell() == body.filelike.tell() == len(DATA) - len(b"".join(body))
    body.close()


@contextmanager
def served(server, app):
    """The port at which a server of this kind serves, until the end of the block."""
    if server == "wsgikit":
        with make_server("127.0.0.1", 0, app).start() as running:
            yield running.port
        return
    with simple_server.make_server("127.0.0.1", 0, app, handler_class=Quiet) as running:
        thread = Thread(target=running.serve_forever)
        thread.start()
        yield running.server_port
        running.shutdown()
        thread.join()


class Quiet(simple_server.WSGIRequestHandler):
    def log_message(self, *given):
        pass


@pytest.mark.parametrize("size", [5000, 1_000_000])
@pytest.mark.parametrize("server", ["wsgikit", "wsgiref"])
def test_parts_over_a_connection(path, monkeypatch, server, size):
    content = os.urandom(size)
    path.write_bytes(content)
    calls = []

    def sendfile(to, fd, offset, count, real=os.sendfile):
        calls.append(offset)
        return real(to, fd, offset, count)

    monkeypatch.setattr(os, "sendfile", sendfile)

    def app(environ, start_response):
        return send_file(*open_file(path), FIELDS, environ, start_response)

    with served(server, app) as port:
        client = HTTPConnection("127.0.0.1", port, timeout=20)
        for text, start, stop in [
            ("bytes=0-", 0, size),
            ("bytes=1000-", 1000, size),
            (f"bytes=7-{size - 1}", 7, size),
            ("bytes=-3000", size - 3000, size),
            ("bytes=3-4000", 3, 4001),
        ]:
            client.request("GET", "/", headers={"Range": text})
            response = client.getresponse()
            assert response.status == 206
            assert response.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{size}"
            assert response.read() == content[start:stop]
        client.close()
    if server == "wsgikit" and size == 1_000_000:
        assert {0, 1000, 7} <= set(calls)


def test_several_parts(path):
    answer = Answer(path, RANGE="bytes=1000-, 0-9, 500-501")
    assert answer.status == 206
    media, _, boundary = answer.headers["Content-Type"].partition("; boundary=")
    assert media == "multipart/byteranges"
    assert len(boundary) == 32
    assert "Content-Range" not in answer.headers
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert answer.headers["ETag"] == etag(path)
    parts = [
        f"--{boundary}\r\nContent-Type: image/png\r\n".encode()
        + f"Content-Range: bytes {text}/1024\r\n\r\n".encode()
        + DATA[start:stop]
        for text, start, stop in (
            ("1000-1023", 1000, 1024),
            ("0-9", 0, 10),
            ("500-501", 500, 502),
        )
    ]
    assert answer.body == b"\r\n".join(parts) + f"\r\n--{boundary}--\r\n".encode()


def test_parts_of_what_has_no_type(path):
    answer = Answer(path, fields=[("Content-Type", "")], RANGE="bytes=0-1,500-501")
    assert b"\r\nContent-Range: bytes 0-1/1024\r\n\r\n" in answer.body
    assert b"Content-Type" not in answer.body


def test_the_boundary_is_another_each_time(path):
    answers = [Answer(path, RANGE="bytes=0-1,500-501") for _ in range(2)]
    assert answers[0].headers["Content-Type"] != answers[1].headers["Content-Type"]


@pytest.mark.parametrize(
    "text", ["bytes=1-0", "lines=0-1", "bytes=", "bytes", "", "bytes=\xb2-\xb3"]
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
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "Content-Disposition" not in answer.headers


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


SOME = [{}, {"HTTP_RANGE": "bytes=0-1000"}, {"HTTP_RANGE": "bytes=0-999,1010-1011"}]


@pytest.mark.parametrize("environ", SOME, ids=["whole", "part", "parts"])
def test_a_file_that_becomes_shorter_breaks_off(path, environ):
    path.write_bytes(bytes(2 * BLOCK_SIZE))
    body, file = lazily(path, **environ)
    os.truncate(path, 0)
    with pytest.raises(EOFError, match="shorter"):
        list(body)
    body.close()
    assert file.closed


def test_a_file_that_is_written_anew_breaks_off(path):
    path.write_bytes(bytes(2 * BLOCK_SIZE))
    body, file = lazily(path)
    blocks = iter(body)
    assert next(blocks) == bytes(BLOCK_SIZE)
    path.write_bytes(b"x" * 2 * BLOCK_SIZE)
    with pytest.raises(Changed, match="written to"):
        next(blocks)
    body.close()
    assert file.closed


def test_a_file_that_another_takes_the_place_of_is_sent_to_its_end(path, tmp_path):
    path.write_bytes(b"old" * BLOCK_SIZE)
    body, _ = lazily(path)
    blocks = iter(body)
    first = next(blocks)
    (tmp_path / "new").write_bytes(b"new" * BLOCK_SIZE)
    os.replace(tmp_path / "new", path)
    assert first + b"".join(blocks) == b"old" * BLOCK_SIZE
    body.close()


@pytest.mark.parametrize("environ", SOME, ids=["whole", "part", "parts"])
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
    [
        {},
        {"HTTP_RANGE": "bytes=0-1"},
        {"HTTP_IF_NONE_MATCH": "*"},
        {"HTTP_IF_MATCH": '"a"'},
        {"REQUEST_METHOD": "HEAD"},
    ],
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


anything = st.text(st.characters(max_codepoint=255))


@given(anything | st.from_regex("[0-9,-]{0,20}", fullmatch=True), anything)
def test_any_range_and_condition_is_answered(tmp_path_factory, wanted, validator):
    file = tmp_path_factory.getbasetemp() / "any"
    file.write_bytes(DATA)
    fields = {"RANGE": f"bytes={wanted}", "IF_RANGE": validator, "IF_NONE_MATCH": validator}
    assert Answer(file, **fields).status in (200, 206, 304, 416)


def test_fields_that_are_none_get_the_file_closed(path):
    file, status = open_file(path)
    with pytest.raises(AttributeError):
        send_file(file, status, [("ETag", 1)], {"REQUEST_METHOD": "GET"}, lambda *given: None)
    assert file.closed
