from __future__ import annotations

from webtest import TestApp

from wsgikit import Router, stack, when
from wsgikit.apps import cascade, hosts
from wsgikit.between import SERVER, between
from wsgikit.compose import layer
from wsgikit.middleware import fallback


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


def test_what_routers_and_others_hold_are_parts_with_their_layers():
    router = Router()
    router.add("/", hello, inner())
    assert passed(stack(outer(), router)) == [
        (SERVER, "outer()"),
        ("outer()", "Router"),
        ("Router", "inner()"),
        ("inner()", "hello"),
    ]
    names = [inside for _, inside in passed(cascade(Router(), stack(inner(), hello)))]
    assert names == ["cascade", "Router", "inner()", "hello"]
    names = [inside for _, inside in passed(hosts({"a.example": router}, default=router))]
    assert names == ["hosts", "Router", "inner()", "hello"]
    names = [inside for _, inside in passed(hosts({"localhost": stack(inner(), hello)}))]
    assert names == ["hosts", "inner()", "hello"]
    names = [inside for _, inside in passed(stack(outer(), fallback(to=router), refuse))]
    assert names == ["outer()", "cascade", "refuse", "Router", "inner()", "hello"]


def refuse(environ, start_response):
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b""]


def test_a_router_that_is_mounted_on_itself():
    router = Router()
    router.add("/", hello)
    router.mount("/below", router)
    assert [inside for _, inside in passed(router)] == ["Router", "hello"]
    names = []

    def put(outside, app, inside):
        names.append(inside)
        return app

    again = TestApp(between(router, put))
    assert again.get("/below/below/").text == "hello"
    assert names == ["hello", "Router", "Router"]


class Either:
    """An application that holds others and shows them."""

    def __init__(self, *apps):
        self.apps = apps

    def __call__(self, environ, start_response):
        return self.apps[0](environ, start_response)

    def described(self):
        return {}, [(str(number), app) for number, app in enumerate(self.apps)]


class Rebuilt(Either):
    def rebuilt(self, applications):
        return Rebuilt(*applications)


def test_an_application_of_others_takes_part():
    assert [inside for _, inside in passed(Either(stack(inner(), hello)))] == ["Either"]
    names = [inside for _, inside in passed(Rebuilt(stack(inner(), hello), refuse))]
    assert names == ["Rebuilt", "inner()", "hello"]


def test_a_layer_that_gives_what_cannot_be_made_anew():
    assert [inside for _, inside in passed(stack(Either, hello))] == ["Either", "hello"]
    assert [inside for _, inside in passed(stack(Rebuilt, hello))] == ["Rebuilt", "hello"]


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
