from __future__ import annotations

import sys
from urllib.error import HTTPError as HTTPStatusError
from urllib.request import Request as Asked
from urllib.request import urlopen
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from tests.wrap.doubles import Server
from wsgikit import HTTPError, Request, Response, check, stack
from wsgikit.middleware import error_pages, errors
from wsgikit.testing import serving

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@Request.application
def sorry(request):
    return Response.html(f"<h1>{request.environ['wsgikit.error_status']} at {request.path}</h1>")


PAGES = {404: Response.html("<h1>Not here</h1>"), "5xx": sorry}


class Foreign:
    """An application of another house that answers errors in its own way."""

    def __init__(self, status, content_type="text/html", *fields):
        self.status, self.fields = status, [*fields]
        if content_type is not None:
            self.fields.append(("Content-Type", content_type))
        self.closed = 0

    def __call__(self, environ, start_response):
        self.environ = environ
        start_response(self.status, [*self.fields, ("Content-Length", "3")])
        return self

    def __iter__(self):
        return iter([b"own"] if self.environ["REQUEST_METHOD"] != "HEAD" else [])

    def close(self):
        self.closed += 1


def client(app, pages=PAGES):
    return TestApp(validator(stack(error_pages(pages=pages), validator(app))))


def test_an_error_of_another_framework_has_your_page():
    app = Foreign("404 NOT FOUND", "text/html", ("ETag", '"1"'), ("Last-Modified", "x"))
    answer = client(app).get("/a", headers={"Accept": BROWSER}, status=404)
    assert (answer.status, answer.text) == ("404 NOT FOUND", "<h1>Not here</h1>")
    assert answer.headers["Content-Length"] == "17"
    assert answer.headers["Vary"] == "Accept"
    assert not {"ETag", "Last-Modified"} & {*answer.headers}
    assert app.closed == 1


def test_a_page_for_a_class_of_errors_finds_which_one_it_is():
    app = client(Foreign("503 Nope"))
    assert app.get("/a", status=503).text == "<h1>503 at /a</h1>"
    assert client(Foreign("500 Nope")).post("/b", "data", status=500).text == "<h1>500 at /b</h1>"
    # The status counts before the class.
    pages = {**PAGES, 503: Response("busy")}
    assert client(Foreign("503 Nope"), pages).get("/", status=503).text == "busy"


def test_fields_that_are_about_the_error_stay():
    fields = [("Retry-After", "5"), ("Set-Cookie", "a=b"), ("Vary", "Origin"), ("X-Own", "1")]
    page = Response.html("page", headers={"X-Own": "2", "Set-Cookie": "c=d"})
    app = client(Foreign("503 Nope", "text/html", *fields, ("Content-Language", "de")), {503: page})
    headers = app.get("/", status=503).headers
    assert headers["Retry-After"] == "5"
    assert headers["Vary"] == "Origin, Accept"
    assert headers.getall("Set-Cookie") == ["c=d", "a=b"]
    assert headers.getall("X-Own") == ["2"]
    assert "Content-Language" not in headers


WHO = {
    "a browser, of a page": (BROWSER, "text/html; charset=utf-8", True),
    "a browser, of JSON": (BROWSER, "application/json", True),
    "a browser, of text": (BROWSER, "text/plain", True),
    "a browser, of nothing": (BROWSER, None, True),
    "curl, of a page": ("*/*", "text/html", True),
    "curl, of JSON": ("*/*", "application/problem+json", False),
    "curl, of text": ("*/*", "text/plain", True),
    "nobody said, of JSON": (None, "application/json", False),
    "a program, of JSON": ("application/json", "application/json", False),
    "a program, of a page": ("application/json", "text/html", False),
    "a type that is none": (BROWSER, "what", True),
}


@pytest.mark.parametrize(("accept", "own", "replaced"), WHO.values(), ids=WHO)
def test_a_page_is_for_whom_would_rather_have_one(accept, own, replaced):
    app = Foreign("404 Nope", own)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}
    if accept is not None:
        environ["HTTP_ACCEPT"] = accept
    started = []
    body = error_pages(pages=PAGES)(app)(environ, lambda *start: started.append(start))
    assert (b"".join(body) == b"own") is not replaced
    assert dict(started[0][1])["Vary"] == "Accept"


def test_head_has_the_fields_of_the_page():
    answer = client(Foreign("404 Nope")).head("/", status=404)
    assert (answer.body, answer.headers["Content-Length"]) == (b"", "17")


@pytest.mark.parametrize("status", ["200 Nope", "302 Nope", "410 Nope", "nonsense"])
def test_what_has_no_page_is_untouched(status):
    app = Foreign(status)
    started = []
    body = error_pages(pages=PAGES)(app)(
        {"REQUEST_METHOD": "GET"}, lambda *start: started.append(start)
    )
    assert list(body) == [b"own"]
    body.close()
    assert app.closed == 1
    assert "Vary" not in dict(started[0][1])


def test_the_page_is_asked_for_as_it_is():
    seen = {}

    def page(environ, start_response):
        seen.update(environ)
        return Response("page")(environ, start_response)

    headers = {"Range": "bytes=0-1", "If-None-Match": "*", "Accept": BROWSER}
    client(Foreign("404 Nope"), {404: page}).put("/", "data", headers=headers, status=404)
    assert (seen["REQUEST_METHOD"], seen["wsgi.input"].read(1)) == ("GET", b"")
    assert not {"CONTENT_LENGTH", "HTTP_RANGE", "HTTP_IF_NONE_MATCH"} & seen.keys()


def test_a_page_that_fails_is_logged_and_drawn(caplog):
    def broken(environ, start_response):
        raise LookupError("lost")

    app = client(Foreign("503 Nope", "text/html", ("Retry-After", "5")), {503: broken})
    answer = app.get("/", headers={"Accept": BROWSER}, status=503)
    assert "Service Unavailable" in answer.text
    assert answer.headers["Retry-After"] == "5"
    assert "failed in its error page" in caplog.text


def test_a_file_is_a_page(tmp_path):
    (tmp_path / "404.html").write_text("<h1>From a file</h1>")
    app = client(Foreign("404 Nope"), {"4xx": Response.file(tmp_path / "404.html")})
    answer = app.get("/", headers={"If-None-Match": "*"}, status=404)
    assert answer.text == "<h1>From a file</h1>"
    assert "ETag" not in answer.headers


def test_a_response_that_replaces_another_is_the_one_that_counts():
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        try:
            raise LookupError
        except LookupError:
            start_response("404 Nope", [("Content-Type", "text/plain")], sys.exc_info())
        return [b"own"]

    started = []

    def start_response(status, headers, exc_info=None):
        started.append((status, exc_info is not None))

    answer = error_pages(pages=PAGES)(app)({"REQUEST_METHOD": "GET"}, start_response)
    assert b"".join(answer) == b"<h1>Not here</h1>"
    assert started == [("200 OK", False), ("404 Nope", True)]


def raising():
    raise LookupError("lost")
    yield b"rows"


def in_the_call(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html")])
    raise LookupError("lost")


@pytest.mark.parametrize(
    "inner", [in_the_call, Response.stream(raising())], ids=["in the call", "in a stream"]
)
def test_what_fails_before_its_first_byte_has_your_page(inner, caplog):
    with serving(stack(error_pages(pages=PAGES), errors(), inner)) as server:
        with pytest.raises(HTTPStatusError) as raised:
            urlopen(Asked(f"http://{server.host}:{server.port}/", headers={"Accept": BROWSER}))
        assert raised.value.read() == b"<h1>500 at /</h1>"
    assert caplog.text.count("LookupError: lost") == 1


def test_what_has_begun_to_be_sent_breaks_off():
    @Request.application
    def view(request):
        def rows():
            yield b"one"
            raise LookupError("lost")

        return Response.stream(rows())

    app = stack(error_pages(pages=PAGES), errors(), view)
    answer = Server().serve(app)
    assert (answer.line, answer.sent) == ("Status: 200 OK", b"one")


def test_errors_inside_become_pages():
    @Request.application
    def view(request):
        raise HTTPError(404 if request.path == "/" else 500)

    app = TestApp(stack(error_pages(pages=PAGES), errors(), view))
    assert app.get("/", headers={"Accept": BROWSER}, status=404).text == "<h1>Not here</h1>"
    assert check(stack(error_pages(pages=PAGES), errors(), view)) == []
    assert check(stack(errors(), error_pages(pages=PAGES), view)) != []


@pytest.mark.parametrize(
    ("pages", "error"),
    [
        ([], TypeError),
        ({404: "page"}, TypeError),
        ({200: Response("")}, ValueError),
        ({True: Response("")}, ValueError),
        ({"404": Response("")}, ValueError),
        ({"3xx": Response("")}, ValueError),
    ],
)
def test_options_are_checked(pages, error):
    with pytest.raises(error, match="pages"):
        error_pages(pages=pages)(Response(""))
