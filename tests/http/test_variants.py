from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.etags import ETag, parse_etag, parse_etags
from wsgikit.http.variants import decode_etags, encode_etag

CODINGS = ["zstd", "gzip", "deflate", "br"]


@pytest.mark.parametrize(
    ("etag", "coding", "encoded"),
    [
        ('"a"', "gzip", 'W/"a--gzip"'),
        ('W/"a"', "gzip", 'W/"a--gzip"'),
        ('""', "br", 'W/"--br"'),
        ('"a--gzip"', "gzip", 'W/"a--gzip--gzip"'),
        ("a", "gzip", "a"),
        ("", "gzip", ""),
    ],
)
def test_a_variant_has_a_weak_tag_with_its_coding(etag, coding, encoded):
    assert encode_etag(etag, coding) == encoded


@pytest.mark.parametrize(
    ("text", "codings", "etags"),
    [
        ('W/"a--gzip"', ["gzip"], ['"a"']),
        ('"a--gzip"', ["gzip"], ['"a"']),  # from who writes no W/
        ('W/"a--gzip", "b", W/"c--gzip"', ["gzip"], ['"a"', '"c"']),
        ('W/"a--gzip", W/"a--zstd"', ["gzip"], ['"a"']),
        ('W/"a--gzip", W/"b--zstd"', ["zstd", "gzip"], ['"a"', '"b"']),
        ('W/"a--gzip--gzip"', ["gzip"], ['"a--gzip"']),
        ('W/"--gzip"', ["gzip"], ['""']),
        ('W/"a--gzip"', [], []),
        ('"a"', ["gzip"], []),
        ('"a-gzip"', ["gzip"], []),
        ('"a--b"', ["gzip"], []),
        ("*", ["gzip"], []),
        ("a--gzip", ["gzip"], []),
        ('"a--gzip', ["gzip"], []),
        ("", ["gzip"], []),
    ],
)
def test_the_tag_of_a_variant_tells_what_it_was(text, codings, etags):
    assert decode_etags(text, codings) == etags


tags = st.text(st.characters(codec="latin-1", exclude_characters='" ', exclude_categories=["Cc"]))


@given(st.lists(st.tuples(tags, st.booleans(), st.sampled_from(CODINGS)), max_size=5))
def test_tags_come_back(given):
    text = ", ".join(encode_etag(str(ETag(value, weak)), coding) for value, weak, coding in given)
    assert decode_etags(text, CODINGS) == [str(ETag(value)) for value, _, _ in given]


@given(st.text())
def test_any_text_has_tags_or_none(text):
    assert len(decode_etags(text, CODINGS)) <= len(parse_etags(text))
    assert (parse_etag(text) is None) == (encode_etag(text, "gzip") == text)


@pytest.mark.parametrize("piece", ['W/"a--gzip",', '"', "--", 'W/"', ","])
def test_a_long_list_is_read_in_time(piece):
    assert len(decode_etags(piece * 1_000_000, CODINGS)) <= 100
