from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.query import percent_decode
from wsgikit.paths import BASIC, Integer, Rest, Template, Text

KINDS = {"str": Text, "int": Integer, "path": Rest}
# All that UTF-8 can say: no lone surrogates.
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def template(text):
    return Template(text, KINDS.get)


def test_the_basic_converters_stand_under_their_names():
    assert BASIC == KINDS


def test_a_template_is_literal_text_and_parameters():
    compiled = template("/users/{id:int}/posts/{slug}")
    assert compiled.names == ("id", "slug")
    assert compiled.parameters == {"id": Integer, "slug": Text}
    assert [getattr(each, "name", each) for each in compiled.segments] == [
        "",
        "users",
        "id",
        "posts",
        "slug",
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "begins with '/'"),
        ("users", "begins with '/'"),
        ("//users", "empty segment"),
        ("/a//b", "empty segment"),
        ("/a//", "empty segment"),
        ("/.", "no path has the segment '.'"),
        ("/a/../b", "no path has the segment '..'"),
        ("/what?", "no path has the segment 'what?'"),
        ("/a#b", "no path has the segment 'a#b'"),
        ("/caf%C3%A9", "is written decoded, 'café'"),
        ("/é%41", "is written decoded, 'éA'"),
        ("/{id", "a whole segment"),
        ("/id}", "a whole segment"),
        ("/}", "a whole segment"),
        ("/{", "a whole segment"),
        ("/{}", "a whole segment"),
        ("/{:int}", "a whole segment"),
        ("/v{id}", "a whole segment"),
        ("/{id}.html", "a whole segment"),
        ("/{a}{b}", "a whole segment"),
        ("/{not-a-name}", "a whole segment"),
        ("/{1}", "a whole segment"),
        ("/{{id}}", "a whole segment"),
        ("/{id:hex}", "no converter 'hex'"),
        ("/{id:}", "no converter ''"),
        ("/{id: int}", "no converter ' int'"),
        ("/{a}/{a}", "two parameters 'a'"),
        ("/{a:int}/x/{a:path}", "two parameters 'a'"),
        ("/{p:path}/edit", "stands at the end"),
        ("/{p:path}/", "stands at the end"),
    ],
)
def test_a_template_that_cannot_match_as_it_reads_is_refused(text, complaint):
    with pytest.raises(ValueError, match="template") as raised:
        template(text)
    assert repr(text) in str(raised.value)
    assert complaint in str(raised.value)


def test_a_template_of_text_that_has_no_bytes_is_refused():
    with pytest.raises(ValueError, match="surrogates"):
        template("/\ud800")


@pytest.mark.parametrize("text", ["/", "/a/", "/100%", "/50%zz", "/a b", "/é:;,@", "/\ufffd"])
def test_other_literal_text_is_taken_as_it_reads(text):
    assert percent_decode(template(text).url({})) == text


@pytest.mark.parametrize(
    ("text", "values", "url"),
    [
        ("/", {}, "/"),
        ("/a/", {}, "/a/"),
        ("/a b/é", {}, "/a%20b/%C3%A9"),
        ("/{id:int}", {"id": -7}, "/-7"),
        ("/{id:int}/", {"id": 0}, "/0/"),
        ("/{s}", {"s": "a:@!$&'()*+,;=b"}, "/a:@!$&'()*+,;=b"),
        ("/{s}", {"s": "a?b#c%d\\e f"}, "/a%3Fb%23c%25d%5Ce%20f"),
        ("/{s}", {"s": "..."}, "/..."),
        ("/{s}", {"s": "日本"}, "/%E6%97%A5%E6%9C%AC"),
        ("/x/{p:path}", {"p": "a/b c//d/"}, "/x/a/b%20c//d/"),
        ("/x/{p:path}", {"p": "a/...b"}, "/x/a/...b"),
    ],
)
def test_url(text, values, url):
    assert template(text).url(values) == url


@pytest.mark.parametrize(
    ("text", "values", "complaint"),
    [
        ("/{id:int}", {}, "/{id:int} needs the parameter 'id'"),
        ("/{id:int}", {"id": 1, "more": 2}, "/{id:int} has no parameter 'more'"),
        ("/a", {"id": 1}, "/a has no parameter 'id'"),
        ("/{id:int}", {"id": "1"}, "/{id:int}: id='1' is not an int"),
        ("/{id:int}", {"id": True}, "id=True is not an int"),
        ("/{id:int}", {"id": 1.0}, "id=1.0 is not an int"),
        ("/{s}", {"s": None}, "s=None is not a str"),
        ("/{s}", {"s": 5}, "s=5 is not a str"),
        ("/{s}", {"s": ""}, "s='' is not one segment"),
        ("/{s}", {"s": "."}, "s='.' is not one segment"),
        ("/{s}", {"s": ".."}, "s='..' is not one segment"),
        ("/{s}", {"s": "a/b"}, "s='a/b' is not one segment"),
        ("/{s}", {"s": "\udc80"}, "surrogates not allowed"),
        ("/{p:path}", {"p": b"a"}, "is not a str"),
        ("/{p:path}", {"p": ""}, "is not the rest of a path"),
        ("/{p:path}", {"p": "/evil.com"}, "is not the rest of a path"),
        ("/{p:path}", {"p": "a/../b"}, "is not the rest of a path"),
        ("/{p:path}", {"p": "."}, "is not the rest of a path"),
        ("/{p:path}", {"p": "a/."}, "is not the rest of a path"),
    ],
)
def test_url_refuses_what_would_not_come_back(text, values, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)):
        template(text).url(values)


def test_the_message_of_a_value_stays_short():
    with pytest.raises(ValueError, match="is not one segment") as raised:
        template("/{s}").url({"s": "/" * 10**6})
    assert len(str(raised.value)) < 200


def test_an_int_of_more_digits_than_python_writes_is_a_value_error():
    with pytest.raises(ValueError, match=r"/\{id:int\}: id="):
        Template("/{id:int}", KINDS.get).url({"id": Loud(10**5000)})


class Loud(int):
    """An int whose text is not its digits."""

    def __str__(self):
        return "loud"

    __repr__ = __str__


def test_an_int_of_another_class_is_written_in_digits():
    assert template("/{id:int}").url({"id": Loud(7)}) == "/7"


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("007", 7), ("-7", -7), ("-0", 0), ("9" * 30, 10**30 - 1)]
)
def test_an_int_is_decimal_digits(text, value):
    assert Integer.parse(text) == value


@pytest.mark.parametrize(
    "text",
    ["", "-", "--1", "+1", " 1", "1 ", "1_000", "1.0", "1e3", "0x1f", "٣", "１", "²", "-٣", "1\n"]
    + ["9" * 5000],
)
def test_other_text_is_no_int(text):
    with pytest.raises(ValueError, match=r"is not a whole number|Exceeds the limit"):
        Integer.parse(text)


@given(ANY_TEXT)
def test_str_comes_back_or_is_refused(text):
    refused = not text or "/" in text or text in (".", "..")
    try:
        url = template("/{s}").url({"s": text})
    except ValueError:
        assert refused
    else:
        assert not refused
        assert url.isascii()
        assert url.count("/") == 1
        assert percent_decode(url) == f"/{text}"


@given(st.text(), st.sampled_from([Text, Integer, Rest]))
def test_parsing_any_text_raises_nothing_but_value_error(text, converter):
    try:
        value = converter.parse(text)
    except ValueError:
        return
    assert converter.parse(converter.format(value)) == value
