from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.cookies import (
    MAX_COOKIES,
    MAX_SIZE,
    expire_cookie,
    format_cookie,
    parse_cookies,
)

TOKEN = "!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz"
OCTETS = "!#$%&'()*+-./0123456789:<=>?@ABCXYZ[]^_`abcxyz{|}~"
tokens = st.text(st.sampled_from(TOKEN), min_size=1)
octets = st.text(st.sampled_from(OCTETS))
# http.cookies takes fewer names, and reads some of them as attributes.
plain = st.text(st.sampled_from("abcXYZ019_-"), min_size=2).map(lambda name: "x" + name)


@pytest.mark.parametrize(
    ("text", "cookies"),
    [
        ("SID=31d4d96e407aad42", {"SID": "31d4d96e407aad42"}),
        ("SID=31d4d96e407aad42; lang=en-US", {"SID": "31d4d96e407aad42", "lang": "en-US"}),
        ("a=1;b=2", {"a": "1", "b": "2"}),
        (" a = 1 ;\tb\t=\t2 ", {"a": "1", "b": "2"}),
        ("a=", {"a": ""}),
        ("a=b=c==", {"a": "b=c=="}),
        ('a="b"; c=""; d="e f"', {"a": "b", "c": "", "d": "e f"}),
        ('a="; b="c; d=e"f"; g="h"i', {"a": '"', "b": '"c', "d": 'e"f"', "g": '"h"i'}),
        ('a="b;c"', {"a": '"b'}),
        ("a=%20+%3B", {"a": "%20+%3B"}),
        ('a={"b":1,"c":2}', {"a": '{"b":1,"c":2}'}),
        ("a[b]=1; c d=2; e@f=3", {"a[b]": "1", "c d": "2", "e@f": "3"}),
        ("$Version=1; a=b; $Path=/", {"$Version": "1", "a": "b", "$Path": "/"}),
        ("A=1; a=2", {"A": "1", "a": "2"}),
        ("a=caf\xc3\xa9", {"a": "café"}),
        ("a=caf\xe9", {"a": "caf\ufffd"}),
        ("a=x\ty", {"a": "x\ty"}),
        ("a=€; b=\ud800", {"a": "€", "b": "\ufffd"}),
        ("\xc2\xa0__Host-a=1; __Host-a=2", {"\xa0__Host-a": "1", "__Host-a": "2"}),
        ("a=\xc2\x85", {"a": "\x85"}),
    ],
    ids=ascii,
)
def test_cookies_of_a_request(text: str, cookies: dict[str, str]) -> None:
    assert parse_cookies(text) == cookies


def test_the_first_of_two_cookies_counts() -> None:
    assert parse_cookies("a=/deep/path; a=/") == {"a": "/deep/path"}
    assert parse_cookies("a=; a=b") == {"a": ""}


@pytest.mark.parametrize(
    "bad",
    ["", " ", "b", "=", "=b", " =b", "b=\0", "b=\x1f", "b=\x7f", "b\n=c", "\x01b=c", '"']
    + ["b" * (MAX_SIZE + 1) + "=", "b=" + "c" * MAX_SIZE],
    ids=lambda bad: ascii(bad[:10]),
)
def test_what_is_no_cookie_is_skipped_alone(bad: str) -> None:
    assert parse_cookies(f"a=1; {bad}; z=2") == {"a": "1", "z": "2"}
    assert parse_cookies(bad) == {}


def test_the_longest_cookie_that_a_browser_keeps_is_read() -> None:
    assert parse_cookies(" b=" + "c" * (MAX_SIZE - 1)) == {"b": "c" * (MAX_SIZE - 1)}


def test_cookies_are_read_to_the_limit() -> None:
    exact = "; ".join(f"c{n}=v" for n in range(MAX_COOKIES))
    assert len(parse_cookies(exact)) == MAX_COOKIES
    assert parse_cookies(exact + "; more=1; more=2") == parse_cookies(exact)


@pytest.mark.parametrize("piece", [";", "a=b;", '"', "=", "a", "a=\0;", "\xe9", " "], ids=ascii)
def test_megabytes_are_read_in_linear_time(piece: str) -> None:
    assert len(parse_cookies(piece * 3_000_000)) <= 1


@given(
    st.text() | st.lists(st.sampled_from([";", "=", " ", "a", "b", '"', "\0", "\xe9"])).map("".join)
)
def test_any_text_gives_cookies(text: str) -> None:
    for name, value in parse_cookies(text).items():
        assert name
        assert name == name.strip(" \t")
        assert not {";", "\0", "\r", "\n"} & {*name, *value}


@given(st.dictionaries(plain, st.text(st.sampled_from("abcXYZ019_-.!#%&*+"))))
def test_agrees_with_the_standard_library(cookies: dict[str, str]) -> None:
    text = "; ".join(f"{name}={value}" for name, value in cookies.items())
    assert parse_cookies(text) == cookies
    assert {name: morsel.value for name, morsel in SimpleCookie(text).items()} == cookies


@given(st.lists(st.tuples(tokens, octets), max_size=9))
def test_what_is_formatted_is_read_back(pairs: list[tuple[str, str]]) -> None:
    sent = [format_cookie(name, value, secure=True).partition(";")[0] for name, value in pairs]
    read: dict[str, str] = {}
    for name, value in pairs:
        read.setdefault(name, value)
    assert parse_cookies("; ".join(sent)) == read


@pytest.mark.parametrize(
    ("options", "attributes"),
    [
        ({}, "; Path=/; SameSite=Lax"),
        ({"path": None, "same_site": None}, ""),
        ({"path": "/a b", "same_site": "Strict"}, "; Path=/a b; SameSite=Strict"),
        ({"max_age": 0}, "; Max-Age=0; Path=/; SameSite=Lax"),
        ({"max_age": -1}, "; Max-Age=-1; Path=/; SameSite=Lax"),
        (
            {"expires": 784111777.5},
            "; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Path=/; SameSite=Lax",
        ),
        ({"domain": "example.com"}, "; Domain=example.com; Path=/; SameSite=Lax"),
        ({"secure": True, "same_site": "None"}, "; Path=/; Secure; SameSite=None"),
        (
            {"secure": True, "http_only": True, "partitioned": True},
            "; Path=/; Secure; HttpOnly; SameSite=Lax; Partitioned",
        ),
    ],
    ids=str,
)
def test_format_cookie(options: dict[str, Any], attributes: str) -> None:
    assert format_cookie("sid", "31d4", **options) == f"sid=31d4{attributes}"


def test_the_standard_library_reads_what_is_formatted() -> None:
    text = format_cookie(
        "sid", "31d4", max_age=60, domain="example.com", secure=True, http_only=True
    )
    morsel = SimpleCookie(text)["sid"]
    assert (morsel.value, morsel["max-age"], morsel["domain"]) == ("31d4", "60", "example.com")
    assert (morsel["path"], morsel["samesite"]) == ("/", "Lax")
    assert morsel["secure"]
    assert morsel["httponly"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("__Secure-sid", {"secure": True, "domain": "example.com", "path": "/a"}),
        ("__Host-sid", {"secure": True}),
        ("__Hostess", {}),
        ("__Securely", {}),
        ("a__Host-", {}),
    ],
)
def test_prefixes_that_are_kept(name: str, options: dict[str, Any]) -> None:
    assert format_cookie(name, "v", **options).startswith(f"{name}=v; ")


@pytest.mark.parametrize(
    ("name", "value", "options", "words"),
    [
        ("", "v", {}, "name of a cookie"),
        ("a b", "v", {}, "name of a cookie"),
        ("a=b", "v", {}, "name of a cookie"),
        ("a;b", "v", {}, "name of a cookie"),
        ("é", "v", {}, "name of a cookie"),
        (b"a", "v", {}, "name of a cookie"),
        ("a", "b c", {}, "value of cookie a"),
        ("a", "b;c", {}, "value of cookie a"),
        ("a", "b,c", {}, "value of cookie a"),
        ("a", '"b"', {}, "value of cookie a"),
        ("a", "b\\c", {}, "value of cookie a"),
        ("a", "b\r\nSet-Cookie: c=d", {}, "value of cookie a"),
        ("a", "é", {}, "value of cookie a"),
        ("a", 5, {}, "value of cookie a"),
        ("a", "b" * MAX_SIZE, {}, "more than 4096 bytes"),
        ("a", "b", {"expires": -1}, "expires of cookie a"),
        ("a", "b", {"path": ""}, "path of cookie a"),
        ("a", "b", {"path": "a"}, "path of cookie a"),
        ("a", "b", {"path": "/;Domain=c"}, "path of cookie a"),
        ("a", "b", {"path": "/\n"}, "path of cookie a"),
        ("a", "b", {"path": "/é"}, "path of cookie a"),
        ("a", "b", {"path": "/" * 1025}, "path of cookie a"),
        ("a", "b", {"domain": ""}, "domain of cookie a"),
        ("a", "b", {"domain": "a;b"}, "domain of cookie a"),
        ("a", "b", {"domain": "münchen.de"}, "domain of cookie a"),
        ("a", "b", {"domain": "a" * 256}, "domain of cookie a"),
        ("a", "b", {"same_site": "lax"}, "same_site of cookie a"),
        ("a", "b", {"same_site": "None"}, "needs secure=True"),
        ("a", "b", {"partitioned": True}, "needs secure=True"),
        ("__Secure-a", "b", {}, "prefix __Secure- needs secure=True"),
        ("__secure-a", "b", {}, "prefix __Secure- needs secure=True"),
        ("__Host-a", "b", {}, "prefix __Host- needs"),
        ("__hOST-a", "b", {}, "prefix __Host- needs"),
        ("__Host-a", "b", {"secure": True, "path": "/a"}, "prefix __Host- needs"),
        ("__Host-a", "b", {"secure": True, "path": None}, "prefix __Host- needs"),
        ("__Host-a", "b", {"secure": True, "domain": "c.de"}, "prefix __Host- needs"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_a_cookie_that_browsers_would_drop_is_refused(
    name: Any, value: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        format_cookie(name, value, **options)


@pytest.mark.parametrize("max_age", [True, 1.5, "60"])
def test_max_age_is_a_whole_number(max_age: Any) -> None:
    with pytest.raises(TypeError, match="max_age of cookie a takes an int"):
        format_cookie("a", "b", max_age=max_age)


@given(st.text(), st.text(), st.none() | st.text(), st.none() | st.text())
def test_no_text_breaks_out_of_its_field(
    name: str, value: str, path: str | None, domain: str | None
) -> None:
    try:
        text = format_cookie(name, value, path=path, domain=domain)
    except ValueError:
        return
    assert text.isascii()
    assert text.isprintable()
    assert text.count(";") == 1 + (path is not None) + (domain is not None)


def test_expire_cookie() -> None:
    assert expire_cookie("sid") == (
        "sid=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax"
    )
    assert expire_cookie("__Host-sid", secure=True, http_only=True, partitioned=True) == (
        "__Host-sid=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; Secure; HttpOnly;"
        " SameSite=Lax; Partitioned"
    )
    with pytest.raises(ValueError, match="prefix __Host- needs"):
        expire_cookie("__Host-sid")
