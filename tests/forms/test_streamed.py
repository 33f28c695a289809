from __future__ import annotations

import tracemalloc
from io import BytesIO
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import HTTPError, Request
from wsgikit.keys import INPUT_TERMINATED

MULTIPART = "multipart/form-data; boundary=b"


def part(head, content):
    return b"--b\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + content + b"\r\n"


FIELD = part(b'name="a"', b"12345")
FILE = part(b'name="f"; filename="C:\\x"\r\nContent-Type: text/plain', b"x" * 600_000)
BODY = FIELD + FILE + FIELD + b"--b--\r\n"


def request(body=BODY, content_type=MULTIPART, /, **environ):
    given = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": content_type, "wsgi.input": BytesIO(body)}
    return Request(given | {"CONTENT_LENGTH": str(len(body))} | environ)


def refused(status, detail=""):
    return pytest.raises(HTTPError, match=f"^{status} .*{detail}")


@pytest.mark.parametrize("environ", [{}, {"CONTENT_LENGTH": "", INPUT_TERMINATED: True}])
def test_parts_come_one_after_another(environ):
    found = []
    for streamed in request(**environ).stream_parts():
        blocks = [*streamed]
        found.append((streamed.name, streamed.filename, b"".join(blocks)))
        assert all(len(block) <= 262144 for block in blocks)
    assert found == [("a", None, b"12345"), ("f", "x", b"x" * 600_000), ("a", None, b"12345")]


def test_what_the_client_says():
    _, streamed, _ = request().stream_parts()
    assert (streamed.filename, streamed.original_filename) == ("x", "C:\\x")
    assert streamed.content_type == "text/plain"
    assert streamed.media_type.essence == "text/plain"
    assert repr(streamed) == "<StreamedPart 'f' filename='C:\\\\x'>"


def test_parts_come_as_the_body_arrives():
    class Slow(BytesIO):
        """Ten bytes at a time."""

        def read(self, size):
            return super().read(min(size, 10))

    stream = Slow(BODY)
    parts = request(**{"wsgi.input": stream}).stream_parts()
    first = next(parts)
    assert stream.tell() < 60
    assert next(first) == b"1"
    second = next(parts)
    assert next(second)
    assert stream.tell() < 300


def test_what_is_not_read_is_passed_over():
    parts = request().stream_parts()
    first, second = next(parts), next(parts)
    assert [*first] == []
    assert len(next(second)) > 0
    third = next(parts)
    assert [*second] == []
    assert second.read() == b""
    assert third.read() == b"12345"
    assert third.read() == b""
    assert [*parts] == []


def test_reading_a_part():
    a, f, again = (streamed.read() for streamed in request().stream_parts())
    assert (a, len(f), again) == (b"12345", 600_000, b"12345")
    parts = request().stream_parts()
    with refused(413, "part 'a' has more than max_size=4"):
        next(parts).read(4)
    assert next(parts).read(600_000)


def test_text_of_a_part():
    body = part(b'name="a"', b"\xc3\xbc\xff")
    body += part(b'name="b"\r\nContent-Type: text/plain; charset=latin-1', b"\xfc")
    body += part(b'name="c"\r\nContent-Type: text/plain; charset=zip', b"c") + b"--b--\r\n"
    parts = request(body).stream_parts()
    assert next(parts).text() == "ü\ufffd"
    assert next(parts).text(1) == "ü"
    with refused(415, "zip"):
        next(parts).text()


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        ({"max_size": len(BODY) - 1}, "max_size"),
        ({"max_fields": 2}, "max_fields=2"),
        ({"max_file_size": 599_999}, "max_file_size=599999"),
    ],
)
@pytest.mark.parametrize("environ", [{}, {"CONTENT_LENGTH": "", INPUT_TERMINATED: True}])
def test_limits(limits, name, environ):
    with refused(413, name):
        for _ in request(**environ).stream_parts(**limits):
            pass


def test_no_limits():
    body = FIELD + part(b'name="f"; filename="x"', bytes(2_000_000)) + b"--b--\r\n"
    with refused(413, "max_size"):
        request(body).stream_parts()
    assert [len(streamed.read(2_000_000)) for streamed in request(body).stream_parts(None)] == [
        5,
        2_000_000,
    ]


def test_what_is_refused_at_once():
    with refused(415, "multipart/form-data"):
        request(BODY, "text/plain").stream_parts()
    with refused(400, "boundary"):
        request(BODY, "multipart/form-data").stream_parts()
    with refused(400, "Content-Length"):
        request(CONTENT_LENGTH="x").stream_parts()


def test_an_end_too_early_is_an_error_in_every_part():
    for stop in range(0, len(FIELD), 7):
        with refused(400, "ended before"):
            [streamed.read() for streamed in request(FIELD[:stop]).stream_parts()]


def test_who_goes_on_after_an_error_gets_it_again():
    parts = request(FIELD + FILE[:1000]).stream_parts()
    next(parts)
    streamed = next(parts)
    for _ in range(3):
        with refused(400, "ended before"):
            streamed.read()
    with refused(400, "ended before"):
        next(parts)


def test_a_body_is_streamed_once():
    given = request()
    assert len([*given.stream_parts()]) == 3
    for again in (given.read, given.form, lambda: [*given.stream_parts()]):
        with pytest.raises(RuntimeError, match="streamed"):
            again()


def test_a_view():
    def view(request):
        return {part.name: len(part.read()) for part in request.stream_parts(None)}

    app = TestApp(validator(Request.application(view)))
    answer = app.post("/", {"a": "ü"}, upload_files=[("f", "x", b"x" * 3_000_000)], status="*")
    assert answer.status_int == 413  # of the part, which is more than read() takes unless told
    answer = app.post("/", {"a": "ü"}, upload_files=[("f", "x", b"x" * 1_000_000)])
    assert answer.json == {"a": 2, "f": 1_000_000}


def test_a_stream_takes_little_memory():
    class Endless:
        """A file of a gigabyte that nobody has."""

        left = 1000

        def read(self, size):
            if self.left == 1000:
                block = part(b'name="f"; filename="x"', b"")[:-2]
            else:
                block = bytes(1_000_000) if self.left else b"\r\n--b--\r\n"
            self.left -= 1
            return block if self.left >= -1 else b""

    given = request(CONTENT_LENGTH="", **{INPUT_TERMINATED: True, "wsgi.input": Endless()})
    tracemalloc.start()
    try:
        (size,) = [sum(map(len, streamed)) for streamed in given.stream_parts(None)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size == 999_000_000
    assert peak < 5_000_000
