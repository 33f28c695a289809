from __future__ import annotations

from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import Response, check, stack
from wsgikit.middleware import cors, csrf, errors, proxy_headers

HTTPS = {"wsgi.url_scheme": "https", "HTTP_HOST": "site.example"}


def ask(app, method="POST", path="/", **environ):
    """The status of a request; environ keys of header fields without their HTTP_."""
    fields = {name if "." in name else f"HTTP_{name}": value for name, value in environ.items()}
    environ = {**HTTPS, "SCRIPT_NAME": "", "QUERY_STRING": "", **fields}
    environ |= {"REQUEST_METHOD": method, "PATH_INFO": path, "REMOTE_ADDR": "10.0.0.1"}
    if method != "GET":
        environ["CONTENT_LENGTH"] = "0"
    setup_testing_defaults(environ)
    started = []
    body = validator(app)(environ, lambda status, headers, exc_info=None: started.append(status))
    for _ in body:
        pass
    body.close()
    return int(started[0][:3])


def site(**options):
    return stack(csrf(**options), validator(Response("done")))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_what_changes_nothing_passes(method):
    hostile = {"SEC_FETCH_SITE": "cross-site", "ORIGIN": "https://evil.example"}
    assert ask(site(), method, **hostile) == 200


CASES = {
    "no field, so a program": ({}, 200),
    "own page": ({"SEC_FETCH_SITE": "same-origin", "ORIGIN": "https://site.example"}, 200),
    "no page": ({"SEC_FETCH_SITE": "none"}, 200),
    "own page, without an origin": ({"SEC_FETCH_SITE": "same-origin"}, 200),
    "own page, behind a proxy that changes Host": (
        {"SEC_FETCH_SITE": "same-origin", "ORIGIN": "https://outside.example"},
        200,
    ),
    "a subdomain": ({"SEC_FETCH_SITE": "same-site", "ORIGIN": "https://a.site.example"}, 403),
    "another site": ({"SEC_FETCH_SITE": "cross-site", "ORIGIN": "https://evil.example"}, 403),
    "another site that shows no origin": ({"SEC_FETCH_SITE": "cross-site"}, 403),
    "another site, of our origin": (
        {"SEC_FETCH_SITE": "cross-site", "ORIGIN": "https://site.example"},
        403,
    ),
    "what no browser says": ({"SEC_FETCH_SITE": "Same-Origin"}, 403),
    "nothing said": ({"SEC_FETCH_SITE": ""}, 200),
    "nothing said, another site": ({"SEC_FETCH_SITE": "", "ORIGIN": "https://evil.example"}, 403),
    "two said": ({"SEC_FETCH_SITE": "same-origin,same-origin"}, 403),
    "old browser, own page": ({"ORIGIN": "https://site.example"}, 200),
    "old browser, port that goes without saying": (
        {"ORIGIN": "https://site.example", "HOST": "site.example:443"},
        200,
    ),
    "old browser, own port": (
        {"ORIGIN": "https://site.example:8443", "HOST": "site.example:8443"},
        200,
    ),
    "old browser, another port": ({"ORIGIN": "https://site.example:8443"}, 403),
    "old browser, host in capitals": (
        {"ORIGIN": "https://site.example", "HOST": "SITE.example"},
        200,
    ),
    "old browser, another site": ({"ORIGIN": "https://evil.example"}, 403),
    "old browser, a name that begins so": ({"ORIGIN": "https://site.example.evil.example"}, 403),
    "old browser, by http": ({"ORIGIN": "http://site.example"}, 403),
    "old browser, hidden": ({"ORIGIN": "null"}, 403),
    "old browser, an extension": ({"ORIGIN": "moz-extension://site.example"}, 403),
    "no origin at all": ({"ORIGIN": ""}, 403),
    "nonsense": ({"ORIGIN": "https://site.example/\x80"}, 403),
    "bad host": ({"ORIGIN": "https://site.example", "HOST": "site.example/"}, 403),
    "http, own page": (
        {"ORIGIN": "http://site.example", "wsgi.url_scheme": "http"},
        200,
    ),
    "https that the server does not know of": (
        {"ORIGIN": "https://site.example", "wsgi.url_scheme": "http"},
        200,
    ),
    "IPv6": ({"ORIGIN": "http://[::1]:8000", "HOST": "[::1]:8000", "wsgi.url_scheme": "http"}, 200),
}


@pytest.mark.parametrize(("environ", "status"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_what_changes_something(method, environ, status):
    assert ask(site(), method, **environ) == status


@pytest.mark.parametrize("method", ["BREW", "post", "TRACE"])
@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")
def test_unknown_methods_are_not_safe(method):
    assert ask(site(), method, SEC_FETCH_SITE="cross-site") == 403


def test_it_says_why():
    app = TestApp(validator(site()))
    answer = app.post("/", headers={"Sec-Fetch-Site": "cross-site"}, status=403)
    assert "a page of another site (Sec-Fetch-Site: cross-site)" in answer.text
    assert "trusted of csrf()" in answer.text
    answer = app.post("/", headers={"Origin": "http://<evil>\x85" + "a" * 999}, status=403)
    assert "Origin: http://<evil>\\x85aaa" in answer.text
    assert len(answer.text) < 400


def test_trusted_origins():
    app = site(trusted=["https://app.example", "http://[::1]:8000"])
    for extra in ({}, {"SEC_FETCH_SITE": "cross-site"}, {"SEC_FETCH_SITE": "same-site"}):
        assert ask(app, ORIGIN="https://app.example", **extra) == 200
        assert ask(app, ORIGIN="http://[::1]:8000", **extra) == 200
        assert ask(app, ORIGIN="http://app.example", **extra) == 403
        assert ask(app, ORIGIN="https://app.example:444", **extra) == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/hook", 200),
        ("/hook/", 403),
        ("/hooks", 403),
        ("/hooks/", 200),
        ("/hooks/a/b", 200),
        ("/Hooks/a", 403),
        ("//hook", 403),
        ("/hooks/../account", 403),
        ("/hooks/./a", 403),
        ("/hooks/..\\account", 403),
        ("/hooks/a..b", 200),
        ("/account", 403),
        ("/caf\u00e9".encode().decode("latin-1"), 200),
        ("", 403),
    ],
)
def test_exempt_paths(path, status):
    app = site(exempt=["/hook", "/hooks/*", "/caf\u00e9"])
    assert ask(app, path=path, SEC_FETCH_SITE="cross-site") == status


def test_behind_a_proxy():
    fields = ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"]
    app = stack(proxy_headers(trusted=["10.0.0.1"], headers=fields), site())
    reported = {
        "wsgi.url_scheme": "http",
        "HOST": "127.0.0.1:8000",
        "X_FORWARDED_FOR": "192.0.2.1",
        "X_FORWARDED_PROTO": "https",
        "X_FORWARDED_HOST": "site.example",
    }
    assert ask(app, ORIGIN="https://site.example", **reported) == 200
    assert ask(app, ORIGIN="http://site.example", **reported) == 403
    assert ask(app, ORIGIN="http://127.0.0.1:8000", **reported) == 403


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"trusted": "https://a.example"}, TypeError, "trusted takes a list"),
        ({"exempt": "/hook"}, TypeError, "exempt takes a list"),
        ({"trusted": ["a.example"]}, ValueError, "trusted takes origins"),
        ({"trusted": ["https://a.example/"]}, ValueError, "trusted takes origins"),
        ({"trusted": ["https://A.example"]}, ValueError, "trusted takes origins"),
        ({"trusted": ["https://a.example:443"]}, ValueError, "trusted takes origins"),
        ({"trusted": ["https://*.example"]}, ValueError, "trusted takes origins"),
        ({"trusted": ["null"]}, ValueError, "trusted takes origins"),
        ({"trusted": [None]}, TypeError, "trusted takes a list of origins"),
        ({"exempt": ["hook"]}, ValueError, "exempt takes paths"),
        ({"exempt": [""]}, ValueError, "exempt takes paths"),
        ({"exempt": ["/a/*/b"]}, ValueError, "exempt takes paths"),
        ({"exempt": ["/hook*"]}, ValueError, "exempt takes '/\\*'"),
        ({"exempt": [3]}, TypeError, "exempt takes a list of paths"),
    ],
)
def test_bad_options_are_named(options, kind, message):
    with pytest.raises(kind, match=message):
        csrf(Response("done"), **options)


def test_its_place():
    order = [cors(origins=["https://app.example"]), errors(), csrf()]
    assert check(stack(*order, Response("done"))) == []
    (finding,) = check(stack(csrf(), proxy_headers(hops=1), Response("done")))
    assert finding.mend == "put proxy_headers(hops=1) outside of csrf()"
