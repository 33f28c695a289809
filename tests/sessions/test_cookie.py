from __future__ import annotations

import logging

import pytest

from wsgikit.sessions import SessionCookie

HTTPS = {"wsgi.url_scheme": "https", "HTTP_HOST": "example.com"}
HOME = {"wsgi.url_scheme": "http", "HTTP_HOST": "localhost:8000", "REMOTE_ADDR": "127.0.0.1"}
HTTP = {"wsgi.url_scheme": "http", "HTTP_HOST": "example.com", "REMOTE_ADDR": "192.0.2.1"}


@pytest.mark.parametrize(
    ("environ", "secure", "is_secure"),
    [
        (HTTPS, True, True),
        (HTTPS, False, False),
        (HOME, True, False),
        (HOME, False, False),
        (HTTP, True, True),
        (HTTP, False, False),
        ({**HOME, "REMOTE_ADDR": "192.0.2.1"}, True, True),
        ({**HOME, "HTTP_HOST": "localhost.example.com"}, True, True),
        ({**HOME, "HTTP_X_FORWARDED_FOR": "192.0.2.1"}, True, True),
        ({**HOME, "HTTP_HOST": "[::1]:8000", "REMOTE_ADDR": "::1"}, True, False),
    ],
)
def test_only_at_home_and_by_http_it_is_plain(environ, secure, is_secure):
    assert SessionCookie("session", secure, "Lax").is_secure(environ) is is_secure


@pytest.mark.parametrize(
    ("environ", "part"),
    [(HOME, "for development only"), (HTTP, "browsers will not keep it")],
    ids=["home", "http"],
)
def test_what_is_less_than_it_could_be_is_told_once(environ, part, caplog):
    cookie = SessionCookie("session", True, "Lax")
    with caplog.at_level(logging.WARNING, "wsgikit.sessions"):
        for _ in range(3):
            cookie.is_secure(environ)
    (record,) = caplog.records
    assert part in record.getMessage()
    assert environ["HTTP_HOST"] in record.getMessage()


def test_https_and_a_choice_are_not_told(caplog):
    SessionCookie("session", True, "Lax").is_secure(HTTPS)
    SessionCookie("session", False, "Lax").is_secure(HTTP)
    assert caplog.records == []


def test_its_attributes():
    cookie = SessionCookie("id", True, "Strict")
    expected = "__Host-id=v; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Strict"
    assert cookie.set("v", 60.9, True) == expected
    assert cookie.set("v", 60, False) == "id=v; Max-Age=60; Path=/; HttpOnly; SameSite=Strict"
    assert cookie.forget(True).startswith("__Host-id=; ")
    assert "Max-Age=0" in cookie.forget(True)
    embedded = SessionCookie("id", True, "None")
    assert embedded.set("v", 60, True).endswith("; Secure; HttpOnly; SameSite=None")
    assert embedded.set("v", 60, False).endswith("Path=/; HttpOnly; SameSite=Lax")


def test_a_cookie_of_the_other_kind_is_not_read():
    cookie = SessionCookie("id", True, "Lax")
    environ = {"HTTP_COOKIE": "id=plain; __Host-id=own"}
    assert cookie.value(environ, True) == "own"
    assert cookie.value(environ, False) == "plain"
    assert cookie.value({"HTTP_COOKIE": "id=plain"}, True) is None
    assert cookie.value({}, True) is None


@pytest.mark.parametrize(
    ("name", "secure", "same_site", "kind", "message"),
    [
        ("", True, "Lax", ValueError, "name takes"),
        ("a b", True, "Lax", ValueError, "name takes"),
        ("a" * 51, True, "Lax", ValueError, "name takes up to 50"),
        ("__Host-a", True, "Lax", ValueError, "without its prefix"),
        ("__SECURE-a", True, "Lax", ValueError, "without its prefix"),
        (None, True, "Lax", ValueError, "name takes"),
        ("a", 1, "Lax", TypeError, "secure takes a bool"),
        ("a", True, "lax", ValueError, "same_site takes"),
        ("a", False, "None", ValueError, "same_site takes"),
        ("a", True, None, ValueError, "same_site takes"),
    ],
)
def test_bad_options_are_named(name, secure, same_site, kind, message):
    with pytest.raises(kind, match=message):
        SessionCookie(name, secure, same_site)
