from __future__ import annotations

import json
from threading import Thread
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import HTTPError, errors
from wsgikit.errors import NOT_FOUND, answer_error, draw_error
from wsgikit.keys import DRAW_ERROR

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
TEXT, HTML, PROBLEM = "text/plain", "text/html", "application/problem+json"
FORMS = pytest.mark.parametrize("accept", [TEXT, HTML, PROBLEM], ids=["text", "page", "problem"])


def answer(error, accept=None, method="GET", **environ):
    """The response to ``error``, seen by wsgiref's validator and by WebTest's."""
    if accept is not None:
        environ["HTTP_ACCEPT"] = accept
    app = TestApp(validator(lambda environ, start: answer_error(error, environ, start)), environ)
    return app.request("/", method=method, status="*")


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        pytest.param(None, TEXT, id="absent"),
        pytest.param("*/*", TEXT, id="anything"),
        pytest.param("", TEXT, id="empty"),
        pytest.param(BROWSER, HTML, id="browser"),
        pytest.param("text/*", TEXT, id="any text"),
        pytest.param("text/html", HTML, id="html"),
        pytest.param("text/html;q=0.5, text/plain;q=0.4", HTML, id="weights"),
        pytest.param("application/json", PROBLEM, id="json"),
        pytest.param("application/json, text/plain, */*", TEXT, id="axios"),
        pytest.param("application/problem+json", PROBLEM, id="problem"),
        pytest.param("text/html;q=0, text/plain;q=0, */*", PROBLEM, id="neither"),
        pytest.param("image/png", TEXT, id="none of them"),
        pytest.param("*/*;q=0", TEXT, id="nothing at all"),
        pytest.param("text/html" + ", text/html" * 1000, HTML, id="long"),
        pytest.param('";,=/\xff\x01', TEXT, id="malformed"),
    ],
)
def test_the_form_is_negotiated(accept, form):
    for _ in range(2):
        response = answer(HTTPError(400, "Not like this."), accept)
        assert response.content_type == form
        assert response.headers.getall("Vary") == ["Accept"]


def test_text():
    response = answer(HTTPError(409, "Tüt."))
    assert response.status == "409 Conflict"
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.text == "409 Conflict: Tüt.\n"


def test_page():
    response = answer(HTTPError(400, "<script>alert('&\")</script>", title="<b>"), BROWSER)
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "&lt;script&gt;alert(&#39;&amp;&quot;)&lt;/script&gt;" in response
    assert "<title>400 &lt;b&gt;</title>" in response
    assert "<b>" not in response


def test_page_without_detail():
    assert "<p></p>" not in answer(HTTPError(404), HTML)


def test_problem():
    error = HTTPError(403, "No.", title="T", type="https://e.example/no", extensions={"a": [1]})
    response = answer(error, "application/json")
    assert response.headers["Content-Type"] == PROBLEM
    assert response.json == {
        "type": "https://e.example/no",
        "title": "T",
        "status": 403,
        "detail": "No.",
        "a": [1],
    }


@FORMS
def test_the_fields_of_the_error_are_sent(accept):
    fields = [
        ("Retry-After", "5"),
        ("Link", "<a>"),
        ("Link", "<b>"),
        ("Vary", "Cookie, accept"),
        # The form decides these:
        ("content-type", "image/png"),
        ("Content-Length", "1"),
    ]
    response = answer(HTTPError(503, headers=fields), accept)
    assert response.headers["Retry-After"] == "5"
    assert response.headers.getall("Link") == ["<a>", "<b>"]
    assert response.headers.getall("Vary") == ["Accept, Cookie"]
    assert response.headers.getall("Content-Length") == [str(len(response.body))]
    assert response.headers.getall("Content-Type") != ["image/png"]
    assert len(response.headers.getall("Content-Type")) == 1


def test_fields_that_came_into_the_error_unchecked_are_not_sent():
    error = HTTPError(400)
    error.headers.append(("X-Evil", "a\r\nSet-Cookie: b=c"))
    with pytest.raises(ValueError, match="X-Evil"):
        draw_error(error, {"REQUEST_METHOD": "GET"}, None)


@FORMS
def test_head_has_the_fields_and_no_content(accept):
    error = HTTPError(405, "Détail.", headers={"Allow": "GET"})
    whole, head = answer(error, accept), answer(error, accept, "HEAD")
    assert head.body == b""
    assert head.headers == whole.headers
    assert whole.content_length == len(whole.body)


@FORMS
def test_not_found_is_drawn_like_any_other(accept):
    for _ in range(2):
        first, second = answer(NOT_FOUND, accept), answer(HTTPError(404), accept)
        assert (first.status, first.headers, first.body) == (
            second.status,
            second.headers,
            second.body,
        )


def test_an_answer_may_change_its_header_list():
    environ = {"REQUEST_METHOD": "GET"}
    draw_error(NOT_FOUND, environ, lambda status, headers: headers.clear())
    kept = []
    draw_error(NOT_FOUND, environ, lambda status, headers: kept.extend(headers))
    assert ("Content-Length", "14") in kept


def test_another_drawing():
    def draw(error, environ, start_response):
        start_response("200 OK", [("Content-Type", TEXT), ("Content-Length", "3")])
        return [str(error.status).encode()]

    assert answer(HTTPError(418), **{DRAW_ERROR: draw}).text == "418"


def test_the_choices_kept_are_bounded():
    for number in range(3 * errors._MOST_CHOSEN):
        assert answer(NOT_FOUND, f"text/html;q=0.{number:03}, a/b{number}").status_int == 404
        assert len(errors._chosen) <= errors._MOST_CHOSEN
    answer(NOT_FOUND, "text/html," + "x" * 10_000)
    assert max(len(accept or "") for accept in errors._chosen) <= errors._LONGEST_ACCEPT


def test_many_threads_get_the_answer_that_each_asked_for():
    failed = []

    def ask(number):
        for turn in range(200):
            accept = f"{(TEXT, HTML, PROBLEM)[turn % 3]}, a/b{(number * 200 + turn) % 150}"
            environ = {"REQUEST_METHOD": "GET", "HTTP_ACCEPT": accept}
            fields = {}
            draw_error(NOT_FOUND, environ, lambda status, headers, f=fields: f.update(headers))
            if not fields["Content-Type"].startswith(accept.partition(",")[0]):
                failed.append(accept)

    threads = [Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


@given(st.integers(400, 599), st.text(), st.text(), st.text(st.characters(max_codepoint=255)))
def test_any_error_is_answered(status, detail, title, accept):
    environ = {"HTTP_ACCEPT": accept}
    setup_testing_defaults(environ)
    environ["QUERY_STRING"] = ""
    started = []
    error = HTTPError(status, detail, title=title)
    app = validator(lambda environ, start: draw_error(error, environ, start))
    body = app(environ, lambda status, headers, exc_info=None: started.extend([status, headers]))
    block = b"".join(body)
    body.close()
    fields = dict(started[1])
    assert started[0].startswith(str(status))
    assert fields["Content-Length"] == str(len(block))
    block.decode("utf-8")
    if fields["Content-Type"] == PROBLEM:
        assert json.loads(block)["detail"] == detail
