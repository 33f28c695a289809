from __future__ import annotations

import json
import re
import time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wsgikit.access
from wsgikit.access import Access, as_json, combined, escaped, one_line

CLIENT = {"REMOTE_ADDR": "192.0.2.7", "SERVER_PROTOCOL": "HTTP/1.1"}
LINE = re.compile(
    r"(?P<client>\S+) - (?P<user>\S+) \[(?P<time>[^]]+)\]"
    r' "(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}|-) (?P<bytes>\d+|-)'
    r' "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)"'
    r" (?P<seconds>\d+\.\d{6}) (?P<outcome>\w+)"
)


def access(target="/", environ=(), *, method="GET", status=200, sent=5, **options):
    """An Access of a request that took a quarter of a second."""
    took = 250_000_000
    began = time.perf_counter_ns() - took
    observed = SimpleNamespace(code=status, sent=sent, outcome="complete", began=began, took=took)
    environ = {**CLIENT, "REQUEST_URI": target, **dict(environ)}
    return Access(observed, environ, method, "/path", "query", **options)


def parts(one):
    return LINE.fullmatch(combined(one)).groupdict()


# The combined format


def test_combined():
    environ = {"REMOTE_USER": "ada", "HTTP_REFERER": "http://a.example/", "HTTP_USER_AGENT": "curl"}
    found = parts(access("/a?b", environ))
    del found["time"]
    assert found == {
        "client": "192.0.2.7",
        "user": "ada",
        "request": "GET /a?b HTTP/1.1",
        "status": "200",
        "bytes": "5",
        "referer": "http://a.example/",
        "agent": "curl",
        "seconds": "0.250000",
        "outcome": "complete",
    }


def test_what_is_not_known_is_a_dash():
    found = parts(access(environ={"REMOTE_ADDR": "", "SERVER_PROTOCOL": ""}, status=0, sent=None))
    assert (found["client"], found["user"], found["referer"], found["agent"]) == ("-",) * 4
    assert (found["request"], found["status"], found["bytes"]) == ("GET / -", "-", "-")


@pytest.mark.parametrize("zone", ["UTC", "EST5EDT", "Asia/Kolkata", "<-0330>3:30"])
def test_times_have_their_zone_and_english_months(zone, monkeypatch):
    monkeypatch.setattr(wsgikit.access, "_latest", (-1, ""))  # in another zone
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        one = access()
        came = time.localtime(one.time)
        stamp = parts(one)["time"]
        assert parts(one)["time"] == stamp
    finally:
        monkeypatch.undo()
        time.tzset()
    assert stamp[3:6] == "JanFebMarAprMayJunJulAugSepOctNovDec"[3 * came.tm_mon - 3 :][:3]
    assert stamp[:3] + stamp[6:] == time.strftime("%d//%Y:%H:%M:%S %z", came)


def test_the_time_is_that_of_the_request():
    assert time.time() - access().time == pytest.approx(0.25, abs=0.2)


# Injection

ODD = st.text(st.characters(exclude_categories=()), max_size=60)


@given(target=ODD, agent=ODD, referer=ODD, method=ODD, user=ODD, client=ODD, protocol=ODD)
def test_no_client_can_leave_its_place_on_the_line(
    target, agent, referer, method, user, client, protocol
):
    environ = {
        "HTTP_USER_AGENT": agent,
        "HTTP_REFERER": referer,
        "REMOTE_USER": user,
        "REMOTE_ADDR": client,
        "SERVER_PROTOCOL": protocol,
    }
    one = access(target, environ, method=method)
    line = combined(one)
    assert line.isascii()
    assert line.isprintable()
    assert LINE.fullmatch(line)
    line = as_json(one)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["bytes"] == 5


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain text", "plain text"),
        ('a"b\\c', r"a\x22b\x5cc"),
        ("a\r\nb\x00\x1b[31m\x7f", r"a\x0d\x0ab\x00\x1b[31m\x7f"),
        ("\xe9\u20ac", r"\xe9\u20ac"),
        ("", ""),
    ],
    ids=ascii,
)
def test_escapes(text, written):
    assert escaped(text) == written


def test_escapes_where_there_are_no_quotes():
    assert escaped('a "b"', space=True) == r"a\x20\x22b\x22"
    assert escaped("ab", space=True) == "ab"


def test_one_line():
    assert one_line("grün, 100 %") == "grün, 100 %"
    assert one_line("a\nb\x1b[2J\u2028\ud800") == r"a\nb\x1b[2J\u2028\ud800"


@pytest.mark.parametrize("format", [combined, as_json])
def test_what_is_long_is_cut(format):
    environ = {"HTTP_USER_AGENT": "a" * 10**6, "HTTP_REFERER": "a" * 10**6}
    assert len(format(access("/" * 10**6, environ, method="A" * 10**6))) < 8000


# Secrets


@pytest.mark.parametrize(
    ("query", "written"),
    [
        ("a=1&token=abc&b=2", "a=1&token=[redacted]&b=2"),
        ("password=a%26b", "password=[redacted]"),
        ("PassWord=x", "PassWord=[redacted]"),
        ("pass%77ord=x", "pass%77ord=[redacted]"),
        ("user%5Bpassword%5D=x&y", "user%5Bpassword%5D=[redacted]&y"),
        ("user[password]=x", "user[password]=[redacted]"),
        ("a=1;token=abc", "a=1;token=[redacted]"),
        ("a?token=abc", "a?token=[redacted]"),
        ("token=a=b", "token=[redacted]"),
        ("token=", "token=[redacted]"),
        ("api+key=x", "api+key=[redacted]"),
        ("token", "token"),
        ("author=Ada&keyboard=qwertz", "author=Ada&keyboard=qwertz"),
        ("=x&&=", "=x&&="),
        ("", ""),
    ],
)
def test_secrets_are_hidden(query, written):
    one = access(f"/a?{query}", {"HTTP_REFERER": f"https://a.example/?{query}"})
    assert one.target == f"/a?{written}"
    assert one.referer == f"https://a.example/?{written}"


def test_a_password_in_an_address_is_hidden():
    one = access("http://a:b@c.example/", {"HTTP_REFERER": "https://ada:lovelace@a.example/b?c=d"})
    assert one.target == "http://a:[redacted]@c.example/"
    assert one.referer == "https://ada:[redacted]@a.example/b?c=d"


def test_what_is_secret_can_be_said():
    one = access("/?code=1&token=2", secret=lambda name: name == "code")
    assert one.target == "/?code=[redacted]&token=2"


@given(st.text(max_size=80))
def test_no_secret_gets_through_whatever_surrounds_it(text):
    value = "s3cr3t"
    for query in (f"{text}&token={value}&{text}", f"token={value}{text}"):
        assert value not in access(f"/?{query}").target


@pytest.mark.parametrize("text", ["a=" * 10**6, "&" * 10**6, "http://" * 10**5, "://" * 10**6])
def test_long_addresses_take_no_time(text):
    access(text, {"HTTP_REFERER": text}).referer  # noqa: B018


# JSON


def test_json():
    found = json.loads(as_json(access("/caf\xc3\xa9?a")))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found.pop("time"))
    assert found == {
        "client": "192.0.2.7",
        "user": None,
        "method": "GET",
        "target": "/café?a",
        "protocol": "HTTP/1.1",
        "host": None,
        "route": None,
        "status": 200,
        "bytes": 5,
        "seconds": 0.25,
        "outcome": "complete",
        "referer": None,
        "user_agent": None,
        "request_id": None,
        "trace_id": None,
    }


# What a format of one's own may ask for


def test_fields_are_texts():
    one = access(environ={"wsgi.input": object(), "HTTP_A": "a", "HTTP_EMPTY": ""})
    assert [one.get(key) for key in ("HTTP_A", "HTTP_EMPTY", "wsgi.input", "HTTP_B")] == [
        "a",
        None,
        None,
        None,
    ]
