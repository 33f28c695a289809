from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.charsets import codec_of
from wsgikit.http.problem import HTTPError


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("utf-8", "utf-8"),
        (" UTF8 ", "utf-8"),
        ("US-ASCII", "cp1252"),
        ("iso-8859-1", "cp1252"),
        ("iso-8859-9", "cp1254"),
        ("ISO-8859-8-I", "iso8859-8"),
        ("Shift_JIS", "cp932"),
        ("gb2312", "gb18030"),
        ("utf-16le", "utf-16-le"),
    ],
)
def test_codec_of(charset: str, codec: str) -> None:
    assert codec_of(charset) == codec
    assert codecs.lookup(codec)


@pytest.mark.parametrize(
    "charset", ["", "zip", "idna", "utf-7", "hex", "rot13", "punycode", "unicode_escape", "\0" * 99]
)
def test_what_is_no_charset_of_the_web(charset: str) -> None:
    with pytest.raises(HTTPError, match="is not read here") as caught:
        codec_of(charset)
    assert caught.value.status == 415
    assert len(caught.value.detail) < 250


@given(st.text())
def test_any_text(charset: str) -> None:
    try:
        assert codecs.lookup(codec_of(charset))
    except HTTPError as error:
        assert error.status == 415  # noqa: PT017
