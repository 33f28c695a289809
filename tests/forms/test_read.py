from __future__ import annotations

from http.client import HTTPConnection
from io import BytesIO
from wsgiref.validate import validator

import pytest
from webtest import TestApp, Upload

from wsgikit import HTTPError, Request, Response
from wsgikit.forms import spool
from wsgikit.keys import FILE_WRAPPER, FORM, INPUT_TERMINATED
from wsgikit.testing import serving

MULTIPART = "multipart/form-data; boundary=b"


def part(head, content):
    return b"--b\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + content + b"\r\n"


FIELD = part(b'name="a"', b"1")
FILE = part(b'name="f"; filename="x"', b"x" * 2000)
BODY = FIELD + FILE + b"--b--\r\n"


def request(body=BODY, content_type=MULTIPART, /, **environ):
    given = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }
    return Request(given | environ)


def chunked(body=BODY):
    """A request whose body has no length, and ends by itself."""
    return request(body, CONTENT_LENGTH="", **{INPUT_TERMINATED: True})


def refused(status, detail=""):
    return pytest.raises(HTTPError, match=f"^{status} .*{detail}")


@pytest.fixture
def files(monkeypatch):
    """Every temporary file that is made."""
    made = []
    make = spool.TemporaryFile

    def remember(**options):
        made.append(make(**options))
        return made[-1]

    monkeypatch.setattr(spool, "TemporaryFile", remember)
    return made


# --- both kinds of form


def test_either_kind_reads_alike():
    def view(request):
        form = request.form()
        return f"{form['name']} {form.get_all('tag')} {len(form.files)}"

    app = TestApp(validator(Request.application(view)))
    fields = [("name", "Zoë"), ("tag", "1"), ("tag", "ü & ö")]
    assert app.post("/", fields).text == "Zoë ['1', 'ü & ö'] 0"
    answer = app.post("/", fields, upload_files=[("f", "x.txt", b"")])
    assert answer.text == "Zoë ['1', 'ü & ö'] 1"


def test_an_upload():
    def view(request):
        photo = request.form().files["photo"]
        return [photo.filename, photo.content_type, len(photo.read())]

    app = TestApp(validator(Request.application(view)))
    photo = Upload("C:\\a/photo.png", b"x" * 5000, "image/png")
    assert app.post("/", {"photo": photo}).json == ["photo.png", "image/png", 5000]
    assert app.post("/", {"a": "1"}, status=400).status == "400 Bad Request"


@pytest.mark.parametrize("make", [request, chunked])
@pytest.mark.parametrize("max_memory", [10_000, 1000])
def test_with_a_length_and_without_in_memory_and_on_disk(make, max_memory):
    given = make()
    with given.form(10_000, max_memory=max_memory) as form:
        assert form.items() == [("a", "1")]
        assert form.files["f"].read() == b"x" * 2000
        assert given.form() is form
        assert Request(given.environ).form() is form


def test_another_body_is_another_form():
    given = request()
    form = given.form()
    given.environ["wsgi.input"] = BytesIO(BODY.replace(b"1\r", b"2\r"))
    assert form["a"] == "1"
    assert Request(given.environ).form()["a"] == "2"


def test_a_body_that_fits_into_memory_is_kept_for_others():
    given = request()
    assert given.form()["a"] == "1"
    assert given.body == given.environ["wsgi.input"].read() == BODY
    plain = request(FIELD + b"--b--\r\n")
    assert plain.form().items() == [("a", "1")]
    assert plain.body == FIELD + b"--b--\r\n"


def test_a_body_that_was_kept_is_read_again_however_large_it_is():
    given = request()
    assert given.read() == BODY
    with given.form(max_memory=100) as form:
        assert form.files["f"].size == 2000
    assert given.read() == BODY


def test_a_body_that_was_streamed_is_gone():
    given = request()
    given.form(max_memory=1000).close()
    for read in (given.read, given.environ["wsgi.input"].read):
        with pytest.raises(RuntimeError, match="streamed"):
            read()


def test_a_large_form_of_many_plain_fields():
    fields = [(f"n{number}", "x" * 1000) for number in range(100)]
    body = b"".join(part(b'name="%s"' % n.encode(), v.encode()) for n, v in fields) + b"--b--\r\n"
    assert request(body).form().items() == fields


# --- refused


@pytest.mark.parametrize("make", [request, chunked])
@pytest.mark.parametrize(
    ("limits", "name"),
    [
        ({"max_size": 2000}, "max_size"),
        ({"max_size": 2000, "max_memory": 100}, "max_size"),
        ({"max_fields": 1}, "max_fields=1"),
        ({"max_fields": 1, "max_memory": 100}, "max_fields=1"),
        ({"max_file_size": 1999}, "max_file_size=1999"),
        ({"max_memory": 0}, "max_memory=0"),
    ],
)
def test_limits(make, limits, name, files):
    given = make()
    with refused(413, name):
        given.form(**limits)
    assert all(file.closed for file in files)


@pytest.mark.parametrize("make", [request, chunked])
@pytest.mark.parametrize(
    ("body", "status", "why"),
    [(BODY, 413, "max_file_size=1999"), (BODY[:-20], 400, "ended before")],
    ids=["large", "cut"],
)
def test_what_was_refused_while_it_came_is_refused_again(make, body, status, why):
    given = make(body)
    with refused(status, why):
        given.form(max_memory=100, max_file_size=1999)
    for again in (
        lambda: given.form(max_memory=100, max_file_size=1999),
        lambda: given.form(max_memory=100),
        given.form,
        Request(given.environ).form,
        given.read,
        lambda: [*given.stream_parts()],
        given.environ["wsgi.input"].read,
    ):
        with refused(status, why):
            again()


def test_a_body_that_was_kept_may_be_asked_again_with_other_limits():
    given = request()
    assert given.read() == BODY
    with refused(413, "max_file_size=1999"):
        given.form(max_memory=100, max_file_size=1999)
    with given.form(max_memory=100) as form:
        assert form.files["f"].size == 2000


@pytest.mark.parametrize("make", [request, chunked])
def test_fields_are_limited_in_either_kind(make):
    body = part(b'name="a"', b"x" * 2000) + b"--b--\r\n"
    with refused(413, "max_memory=1000"):
        make(body).form(max_memory=1000)
    given = make(b"a=" + b"x" * 2000)
    given.environ["CONTENT_TYPE"] = "application/x-www-form-urlencoded"
    with refused(413, "max_memory=1000"):
        given.form(max_memory=1000)
    assert given.form(max_memory=3000) == given.form(5000)


@pytest.mark.parametrize("make", [request, chunked])
@pytest.mark.parametrize("max_memory", [10_000, 1000])
def test_a_truncated_form_is_not_taken_for_a_whole_one(make, max_memory, files):
    for stop in (len(BODY) - 3, len(BODY) - 20, len(BODY) - 500, 20, 0):
        with refused(400, "ended before"):
            make(BODY[:stop]).form(max_memory=max_memory)
    given = request(BODY[:-1], CONTENT_LENGTH=str(len(BODY)))
    with refused(400, "ended 1 bytes before"):
        given.form(max_memory=max_memory)
    assert all(file.closed for file in files)


def test_a_body_that_breaks_off(files):
    class Broken(BytesIO):
        def read(self, size):
            if self.tell() == 0:
                return super().read(1000)
            raise OSError

    given = request(**{"wsgi.input": Broken(BODY)})
    with refused(400, "broke off"):
        given.form(max_memory=100)
    assert [file.closed for file in files] == [True]


@pytest.mark.parametrize(
    "content_type", [MULTIPART[:-2], MULTIPART + "; boundary=c", "Multipart/Form-Data"]
)
def test_a_boundary_that_is_none(content_type):
    with refused(400, "boundary"):
        request(BODY, content_type).form()


@pytest.mark.parametrize("content_type", ["", "text/plain", "multipart/mixed; boundary=b"])
def test_what_is_no_form(content_type):
    with refused(415, "multipart/form-data"):
        request(BODY, content_type).form()


def test_a_body_that_nobody_ends_is_not_waited_for():
    with refused(400, "ended before"):
        request(CONTENT_LENGTH="").form()


# --- the end of the request


def answer(view, environ=()):
    """Answer a request for a form that goes to disk, by a view; what was sent, and the body."""
    started = []
    environ = request().environ | {FORM: None} | dict(environ)
    del environ[FORM]
    app = Request.application(view)
    body = app(environ, lambda status, headers, exc_info=None: started.append(status))
    return started, body


def read(request):
    return request.form(max_memory=100).files["f"]


@pytest.mark.parametrize(
    ("result", "sent"),
    [
        (lambda file: "text", b"text"),
        (lambda file: {"size": file.size}, b'{"size":2000}'),
        (lambda file: None, b""),
        (lambda file: Response(file.read()), b"x" * 2000),
        (lambda file: Response.stream(file), b"x" * 2000),
    ],
    ids=["str", "dict", "None", "response", "stream"],
)
def test_files_are_there_until_the_answer_is_sent(result, sent, files):
    _, body = answer(lambda request: result(read(request)))
    assert b"".join(body) == sent
    body.close()
    assert [file.closed for file in files] == [True]


def test_files_are_gone_when_the_answer_is_never_iterated(files):
    _, body = answer(lambda request: Response.stream(read(request)))
    assert not files[0].closed
    body.close()
    assert files[0].closed


@pytest.mark.parametrize(
    "failure", [ValueError, HTTPError(422), KeyboardInterrupt, object(), lambda *args: 1 / 0]
)
def test_files_are_gone_when_the_application_fails(failure, files):
    def view(request):
        read(request)
        if isinstance(failure, type | HTTPError):
            raise failure
        return failure

    if isinstance(failure, HTTPError):
        started, _ = answer(view)
        assert started == ["422 Unprocessable Content"]
    else:
        with pytest.raises((ValueError, KeyboardInterrupt, TypeError, ZeroDivisionError)):
            answer(view)
    assert [file.closed for file in files] == [True]


def test_an_upload_sent_by_the_server_stays_recognisable(files):
    class Wrapper:
        def __init__(self, file, size=8192):
            self.file = file

        def close(self):
            self.file.close()

    def view(request):
        file = read(request).open()

        def app(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])
            return environ[FILE_WRAPPER](file)

        return app

    _, body = answer(view, {FILE_WRAPPER: Wrapper})
    assert isinstance(body, Wrapper)
    assert body.file.read() == b"x" * 2000
    body.close()
    assert body.file.closed
    assert files[0].closed


def test_a_form_of_a_layer_is_closed_by_the_application_inside(files):
    app = Request.application(lambda request: request.form()["a"])

    def layer(environ, start_response):
        assert read(Request(environ)).size == 2000
        return app(environ, start_response)

    body = layer(request().environ, lambda *args: None)
    assert b"".join(body) == b"1"
    body.close()
    assert [file.closed for file in files] == [True]


def test_a_plain_wsgi_application_closes_its_form(files):
    def app(environ, start_response):
        with Request(environ).form(max_memory=100) as form:
            size = form.files["f"].size
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(size).encode()]

    post = TestApp(validator(app)).post
    assert post("/", BODY, {"Content-Type": MULTIPART}).text == "2000"
    assert [file.closed for file in files] == [True]


def test_a_form_that_was_closed_is_read_again_where_its_body_was_kept(files):
    given = request()
    given.form().close()
    assert Request(given.environ).form().files["f"].size == 2000
    given = request()
    given.form(max_memory=100).close()
    with pytest.raises(RuntimeError, match="streamed"):
        Request(given.environ).form()


def test_a_form_over_a_connection(files):
    def view(request):
        upload = request.form(max_size=10_000_000, max_memory=1000).files["f"]
        return [upload.size, upload.read() == content]

    content = bytes(range(256)) * 10_000
    with serving(Request.application(view)) as server:
        body = part(b'name="f"; filename="x"', content) + b"--b--\r\n"
        connection = HTTPConnection(server.host, server.port, timeout=20)
        for _ in range(2):
            connection.request("POST", "/", body, {"Content-Type": MULTIPART})
            assert connection.getresponse().read() == b"[2560000,true]"
        connection.close()
    assert [file.closed for file in files] == [True, True]


def test_a_form_that_nobody_closes_ends_with_its_environ(files):
    given = request()
    given.form(max_memory=100)
    del given
    assert [file.closed for file in files] == [True]
