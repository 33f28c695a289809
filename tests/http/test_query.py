from __future__ import annotations

import tracemalloc
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, unquote_plus, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.problem import HTTPError, MissingField
from wsgikit.http.query import (
    MultiDict,
    decode_utf8,
    encode_query,
    parse_form,
    parse_query,
    percent_decode,
    percent_encode,
    percent_encode_octets,
)

# Text that is likely to hit every branch: separators, whole, broken and hidden escapes, and letters
# of each width. Lone surrogates come with `st.text()`.
tricky = st.lists(
    st.sampled_from(
        ["&", "=", "+", "%", ";", "a", "b", "%4", "%41", "%C3", "%a9", "%26", "%3D", "%3d", "%2B"]
        + ["%25", "%zz", "%\xb2\xb3", "\xe9", "\xc3", "\xa9", "\u20ac", "\U0001f600", "\udc80"]
    )
    | st.text(max_size=3)
).map("".join)
octets = st.text(st.characters(max_codepoint=255))
pairs = st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.text("aé&=+% ")))


# --- MultiDict

FIELDS = MultiDict([("a", "1"), ("b", "2"), ("a", "3")])


def test_a_name_reads_as_its_first_value() -> None:
    assert FIELDS["a"] == "1"
    assert FIELDS.get("a") == "1"
    assert dict(FIELDS) == {"a": "1", "b": "2"}
    assert list(FIELDS) == FIELDS.keys() == ["a", "b"]
    assert len(FIELDS) == 2
    assert "a" in FIELDS


def test_all_values_are_there_in_order() -> None:
    assert FIELDS.get_all("a") == ["1", "3"]
    assert FIELDS.items() == [("a", "1"), ("b", "2"), ("a", "3")]
    assert FIELDS.to_dict() == {"a": ["1", "3"], "b": ["2"]}


def test_a_missing_name() -> None:
    assert FIELDS.get("c") is None
    assert FIELDS.get("c", "0") == "0"
    assert FIELDS.get_all("c") == []
    assert "c" not in FIELDS
    with pytest.raises(MissingField, match="The field 'c' is missing") as caught:
        FIELDS["c"]
    assert caught.value.status == 400
    assert isinstance(caught.value, KeyError)
    with pytest.raises(MissingField) as caught:
        FIELDS["c" * 10_000]
    assert len(caught.value.detail) < 200


def test_nothing_that_is_handed_out_changes_it() -> None:
    source = [("a", "1")]
    fields = MultiDict(source)
    source.clear()
    fields.items().clear()
    fields.keys().clear()
    fields.to_dict()["a"].clear()
    assert fields == MultiDict({"a": "1"})
    with pytest.raises(TypeError):
        fields["a"] = "2"  # type: ignore[index]


def test_equal_fields_in_equal_order_are_equal() -> None:
    again = MultiDict(FIELDS)
    assert again == FIELDS
    assert hash(again) == hash(FIELDS)
    assert MultiDict([("a", "1"), ("a", "3"), ("b", "2")]) != FIELDS
    assert dict(FIELDS) != FIELDS
    assert eval(repr(FIELDS)) == FIELDS


def test_no_fields_are_false() -> None:
    assert not MultiDict()
    assert not parse_query("")
    assert not parse_form(b"")


# --- parse_query, parse_form


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("a=1&b=2", [("a", "1"), ("b", "2")]),
        ("a=1&a=2", [("a", "1"), ("a", "2")]),
        ("a", [("a", "")]),
        ("a=", [("a", "")]),
        ("=b", [("", "b")]),
        ("=", [("", "")]),
        ("&&a=1&&", [("a", "1")]),
        ("a=b=c", [("a", "b=c")]),
        ("a;b=1;c=2", [("a;b", "1;c=2")]),
        ("a+b=c+d", [("a b", "c d")]),
        ("a=%2B%20", [("a", "+ ")]),
        ("a%26b=c%26d", [("a&b", "c&d")]),
        ("a%3Db=c%3dd", [("a=b", "c=d")]),
        ("a=%253D", [("a", "%3D")]),
        ("a=caf%C3%A9", [("a", "café")]),
        ("a=caf\xc3\xa9", [("a", "café")]),
        ("a=caf\xc3%A9", [("a", "café")]),
        ("a=%E2%82%AC&b=%f0%9f%98%80", [("a", "€"), ("b", "😀")]),
        ("a=%C3&b=%A9", [("a", "\ufffd"), ("b", "\ufffd")]),
        ("a=%&b=%4&c=%zz&d=%%41", [("a", "%"), ("b", "%4"), ("c", "%zz"), ("d", "%A")]),
        ("a=%EF%BB%BFx", [("a", "\ufeffx")]),
        ("a=%00", [("a", "\0")]),
        ("a=€", [("a", "€")]),
        ("a=\ud800", [("a", "\ufffd")]),
    ],
    ids=lambda value: ascii(value) if isinstance(value, str) else "",
)
def test_fields_of_a_query(text: str, fields: list[tuple[str, str]]) -> None:
    assert parse_query(text).items() == fields
    assert parse_form(text).items() == fields


@given(tricky)
def test_agrees_with_the_standard_library_on_any_text(text: str) -> None:
    # The library decodes escapes alone; give it text in which every octet beyond ASCII is one.
    escaped = escape_octets(text)
    assert parse_query(text).items() == parse_qsl(escaped, keep_blank_values=True)
    assert parse_query(text).to_dict() == parse_qs(escaped, keep_blank_values=True)


def escape_octets(text: str) -> str:
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        data = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
    return "".join([chr(octet) if octet < 128 else f"%{octet:02X}" for octet in data])


@given(st.binary() | tricky.map(lambda text: text.encode("utf-8", "replace")))
def test_a_form_is_read_as_a_query(data: bytes) -> None:
    assert parse_form(data) == parse_query(data.decode("latin-1"))


@pytest.mark.parametrize(("parse", "status"), [(parse_query, 400), (parse_form, 413)])
def test_more_fields_than_the_limit_are_refused_by_its_name(parse: Any, status: int) -> None:
    assert len(parse("a&b&c", max_fields=3)) == 3
    with pytest.raises(HTTPError, match="max_fields=3") as caught:
        parse("a&b&c&d", max_fields=3)
    assert caught.value.status == status


def test_a_million_separators_are_refused() -> None:
    with pytest.raises(HTTPError, match="max_fields=1000"):
        parse_query("&" * 1_000_000)


# --- percent_decode, decode_utf8


@pytest.mark.parametrize(
    ("text", "plus", "decoded"),
    [
        ("a+b%20c", False, "a+b c"),
        ("a+b%20c%2B", True, "a b c+"),
        ("caf%c3%a9", False, "café"),
        ("caf\xc3\xa9", False, "café"),
        ("100%", False, "100%"),
        ("%+1", False, "%+1"),
        ("% 1%_1%\xb21", False, "% 1%_1%\ufffd1"),
    ],
    ids=ascii,
)
def test_percent_decode(text: str, plus: bool, decoded: str) -> None:
    assert percent_decode(text, plus) == decoded


@given(tricky)
def test_percent_decode_agrees_with_the_standard_library(text: str) -> None:
    escaped = escape_octets(text)
    assert percent_decode(text) == unquote_to_bytes(escaped).decode("utf-8", "replace")
    assert percent_decode(text, plus=True) == unquote_plus(escaped)


@given(octets)
def test_octets_read_as_utf8(text: str) -> None:
    assert decode_utf8(text) == text.encode("latin-1").decode("utf-8", "replace")


@pytest.mark.parametrize(("text", "read"), [("€", "€"), ("a\udc80b", "a\ufffdb")], ids=ascii)
def test_text_that_is_no_octets_reads_as_itself(text: str, read: str) -> None:
    assert decode_utf8(text) == read


@pytest.mark.parametrize("shift", range(3))
@pytest.mark.parametrize("piece", ["%41", "%C3%A9", "%", "%4", "x"])
def test_long_text_is_decoded_as_short_text_is(shift: int, piece: str) -> None:
    # Whatever the place of the cuts, no escape is cut in two.
    text = "x" * shift + piece * (200_000 // len(piece))
    assert percent_decode(text) == unquote_plus(text)


@pytest.mark.parametrize("piece", ["%", "%41", "%C3%A9", "%zz"])
def test_megabytes_of_escapes_take_little_memory(piece: str) -> None:
    text = "a=" + piece * (1_000_000 // len(piece))
    tracemalloc.start()
    try:
        parse_query(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * len(text)


# --- percent_encode, encode_query


@pytest.mark.parametrize(
    ("text", "safe", "encoded"),
    [
        ("abc-._~019", "", "abc-._~019"),
        ("a b/c", "", "a%20b%2Fc"),
        ("a b/c", "/", "a%20b/c"),
        ("é€😀", "", "%C3%A9%E2%82%AC%F0%9F%98%80"),
        ("\0\r\n", "", "%00%0D%0A"),
        ("%41", "", "%2541"),
        ("%41", "%", "%41"),
        ("\ud800", "", "%EF%BF%BD"),
        ("\ud83d\ude00", "", "%F0%9F%98%80"),
        ("", "", ""),
    ],
    ids=ascii,
)
def test_percent_encode(text: str, safe: str, encoded: str) -> None:
    assert percent_encode(text, safe) == encoded


def test_safe_takes_ascii_only() -> None:
    with pytest.raises(ValueError, match="safe takes ASCII"):
        percent_encode("é", safe="é")


@given(octets, st.sampled_from(["", "/", "/:@!$&'()*+,;=?%[]"]))
def test_octets_are_encoded_as_they_are(text: str, safe: str) -> None:
    assert percent_encode_octets(text, safe) == quote(text, safe + "~", encoding="latin-1")


def test_encoding_octets_takes_other_text_as_its_utf_8() -> None:
    assert percent_encode_octets("/\u20ac", "/") == "/%E2%82%AC"


@given(st.text(), st.text(st.characters(max_codepoint=127)))
def test_percent_encode_agrees_with_the_standard_library(text: str, safe: str) -> None:
    try:
        expected = quote(text, safe)
    except UnicodeEncodeError:
        expected = quote(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), safe)
    assert percent_encode(text, safe) == expected


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ([], ""),
        ({"a": "1", "b": ""}, "a=1&b="),
        ([("a", "1"), ("a", "2")], "a=1&a=2"),
        (MultiDict([("a", "1"), ("a", "2")]), "a=1&a=2"),
        ([("a b", "c+d&e=f")], "a+b=c%2Bd%26e%3Df"),
        ([("é", "*-._~")], "%C3%A9=*-._%7E"),
    ],
    ids=["none", "mapping", "pairs", "multidict", "separators", "whatwg-set"],
)
def test_encode_query(fields: Any, text: str) -> None:
    assert encode_query(fields) == text


@given(pairs)
def test_what_is_encoded_is_read_back(fields: list[tuple[str, str]]) -> None:
    text = encode_query(fields)
    assert text.isascii()
    assert parse_query(text, max_fields=len(fields) + 1).items() == fields
    assert parse_qsl(text, keep_blank_values=True) == fields


@given(st.text())
def test_percent_encoding_is_read_back(text: str) -> None:
    expected = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert percent_decode(percent_encode(text)) == expected
