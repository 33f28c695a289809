from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.structured import MAX_INTEGER, format_item


@pytest.mark.parametrize(
    ("value", "params", "text"),
    [
        ("default", {"q": 100, "w": 60}, '"default";q=100;w=60'),
        ("default", {"qu": "content-bytes"}, '"default";qu="content-bytes"'),
        ("", None, '""'),
        ('a "b" \\c', {}, '"a \\"b\\" \\\\c"'),
        (" ~", None, '" ~"'),
        (0, None, "0"),
        (-MAX_INTEGER, {"*a_-.*9": 1}, "-999999999999999;*a_-.*9=1"),
    ],
    ids=range(7),
)
def test_items(value, params, text):
    assert format_item(value, params) == text


@pytest.mark.parametrize(
    ("value", "params", "error", "message"),
    [
        ("é", {}, ValueError, "printable ASCII"),
        ("a\r\nb", {}, ValueError, "printable ASCII"),
        ("a\tb", {}, ValueError, "printable ASCII"),
        ("\x7f", {}, ValueError, "printable ASCII"),
        (MAX_INTEGER + 1, {}, ValueError, "fifteen digits"),
        (1.5, {}, TypeError, "a str or an int"),
        (True, {}, TypeError, "a str or an int"),
        (None, {}, TypeError, "a str or an int"),
        (1, {"": 1}, ValueError, "a key takes"),
        (1, {"Q": 1}, ValueError, "a key takes"),
        (1, {"9": 1}, ValueError, "a key takes"),
        (1, {"q=": 1}, ValueError, "a key takes"),
        (1, {"q": "\n"}, ValueError, "printable ASCII"),
    ],
    ids=range(13),
)
def test_what_is_none_is_refused(value, params, error, message):
    with pytest.raises(error, match=message):
        format_item(value, params)


@given(st.text())
def test_a_string_comes_back_by_its_grammar(value):
    try:
        text = format_item(value)
    except ValueError:
        assert not (value.isascii() and value.isprintable())
        return
    assert text[0] == text[-1] == '"'
    read, escaped = "", False
    for char in text[1:-1]:
        assert escaped or char != '"'
        if char == "\\" and not escaped:
            escaped = True
        else:
            read, escaped = read + char, False
    assert (read, escaped) == (value, False)
