from __future__ import annotations

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http import grammar
from wsgikit.http.grammar import check_name, check_value, is_token, quote, split_list, unquote

# qdtext and quoted-pair together: HTAB, SP, VCHAR, obs-text (RFC 9110, section 5.6.4)
FIELD_TEXT = st.text(
    st.characters(
        max_codepoint=255, exclude_characters=[chr(c) for c in (*range(9), *range(10, 32), 127)]
    )
)
# Much of what matters, and whatever else there is, lone surrogates too.
ANY_TEXT = st.text(st.one_of(st.sampled_from('",;\\= \t\r\n\x00aé€'), st.characters()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("gzip", True, id="word"),
        pytest.param("!#$%&'*+-.^_`|~09azAZ", True, id="every-kind-of-tchar"),
        pytest.param("", False, id="empty"),
        pytest.param("a b", False, id="space-inside"),
        pytest.param("a/b", False, id="delimiter"),
        pytest.param('"a"', False, id="quoted"),
        pytest.param("a\n", False, id="newline-at-end"),
        pytest.param("é", False, id="latin-1-letter"),
        pytest.param("\u0660", False, id="digit-of-another-script"),
        pytest.param("\ud800", False, id="lone-surrogate"),
    ],
)
def test_is_token(text: str, expected: bool) -> None:
    assert is_token(text) is expected


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        pytest.param("utf-8", "utf-8", id="token-stays"),
        pytest.param("", '""', id="empty"),
        pytest.param("a b", '"a b"', id="space"),
        pytest.param('a"b', r'"a\"b"', id="quote"),
        pytest.param("a\\b", r'"a\\b"', id="backslash"),
        pytest.param("a\tb", '"a\tb"', id="tab"),
        pytest.param("é", '"é"', id="obs-text"),
    ],
)
def test_quote_writes_and_unquote_reads(text: str, quoted: str) -> None:
    assert quote(text) == quoted
    assert unquote(quoted) == text


@pytest.mark.parametrize("text", ["\x00", "a\nb", "a\rb", "\x7f", "\x1f", "€", "\ud800"], ids=ascii)
def test_quote_refuses_what_no_quoted_string_holds(text: str) -> None:
    with pytest.raises(ValueError, match="quoted string"):
        quote(text)


@pytest.mark.parametrize(
    "text",
    ["", "a", '"', '"a', 'a"', '"a"b"', r'"a\"', r'"\"', r'"a\\"b"', "'a'", r"a\b", r'"\\\"'],
)
def test_unquote_leaves_what_is_no_quoted_string(text: str) -> None:
    assert unquote(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param('""', "", id="empty"),
        pytest.param(r'"\a\b"', "ab", id="needless-escapes"),
        pytest.param(r'"\\\""', '\\"', id="backslash-then-quote"),
        pytest.param(r'"a\\"', "a\\", id="ends-with-backslash"),
        pytest.param(r'"\\\\x\\y"', r"\\x\y", id="many-backslashes"),
        pytest.param('"a,b;c"', "a,b;c", id="separators"),
    ],
)
def test_unquote_resolves_escapes(text: str, value: str) -> None:
    assert unquote(text) == value


@given(FIELD_TEXT)
def test_unquote_inverts_quote(text: str) -> None:
    assert unquote(quote(text)) == text


@given(ANY_TEXT)
def test_unquote_takes_any_text(text: str) -> None:
    value = unquote(text)
    assert value == text or len(value) <= len(text) - 2


@pytest.mark.parametrize(
    ("value", "items"),
    [
        pytest.param("", [], id="empty"),
        pytest.param(", ,\t,", [], id="empty-items"),
        pytest.param("a", ["a"], id="one"),
        pytest.param("a, b\t,c ,, d", ["a", "b", "c", "d"], id="whitespace"),
        pytest.param('"a,b", c', ['"a,b"', "c"], id="quoted-comma"),
        pytest.param('a="b,c";d, e', ['a="b,c";d', "e"], id="quoted-parameter"),
        pytest.param(r'"a\",b", c', [r'"a\",b"', "c"], id="escaped-quote"),
        pytest.param(r'"a\\",b, c', [r'"a\\"', "b", "c"], id="escaped-backslash-ends"),
        pytest.param('"a, b', ['"a, b'], id="open-quote-takes-the-rest"),
        pytest.param('a", b', ['a", b'], id="open-quote-in-a-word"),
        pytest.param('"a","b"', ['"a"', '"b"'], id="two-quoted"),
        pytest.param('""', ['""'], id="empty-quoted-string-is-an-item"),
        pytest.param(', "a" ,', ['"a"'], id="empty-items-beside-quotes"),
        pytest.param("\xa0a\xa0, b", ["\xa0a\xa0", "b"], id="obs-text-is-no-whitespace"),
    ],
)
def test_split_list(value: str, items: list[str]) -> None:
    assert split_list(value) == items


def test_split_list_takes_another_separator() -> None:
    assert split_list('a=1; b=";,"; c=2,3', ";") == ["a=1", 'b=";,"', "c=2,3"]


@given(st.lists(FIELD_TEXT))
def test_split_list_finds_what_was_joined(values: list[str]) -> None:
    items = [quote(value) for value in values]
    assert split_list(", ".join(items)) == items
    assert split_list(" ,, ".join(items)) == items


@given(ANY_TEXT)
def test_split_list_takes_any_text(text: str) -> None:
    items = split_list(text)
    assert all(item and item == item.strip(" \t") for item in items)
    # Nothing but separators and the whitespace beside them is lost.
    lost = dict.fromkeys(map(ord, ", \t"))
    assert "".join(items).translate(lost) == text.translate(lost)


@pytest.mark.parametrize("unit", ['"', "\\", ",", '",', '"\\', '\\"', "a", '"a",'], ids=ascii)
def test_hostile_length_is_linear_work(unit: str) -> None:
    text = unit * 200_000
    assert sum(map(len, split_list(text))) <= len(text)
    assert len(unquote(f'"{text}"')) <= len(text) + 2
    assert is_token(text) is (unit == "a")


@pytest.mark.parametrize("name", ["Content-Type", "content-type", "X-Any", "x", "!#$%&'*+-.^_`|~"])
def test_check_name_returns_a_field_name(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a b",
        "a:",
        "a\r\nb",
        "a\n",
        " a",
        "é",
        "\ud800",
        "a(b)",
        "Content-Type ",
        "x" * 99 + "\n",
    ],
    ids=ascii,
)
def test_check_name_refuses_what_is_no_token(name: str) -> None:
    with pytest.raises(ValueError, match="field name") as caught:
        check_name(name)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param("text/html; charset=utf-8", id="usual"),
        pytest.param("caf\xe9", id="latin-1"),
        pytest.param("\xa0\x85\xa0", id="bytes-that-are-whitespace-to-python-only"),
        pytest.param("".join(map(chr, [*range(33, 127), *range(128, 256)])), id="all-allowed"),
    ],
)
def test_check_value_returns_a_field_value(value: str) -> None:
    assert check_value(value) == value


@pytest.mark.parametrize(
    "value",
    [chr(c) for c in (*range(32), 127)]  # HTAB too: PEP 3333 allows no control at all
    + ["a\r\nSet-Cookie: a=b", "a\n", "\x80\n", "€", "\u0100", "\ud800", "\U0001f600"],
    ids=ascii,
)
def test_check_value_refuses_controls_and_what_is_not_latin_1(value: str) -> None:
    with pytest.raises(ValueError, match="the value of X-Name takes Latin-1 text without controls"):
        check_value(f"a{value}b", "X-Name")


@pytest.mark.parametrize("value", [" a", "a ", " ", " \xe9", "\xe9 "], ids=ascii)
def test_check_value_refuses_whitespace_around(value: str) -> None:
    with pytest.raises(ValueError, match="the value of a field takes no whitespace around it"):
        check_value(value)


@pytest.mark.parametrize("value", [None, 12, b"bytes", ["a"]], ids=repr)
def test_what_is_no_str_is_a_type_error(value: object) -> None:
    with pytest.raises(TypeError, match="the value of Age takes a str, not"):
        check_value(value, "Age")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a field name takes a str, not"):
        check_name(value)  # type: ignore[arg-type]


def test_a_subclass_of_str_becomes_a_plain_one() -> None:
    class Name(StrEnum):
        TYPE = "Content-Type"
        OTHER = "X-Other"

        def __str__(self) -> str:
            return "not this"

    for member in Name:
        assert type(check_name(member)) is str
        assert type(check_value(member)) is str
    assert check_name(Name.TYPE) == "Content-Type"
    assert check_value(Name.OTHER) == "X-Other"
    with pytest.raises(ValueError, match="Latin-1"):
        check_value(type("Text", (str,), {})("a\nb"))


@given(st.text())
def test_check_value_passes_field_text_only(text: str) -> None:
    allowed = all(" " <= c <= "~" or "\x80" <= c <= "\xff" for c in text)
    if allowed and text == text.strip(" "):
        assert check_value(text) == text
    else:
        with pytest.raises(ValueError, match="the value of"):
            check_value(text)


@given(st.text())
def test_check_name_passes_tokens_only(text: str) -> None:
    if text and all(c in grammar.TOKEN for c in text):
        assert check_name(text) == text
    else:
        with pytest.raises(ValueError, match="field name"):
            check_name(text)
