"""wsgikit's applications under the server of the standard library, as it is."""

from __future__ import annotations

from contextlib import contextmanager
from http.client import HTTPConnection
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from wsgikit import HTTPError, Request, Response, Router, stack
from wsgikit.apps import listing, static
from wsgikit.middleware import errors


class Quiet(WSGIRequestHandler):
    def log_message(self, format, *args):
        pass


@contextmanager
def stock(app):
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def ask(port, method, path, headers=None):
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def every_kind(folder):
    router = Router()

    @router.get("/text")
    def text(request: Request) -> str:
        return "hello"

    @router.get("/json/{id:int}")
    def json(request: Request, id: int) -> dict[str, object]:
        return {"id": id}

    @router.get("/file")
    def file(request: Request) -> Response:
        return Response.file(folder / "page.html")

    @router.get("/stream")
    def stream(request: Request) -> Response:
        return Response.stream(f"line {number}\n" for number in range(3))

    @router.get("/nothing")
    def nothing(request: Request) -> None:
        return None

    @router.get("/gone")
    def gone(request: Request) -> str:
        raise HTTPError(410, "It was here.")

    router.mount("/static", static(folder))
    router.mount("/folder", listing(folder))
    return stack(errors(), router)


@pytest.mark.parametrize(
    ("path", "headers", "status", "body"),
    [
        pytest.param("/text", {}, 200, b"hello", id="text"),
        pytest.param("/json/7", {}, 200, b'{"id":7}', id="json"),
        pytest.param("/file", {}, 200, b"<h1>A page</h1>", id="file"),
        pytest.param("/file", {"Range": "bytes=4-5"}, 206, b"A ", id="range"),
        pytest.param("/file", {"Range": "bytes=99-"}, 416, None, id="no such range"),
        pytest.param("/stream", {}, 200, b"line 0\nline 1\nline 2\n", id="stream"),
        pytest.param("/nothing", {}, 204, b"", id="nothing"),
        pytest.param("/gone", {}, 410, b"410 Gone: It was here.\n", id="error"),
        pytest.param("/static/page.html", {}, 200, b"<h1>A page</h1>", id="static"),
        pytest.param("/folder/", {}, 200, None, id="listing"),
        pytest.param("/nowhere", {}, 404, b"404 Not Found\n", id="miss"),
    ],
)
def test_the_stock_server_serves_every_kind_of_answer(tmp_path, path, headers, status, body):
    (tmp_path / "page.html").write_bytes(b"<h1>A page</h1>")
    with stock(every_kind(tmp_path)) as port:
        got, _, content = ask(port, "GET", path, headers)
        assert got == status
        assert body is None or content == body
        got_of_head, fields, no_content = ask(port, "HEAD", path)
        assert no_content == b""
        assert got_of_head == (200 if status in (206, 416) else status)
        assert fields["Content-Length"] != "0" or path == "/nothing"


def test_a_conditional_request_under_the_stock_server(tmp_path):
    (tmp_path / "page.html").write_bytes(b"<h1>A page</h1>")
    with stock(every_kind(tmp_path)) as port:
        _, fields, _ = ask(port, "GET", "/file")
        status, _, content = ask(port, "GET", "/file", {"If-None-Match": fields["ETag"]})
    assert (status, content) == (304, b"")
