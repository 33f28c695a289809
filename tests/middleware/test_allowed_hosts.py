from __future__ import annotations

from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import Response, stack
from wsgikit.middleware import allowed_hosts, errors, proxy_headers

HOSTS = ["example.com", "*.example.com", "[2001:DB8::1]", "Xn--bcher-kva.example."]


def checked(*parts):
    """A client of a stack, with validators around it and around its application."""
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))))


def status(app, host):
    environ = {"REQUEST_METHOD": "GET", "SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    if host is not None:
        environ["HTTP_HOST"] = host
    started = []
    app(environ, lambda status, headers: started.append(int(status[:3])))
    return started[0]


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "EXAMPLE.com:8000",
        "example.com.",
        "a.example.com",
        "a.b.example.com:1",
        "[2001:db8:0::1]:8000",
        "xn--bcher-kva.example",
    ],
)
def test_the_hosts_of_the_site_are_answered(host):
    app = allowed_hosts(Response("ours"), hosts=HOSTS)
    assert [status(app, host) for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "example.org", "notexample.com", "example.com.evil.net", "[::1]"],
)
def test_other_hosts_are_misdirected(host):
    app = allowed_hosts(Response("ours"), hosts=HOSTS)
    assert [status(app, host) for _ in range(2)] == [421, 421]


def test_a_wildcard_is_not_for_the_name_itself():
    app = allowed_hosts(Response("ours"), hosts=["*.example.com"])
    assert status(app, "example.com") == 421


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        ":80",
        "a/b",
        "user@example.com",
        "example.com, example.com",
        "example.com:x",
        "a b",
    ],
)
def test_what_is_no_host_is_a_bad_request(host):
    assert status(allowed_hosts(Response("ours"), hosts=HOSTS), host) == 400
    assert status(allowed_hosts(Response("ours")), host) == 400


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8000", "app.localhost:1", "127.0.0.1:8000", "127.9.9.9", "[::1]:1"],
)
def test_without_hosts_those_of_this_machine_are_answered(host):
    assert status(allowed_hosts(Response("ours")), host) == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "0.0.0.0", "192.168.1.7"]
)
def test_a_name_that_was_rebound_to_this_machine_is_not(host):
    assert status(allowed_hosts(Response("ours")), host) == 421


def test_only_so_many_names_are_remembered():
    app = allowed_hosts(Response("ours"), hosts=["*.example.com"])
    assert {status(app, f"{number}.example.com") for number in range(3000)} == {200}


@given(st.text())
def test_any_text_has_an_answer(host):
    assert status(allowed_hosts(Response(""), hosts=HOSTS), host) in (200, 400, 421)


def test_the_host_that_a_proxy_reports_is_checked():
    app = checked(
        proxy_headers(hops=1, headers=["X-Forwarded-Host"]),
        allowed_hosts(hosts=["example.com"]),
        Response("ours"),
    )
    assert app.get("/", headers={"X-Forwarded-Host": "example.com"}).text == "ours"
    app.get("/", headers={"X-Forwarded-Host": "evil.example"}, status=421)


def test_refusals_are_errors_like_any():
    handlers = {421: lambda request, error: "not here", 400: lambda request, error: "who?"}
    app = checked(errors(handlers=handlers), allowed_hosts(), Response("ours"))
    assert app.get("/", headers={"Host": "evil.example"}, status=421).text == "not here"
    assert app.get("/", headers={"Host": "a/b"}, status=400).text == "who?"


@pytest.mark.parametrize(
    "host", ["", "*", "example.com:80", "*.[::1]", "::1", "http://a", "bücher.de"]
)
def test_what_is_no_host_is_told_when_the_layer_is_put_on(host):
    with pytest.raises(ValueError, match="hosts takes hosts without a port") as raised:
        allowed_hosts(Response(""), hosts=["example.com", host])
    assert repr(host) in str(raised.value)


def test_one_host_is_a_list_too():
    with pytest.raises(TypeError, match="hosts takes a list"):
        allowed_hosts(Response(""), hosts="example.com")
