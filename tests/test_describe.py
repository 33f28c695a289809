from __future__ import annotations

import functools

import pytest

from wsgikit.apps import cascade
from wsgikit.compose import BoundLayer, layer, stack, when
from wsgikit.describe import Description, describe
from wsgikit.router import Router


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


@layer
def outer(app, *, level=1):
    return lambda environ, start_response: app(environ, start_response)


@layer
def inner(app):
    return lambda environ, start_response: app(environ, start_response)


class Shelf:
    """An application that holds others."""

    def __init__(self, parts, options=None):
        self.parts, self.options = parts, options or {}

    def __call__(self, environ, start_response):
        raise NotImplementedError

    def described(self):
        return self.options, self.parts


def as_data(description):
    """All of a description, as one would write it."""
    parts = [(label, as_data(part)) for label, part in description.parts]
    return (description.kind, description.name, dict(description.options), parts)


def test_an_application_is_named():
    assert as_data(describe(hello)) == ("application", "hello", {}, [])
    assert as_data(describe(Shelf([]))) == ("application", "Shelf", {}, [])


def test_a_stack_is_its_layers_and_its_application():
    application = ("application", "hello", {}, [])
    assert as_data(describe(stack(outer(level=6), inner(), hello))) == (
        "layer",
        "outer",
        {"level": 6},
        [("", ("layer", "inner", {}, [("", application)]))],
    )


def test_wrapping_by_hand_is_seen_as_well():
    assert str(describe(outer(inner(hello), level=6))) == "outer(level=6)\ninner\nhello"


def test_layers_are_listed_from_the_outermost():
    description = describe(stack(outer(level=6), inner(), hello))
    assert [part.heading() for part in description.layers()] == ["outer(level=6)", "inner"]
    assert list(describe(hello).layers()) == []


def test_a_condition_is_seen():
    def is_api(environ):
        raise NotImplementedError

    app = stack(when(is_api, outer(level=6)), hello)
    (part,) = describe(app).layers()
    assert part.heading().startswith("when(predicate=")
    assert part.heading().endswith("is_api, layer=outer(level=6))")


def test_routers_give_their_routes_and_the_layers_of_these():
    api = Router()
    api.add("/users/{id:int}", hello, inner(), methods=["GET", "POST"])
    router = Router(trailing_slash="redirect")
    router.add("/", hello)
    router.mount("/api", api, outer(level=6))
    assert str(describe(stack(inner(), router))).splitlines() == [
        "inner",
        "Router(trailing_slash='redirect')",
        "├─ GET /   hello",
        "└─ /api/*  outer(level=6) > Router",
        "   └─ GET POST /users/{id:int}  inner > hello",
    ]


def test_the_tree_is_drawn_with_lines_that_hold_together():
    shelf = Shelf([("first", Shelf([("a", hello)])), ("second", hello)], {"size": 2})
    assert str(describe(shelf)).splitlines() == [
        "Shelf(size=2)",
        "├─ first   Shelf",
        "│  └─ a  hello",
        "└─ second  hello",
    ]


def test_cascades_give_their_applications():
    app = stack(outer(), cascade(inner(hello), hello))
    assert str(describe(app)).splitlines() == [
        "outer",
        "cascade",
        "├─ 1  inner > hello",
        "└─ 2  hello",
    ]


def test_a_layer_that_gives_an_application_with_parts_shows_them():
    def with_fallback(app):
        return cascade(app, hello)

    lines = str(describe(stack(with_fallback, inner(hello)))).splitlines()
    assert lines[0].endswith("with_fallback")
    assert lines[1:] == ["cascade", "├─ 1  inner > hello", "└─ 2  hello"]


def test_the_record_is_not_that_of_a_wrapper_by_functools():
    app = stack(outer(level=6), hello)

    @functools.wraps(app)
    def foreign(environ, start_response):
        return app(environ, start_response)

    assert describe(foreign).kind == "application"
    assert [part.kind for part in describe(stack(inner(), foreign)).layers()] == ["layer"]


def test_a_layer_made_with_functools_around_an_application_with_parts():
    def foreign(app):
        @functools.wraps(app)
        def answer(environ, start_response):
            return app(environ, start_response)

        return answer

    lines = str(describe(stack(foreign, cascade(hello)))).splitlines()
    assert lines[0].endswith("foreign")
    assert lines[1:] == ["cascade", "└─ 1  hello"]


def test_what_holds_itself_is_not_followed_for_ever():
    shelf = Shelf([])
    shelf.parts.append(("again", stack(inner(), shelf)))
    assert str(describe(shelf)).splitlines() == ["Shelf", "└─ again  inner > Shelf"]


def test_what_stands_in_two_places_is_shown_in_both():
    shelf = Shelf([("a", Shelf([("b", hello)]))])
    both = Shelf([("one", shelf), ("two", shelf)])
    assert str(describe(both)).count("hello") == 2


class Proxy:
    """Answers to every name, as proxies and mocks do."""

    def __getattr__(self, name):
        return self

    def __call__(self, *args):
        return self


class ClassAsApplication:
    """PEP 3333 allows a class, whose objects are the bodies."""

    def __init__(self, environ, start_response):
        raise NotImplementedError

    def described(self):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("app", "name"),
    [
        (Proxy(), "Proxy"),
        (ClassAsApplication, "ClassAsApplication"),
        (functools.partial(hello), "hello"),
    ],
    ids=["proxy", "class", "partial"],
)
def test_what_is_foreign_is_named_and_not_looked_into(app, name):
    assert as_data(describe(app)) == ("application", name, {}, [])


def test_a_description_shows_itself():
    assert repr(describe(outer(hello, level=6))) == "<Description of outer(level=6)>"


def test_a_description_of_ones_own_is_drawn():
    lone = Description("layer", "lone", {}, ())
    assert str(lone) == "lone"
    pair = Description("layer", "pair", {}, (("a", lone), ("bc", lone)))
    assert str(pair).splitlines() == ["pair", "├─ a   lone", "└─ bc  lone"]


SECRETS = {
    "keys": ["a key of enough bytes"],
    "key": "a key of enough bytes",
    "api_token": b"a key of enough bytes",
    "old_passwords": ("a key of enough bytes",),
    "Secret": {"a": "key of enough bytes"},
}


@pytest.mark.parametrize("option", SECRETS)
def test_secrets_are_not_shown(option):
    part = BoundLayer("vault", {option: SECRETS[option], "level": 6}, lambda app: outer(app))
    app = stack(part, hello)
    assert str(describe(app)).splitlines()[0] == f"vault({option}=[redacted], level=6)"
    (shown,) = [part for part in describe(app).layers() if part.name == "vault"]
    assert str(shown.options[option]) == "[redacted]"
    assert "enough" not in repr(part) + repr(describe(app))
    assert part.options[option] == SECRETS[option]


def test_secrets_of_an_application_are_not_shown():
    class Vault(Shelf):
        def described(self):
            return {"token": "enough"}, []

    assert (
        str(describe(Vault([])))
        == "test_secrets_of_an_application_are_not_shown.Vault(token=[redacted])"
    )


def test_functions_and_nothing_are_no_secrets():
    part = BoundLayer(
        "vault", {"key": hello, "token": None, "keyboard": "a"}, lambda app: outer(app)
    )
    assert repr(part) == "vault(key=hello, token=None, keyboard='a')"


def test_a_layer_that_fails_does_not_tell_its_secrets():
    @layer
    def vault(app, *, keys):
        raise ValueError("keys are too short")

    with pytest.raises(ValueError, match="too short") as raised:
        stack(vault(keys=["hush"]), hello)
    assert raised.value.__notes__ == ["raised by the layer vault(keys=[redacted])"]


def test_long_values_are_cut():
    part = BoundLayer("table", {"rows": ["row"] * 1000}, lambda app: outer(app))
    assert len(repr(part)) < 250
    assert repr(part).endswith("...)")
