from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.grammar import CONTROLS, check_value
from wsgikit.http.params import MAX_PARAMS, content_disposition, format_params, parse_params

TOKENS = st.text("abcXYZ019-_.!~", min_size=1)
PLAIN = st.text(st.characters(exclude_categories=["Cc", "Cs"]))
ANY_TEXT = st.text(st.one_of(st.sampled_from("\";\\=*'% \t\r\n\x00aé€"), st.characters()))


@pytest.mark.parametrize(
    ("text", "value", "params"),
    [
        pytest.param("", "", {}, id="empty"),
        pytest.param("text/html", "text/html", {}, id="value-only"),
        pytest.param(" Form-Data ; a=b", "Form-Data", {"a": "b"}, id="whitespace-and-case"),
        pytest.param('form-data; name="a b"', "form-data", {"name": "a b"}, id="quoted"),
        pytest.param(r'x; a="\"b\\\c"', "x", {"a": '"b\\c'}, id="escapes"),
        pytest.param('x; a="b;c=d"; e=f', "x", {"a": "b;c=d", "e": "f"}, id="quoted-separator"),
        pytest.param("x; A=B", "x", {"a": "B"}, id="names-in-lower-case"),
        pytest.param("x; a=1; A=2", "x", {"a": "1"}, id="first-wins"),
        pytest.param("x;; ;a=1;", "x", {"a": "1"}, id="empty-parameters"),
        pytest.param("; a=1", "", {"a": "1"}, id="no-value"),
        pytest.param('x; a=""', "x", {"a": ""}, id="empty-quoted-string"),
        pytest.param("x; a=", "x", {"a": ""}, id="empty-value"),
        pytest.param("x; a=b=c", "x", {"a": "b=c"}, id="equals-in-value"),
        pytest.param("x; a=image/png", "x", {"a": "image/png"}, id="unquoted-slash"),
        pytest.param("x; a=b c.txt", "x", {"a": "b c.txt"}, id="unquoted-space"),
        pytest.param("x; a", "x", {}, id="no-equals"),
        pytest.param("x; =b", "x", {}, id="no-name"),
        pytest.param("x; a =b", "x", {}, id="space-before-equals"),
        pytest.param("x; a= b", "x", {}, id="space-after-equals"),
        pytest.param('x; a="b', "x", {}, id="open-quote"),
        pytest.param('x; a="b"c; d=e', "x", {"d": "e"}, id="text-behind-quoted-string"),
        pytest.param('x; a=b"c"; d=e', "x", {"d": "e"}, id="quote-in-token"),
        pytest.param('x; a="b"c"; d=e"', "x", {}, id="stray-quote"),
        pytest.param('x; a="b\x00"; c="d\n"; e=f\r', "x", {}, id="controls"),
        pytest.param('x; a="b"c; a=d', "x", {"a": "d"}, id="malformed-does-not-count-as-first"),
    ],
)
def test_parse_params(text: str, value: str, params: dict[str, str]) -> None:
    assert parse_params(text) == (value, params)


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        pytest.param("utf-8''%e2%82%ac%20rates", "€ rates", id="rfc-8187-section-3.2.3"),
        pytest.param("UTF-8'en'%C2%A3", "£", id="language"),
        pytest.param("iso-8859-1'en'%A3%20rates", "£ rates", id="latin-1"),
        pytest.param("utf-8''plain", "plain", id="nothing-encoded"),
        pytest.param("utf-8''", "", id="empty"),
        pytest.param("utf-8''a%25b", "a%b", id="percent"),
        pytest.param("utf-8''%41%62", "Ab", id="letters-encoded"),
    ],
)
def test_extended_values(text: str, decoded: str) -> None:
    assert parse_params(f"x; filename*={text}")[1] == {"filename*": decoded, "filename": decoded}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("plain", id="no-charset"),
        pytest.param("utf-8'a", id="one-apostrophe"),
        pytest.param("utf-16''a", id="other-charset"),
        pytest.param("''a", id="empty-charset"),
        pytest.param("utf-8''%", id="percent-alone"),
        pytest.param("utf-8''%4", id="half-an-octet"),
        pytest.param("utf-8''%4%41", id="half-an-octet-inside"),
        pytest.param("utf-8''%g0", id="not-hexadecimal"),
        pytest.param("utf-8''%+1", id="sign"),
        pytest.param("utf-8''%ff", id="not-utf-8"),
        pytest.param("utf-8''%ed%a0%80", id="surrogate"),
        pytest.param("utf-8''a b", id="space"),
        pytest.param("utf-8''€", id="not-ascii"),
        pytest.param("utf-8''a'b", id="third-apostrophe"),
        pytest.param("utf-8''\uff11", id="wide-digit"),
        pytest.param("\"utf-8''a\"", id="quoted"),
        pytest.param("utf-8''a%00", id="control"),
    ],
)
def test_malformed_extended_values_are_skipped(text: str) -> None:
    assert parse_params(f"x; filename*={text}; filename=b")[1] == {"filename": "b"}


def test_an_extended_value_without_a_name_gives_no_other() -> None:
    assert parse_params("x; *=utf-8''a")[1] == {"*": "a"}


def test_the_extended_value_is_preferred_in_either_order() -> None:
    expected = {"filename": "€", "filename*": "€"}
    assert parse_params("x; filename=EUR; filename*=utf-8''%e2%82%ac")[1] == expected
    assert parse_params("x; filename*=utf-8''%e2%82%ac; filename=EUR")[1] == expected


def test_parameters_beyond_the_cap_are_skipped() -> None:
    text = "x" + "".join(f"; p{n}={n}" for n in range(MAX_PARAMS + 5))
    assert len(parse_params(text)[1]) == MAX_PARAMS


@pytest.mark.parametrize("unit", ['"', "\\", ";", ";a=", ';a="', "=", "'", ";*=", "%4"], ids=ascii)
def test_hostile_length_is_linear_work(unit: str) -> None:
    for start in ("", "x;a=", "x;a*=utf-8''"):
        assert len(parse_params(start + unit * 100_000)[1]) <= MAX_PARAMS


@given(ANY_TEXT)
def test_parse_params_takes_any_text(text: str) -> None:
    value, params = parse_params(text)
    assert value in text
    for name, param in params.items():
        assert name == name.lower()
        assert CONTROLS.isdisjoint(param)


@given(ANY_TEXT)
def test_any_extended_value_is_read_or_skipped(text: str) -> None:
    params = parse_params(f"x; a*=utf-8''{text}")[1]
    assert params.get("a") == params.get("a*")


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        pytest.param({}, "x", id="none"),
        pytest.param({"a": "b"}, "x; a=b", id="token"),
        pytest.param({"a": "b c", "d": ""}, 'x; a="b c"; d=""', id="quoted"),
        pytest.param({"a": 'b"\\'}, r'x; a="b\"\\"', id="escaped"),
        pytest.param({"a": "€ b"}, "x; a*=UTF-8''%E2%82%AC%20b", id="extended"),
        pytest.param({"a": "e", "a*": "€"}, "x; a=e; a*=UTF-8''%E2%82%AC", id="with-fallback"),
        pytest.param({"a": "€", "a*": "€"}, "x; a*=UTF-8''%E2%82%AC", id="extended-once"),
    ],
)
def test_format_params(params: dict[str, str], expected: str) -> None:
    assert format_params("x", params) == expected


@pytest.mark.parametrize(
    "params",
    [{"": "a"}, {"a b": "c"}, {"é": "c"}, {"a": "b\nc"}, {"a": "\ud800"}, {"a*": "\udc00"}],
    ids=ascii,
)
def test_format_params_refuses(params: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"parameter|quoted|surrogates"):
        format_params("x", params)


@given(st.dictionaries(TOKENS.map(str.lower), PLAIN))
def test_parse_params_finds_what_was_formatted(params: dict[str, str]) -> None:
    text = check_value(format_params("x", params))
    value, parsed = parse_params(text)
    assert value == "x"
    assert {name: text for name, text in parsed.items() if name[-1] != "*"} == params


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        pytest.param("a.txt", "attachment; filename=a.txt", id="token"),
        pytest.param("a b.txt", 'attachment; filename="a b.txt"', id="quoted"),
        pytest.param(
            "€ a.txt",
            "attachment; filename=\"_ a.txt\"; filename*=UTF-8''%E2%82%AC%20a.txt",
            id="euro",
        ),
        pytest.param(
            'a"b', "attachment; filename=a_b; filename*=UTF-8''a%22b", id="quote-has-a-fallback"
        ),
        pytest.param(
            "50%41", "attachment; filename=50_41; filename*=UTF-8''50%2541", id="percent-fallback"
        ),
        pytest.param("/etc/passwd", "attachment; filename=passwd", id="path"),
        pytest.param("..\\..\\C:\\a.txt", "attachment; filename=a.txt", id="windows-path"),
        pytest.param("a\r\nX: b", 'attachment; filename="aX: b"', id="line-break"),
        pytest.param("a\x00.txt", "attachment; filename=a.txt", id="nul"),
        pytest.param("a\u202egpj.exe", "attachment; filename=agpj.exe", id="direction-override"),
        pytest.param("a\ud800b", "attachment; filename=ab", id="lone-surrogate"),
        pytest.param("  a.txt ", "attachment; filename=a.txt", id="whitespace-around"),
        pytest.param("", "attachment", id="empty"),
        pytest.param("a/", "attachment", id="a-directory"),
        pytest.param("..", "attachment", id="dots"),
        pytest.param("\x7f", "attachment", id="nothing-left"),
        pytest.param(".bashrc", "attachment; filename=.bashrc", id="dot-file"),
    ],
)
def test_content_disposition(filename: str, expected: str) -> None:
    assert content_disposition("attachment", filename) == expected


@pytest.mark.parametrize("disposition", ["", "a b", "a;b", "a\n"], ids=ascii)
def test_content_disposition_refuses_what_is_no_token(disposition: str) -> None:
    with pytest.raises(ValueError, match="disposition takes a token"):
        content_disposition(disposition, "a")


@given(ANY_TEXT)
def test_any_name_makes_a_safe_header_and_is_read_back(filename: str) -> None:
    text = check_value(content_disposition("inline", filename))
    assert text.isascii()
    _, params = parse_params(text)
    name = params.get("filename", "")
    assert "/" not in name
    assert "\\" not in name
    assert name not in (".", "..")
    assert set(name) <= set(filename)


@given(st.text("abcäß€ 0-_.()", min_size=1).map(lambda name: f"x{name}y"))
def test_a_harmless_name_is_kept_exactly(filename: str) -> None:
    assert parse_params(content_disposition("inline", filename))[1]["filename"] == filename
