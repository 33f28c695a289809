from __future__ import annotations

from html import escape
from string import Template
from wsgiref.validate import validator

import pytest
from jinja2 import DictLoader, Environment, UndefinedError
from webtest import TestApp

from wsgikit import Request, Response
from wsgikit.templates import templates

PLAIN = {"hello": "<p>Hello, $name!</p>"}


def substitute(template, values):
    return Template(PLAIN[template]).substitute({k: escape(str(v)) for k, v in values.items()})


def answer(response):
    return TestApp(validator(response)).get("/", expect_errors=True)


def test_a_page_is_html():
    response = answer(templates(substitute)("hello", name="Ada"))
    assert response.status == "200 OK"
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.text == "<p>Hello, Ada!</p>"


def test_render_gets_the_template_and_all_values():
    seen = []
    page = templates(lambda template, values: seen.append((template, values)) or "")
    page("hello", name="Ada", template="t", values=[1])
    page("bye")
    assert seen == [("hello", {"name": "Ada", "template": "t", "values": [1]}), ("bye", {})]


def test_jinja2_with_autoescape():
    env = Environment(loader=DictLoader({"hello.html": "<p>Hello, {{ name }}!</p>"}))
    env.autoescape = True
    page = templates(lambda template, values: env.get_template(template).render(values))
    assert answer(page("hello.html", name="<b>")).text == "<p>Hello, &lt;b&gt;!</p>"


def test_a_view_returns_a_page_and_may_change_it():
    page = templates(substitute)

    @Request.application
    def missing(request):
        response = page("hello", name="nobody")
        response.status = 404
        response.headers["Cache-Control"] = "no-store"
        return response

    response = answer(missing)
    assert response.status == "404 Not Found"
    assert response.headers["Cache-Control"] == "no-store"


def test_another_content_type():
    page = templates(lambda template, values: "a,b\r\n", content_type="text/csv; charset=utf-8")
    assert answer(page("table")).headers["Content-Type"] == "text/csv; charset=utf-8"


def test_text_is_sent_as_utf_8():
    page = templates(lambda template, values: "Grüße, 世界")
    assert answer(page("hello")).body == "Grüße, 世界".encode()


def test_a_page_is_a_response_without_a_body_for_head():
    page = templates(substitute)("hello", name="Ada")
    assert isinstance(page, Response)
    response = TestApp(validator(page)).head("/")
    assert response.headers["Content-Length"] == "18"


def test_what_the_engine_raises_passes_on():
    env = Environment(loader=DictLoader({"hello.html": "{{ name.first }}"}))
    page = templates(lambda template, values: env.get_template(template).render(values))
    with pytest.raises(UndefinedError):
        page("hello.html")


@pytest.mark.parametrize(
    ("result", "kind"),
    [(b"<p>", "bytes"), (None, "NoneType"), (["<p>"], "list")],
    ids=["bytes", "None", "list"],
)
def test_a_render_that_returns_no_str(result, kind):
    page = templates(lambda template, values: result)
    with pytest.raises(TypeError, match=f"^render returns str, not {kind}, .* template 'hello'$"):
        page("hello")


def test_a_render_that_cannot_be_called():
    with pytest.raises(TypeError, match=r"^render takes a callable \(template, values\) -> str"):
        templates("templates/")


@pytest.mark.parametrize(
    ("content_type", "error"),
    [("text/html\r\nX: y", ValueError), (b"text/html", TypeError)],
    ids=["line break", "bytes"],
)
def test_a_content_type_that_is_none(content_type, error):
    with pytest.raises(error, match="content_type"):
        templates(substitute, content_type=content_type)
