from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.media import CODING_TYPES, MediaType, content_type, guess_type, parse_media_type

ANY_TEXT = st.text(st.one_of(st.sampled_from('/;=.\\"+* ab\x00'), st.characters()))
NAMES = st.text("abcXYZ019-+.", min_size=1)


@pytest.mark.parametrize(
    ("text", "essence", "params"),
    [
        pytest.param("text/html", "text/html", {}, id="plain"),
        pytest.param("Text/HTML;Charset=UTF-8", "text/html", {"charset": "UTF-8"}, id="case"),
        pytest.param(' a/b ; c="d e" ', "a/b", {"c": "d e"}, id="quoted"),
        pytest.param("a/b;c", "a/b", {}, id="malformed-parameter"),
        pytest.param(
            "multipart/form-data; boundary=x", "multipart/form-data", {"boundary": "x"}, id="form"
        ),
    ],
)
def test_parse_media_type(text: str, essence: str, params: dict[str, str]) -> None:
    media = parse_media_type(text)
    assert media is not None
    assert media.essence == essence
    assert media.params == params


@pytest.mark.parametrize(
    "text",
    [
        "",
        "html",
        "/",
        "text/",
        "/html",
        "text/html/x",
        "te xt/html",
        "a/b, a/b",
        "a/b\n",
        "a/\ud800",
    ],
    ids=ascii,
)
def test_what_is_no_media_type(text: str) -> None:
    assert parse_media_type(text) is None


@pytest.mark.parametrize(
    ("text", "suffix", "charset"),
    [
        pytest.param("application/json", "", None, id="none"),
        pytest.param("application/problem+json", "json", None, id="json"),
        pytest.param("image/svg+xml; charset=UTF-8", "xml", "utf-8", id="xml"),
        pytest.param("a/b+c+d", "d", None, id="the-last-plus"),
    ],
)
def test_suffix_and_charset(text: str, suffix: str, charset: str | None) -> None:
    media = parse_media_type(text)
    assert media is not None
    assert media.suffix == suffix
    assert media.charset == charset


def test_a_media_type_is_written_as_text() -> None:
    media = MediaType("Text", "HTML", {"Charset": "utf-8", "x": "a b"})
    assert str(media) == 'text/html; charset=utf-8; x="a b"'
    assert repr(media) == "MediaType('text', 'html', {'charset': 'utf-8', 'x': 'a b'})"


@pytest.mark.parametrize(("type", "subtype"), [("", "b"), ("a", ""), ("a b", "c"), ("a", "b;c")])
def test_a_media_type_takes_tokens(type: str, subtype: str) -> None:
    with pytest.raises(ValueError, match="a media type takes two tokens"):
        MediaType(type, subtype)


def test_equality() -> None:
    media = MediaType("text", "html", {"a": "b"})
    assert media == MediaType("TEXT", "html", {"A": "b"})
    assert hash(media) == hash(MediaType("text", "HTML", {"a": "b"}))
    assert media != MediaType("text", "html")
    assert media != MediaType("text", "plain", {"a": "b"})
    assert media != "text/html; a=b"


@given(NAMES, NAMES, st.dictionaries(NAMES.map(str.lower), st.text('aé€ ;"\\=', max_size=9)))
def test_what_is_written_is_read_again(type: str, subtype: str, params: dict[str, str]) -> None:
    media = MediaType(type, subtype, params)
    again = parse_media_type(str(media))
    assert again is not None
    assert again.essence == media.essence
    assert {name: again.params[name] for name in params} == params


@given(ANY_TEXT)
def test_any_text_is_read(text: str) -> None:
    media = parse_media_type(text)
    assert media is None or "/" in text


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        pytest.param("index.html", "text/html", id="html"),
        pytest.param("a.css", "text/css", id="css"),
        pytest.param("a.js", "text/javascript", id="js"),
        pytest.param("a.mjs", "text/javascript", id="mjs"),
        pytest.param("a.js.map", "application/json", id="map"),
        pytest.param("a.wasm", "application/wasm", id="wasm"),
        pytest.param("app.webmanifest", "application/manifest+json", id="webmanifest"),
        pytest.param("README.md", "text/markdown", id="md"),
        pytest.param("a.svg", "image/svg+xml", id="svg"),
        pytest.param("a.avif", "image/avif", id="avif"),
        pytest.param("a.webp", "image/webp", id="webp"),
        pytest.param("favicon.ico", "image/vnd.microsoft.icon", id="ico"),
        pytest.param("a.woff2", "font/woff2", id="woff2"),
        pytest.param("a.mp4", "video/mp4", id="mp4"),
        pytest.param("a.webm", "video/webm", id="webm"),
        pytest.param("PHOTO.JPG", "image/jpeg", id="case"),
        pytest.param("/a.css/b.png", "image/png", id="path"),
        pytest.param("C:\\a.css\\b.png", "image/png", id="windows-path"),
        pytest.param("a.tar.tgz", "application/gzip", id="tgz"),
        pytest.param(".hidden.css", "text/css", id="dot-file-with-extension"),
        pytest.param("", "application/octet-stream", id="empty"),
        pytest.param("LICENSE", "application/octet-stream", id="no-extension"),
        pytest.param("a.", "application/octet-stream", id="dot-at-end"),
        pytest.param(".css", "application/octet-stream", id="dot-file"),
        pytest.param("..css", "application/octet-stream", id="dots-only-before"),
        pytest.param("css", "application/octet-stream", id="name-like-an-extension"),
        pytest.param("a.css/b", "application/octet-stream", id="extension-of-a-directory"),
        pytest.param("a.unknown", "application/octet-stream", id="unknown"),
        pytest.param("a.css\x00", "application/octet-stream", id="nul"),
        pytest.param("gz", "application/octet-stream", id="name-like-a-coding"),
        pytest.param(".gz", "application/octet-stream", id="dot-file-like-a-coding"),
    ],
)
def test_guess_type(filename: str, expected: str) -> None:
    assert guess_type(filename) == (expected, None)


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        pytest.param("a.css.gz", ("text/css", "gzip"), id="gz"),
        pytest.param("a.css.BR", ("text/css", "br"), id="br"),
        pytest.param("a.css.zst", ("text/css", "zstd"), id="zst"),
        pytest.param("a.svgz", ("image/svg+xml", "gzip"), id="svgz"),
        pytest.param("a.tar.gz", ("application/x-tar", "gzip"), id="tar"),
        pytest.param("a.gz", ("application/octet-stream", "gzip"), id="no-inner-extension"),
        pytest.param(
            "css.gz", ("application/octet-stream", "gzip"), id="inner-name-like-an-extension"
        ),
    ],
)
def test_guess_type_of_compressed_files(filename: str, expected: tuple[str, str]) -> None:
    assert guess_type(filename) == expected
    assert parse_media_type(CODING_TYPES[expected[1]]) is not None


@given(ANY_TEXT)
def test_any_name_has_a_type(filename: str) -> None:
    media, coding = guess_type(filename)
    assert parse_media_type(media) is not None
    assert coding in (None, *CODING_TYPES)


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        pytest.param("text/html", "text/html; charset=utf-8", id="html"),
        pytest.param("text/javascript", "text/javascript; charset=utf-8", id="javascript"),
        pytest.param(
            "application/javascript", "application/javascript; charset=utf-8", id="old-name"
        ),
        pytest.param("application/xml", "application/xml; charset=utf-8", id="xml"),
        pytest.param("image/svg+xml", "image/svg+xml; charset=utf-8", id="svg"),
        pytest.param("Text/HTML", "Text/HTML; charset=utf-8", id="case"),
        pytest.param("text/html; a=b", "text/html; a=b; charset=utf-8", id="other-parameter"),
        pytest.param("text/html ;charset=x", "text/html ;charset=x", id="said-already"),
        pytest.param('text/html;Charset="x"', 'text/html;Charset="x"', id="said-and-quoted"),
        pytest.param("application/json", "application/json", id="json"),
        pytest.param("application/problem+json", "application/problem+json", id="problem"),
        pytest.param("image/png", "image/png", id="png"),
        pytest.param("", "", id="empty"),
    ],
)
def test_content_type(media: str, expected: str) -> None:
    assert content_type(media) == expected


def test_content_type_with_another_charset() -> None:
    assert content_type("text/html", "iso-8859-1") == "text/html; charset=iso-8859-1"
    assert content_type("text/html", "") == "text/html"
    with pytest.raises(ValueError, match="charset takes a token"):
        content_type("text/html", "utf-8\r\nX: y")
