from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.jsontext import MAX_DEPTH, dumps, loads
from wsgikit.http.problem import HTTPError
from wsgikit.types import JSONValue

VALUES: st.SearchStrategy[JSONValue] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
ANY_TEXT = st.text(st.one_of(st.sampled_from('[]{},:"\\u0dD8+-.eEnulNaInfity '), st.characters()))


def refusal(text: str | bytes, max_depth: int = MAX_DEPTH) -> str:
    with pytest.raises(HTTPError) as caught:
        loads(text, max_depth=max_depth)
    assert caught.value.status == 400
    return caught.value.detail


def test_dumps_is_compact_and_ascii() -> None:
    assert dumps({"a": [1, "é\U0001f600"], "b": None}) == r'{"a":[1,"\u00e9\ud83d\ude00"],"b":null}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [-float("inf")]], ids=repr)
def test_dumps_refuses_what_is_no_number(value: object) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        dumps(value)


def test_dumps_refuses_what_contains_itself() -> None:
    value: list[object] = []
    value.append(value)
    with pytest.raises(RecursionError):
        dumps(value)


@pytest.mark.parametrize(
    "value", [{1, 2}, b"bytes", object(), {"a": 1j}], ids=["set", "bytes", "object", "complex"]
)
def test_dumps_refuses_what_json_does_not_have(value: object) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        dumps(value)


@given(VALUES)
def test_loads_inverts_dumps(value: JSONValue) -> None:
    assert loads(dumps(value)) == value
    assert loads(dumps(value).encode()) == value
    assert loads(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("null", None, id="null"),
        pytest.param(" [1, 2.5, -0] \n", [1, 2.5, 0], id="whitespace"),
        pytest.param('{"a":1,"a":2}', {"a": 2}, id="last-name-wins"),
        pytest.param('"\\ud83d\\ude00"', "\U0001f600", id="surrogate-pair"),
        pytest.param('"\\uD83D\\uDE00"', "\U0001f600", id="surrogate-pair-in-capitals"),
        pytest.param('"\\\\ud800"', "\\ud800", id="escaped-backslash"),
        pytest.param("\ufeff[]", [], id="byte-order-mark"),
        pytest.param("é".encode().join([b'"', b'"']), "é", id="utf-8"),
        pytest.param(b"\xef\xbb\xbf{}", {}, id="byte-order-mark-in-bytes"),
        pytest.param("1e308", 1e308, id="large-float"),
        pytest.param('"é"', "é", id="text-not-ascii"),
    ],
)
def test_loads(text: str | bytes, value: JSONValue) -> None:
    assert loads(text) == value


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        pytest.param("", "Not JSON: Expecting value (line 1, column 1).", id="empty"),
        pytest.param("[1,\n 2,]", "line 2", id="comma-at-end"),
        pytest.param("{'a': 1}", "line 1, column 2", id="apostrophes"),
        pytest.param("[1] 2", "Not JSON: Extra data (line 1, column 5).", id="more-behind"),
        pytest.param('"\n"', "line 1, column 2", id="control-in-string"),
        pytest.param("NaN", "Not JSON: NaN is no number.", id="nan"),
        pytest.param("[Infinity]", "Not JSON: Infinity is no number.", id="infinity"),
        pytest.param("-Infinity", "Not JSON: -Infinity is no number.", id="minus-infinity"),
        pytest.param("1e999", "Not JSON: a number is too large.", id="float-overflow"),
        pytest.param("[-1e999]", "Not JSON: a number is too large.", id="float-underflow"),
        pytest.param("1" * 5000, "Not JSON: a number has too many digits.", id="huge-integer"),
        pytest.param(b'"\xff"', "Not JSON: no UTF-8 at byte 1.", id="not-utf-8"),
        pytest.param("[]".encode("utf-16"), "Not JSON: no UTF-8 at byte 0.", id="utf-16"),
        pytest.param('"\ud800"', "Not JSON: an unpaired surrogate.", id="surrogate"),
        pytest.param('"\\ud800"', "Not JSON: an unpaired surrogate.", id="escaped-surrogate"),
        pytest.param('{"\\uDC00":1}', "Not JSON: an unpaired surrogate.", id="surrogate-in-name"),
    ],
)
def test_loads_refuses(text: str | bytes, detail: str) -> None:
    assert detail in refusal(text)


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        pytest.param("1", 0, id="scalar"),
        pytest.param("[]", 1, id="empty-array"),
        pytest.param('{"a":{}}', 2, id="objects"),
        pytest.param('[1,[2,{"a":[3]}],[4]]', 4, id="mixed"),
        pytest.param("[[],[],[],[[]]]", 3, id="empty-inside"),
    ],
)
def test_depth_is_limited(text: str, depth: int) -> None:
    loads(text, max_depth=depth)
    if depth:
        assert refusal(text, depth - 1) == f"JSON nested deeper than max_depth={depth - 1}."


def test_brackets_in_text_and_in_a_row_are_no_depth() -> None:
    assert loads('"[[[[{{{{"', max_depth=0) == "[[[[{{{{"
    assert loads("[[],[],{},{}]", max_depth=2) == [[], [], {}, {}]


@pytest.mark.parametrize("unit", ["[", '{"a":', '[{"a":'], ids=["arrays", "objects", "both"])
def test_any_depth_is_refused(unit: str) -> None:
    assert "nested" in refusal(unit * 100_000, max_depth=sys.maxsize)
    closed = "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)
    assert refusal(closed) == f"JSON nested deeper than max_depth={MAX_DEPTH}."


@given(ANY_TEXT)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        value = loads(text)
    except HTTPError:
        return
    assert loads(dumps(value)) == value
    assert dumps(value).isascii()


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value = loads(data)
    except HTTPError:
        return
    assert value == json.loads(data.decode("utf-8-sig"))
