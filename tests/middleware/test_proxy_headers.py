from __future__ import annotations

from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import Request, Response, stack
from wsgikit.keys import PEER
from wsgikit.middleware import proxy_headers

ALL = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port")


def checked(*parts):
    """A client of a stack, with validators around it and around its application."""
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))))


def seen(app_options, environ):
    """What an application behind the layer sees of a request, or the status that refused it."""
    inner = {}

    def app(environ, start_response):
        inner.update(environ)
        return Response("")(environ, start_response)

    base = {
        "REQUEST_METHOD": "GET",
        "REMOTE_ADDR": "10.0.0.1",
        "REMOTE_PORT": "40000",
        "HTTP_HOST": "inside:8000",
        "SERVER_PORT": "8000",
        "SCRIPT_NAME": "",
        "wsgi.url_scheme": "http",
    }
    started = []
    proxy_headers(app, **app_options)(
        {**base, **environ}, lambda status, headers, exc_info=None: started.append(int(status[:3]))
    )
    return inner if started == [200] else started[0]


def client(options, forwarded_for, peer="10.0.0.1"):
    found = seen(options, {"HTTP_X_FORWARDED_FOR": forwarded_for, "REMOTE_ADDR": peer})
    return found if isinstance(found, int) else found["REMOTE_ADDR"]


TRUSTED = {"trusted": ["10.0.0.0/8", "2001:db8::/32"]}


# Who the client is

WAYS = {
    "192.0.2.1": "192.0.2.1",
    "6.6.6.6, 192.0.2.1": "192.0.2.1",
    "192.0.2.1, 10.0.0.2": "192.0.2.1",
    "6.6.6.6, 192.0.2.1,10.0.0.3 ,\t10.0.0.2": "192.0.2.1",
    "10.0.0.9, 10.0.0.2": "10.0.0.9",
    "10.6.6.6, 192.0.2.1, 10.0.0.2": "192.0.2.1",
    "garbage, 192.0.2.1": "192.0.2.1",
    '"6.6.6.6, 192.0.2.1': "192.0.2.1",
    "192.0.2.1:5000": "192.0.2.1",
    "2001:DB9::1": "2001:db9::1",
    "[2001:db9::1]:5000, 2001:db8::7": "2001:db9::1",
    "::ffff:192.0.2.1": "192.0.2.1",
    "192.0.2.1, ::ffff:10.0.0.2": "192.0.2.1",
    "unknown": "",
    "_hidden, 10.0.0.2": "",
    "10.0.0.2, unknown": "",
    ", ,192.0.2.1, ": "192.0.2.1",
}


@pytest.mark.parametrize(("text", "address"), WAYS.items(), ids=WAYS)
def test_client_is_the_first_from_the_right_that_is_not_trusted(text, address):
    assert client(TRUSTED, text) == address


@pytest.mark.parametrize(
    "text", ["garbage", "192.0.2.1, garbage", "192.0.2.256", "192.0.2.1 10.0.0.2", "x, 10.0.0.2"]
)
def test_what_a_trusted_peer_reports_and_cannot_be_read_is_refused(text):
    assert client(TRUSTED, text) == 400


@pytest.mark.parametrize(
    "peer", ["192.0.2.7", "11.0.0.1", "2001:db9::1", "", "localhost", "unix:", "garbage", "::1"]
)
def test_what_other_peers_report_is_ignored_and_left_there(peer):
    found = seen(
        TRUSTED,
        {
            "REMOTE_ADDR": peer,
            "HTTP_X_FORWARDED_FOR": "6.6.6.6",
            "HTTP_X_FORWARDED_PROTO": "https",
        },
    )
    assert found["REMOTE_ADDR"] == peer
    assert found["wsgi.url_scheme"] == "http"
    assert found["HTTP_X_FORWARDED_FOR"] == "6.6.6.6"
    assert PEER not in found


@pytest.mark.parametrize("peer", ["10.9.9.9", "::ffff:10.0.0.1", "2001:db8:1::1"])
def test_trusted_peers(peer):
    assert client(TRUSTED, "192.0.2.1", peer) == "192.0.2.1"


@pytest.mark.parametrize("peer", ["", "unix:", "localhost"])
def test_unix_sockets_are_trusted_if_that_is_said(peer):
    assert client({"trusted": ["unix"]}, "192.0.2.1", peer) == "192.0.2.1"
    assert client({"trusted": ["unix"]}, "192.0.2.1", "10.0.0.1") == "10.0.0.1"
    # Who is hidden has no address either, and is no proxy for that.
    assert client({"trusted": ["unix"]}, "6.6.6.6, unknown", peer) == ""


def test_trusted_peer_that_reports_nobody_is_the_client():
    found = seen(TRUSTED, {})
    assert (found["REMOTE_ADDR"], found["REMOTE_PORT"]) == ("10.0.0.1", "40000")
    assert PEER not in found
    assert client(TRUSTED, "") == client(TRUSTED, ", ") == "10.0.0.1"


def test_peer_is_kept_and_what_was_its_own_is_gone():
    found = seen(TRUSTED, {"HTTP_X_FORWARDED_FOR": "192.0.2.1", "REMOTE_HOST": "proxy.example"})
    assert found[PEER] == "10.0.0.1"
    assert "REMOTE_HOST" not in found
    assert "REMOTE_PORT" not in found
    found = seen(TRUSTED, {"HTTP_X_FORWARDED_FOR": "192.0.2.1:5000"})
    assert found["REMOTE_PORT"] == "5000"


def test_of_two_layers_the_outer_one_has_the_peer():
    inner = proxy_headers(hops=1, headers=["X-Forwarded-For"])
    kept = {}
    app = stack(proxy_headers(**TRUSTED), inner, lambda environ, start: kept.update(environ) or [])
    app({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.1"}, None)
    assert kept[PEER] == "10.0.0.1"


@pytest.mark.parametrize(
    ("hops", "text", "address"),
    [
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "6.6.6.6, 192.0.2.1", "192.0.2.1"),
        (2, "6.6.6.6, 192.0.2.1, 10.0.0.1", "192.0.2.1"),
        (2, "192.0.2.1, garbage", "192.0.2.1"),
        (2, "192.0.2.1", 400),
        (3, "192.0.2.1, 10.0.0.1", 400),
        (1, "192.0.2.1, garbage", 400),
        (1, "unknown", ""),
        (2, "", "203.0.113.9"),
        (100, "192.0.2.1" + ", 10.0.0.1" * 99, "192.0.2.1"),
    ],
)
def test_client_is_so_many_places_from_the_right(hops, text, address):
    assert client({"hops": hops}, text, "203.0.113.9") == address


def test_no_way_is_followed_for_ever():
    assert client(TRUSTED, "192.0.2.1" + ", 10.0.0.2" * 99) == "192.0.2.1"
    assert client(TRUSTED, "192.0.2.1" + ", 10.0.0.2" * 100) == 400
    assert client(TRUSTED, "10.0.0.2," * 100_000) == 400


def test_only_so_many_addresses_are_remembered():
    app = proxy_headers(lambda environ, start_response: [environ["REMOTE_ADDR"]], **TRUSTED)
    for number in range(3000):
        address = f"192.0.{number // 256}.{number % 256}"
        for text in address, f"{'x' * 500}, {address}":
            environ = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": text}
            assert app(environ, None) == [address]


@pytest.mark.parametrize(
    ("options", "key", "text"),
    [
        (TRUSTED, "HTTP_X_FORWARDED_FOR", "6.6.6.6, 192.0.2.1:5, 10.0.0.2"),
        ({"hops": 2}, "HTTP_X_FORWARDED_FOR", "6.6.6.6, 192.0.2.1:5, 10.0.0.2"),
        ({**TRUSTED, "headers": ["Forwarded"]}, "HTTP_FORWARDED", 'for="192.0.2.1:5"'),
    ],
    ids=["trusted", "hops", "Forwarded"],
)
def test_a_client_that_comes_again_is_the_same(options, key, text):
    app = proxy_headers(lambda environ, start_response: environ, **options)
    for _ in range(3):
        found = app({"REMOTE_ADDR": "10.0.0.1", key: text}, None)
        assert (found["REMOTE_ADDR"], found["REMOTE_PORT"]) == ("192.0.2.1", "5")


def test_what_cannot_be_read_is_refused_each_time():
    started = []
    app = proxy_headers(lambda environ, start_response: [], **TRUSTED)
    for _ in range(2):
        environ = {
            "REQUEST_METHOD": "GET",
            "REMOTE_ADDR": "10.0.0.1",
            "HTTP_X_FORWARDED_FOR": "garbage",
        }
        app(environ, lambda status, headers, exc_info=None: started.append(status[:3]))
    assert started == ["400", "400"]


@given(
    before=st.text(st.characters(max_codepoint=255), max_size=40),
    address=st.ip_addresses(v=4, network="192.0.2.0/24"),
)
def test_nothing_that_a_client_sends_changes_who_it_is(before, address):
    assert client(TRUSTED, f"{before},{address}") == str(address)
    assert client({"hops": 1}, f"{before},{address}") == str(address)


# Scheme, host, port, prefix


@pytest.mark.parametrize(
    ("proto", "way", "scheme"),
    [
        ("https", "192.0.2.1", "https"),
        ("HTTPS", "192.0.2.1", "https"),
        ("http", "192.0.2.1", "http"),
        ("https, http", "192.0.2.1, 10.0.0.2", "https"),
        ("https", "192.0.2.1, 10.0.0.2", "https"),
        ("https, http", "192.0.2.1", "http"),
        ("https, https, http", "6.6.6.6, 192.0.2.1", "http"),
        ("https", "", "https"),
        ("wss", "192.0.2.1", 400),
        ("https, ftp", "192.0.2.1", 400),
        (",", "192.0.2.1", 400),
        ("https\x00", "192.0.2.1", 400),
    ],
)
def test_scheme_is_that_at_the_place_of_the_client(proto, way, scheme):
    found = seen(TRUSTED, {"HTTP_X_FORWARDED_FOR": way, "HTTP_X_FORWARDED_PROTO": proto})
    assert (found if isinstance(found, int) else found["wsgi.url_scheme"]) == scheme


def test_a_field_that_is_not_named_is_ignored():
    fields = {f"HTTP_X_FORWARDED_{name}": "x" for name in ("HOST", "PORT", "PREFIX")}
    found = seen(TRUSTED, {**fields, "HTTP_FORWARDED": "for=6.6.6.6"})
    assert (found["HTTP_HOST"], found["SERVER_PORT"]) == ("inside:8000", "8000")
    only = {**TRUSTED, "headers": ["x-forwarded-PROTO"]}
    found = seen(only, {"HTTP_X_FORWARDED_FOR": "x", "HTTP_X_FORWARDED_PROTO": "https"})
    assert (found["REMOTE_ADDR"], found["wsgi.url_scheme"]) == ("10.0.0.1", "https")


@pytest.mark.parametrize(
    ("fields", "host", "port"),
    [
        ({"HOST": "a.example"}, "a.example", "8000"),
        ({"HOST": "a.example:8443"}, "a.example:8443", "8000"),
        ({"HOST": "6.6.6.6, a.example"}, "a.example", "8000"),
        ({"PORT": "8443"}, "inside:8443", "8443"),
        ({"HOST": "[::1]:1", "PORT": "8443"}, "[::1]:8443", "8443"),
        ({"HOST": "a.example:1", "PORT": "80"}, "a.example", "80"),
        ({"HOST": "a.example", "PORT": "443", "PROTO": "https"}, "a.example", "443"),
        ({"HOST": "a.example", "PORT": "443"}, "a.example:443", "443"),
    ],
)
def test_host_and_port(fields, host, port):
    environ = {f"HTTP_X_FORWARDED_{name}": value for name, value in fields.items()}
    found = seen({**TRUSTED, "headers": ALL}, environ)
    assert (found["HTTP_HOST"], found["SERVER_PORT"]) == (host, port)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("HOST", "a.example/"),
        ("HOST", "a@b"),
        ("HOST", "a:b"),
        ("PORT", "x"),
        ("PORT", "65536"),
        ("PORT", "80:80"),
        ("PORT", ","),
    ],
)
def test_a_host_or_port_that_is_none(field, value):
    assert seen({**TRUSTED, "headers": ALL}, {f"HTTP_X_FORWARDED_{field}": value}) == 400


def test_port_without_a_host():
    environ = {"HTTP_X_FORWARDED_PORT": "8443", "HTTP_HOST": ""}
    found = seen({**TRUSTED, "headers": ALL}, environ)
    assert (found["HTTP_HOST"], found["SERVER_PORT"]) == ("", "8443")


@pytest.mark.parametrize(
    ("prefix", "name"),
    [
        ("/shop", "/shop/in"),
        ("/shop/", "/shop/in"),
        ("/", "/in"),
        ("/a/b", "/a/b/in"),
        ("/b%C3%BCcher", "/b\xc3\xbccher/in"),
        ("shop", 400),
        ("//evil.example", 400),
        ("/a//b", 400),
        ("/a/../b", 400),
        ("/a/%2E%2e/b", 400),
        ("/.", 400),
        ("/a\\b", 400),
        ("/a%5Cb", 400),
        ("/a%0Db", 400),
        ("/b\xfccher", 400),
        (",", "/in"),
    ],
)
def test_prefix_goes_in_front_of_script_name(prefix, name):
    options = {**TRUSTED, "headers": ["X-Forwarded-Prefix"]}
    found = seen(options, {"HTTP_X_FORWARDED_PREFIX": prefix, "SCRIPT_NAME": "/in"})
    assert (found if isinstance(found, int) else found["SCRIPT_NAME"]) == name


# Forwarded

FORWARDED = {**TRUSTED, "headers": ["Forwarded", "X-Forwarded-Port"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("for=192.0.2.1", ("192.0.2.1", "http", "inside:8000")),
        (
            'for="192.0.2.1:99";proto=https;host="a.example:1"',
            ("192.0.2.1", "https", "a.example:1"),
        ),
        (
            'for=6.6.6.6;proto=http, for="[2001:db9::1]";proto=https;host=a, for=10.0.0.2;host=b',
            ("2001:db9::1", "https", "a"),
        ),
        ("x, for=192.0.2.1", ("192.0.2.1", "http", "inside:8000")),
        ("proto=https", ("", "https", "inside:8000")),
        ("for=192.0.2.1, proto=https", ("", "https", "inside:8000")),
        ("for=unknown;proto=https", ("", "https", "inside:8000")),
        ("for=192.0.2.1;by=x;extra=y", ("192.0.2.1", "http", "inside:8000")),
        ("x", 400),
        ("for=a", 400),
        ('for="', 400),
        ("for=192.0.2.1;proto=ftp", 400),
        ('for=192.0.2.1;host="a/b"', 400),
        ("for=192.0.2.1;for=192.0.2.1", 400),
        ("for=192.0.2.1, x, for=10.0.0.2", 400),
        ('for="6.6.6.6, for="[2001:db9::1]"', 400),
    ],
)
def test_forwarded(text, expected):
    found = seen(FORWARDED, {"HTTP_FORWARDED": text, "HTTP_X_FORWARDED_FOR": "6.6.6.6"})
    keys = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST")
    assert (found if isinstance(found, int) else tuple(map(found.get, keys))) == expected


def test_forwarded_and_a_port():
    text = "for=192.0.2.1;proto=https;host=a.example"
    found = seen(FORWARDED, {"HTTP_FORWARDED": text, "HTTP_X_FORWARDED_PORT": "443"})
    assert found["HTTP_HOST"] == "a.example"


@given(
    before=st.text('for="\\;, =a1.[]_', max_size=40),
    address=st.ip_addresses(v=4, network="192.0.2.0/24"),
)
def test_nothing_in_forwarded_that_a_client_sends_changes_who_it_is(before, address):
    found = seen(FORWARDED, {"HTTP_FORWARDED": f"{before}, for={address}"})
    assert found == 400 or found["REMOTE_ADDR"] == str(address)


@given(st.text(), st.text(), st.text())
def test_any_text_has_an_answer(way, proto, host):
    values = {
        "HTTP_X_FORWARDED_FOR": way,
        "HTTP_FORWARDED": way,
        "HTTP_X_FORWARDED_PROTO": proto,
        "HTTP_X_FORWARDED_HOST": host,
        "HTTP_X_FORWARDED_PORT": proto,
        "HTTP_X_FORWARDED_PREFIX": host,
    }
    for headers in ((*ALL, "X-Forwarded-Prefix"), ("Forwarded", "X-Forwarded-Prefix")):
        for options in (TRUSTED, {"hops": 2}):
            found = seen({**options, "headers": headers}, values)
            assert found == 400 or isinstance(found, dict)


# Within a stack


def test_a_request_is_what_the_client_made():
    @Request.application
    def view(request):
        return f"{request.client} {request.url}"

    app = checked(proxy_headers(hops=1, headers=(*ALL, "X-Forwarded-Prefix")), view)
    answer = app.get(
        "/a?b",
        headers={
            "X-Forwarded-For": "192.0.2.1",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "shop.example",
            "X-Forwarded-Prefix": "/shop",
        },
    )
    assert answer.text == "192.0.2.1 https://shop.example/shop/a?b"


def test_refusal_is_an_error_page_like_any():
    app = checked(proxy_headers(hops=2), Response("secret"))
    answer = app.get("/", headers={"X-Forwarded-For": "192.0.2.1"}, status=400)
    assert "fewer than 2 proxies (hops)" in answer.text


# Options


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({}, ValueError, "either trusted or hops"),
        ({"trusted": ["10.0.0.0/8"], "hops": 1}, ValueError, "either trusted or hops"),
        ({"trusted": "10.0.0.0/8"}, TypeError, "trusted takes a list"),
        ({"trusted": ["10.0.0.1/8"]}, ValueError, "trusted takes networks"),
        ({"trusted": ["proxy.example"]}, ValueError, "trusted takes networks"),
        ({"trusted": ["0.0.0.0/0"]}, ValueError, "is everybody"),
        ({"trusted": ["::/0"]}, ValueError, "is everybody"),
        ({"hops": -1}, ValueError, "hops takes a number"),
        ({"hops": 101}, ValueError, "hops takes a number"),
        ({"hops": True}, ValueError, "hops takes a number"),
        ({"hops": "1"}, ValueError, "hops takes a number"),
        ({"hops": 1, "headers": "Forwarded"}, TypeError, "headers takes a list"),
        ({"hops": 1, "headers": []}, ValueError, "headers takes some of"),
        ({"hops": 1, "headers": ["X-Real-IP"]}, ValueError, "headers takes some of"),
        ({"hops": 1, "headers": ["Forwarded", "X-Forwarded-For"]}, ValueError, "says the same"),
        ({"hops": 1, "headers": ["forwarded", "x-forwarded-host"]}, ValueError, "says the same"),
    ],
)
def test_options_are_checked_when_the_layer_is_put_on(options, kind, message):
    with pytest.raises(kind, match=message):
        proxy_headers(Response(""), **options)
