from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass

import pytest
from webtest import TestApp

from wsgikit.compose import BoundLayer, layer, name_of, stack, when, wrapped, written
from wsgikit.describe import describe
from wsgikit.http.problem import HTTPError
from wsgikit.response import Response
from wsgikit.wrap import add_headers


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


@layer
def tagged(app, *, name, times=1):
    """Add an X-Tag field."""
    if not isinstance(times, int):
        raise TypeError("times is a number")
    fields = [("X-Tag", name)] * times

    def answer(environ, start_response):
        return app(environ, add_headers(start_response, fields))

    return answer


@layer
def plain(app):
    def answer(environ, start_response):
        return app(environ, start_response)

    return answer


def tags(app, path="/"):
    """The X-Tag fields of a response."""
    return TestApp(app).get(path).headers.getall("X-Tag")


# layer


def test_a_middleware_wraps_now():
    assert tags(tagged(hello, name="a", times=2)) == ["a", "a"]
    assert TestApp(plain(hello)).get("/").text == "hello"


def test_a_middleware_binds_its_options_for_later():
    bound = tagged(name="a")
    assert isinstance(bound, BoundLayer)
    assert tags(bound(hello)) == ["a"]
    assert tags(plain()(hello)) == []


def test_a_bound_layer_may_wrap_many_applications():
    bound = tagged(name="a")
    one, other = bound(hello), bound(plain(hello))
    assert one is not other
    assert tags(one) == tags(other) == ["a"]


def test_a_bound_layer_shows_what_was_written():
    assert repr(tagged(name="a", times=2)) == "tagged(name='a', times=2)"
    assert repr(plain()) == "plain()"


def test_a_layer_looks_like_its_middleware():
    assert (tagged.__name__, tagged.__doc__) == ("tagged", "Add an X-Tag field.")
    assert (tagged.__qualname__, tagged.__module__) == ("tagged", __name__)
    assert str(inspect.signature(tagged)) == "(app, *, name, times=1)"


OPTION_ERRORS = {
    "unknown": (lambda: tagged(nmae="a"), "tagged() has no option 'nmae'; it takes name, times"),
    "unknown, wrapping": (lambda: tagged(hello, nmae="a"), "tagged() has no option 'nmae'"),
    "of none": (lambda: plain(level=6), "plain() has no option 'level'; it takes no options"),
    "missing": (lambda: tagged(times=2), "tagged() needs the option 'name'"),
    "missing, wrapping": (lambda: tagged(hello), "tagged() needs the option 'name'"),
    "app by name": (lambda: plain(app=hello), "plain() has no option 'app'"),
    "by position": (lambda: tagged(hello, "a", name="a"), "takes one application and its options"),
    "no application": (lambda: plain(6), "plain() takes one application and its options by name"),
    "None": (lambda: plain(None), "plain() takes one application"),
    "a layer": (lambda: plain(tagged(name="a")), "plain() takes one application"),
    "a layer without ()": (lambda: plain(plain), "plain() takes one application"),
}


@pytest.mark.parametrize(("write", "message"), OPTION_ERRORS.values(), ids=OPTION_ERRORS)
def test_a_wrong_option_fails_where_it_is_written(write, message):
    with pytest.raises(TypeError) as raised:
        write()
    assert message in str(raised.value)


def test_a_wrong_value_says_from_which_layer_it_comes():
    with pytest.raises(TypeError, match="times is a number") as raised:
        stack(plain(), tagged(name="a", times="2"), hello)
    assert raised.value.__notes__ == ["raised by the layer tagged(name='a', times='2')"]
    with pytest.raises(TypeError) as raised:
        tagged(hello, name="a", times="2")
    assert raised.value.__notes__ == ["raised by the layer tagged(name='a', times='2')"]


def no_middleware():
    class Class:
        def __init__(self, app):
            pass

        def method(self, app, *, option):
            pass

    def wrapper(*args, **options):
        pass

    return {
        "nothing": lambda: None,
        "two by position": lambda app, level: None,
        "any positions": lambda app, *args: None,
        "any options": lambda app, **options: None,
        "wrapper": functools.wraps(hello)(wrapper),
        "class": Class,
        "object": Class(None),
        "method": Class(None).method,
        "partial": functools.partial(hello, level=6),
        "builtin": print,
    }


@pytest.mark.parametrize("what", no_middleware().values(), ids=no_middleware())
def test_what_is_no_middleware(what):
    with pytest.raises(TypeError, match=r"a middleware is a function that takes \(app, \*, opt"):
        layer(what)


def test_a_layer_keeps_its_middleware():
    assert tagged(name="a").middleware is tagged.__middleware__
    assert when(is_api, tagged(name="a")).middleware is None


def test_options_may_have_any_name():
    @layer
    def odd(app, *, args, options, self, name, app_=None):
        assert (args, options, self, name) == (1, 2, 3, 4)
        return plain(app)

    assert tags(odd(hello, args=1, options=2, self=3, name=4)) == []


def test_local_variables_of_a_middleware_are_no_options():
    @layer
    def local(app, *, option=1):
        variable = option
        return lambda environ, start_response: app(environ, start_response) if variable else None

    with pytest.raises(TypeError, match="no option 'variable'; it takes option"):
        local(variable=1)


def test_the_application_may_be_positional_only():
    @layer
    def strict(app, /, *, option=1):
        return plain(app)

    assert tags(strict(hello, option=2)) == []
    with pytest.raises(TypeError, match="no option 'app'"):
        strict(app=hello)


# stack


def test_stack_is_a_of_b_of_app():
    app = stack(tagged(name="outer"), tagged(name="inner"), hello)
    by_hand = tagged(name="outer")(tagged(name="inner")(hello))
    assert tags(app) == tags(by_hand)
    assert sorted(tags(app)) == ["inner", "outer"]


def test_a_request_passes_from_the_top_to_the_bottom():
    order = []

    def noting(name):
        def wrap(app):
            def answer(environ, start_response):
                order.append(name)
                return app(environ, start_response)

            return answer

        return wrap

    TestApp(stack(noting("a"), noting("b"), noting("c"), hello)).get("/")
    assert order == ["a", "b", "c"]


def test_a_stack_of_an_application_alone_is_that():
    assert stack(hello) is hello


def test_a_middleware_without_options_may_be_stacked_as_it_is():
    app = stack(plain, hello)
    assert TestApp(app).get("/").text == "hello"
    assert [part.name for part in describe(app).layers()] == ["plain"]
    assert app.__layer__.outer is app


def test_a_function_that_only_sets_options_is_seen_as_what_it_sets_them_of():
    app = stack(lambda app: tagged(app, name="a"), hello)
    assert describe(app).heading() == "tagged(name='a')"
    assert len(list(describe(app).layers())) == 1


class ForeignLayer:
    """As other libraries write them: a class whose objects are applications."""

    def __init__(self, app, level=1):
        self.app = app

    def __call__(self, environ, start_response):
        return self.app(environ, start_response)


class SlottedLayer:
    __slots__ = ("app",)

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        return self.app(environ, start_response)

    def bound(self, environ, start_response):
        return self.app(environ, start_response)


def wrapping_with_functools(app):
    @functools.wraps(app)
    def answer(environ, start_response):
        return app(environ, start_response)

    return answer


def by_default_argument(app):
    def answer(environ, start_response, app=app):
        return app(environ, start_response)

    return answer


def with_an_empty_cell(app):
    def answer(environ, start_response):
        return app(environ, start_response) if environ else never

    if app is None:
        never = None
    return answer


@dataclass(frozen=True)
class FrozenLayer:
    app: object

    def __call__(self, environ, start_response):
        return self.app(environ, start_response)


def method_with_a_closure(app):
    class Local:
        def answer(self, environ, start_response):
            return app(environ, start_response)

    return Local().answer


FOREIGN = {
    "class": (ForeignLayer, "ForeignLayer"),
    "partial": (functools.partial(ForeignLayer, level=2), "ForeignLayer"),
    "class with slots": (SlottedLayer, "SlottedLayer"),
    "frozen class": (FrozenLayer, "FrozenLayer"),
    "method with a closure": (method_with_a_closure, "method_with_a_closure"),
    "bound method": (lambda app: SlottedLayer(app).bound, "lambda"),
    "function": (wrapping_with_functools, "wrapping_with_functools"),
    "default argument": (by_default_argument, "by_default_argument"),
    "empty cell": (with_an_empty_cell, "with_an_empty_cell"),
    "partial application": (lambda app: functools.partial(app), "lambda"),
}


@pytest.mark.parametrize(("part", "name"), FOREIGN.values(), ids=FOREIGN)
def test_anything_from_application_to_application_is_a_layer(part, name):
    app = stack(tagged(name="out"), part, tagged(name="in"), hello)
    assert sorted(tags(app)) == ["in", "out"]
    names = [part.name for part in describe(app).layers()]
    assert names[0] == names[2] == "tagged"
    assert names[1].rpartition(".")[2] == name
    assert inspect.unwrap(app) is hello


def test_a_layer_that_adds_nothing_is_not_seen():
    app = stack(plain(), lambda app: app, hello)
    assert [part.name for part in describe(app).layers()] == ["plain"]


STACK_ERRORS = {
    "nothing": ((), "at least an application"),
    "no application": ((plain(), None), "stack() ends with None"),
    "a string": (("app",), "stack() ends with 'app'"),
    "a layer last": ((plain(),), "stack() ends with plain()"),
    "a layer without () last": ((plain(), plain), "stack() ends with <function plain"),
    "no layer": ((6, hello), "6 is no layer"),
    "None among them": ((plain(), None, hello), "None is no layer"),
    "a layer of no application": ((lambda app: None, hello), "returned None, which is no app"),
    "a layer of a layer": ((lambda app: plain(), hello), "returned plain(), which is no app"),
}


@pytest.mark.parametrize(("parts", "message"), STACK_ERRORS.values(), ids=STACK_ERRORS)
def test_what_cannot_be_stacked(parts, message):
    with pytest.raises(TypeError) as raised:
        stack(*parts)
    assert message in str(raised.value)


def test_an_application_as_a_layer_is_named():
    with pytest.raises(TypeError) as raised:
        stack(hello, hello)
    assert raised.value.__notes__ == ["raised by the layer hello"]


def test_errors_of_foreign_layers_keep_their_kind_and_get_a_note():
    def refusing(app):
        raise HTTPError(500, "not here")

    with pytest.raises(HTTPError, match="not here") as raised:
        stack(refusing, hello)
    (note,) = raised.value.__notes__
    assert note.startswith("raised by the layer ")
    assert note.endswith("refusing")


# what is noted, and where


def test_stacking_does_not_change_an_application_that_others_use():
    def shared(environ, start_response):
        return hello(environ, start_response)

    for part in (shared, Response("text"), ForeignLayer(shared)):
        app = stack(lambda app, part=part: part, hello)
        assert TestApp(app).get("/").status_int == 200
        assert describe(part).kind == "application"
        assert not hasattr(part, "__wrapped__")
        assert describe(app).kind == "layer"


def test_one_application_in_two_stacks():
    inner = plain(hello)
    one, other = stack(tagged(name="a"), inner), stack(tagged(name="b"), inner)
    assert [part.options for part in describe(one).layers()] == [{"name": "a"}, {}]
    assert [part.options for part in describe(other).layers()] == [{"name": "b"}, {}]
    assert [part.name for part in describe(inner).layers()] == ["plain"]


def hardened(app):
    return stack(plain(), tagged(name="a"), app)


def test_a_layer_made_of_layers_shows_itself_and_them():
    app = stack(plain(), hardened, hello)
    names = [part.name for part in describe(app).layers()]
    assert names == ["plain", "hardened", "plain", "tagged"]
    assert tags(app) == ["a"]

    @layer
    def secured(app, *, level=1):
        return tagged(app, name=f"{level}")

    names = [str(part.heading()) for part in describe(secured(hello, level=2)).layers()]
    assert names[0].endswith("secured(level=2)")
    assert names[1:] == ["tagged(name='2')"]


def test_what_a_layer_was_called_with_is_kept_beside_what_it_shows():
    behind = plain(hello)
    alone = tagged(behind, name="a").__layer__
    assert alone.app is alone.inner is behind
    composed = stack(hardened, behind).__layer__
    assert composed.app is behind
    assert composed.inner is not behind
    assert [part.name for part in describe(composed.inner).layers()] == ["plain", "tagged", "plain"]


def test_a_layer_that_gives_what_is_behind_makes_no_circle():
    inner = plain(hello)
    outer = plain(inner)
    app = stack(lambda app: inner, outer)
    assert [part.name for part in describe(app).layers()][1:] == ["plain"]
    assert [part.name for part in describe(outer).layers()] == ["plain", "plain"]
    app = stack(lambda app: hello, plain(), hello)
    assert TestApp(app).get("/").text == "hello"
    assert len(list(describe(app).layers())) == 2


def test_a_remembered_layer_may_be_stacked_again():
    part = functools.cache(plain)
    one, other = stack(part, hello), stack(part, hello)
    assert TestApp(one).get("/").text == TestApp(other).get("/").text == "hello"
    assert describe(one).parts[0][1].name in ("plain", "hello")


def test_nothing_is_added_to_a_request():
    def answer(environ, start_response):
        return app_(environ, start_response)

    def part(app):
        nonlocal app_
        app_ = app
        return answer

    app_ = None
    assert stack(part, hello) is answer


# when


def is_api(environ):
    return environ["PATH_INFO"].startswith("/api")


def test_when_chooses_by_request():
    app = stack(when(is_api, tagged(name="api")), hello)
    assert tags(app, "/api/1") == ["api"]
    assert tags(app, "/") == []


def test_when_takes_what_is_true_for_true():
    app = stack(when(lambda environ: environ.get("QUERY_STRING"), tagged(name="q")), hello)
    assert tags(app, "/?a") == ["q"]
    assert tags(app, "/") == []


def test_when_calls_its_layer_once():
    calls = []

    def part(app):
        calls.append(app)
        return app

    app = stack(when(is_api, part), hello)
    TestApp(app).get("/api")
    TestApp(app).get("/api")
    assert calls == [hello]


def test_when_in_when():
    app = stack(when(is_api, when(lambda environ: False, tagged(name="never"))), hello)
    assert tags(app, "/api") == []


def test_when_shows_its_layer():
    assert repr(when(is_api, tagged(name="a"))) == "when(predicate=is_api, layer=tagged(name='a'))"


WHEN_ERRORS = {
    "predicate": (lambda: when(True, plain()), "when() takes predicate(environ) first, not True"),
    "layer": (lambda: when(is_api, None), "when() takes a layer after its predicate, not None"),
    "layer's result": (lambda: stack(when(is_api, lambda app: 1), hello), "returned 1"),
}


@pytest.mark.parametrize(("write", "message"), WHEN_ERRORS.values(), ids=WHEN_ERRORS)
def test_when_refuses(write, message):
    with pytest.raises(TypeError) as raised:
        write()
    assert message in str(raised.value)


def test_an_error_of_the_predicate_passes():
    app = stack(when(lambda environ: environ["nothing"], plain()), hello)
    with pytest.raises(KeyError, match="nothing"):
        app({}, None)


# names


def test_names():
    assert name_of(hello) == "hello"
    assert name_of(plain()) == "plain()"
    assert name_of(Response()) == "Response"
    assert name_of(functools.partial(functools.partial(hello, 1), 2)) == "hello"
    assert name_of(lambda: 0).endswith("test_names.lambda")


def test_options_are_written_as_one_would_write_them():
    options = {"level": 6, "key": is_api, "types": ["a"], "clock": Response}
    assert written(options) == "level=6, key=is_api, types=['a'], clock=Response"


def test_wrapped_is_what_stack_does():
    assert tags(wrapped(tagged(name="a"), hello)) == ["a"]
