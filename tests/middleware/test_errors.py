from __future__ import annotations

import logging
from collections.abc import Iterator
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import HTTPError, Request, Response, Router, stack
from wsgikit.compose import layer
from wsgikit.keys import DRAW_ERROR
from wsgikit.middleware import errors
from wsgikit.server.server import Server
from wsgikit.testing import serving

FAILED = "500 Internal Server Error: The server could not finish this request."


def raising(error: Exception) -> WSGIApplication:
    """An application that raises when it is called."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        raise error

    return app


def stopping(closed: list[bool], *blocks: bytes) -> WSGIApplication:
    """An application whose body gives ``blocks``, then raises."""

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            yield from blocks
            raise ValueError("in the middle")

        def close(self) -> None:
            closed.append(True)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Body()

    return app


def checked(*parts: WSGIApplication) -> TestApp:
    """The stack with a validator inside and outside."""
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))))


def fetch(server: Server) -> tuple[int, str]:
    """Status and content of one answer over a real connection."""
    connection = HTTPConnection(server.host, server.port)
    connection.request("GET", "/", headers={"Connection": "close"})
    try:
        with connection.getresponse() as answer:
            return answer.status, answer.read().decode()
    finally:
        connection.close()


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


# Failures


def test_failure_is_answered_without_details_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = checked(errors(), raising(ValueError("the secret plan")))
    answer = app.get("/a?token=1", status=500)
    assert answer.text.startswith(FAILED)
    assert "plan" not in answer.text
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("wsgikit.errors", logging.ERROR)
    assert record.getMessage() == "GET /a failed"
    assert "ValueError: the secret plan" in caplog.text


def test_log_gets_one_line_of_ascii_whatever_the_client_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    environ = {
        "REQUEST_METHOD": "GET\nX",
        "SCRIPT_NAME": "/a",
        "PATH_INFO": "/\r\nERROR forged \xc3\xbc\x1b[31m" + "x" * 600,
    }
    errors(raising(ValueError()))(environ, lambda *args: print)
    (message,) = messages(caplog)
    assert message.startswith(r"GET\nX /a/%0D%0AERROR%20forged%20%C3%BC%1B%5B31mxxx")
    assert len(message) < 560


def test_body_that_fails_before_its_first_block_is_answered_and_closed_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    closed: list[bool] = []
    with serving(errors(stopping(closed))) as server:
        status, content = fetch(server)
    assert status == 500
    assert content.startswith(FAILED)
    assert closed == [True]
    assert messages(caplog) == ["GET / failed"]


def test_generator_that_starts_late_and_fails_is_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        raise ValueError("before the start")
        yield b""

    assert checked(errors(), app).get("/", status=500).text.startswith(FAILED)
    assert messages(caplog) == ["GET / failed"]


@pytest.mark.parametrize(
    "handlers",
    [
        pytest.param({}, id="built-in"),
        pytest.param({500: lambda request, error: "sorry"}, id="by-status"),
        pytest.param({ValueError: lambda request, error: "sorry"}, id="by-class"),
    ],
)
def test_failure_after_the_first_block_is_told_by_the_server_alone(
    handlers: dict[int | type[Exception], object], caplog: pytest.LogCaptureFixture
) -> None:
    closed: list[bool] = []
    with serving(errors(stopping(closed, b"first"), handlers=handlers)) as server:
        with pytest.raises(IncompleteRead):
            fetch(server)
    assert closed == [True]
    assert {record.name for record in caplog.records} == {"wsgikit.server"}
    assert caplog.text.count("ValueError: in the middle") == 1


def test_failure_after_write_is_told_by_the_server_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])(b"written")
        raise ValueError("after write")

    with serving(errors(app)) as server, pytest.raises(IncompleteRead):
        fetch(server)
    assert {record.name for record in caplog.records} == {"wsgikit.server"}
    assert caplog.text.count("ValueError: after write") == 1


def test_written_response_passes() -> None:
    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])(b"written, ")
        return [b"returned"]

    assert checked(errors(), app).get("/").text == "written, returned"


def test_head_of_a_failure_has_no_content() -> None:
    router = Router()

    @router.get("/")
    def view(request: Request) -> str:
        raise ValueError

    answer = checked(errors(), router).head("/", status=500)
    assert answer.body == b""
    assert int(answer.headers["Content-Length"]) > 0


def test_exit_is_no_failure() -> None:
    class Stop(BaseException):
        pass

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        raise Stop

    with pytest.raises(Stop):
        TestApp(errors(app)).get("/")


# HTTPErrors


def test_http_error_of_a_raw_application_is_drawn_and_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = HTTPError(503, "Later.", headers=[("Retry-After", "9")])
    answer = checked(errors(), raising(error)).get("/", status=503)
    assert answer.text == "503 Service Unavailable: Later.\n"
    assert answer.headers["Retry-After"] == "9"
    assert not caplog.records


def own(request: Request, error: HTTPError) -> str:
    return f"own page for {request.path}: {error.status}"


def test_own_page_answers_wherever_the_error_was_answered(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.write_text("soon")
    file = Response.file(gone)
    gone.unlink()
    router = Router()
    router.get("/file")(lambda request: file)
    router.mount("/raw", raising(HTTPError(404)))

    @router.get("/view")
    def view(request: Request) -> str:
        raise HTTPError(404)

    app = checked(errors(handlers={404: own}), router)
    for path in ("/file", "/view", "/nowhere"):
        assert app.get(path, status=404).text == f"own page for {path}: 404"
    assert app.get("/raw/x", status=404).text == "own page for /x: 404"


def test_layers_outside_see_the_answer_of_a_view_as_a_normal_response() -> None:
    router = Router()
    seen = []

    @layer
    def watching(app: WSGIApplication) -> WSGIApplication:
        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> object:
            body = app(environ, start_response)
            seen.append("normal")
            return body

        return answer

    app = checked(errors(handlers={404: own}), watching(), router)
    assert app.get("/x", status=404).text == "own page for /x: 404"
    assert seen == ["normal"]


def test_fields_of_the_error_go_with_its_status() -> None:
    router = Router()
    router.get("/")(lambda request: "")
    app = checked(errors(handlers={405: own}), router)
    assert app.post("/", status=405).headers["Allow"] == "GET, HEAD, OPTIONS"


def test_fields_of_the_response_win_over_those_of_the_error() -> None:
    def later(request: Request, error: HTTPError) -> Response:
        return Response("", 503, [("retry-after", "1"), ("Content-Type", "text/plain")])

    error = HTTPError(503, headers=[("Retry-After", "9"), ("X-Other", "1")])
    answer = checked(errors(handlers={503: later}), raising(error)).get("/", status=503)
    assert answer.headers.getall("Retry-After") == ["1"]
    assert answer.headers["X-Other"] == "1"


@pytest.mark.parametrize(
    ("result", "status", "content"),
    [
        pytest.param("text", 404, b"text", id="str"),
        pytest.param(b"bytes", 404, b"bytes", id="bytes"),
        pytest.param({"a": 1}, 404, b'{"a":1}', id="dict"),
        pytest.param(Response.html("<p>"), 404, b"<p>", id="response-of-200"),
        pytest.param(Response("gone", 410), 410, b"gone", id="response-with-a-status"),
    ],
)
def test_answer_to_an_http_error_has_its_status_unless_it_says_another(
    result: object, status: int, content: bytes
) -> None:
    app = checked(errors(handlers={404: lambda request, error: result}), Router())
    answer = app.get("/", status=status)
    assert answer.body == content


def test_none_is_an_empty_answer() -> None:
    app = TestApp(errors(Router(), handlers={404: lambda request, error: None}), lint=False)
    assert app.get("/", status=404).body == b""


def test_http_error_as_a_class_stands_for_the_other_statuses() -> None:
    handlers = {404: lambda request, error: "404", HTTPError: lambda request, error: "any"}
    router = Router()
    router.get("/")(lambda request: "")
    app = checked(errors(handlers=handlers), router)
    assert app.get("/x", status=404).text == "404"
    assert app.post("/", status=405).text == "any"


def test_page_for_500_gets_the_failure_as_the_cause(caplog: pytest.LogCaptureFixture) -> None:
    def sorry(request: Request, error: HTTPError) -> str:
        return f"{error.status} because of {error.__cause__!r}"

    answer = checked(errors(handlers={500: sorry}), raising(ValueError(1))).get("/", status=500)
    assert answer.text == "500 because of ValueError(1)"
    assert messages(caplog) == ["GET / failed"]


def test_page_that_starts_late_is_logged_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    def page(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        start_response("500 Sorry", [("Content-Type", "text/plain")])
        yield b"sorry"

    app = errors(handlers={500: lambda request, error: page})
    assert checked(app, raising(ValueError())).get("/", status=500).text == "sorry"
    assert messages(caplog) == ["GET / failed"]


# Handlers by class


class NotThere(LookupError):
    pass


class Expired(HTTPError):
    pass


def test_nearest_class_answers_and_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    handlers = {
        LookupError: lambda request, error: Response("lookup", 404),
        KeyError: lambda request, error: Response(f"no {error.args[0]}", 404),
    }
    for error, text in ((KeyError("a"), "no a"), (NotThere(), "lookup"), (IndexError(), "lookup")):
        app = checked(errors(handlers=handlers), raising(error))
        assert app.get("/", status=404).text == text
    assert not caplog.records


def test_response_to_an_exception_keeps_its_status_and_text_gets_500() -> None:
    handlers = {
        KeyError: lambda request, error: Response("all is well"),
        IndexError: lambda request, error: "text",
    }
    assert checked(errors(handlers=handlers), raising(KeyError())).get("/").text == "all is well"
    app = checked(errors(handlers=handlers), raising(IndexError()))
    assert app.get("/", status=500).text == "text"


def test_class_of_http_error_comes_before_its_status() -> None:
    handlers = {404: lambda request, error: "status", Expired: lambda request, error: "class"}
    app = checked(errors(handlers=handlers), raising(Expired(404)))
    assert app.get("/", status=404).text == "class"


def test_handler_by_class_may_raise_an_http_error_to_be_answered_by_status(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def missing(request: Request, error: KeyError) -> object:
        raise HTTPError(404, "There is none.") from error

    app = checked(errors(handlers={KeyError: missing, 404: own}), raising(KeyError()))
    assert app.get("/x", status=404).text == "own page for /x: 404"
    assert not caplog.records


# Handlers that go wrong


def broken(request: Request, error: Exception) -> object:
    raise RuntimeError("broken handler")


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        pytest.param(HTTPError(404, "Nothing."), 404, 404, id="by-status"),
        pytest.param(KeyError("x"), KeyError, 500, id="by-class"),
    ],
)
def test_handler_that_raises_is_logged_and_the_built_in_page_answers(
    error: Exception,
    kind: int | type[Exception],
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = checked(errors(handlers={kind: broken}), raising(error)).get("/", status=status)
    assert answer.text.startswith(str(status))
    assert messages(caplog) == ["GET / failed in the error handler broken"]
    assert "RuntimeError: broken handler" in caplog.text


def test_answer_of_a_handler_that_fails_in_iteration_is_replaced(
    caplog: pytest.LogCaptureFixture,
) -> None:
    closed: list[bool] = []
    app = errors(handlers={404: lambda request, error: stopping(closed)})
    assert checked(app, Router()).get("/", status=404).text == "404 Not Found\n"
    assert closed == [True]
    assert len(caplog.records) == 1


def test_result_that_is_no_answer_is_a_failure_of_the_handler(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = checked(errors(handlers={404: lambda request, error: 42}), Router())
    assert app.get("/", status=404).text == "404 Not Found\n"
    assert "TypeError" in caplog.text


def test_handler_that_raises_the_error_again_leaves_it_to_the_built_in_page(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def only_html(request: Request, error: HTTPError) -> Response:
        raise error

    app = checked(errors(handlers={404: only_html}), Router())
    assert app.get("/", status=404).text == "404 Not Found\n"
    assert not caplog.records


@pytest.mark.parametrize("kind", [404, Expired], ids=["by-status", "by-class"])
def test_handler_whose_answer_is_the_error_again_does_not_loop(
    kind: int | type[Exception],
) -> None:
    router = Router()

    @router.get("/")
    def view(request: Request) -> str:
        raise Expired(404, "Over.")

    app = checked(errors(handlers={kind: lambda request, error: router}), router)
    assert app.get("/", status=404).text == "404 Not Found: Over.\n"


# Two layers, and options


def test_inner_layer_answers() -> None:
    inner = {404: lambda request, error: "inner"}
    outer = {404: lambda request, error: "outer", 405: lambda request, error: "outer"}
    app = checked(errors(handlers=outer), errors(handlers=inner), Router())
    assert app.get("/", status=404).text == "inner"


def test_drawing_is_in_the_environ() -> None:
    seen = {}

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        seen.update(environ)
        return Response("x")(environ, start_response)

    TestApp(errors(app)).get("/")
    assert callable(seen[DRAW_ERROR])


@pytest.mark.parametrize(
    ("handlers", "kind"),
    [
        pytest.param([404], TypeError, id="no-mapping"),
        pytest.param({404: "page"}, TypeError, id="no-function"),
        pytest.param({"404": own}, TypeError, id="text"),
        pytest.param({True: own}, TypeError, id="bool"),
        pytest.param({KeyboardInterrupt: own}, TypeError, id="no-exception"),
        pytest.param({200: own}, ValueError, id="no-error"),
        pytest.param({600: own}, ValueError, id="no-status"),
        pytest.param({Exception: own}, ValueError, id="everything"),
    ],
)
def test_options_are_checked_when_the_layer_is_put_on(
    handlers: object, kind: type[Exception]
) -> None:
    with pytest.raises(kind, match="handlers"):
        errors(Router(), handlers=handlers)


def test_later_changes_of_the_mapping_do_nothing() -> None:
    handlers = {404: own}
    app = checked(errors(handlers=handlers), Router())
    app.get("/", status=404)
    handlers.clear()
    assert app.get("/x", status=404).text == "own page for /x: 404"
