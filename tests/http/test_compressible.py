from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.compressible import is_compressible


@pytest.mark.parametrize(
    "media",
    """text/html text/css text/plain text/markdown text/anything application/json
    application/problem+json application/xml application/atom+xml image/svg+xml
    application/javascript application/wasm font/ttf application/manifest+json
    model/gltf+json TEXT/HTML text/html;charset=utf-8""".split(),
)
def test_what_becomes_smaller(media):
    assert is_compressible(media)
    assert is_compressible(f" {media} ; a=b")


@pytest.mark.parametrize(
    "media",
    """image/png image/jpeg image/webp image/avif audio/mpeg video/mp4 font/woff2
    application/zip application/gzip application/pdf application/octet-stream
    multipart/byteranges text/event-stream TEXT/Event-Stream;charset=utf-8 json x/text
    /""".split()
    + ["", " ", ";", "\0", "\ud800"],
    ids=ascii,
)
def test_what_does_not(media):
    assert not is_compressible(media)


@pytest.mark.parametrize(
    ("media", "also"),
    [
        ("text/event-stream", {"text/event-stream"}),
        ("Text/Event-Stream; charset=utf-8", {"text/event-stream"}),
        ("audio/midi", {"audio/*"}),
        ("text/event-stream", {"text/*"}),
    ],
)
def test_what_counts_as_such_too(media, also):
    assert not is_compressible(media)
    assert is_compressible(media, also)
    assert not is_compressible("audio/mpeg", also - {"audio/*"})


@given(st.text())
def test_any_text_is_a_type_or_none(text):
    assert is_compressible(text) in (True, False)


def test_a_long_type_is_read():
    assert not is_compressible("a/" + "b" * 10_000_000)


@pytest.mark.parametrize(
    "media", ["application/x-tar", "application/vnd.sqlite3", "image/bmp", "message/rfc822"]
)
def test_what_others_compress_in_advance_does_too(media):
    assert is_compressible(media)
