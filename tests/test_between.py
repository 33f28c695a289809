from __future__ import annotations

from webtest import TestApp

from wsgikit import Router, stack, when
from wsgikit.apps import cascade
from wsgikit.between import SERVER, between
from wsgikit.compose import layer


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


@layer
def outer(app, *, level=1):
    return lambda environ, start_response: app(environ, start_response)


@layer
def inner(app):
    return lambda environ, start_response: app(environ, start_response)


def foreign(app):
    return lambda environ, start_response: app(environ, start_response)


def passed(app):
    """The pairs that a request passes between, from the outermost in."""
    pairs = []

    def put(outside, app, inside):
        def answer(environ, start_response):
            pairs.append((outside, inside))
            return app(environ, start_response)

        return answer

    assert TestApp(between(app, put), lint=False).get("/").text == "hello"
    return pairs


def test_something_stands_between_every_two_parts():
    assert passed(stack(outer(level=2), inner(), foreign, hello)) == [
        (SERVER, "outer(level=2)"),
        ("outer(level=2)", "inner()"),
        ("inner()", "foreign"),
        ("foreign", "hello"),
    ]


def test_an_application_alone():
    assert passed(hello) == [(SERVER, "hello")]


def test_the_application_stays_as_it_is():
    app = stack(outer(), hello)
    between(app, lambda outside, app, inside: app)
    assert TestApp(app).get("/").text == "hello"
    assert passed(app) == passed(app)


def test_a_layer_made_of_layers_gives_way_to_these():
    def both(app):
        return stack(outer(), inner(), app)

    names = [inside for _, inside in passed(stack(both, hello))]
    assert names == ["outer()", "inner()", "hello"]


def test_what_holds_others_is_one_part():
    router = Router()
    router.add("/", hello, inner())
    assert [inside for _, inside in passed(stack(outer(), router))] == ["outer()", "Router"]
    names = [inside for _, inside in passed(stack(cascade(stack(inner(), hello))))]
    assert names == ["cascade"]


def test_a_layer_under_a_condition_is_one_part():
    _, (outside, inside) = passed(stack(when(bool, outer()), hello))
    assert (outside, inside) == ("when(predicate=bool, layer=outer())", "hello")


def test_a_layer_that_holds_the_application_beside_another():
    def with_fallback(app):
        return cascade(app, hello)

    def with_both(app):
        return stack(inner(), cascade(app, hello))

    assert [inside for _, inside in passed(stack(with_fallback, hello))] == ["cascade", "hello"]
    names = [inside for _, inside in passed(stack(with_both, hello))]
    assert names == ["inner()", "cascade", "hello"]
