from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.etags import MAX_ETAGS, ETag, ETags, parse_etag, parse_etags

values = st.text(st.sampled_from("!#$,;abcXYZ09~\\/W\x80\xff"))
etags = st.builds(ETag, values, st.booleans())


@pytest.mark.parametrize(
    ("one", "two", "strongly", "weakly"),
    [
        ('W/"1"', 'W/"1"', False, True),
        ('W/"1"', 'W/"2"', False, False),
        ('W/"1"', '"1"', False, True),
        ('"1"', '"1"', True, True),
    ],
)
def test_the_comparisons_of_rfc_9110(one: str, two: str, strongly: bool, weakly: bool) -> None:
    first, second = parse_etag(one), parse_etag(two)
    assert first is not None
    assert second is not None
    for this, that in [(first, second), (second, first)]:
        assert this.matches_strongly(that) is strongly
        assert this.matches_weakly(that) is weakly


@pytest.mark.parametrize(
    ("text", "value", "weak"),
    [
        ('"xyzzy"', "xyzzy", False),
        ('W/"xyzzy"', "xyzzy", True),
        ('""', "", False),
        ('W/""', "", True),
        ('"a,b"', "a,b", False),
        ('"a\\"', "a\\", False),
        ('"\xe9"', "\xe9", False),
    ],
    ids=ascii,
)
def test_parse_etag(text: str, value: str, weak: bool) -> None:
    etag = parse_etag(text)
    assert etag is not None
    assert (etag.value, etag.weak, str(etag)) == (value, weak, text)


@pytest.mark.parametrize(
    "text",
    ["", "*", "abc", '"', 'W/"', 'w/"a"', 'W"a"', '"a', 'a"', '"a"b"', '"a b"', '"a\t"', '"a\x7f"']
    + ['"a" ', ' "a"', '"\u20ac"', '"\ud800"', "'a'", 'W/ "a"', '"a\0"', '"' * 10_000_000],
    ids=lambda text: ascii(text[:20]),
)
def test_what_is_no_entity_tag(text: str) -> None:
    assert parse_etag(text) is None


@pytest.mark.parametrize("value", ['a"b', "a b", "a\nb", "\x7f", "€", "\0" * 100])
def test_a_value_that_no_tag_can_have_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="the value of an ETag takes"):
        ETag(value)


def test_tags_are_equal_when_written_alike() -> None:
    assert ETag("a") == ETag("a")
    assert hash(ETag("a")) == hash(ETag("a"))
    assert ETag("a") != ETag("a", weak=True)
    assert ETag("a") != ETag("b")
    assert ETag("a") != '"a"'


@pytest.mark.parametrize(
    "value", [ETag("a"), ETag("a", weak=True), ETags([ETag("a")]), ETags(any=True)], ids=repr
)
def test_repr_is_the_expression(value: ETag | ETags) -> None:
    assert str(eval(repr(value))) == str(value)


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ('"xyzzy"', ['"xyzzy"']),
        ('"xyzzy", "r2d2xxxx", "c3piozzzz"', ['"xyzzy"', '"r2d2xxxx"', '"c3piozzzz"']),
        ('W/"xyzzy",W/"r2d2xxxx"', ['W/"xyzzy"', 'W/"r2d2xxxx"']),
        ('"a,b" , "c"', ['"a,b"', '"c"']),
        (', ,"a",,"b", ', ['"a"', '"b"']),
        ('\t"a"\t,\t"b"\t', ['"a"', '"b"']),
        ('"a\\", "b"', ['"a\\"', '"b"']),
        ('abc, "b"', ['"b"']),
        ('"a"x, "b"', ['"b"']),
        ('"a" "b", "c"', ['"c"']),
        ('*, "a"', ['"a"']),
        ('"a", *', ['"a"']),
        ('"a", "b', ['"a"']),
        ('"a b", "c"', ['"c"']),
        ("", []),
        (",", []),
        ('"', []),
    ],
    ids=ascii,
)
def test_parse_etags(text: str, tags: list[str]) -> None:
    parsed = parse_etags(text)
    assert [str(etag) for etag in parsed] == tags
    assert len(parsed) == len(tags)
    assert str(parsed) == ", ".join(tags)
    assert not parsed.any


@pytest.mark.parametrize("text", ["*", " * ", "\t*"])
def test_a_star_is_any(text: str) -> None:
    parsed = parse_etags(text)
    assert parsed.any
    assert str(parsed) == "*"
    assert list(parsed) == []
    assert parsed.contains_strongly(ETag("x", weak=True))
    assert parsed.contains_weakly(ETag("x"))


def test_a_list_contains_a_tag_by_either_comparison() -> None:
    parsed = parse_etags('"a", W/"b"')
    assert parsed.contains_strongly(ETag("a"))
    assert not parsed.contains_strongly(ETag("a", weak=True))
    assert parsed.contains_weakly(ETag("a", weak=True))
    assert not parsed.contains_strongly(ETag("b"))
    assert parsed.contains_weakly(ETag("b"))
    assert not parsed.contains_weakly(ETag("c"))


@pytest.mark.parametrize(
    ("text", "count"),
    [('"a",' * 1_000_000, MAX_ETAGS), ("," * 10_000_000, 0), ('"' * 10_000_000, 0)],
    ids=["tags", "commas", "quotes"],
)
def test_long_lists_are_read_to_the_limit(text: str, count: int) -> None:
    assert len(parse_etags(text)) == count


@given(etags)
def test_a_tag_is_read_back(etag: ETag) -> None:
    assert parse_etag(str(etag)) == etag


@given(st.lists(etags, max_size=9))
def test_a_list_is_read_back(tags: list[ETag]) -> None:
    assert list(parse_etags(str(ETags(tags)))) == tags


@given(st.text() | st.lists(st.sampled_from(['"', "W/", ",", "a", " ", "*", "\\"])).map("".join))
def test_any_text_is_a_list(text: str) -> None:
    for etag in parse_etags(text):
        assert str(etag) in text
    alone = parse_etag(text)
    assert alone is None or str(alone) == text
