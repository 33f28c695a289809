from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.headers import Headers

NAMES = st.sampled_from(["A", "a", "B", "b-C", "B-c", "Vary"])
VALUES = st.sampled_from(["", "1", "2", "x, y"])
LINES = st.lists(st.tuples(NAMES, VALUES))


def two() -> Headers:
    return Headers([("Set-Cookie", "a=1"), ("Age", "5"), ("set-cookie", "b=2")])


def test_pairs_are_kept_in_order() -> None:
    pairs = [("B", "1"), ("A", "2"), ("b", "3")]
    headers = Headers(pairs)
    assert headers.raw == pairs
    assert headers.raw is not pairs


@pytest.mark.parametrize(
    "given_as",
    [
        pytest.param({"A": "1", "B": "2"}, id="mapping"),
        pytest.param((("A", "1"), ("B", "2")), id="tuple"),
        pytest.param(iter([("A", "1"), ("B", "2")]), id="iterator"),
        pytest.param(Headers([("A", "1"), ("B", "2")]), id="headers"),
    ],
)
def test_made_from(given_as: Headers) -> None:
    assert Headers(given_as).raw == [("A", "1"), ("B", "2")]


def test_a_copy_has_every_line_and_its_own_list() -> None:
    headers = two()
    other = Headers(headers)
    assert other == headers
    other.add("X", "1")
    assert "X" not in headers


def test_a_view_changes_the_list_in_place() -> None:
    raw = [("A", "1"), ("a", "2"), ("B", "3")]
    headers = Headers.view(raw)
    assert headers.raw is raw
    headers["a"] = "4"
    del headers["b"]
    headers.add("C", "5")
    assert raw == [("a", "4"), ("C", "5")]
    headers.clear()
    assert raw == []


@pytest.mark.parametrize("name", ["set-cookie", "SET-COOKIE", "Set-Cookie"])
def test_names_know_no_case(name: str) -> None:
    headers = two()
    assert headers[name] == "a=1"
    assert headers.get(name) == "a=1"
    assert headers.get_all(name) == ["a=1", "b=2"]
    assert name in headers


def test_what_is_missing() -> None:
    headers = two()
    assert headers.get("X") is None
    assert headers.get("X", "none") == "none"
    assert headers.get_all("X") == []
    assert "X" not in headers
    other: object = 5
    assert other not in headers
    with pytest.raises(KeyError, match="X"):
        headers["X"]
    with pytest.raises(KeyError, match="X"):
        del headers["X"]


def test_an_empty_value_is_there() -> None:
    headers = Headers({"A": ""})
    assert headers["a"] == ""
    assert "a" in headers
    assert headers.setdefault("a", "1") == ""


def test_setting_replaces_all_lines_in_the_place_of_the_first() -> None:
    headers = two()
    headers["SET-cookie"] = "c=3"
    assert headers.raw == [("SET-cookie", "c=3"), ("Age", "5")]
    headers["X"] = "1"
    assert headers.raw[-1] == ("X", "1")


def test_deleting_removes_all_lines() -> None:
    headers = two()
    del headers["set-cookie"]
    assert headers.raw == [("Age", "5")]


def test_as_a_mapping_each_name_is_there_once() -> None:
    headers = two()
    assert list(headers) == ["Set-Cookie", "Age"]
    assert len(headers) == 2
    assert list(headers.keys()) == ["Set-Cookie", "Age"]
    assert list(headers.values()) == ["a=1", "5"]
    assert dict(headers) == {"Set-Cookie": "a=1", "Age": "5"}


def test_items_has_every_line() -> None:
    headers = two()
    items = headers.items()
    assert items == headers.raw
    items.clear()
    assert len(headers.raw) == 3


def test_no_lines_is_false() -> None:
    assert not Headers()
    assert two()


def test_setdefault_sets_once() -> None:
    headers = Headers()
    assert headers.setdefault("A", "1") == "1"
    assert headers.setdefault("a", "2") == "1"
    assert headers.raw == [("A", "1")]


def test_pop() -> None:
    headers = two()
    assert headers.pop("set-cookie") == "a=1"
    assert headers.pop("set-cookie", "none") == "none"
    assert headers.raw == [("Age", "5")]
    with pytest.raises(KeyError):
        headers.pop("set-cookie")
    assert headers.popitem() == ("Age", "5")
    with pytest.raises(KeyError):
        headers.popitem()


def test_update_replaces() -> None:
    headers = two()
    headers.update({"set-cookie": "c=3"}, Age="6")
    headers.update([("X", "1"), ("Y", "2")])
    headers.update(Headers({"x": "3"}))
    assert headers.raw == [("set-cookie", "c=3"), ("Age", "6"), ("x", "3"), ("Y", "2")]


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        pytest.param([("A", "1")], [("a", "1")], True, id="case"),
        pytest.param([("A", "1"), ("B", "2")], [("B", "2"), ("A", "1")], True, id="order-of-names"),
        pytest.param(
            [("A", "1"), ("A", "2")], [("A", "2"), ("A", "1")], False, id="order-of-values"
        ),
        pytest.param([("A", "1")], [("A", "2")], False, id="values"),
        pytest.param([("A", "1")], [], False, id="names"),
    ],
)
def test_equality(one: list[tuple[str, str]], other: list[tuple[str, str]], equal: bool) -> None:
    assert (Headers(one) == Headers(other)) is equal


def test_headers_equal_no_other_type_and_have_no_hash() -> None:
    assert Headers({"A": "1"}) != {"A": "1"}
    with pytest.raises(TypeError, match="unhashable"):
        hash(Headers())


def test_repr_shows_every_line() -> None:
    assert repr(Headers([("A", "1"), ("a", "2")])) == "Headers([('A', '1'), ('a', '2')])"


def test_headers_can_be_pickled_and_copied() -> None:
    assert pickle.loads(pickle.dumps(two())) == two()
    assert copy.deepcopy(two()) == two()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("A b", "1", id="name"),
        pytest.param("A", "1\r\nB: 2", id="line-break"),
        pytest.param("A", "\x00", id="nul"),
        pytest.param("A", "€", id="not-latin-1"),
        pytest.param("A", " 1", id="whitespace"),
    ],
)
def test_what_no_field_may_have_never_gets_in(name: str, value: str) -> None:
    headers = two()
    with pytest.raises(ValueError, match=r"field|the value of A"):
        Headers([(name, value)])
    with pytest.raises(ValueError, match=r"field|the value of A"):
        headers.add(name, value)
    with pytest.raises(ValueError, match=r"field|the value of A"):
        headers[name] = value
    with pytest.raises(ValueError, match=r"field|the value of A"):
        headers.setdefault(name, value)
    with pytest.raises(ValueError, match=r"field|the value of A"):
        headers.update({name: value})
    assert headers == two()


def test_what_is_no_str_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="the value of Content-Length takes a str, not int"):
        Headers({"Content-Length": 5})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lines", "names", "expected"),
    [
        pytest.param([], ["Cookie"], ["Cookie"], id="new"),
        pytest.param([], [], [], id="nothing"),
        pytest.param(["Accept"], ["Cookie"], ["Accept, Cookie"], id="added"),
        pytest.param(["accept"], ["Accept", "Origin"], ["accept, Origin"], id="named-once"),
        pytest.param(
            ["Accept", "Origin, accept"], ["Cookie"], ["Accept, Origin, Cookie"], id="lines"
        ),
        pytest.param(["*"], ["Cookie"], ["*"], id="star-kept"),
        pytest.param(["Accept, *"], ["Cookie"], ["*"], id="star-among-names"),
        pytest.param(["Accept"], ["*"], ["*"], id="star-added"),
        pytest.param([",, ,"], ["Cookie"], ["Cookie"], id="empty-members"),
    ],
)
def test_vary(lines: list[str], names: list[str], expected: list[str]) -> None:
    headers = Headers([("Vary", line) for line in lines])
    headers.vary(*names)
    assert headers.get_all("vary") == expected


def test_vary_refuses_what_is_no_name() -> None:
    with pytest.raises(ValueError, match="field name"):
        Headers().vary("Cookie, Accept")


@given(LINES, NAMES, VALUES)
def test_the_laws_of_a_mapping(lines: list[tuple[str, str]], name: str, value: str) -> None:
    headers = Headers(lines)
    assert len(headers) == len(list(headers)) == len({key.lower() for key, _ in lines})
    assert all(key in headers for key, _ in lines)
    others = [line for line in lines if line[0].lower() != name.lower()]
    headers[name] = value
    assert headers.get_all(name) == [value]
    assert [line for line in headers.raw if line[0].lower() != name.lower()] == others
    headers.add(name, "more")
    assert headers.get_all(name) == [value, "more"]
    del headers[name]
    assert headers.raw == others


@given(st.lists(st.tuples(st.text(), st.text())))
def test_any_text_gets_in_checked_or_not_at_all(lines: list[tuple[str, str]]) -> None:
    try:
        headers = Headers(lines)
    except ValueError:
        return
    for name, value in headers.raw:
        assert f"{name}: {value}".encode("latin-1").splitlines() == [
            f"{name}: {value}".encode("latin-1")
        ]
