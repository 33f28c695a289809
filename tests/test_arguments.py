from __future__ import annotations

import os
from pathlib import Path

import pytest

from wsgikit.arguments import (
    check_clock,
    check_function,
    check_list,
    check_mapping,
    check_path,
    check_seconds,
    check_size,
    check_texts,
    check_token,
)


@pytest.mark.parametrize("given", [["a", "b"], ("a", "b"), {"a": 1, "b": 2}, iter("ab")], ids=str)
def test_a_list_is_whatever_has_its_parts(given):
    assert check_texts("names", given, "names") == ("a", "b")


def test_what_becomes_of_a_list_later_does_not_count():
    given = [404]
    taken = check_list("statuses", given, "codes")
    given.clear()
    assert taken == (404,)


@pytest.mark.parametrize("given", [None, 5, "ab", b"ab", len], ids=str)
def test_what_is_no_list_is_refused(given):
    with pytest.raises(TypeError, match="names takes a list of names, not "):
        check_list("names", given, "names")


@pytest.mark.parametrize("given", [[None], ["a", 5], [b"a"]], ids=str)
def test_a_list_of_texts_has_nothing_else(given):
    with pytest.raises(TypeError, match="names takes a list of names, each a str, not "):
        check_texts("names", given, "names")


def test_mappings():
    assert list(check_mapping("rules", {"a": "b"}, "paths to text")) == [("a", "b")]
    for given in (None, 5, "ab", [("a", "b")]):
        with pytest.raises(TypeError, match="rules maps paths to text, not "):
            check_mapping("rules", given, "paths to text")


def test_functions():
    check_function("key", len, "a function of an environ")
    check_clock(len)
    with pytest.raises(TypeError, match="key takes a function of an environ, not 5"):
        check_function("key", 5, "a function of an environ")
    with pytest.raises(TypeError, match="clock takes a function such as "):
        check_clock(None)


def test_tokens():
    check_token("header", "X-Id", "the name of a field")
    for given in ("", "a b", "a:", None, 5, [], b"a"):
        with pytest.raises(ValueError, match="header takes the name of a field, not "):
            check_token("header", given, "the name of a field")


def test_paths():
    for given in ("a/b", b"a/b", Path("a/b")):
        assert check_path("file", given, "the path of a file") == os.path.join("a", "b")
    for given in (None, 5, []):
        with pytest.raises(TypeError, match="file takes the path of a file, not "):
            check_path("file", given, "the path of a file")
    for given in ("", b""):
        with pytest.raises(ValueError, match="file takes the path of a file, not "):
            check_path("file", given, "the path of a file")


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (-1, ValueError),
        (2**31 + 1, ValueError),
        (float("nan"), ValueError),
        ("1", TypeError),
        (True, TypeError),
        (None, TypeError),
    ],
    ids=str,
)
def test_seconds(given, kind):
    check_seconds("wait", 0)
    check_seconds("wait", 0.5)
    with pytest.raises(kind, match="wait takes "):
        check_seconds("wait", given)


@pytest.mark.parametrize(
    ("given", "kind"),
    [(0, ValueError), (1.5, TypeError), (True, TypeError), (None, TypeError)],
    ids=str,
)
def test_sizes(given, kind):
    check_size("max_size", 1, 1)
    with pytest.raises(kind, match="max_size takes "):
        check_size("max_size", given, 1)
