from __future__ import annotations

import json

import pytest

from wsgikit.sessions import Session


def session(**values):
    made = Session(values)
    made.created, made.is_new, made.cleared, made.renamed = 0.0, True, False, False
    return made


def test_it_is_a_dict():
    one = session(name="Ann", cart=[1])
    assert one == {"name": "Ann", "cart": [1]}
    one["cart"].append(2)
    assert one.pop("name") == "Ann"
    assert json.loads(one.to_json()) == {"cart": [1, 2]}


def test_flashes_are_taken_in_their_order_and_once():
    one = session()
    one.flash("Saved.")
    one.flash("<b>No</b>", "error")
    assert one.flashes() == [("Saved.", "info"), ("<b>No</b>", "error")]
    assert one.flashes() == []
    assert one == {}


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        ({"when": {1, 2}}, TypeError, "'when'"),
        ({"a": 1, "b": [b"bytes"]}, TypeError, "'b'"),
        ({1: "one"}, TypeError, "names in a session are str, not 1"),
        ({"n": float("nan")}, ValueError, "'n'"),
    ],
    ids=["set", "bytes", "name", "nan"],
)
def test_what_is_no_json_is_named(values, kind, message):
    one = session()
    one.update(values)
    with pytest.raises(kind, match=message):
        one.to_json()


def test_what_contains_itself_is_refused():
    one = session(cart=[])
    one["cart"].append(one["cart"])
    with pytest.raises(ValueError, match="'cart'"):
        one.to_json()


CHANGES = {
    "item": lambda one: one.__setitem__("a", 1),
    "delete": lambda one: one.__delitem__("name"),
    "or": lambda one: one.__ior__({"a": 1}),
    "update": lambda one: one.update(a=1),
    "setdefault": lambda one: one.setdefault("a", 1),
    "pop": lambda one: one.pop("name"),
    "popitem": lambda one: one.popitem(),
    "clear": lambda one: one.clear(),
    "rotate": lambda one: one.rotate(),
    "flash": lambda one: one.flash("late"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_saved_one_is_read_and_not_changed(change):
    one = session(name="Ann")
    one.seal()
    assert one["name"] == "Ann"
    assert one.flashes() == []
    with pytest.raises(RuntimeError, match="before that"):
        change(one)
    assert one == {"name": "Ann"}


def test_its_values_are_in_no_log():
    assert repr(session(user="Ann")) == "<Session with 'user'>"
    assert repr(session()) == "<Session with nothing>"
