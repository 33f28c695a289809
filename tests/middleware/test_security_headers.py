from __future__ import annotations

import base64
import re
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import HTTPError, Request, Response, Router, stack
from wsgikit.keys import CSP_NONCE
from wsgikit.middleware import errors, security_headers

HTTPS = {"wsgi.url_scheme": "https"}
NONCES = "script-src 'nonce-{nonce}' 'strict-dynamic'; object-src 'none'; base-uri 'none'"


def checked(*parts):
    """A client of a stack, with validators around it and around its application."""
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))))


def fields(headers=(), status="200 OK", scheme="http", **options):
    """The fields that an application's response has in the end."""

    def app(environ, start_response):
        start_response(status, list(headers))
        return [b""]

    started = []
    environ = {"wsgi.url_scheme": scheme}
    security_headers(app, **options)(
        environ, lambda status, headers, exc_info=None: started.extend(headers)
    )
    return started


def test_defaults_are_strict():
    answer = checked(security_headers(), Response("page")).get("/", extra_environ=HTTPS)
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
        " object-src 'none'"
    )
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=(), " in answer.headers["Permissions-Policy"]
    assert "Cross-Origin-Embedder-Policy" not in answer.headers
    assert "Reporting-Endpoints" not in answer.headers


def test_hsts_is_for_https_alone():
    answer = checked(security_headers(), Response("page")).get("/")
    assert "Strict-Transport-Security" not in answer.headers
    assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize("name", ["Referrer-Policy", "REFERRER-POLICY", "referrer-policy"])
def test_field_of_the_response_stays(name):
    found = fields([("ETag", '"a"'), (name, "no-referrer")])
    assert [value for key, value in found if key.lower() == "referrer-policy"] == ["no-referrer"]
    assert ("X-Frame-Options", "DENY") in found
    assert len(found) == len(fields()) + 1


def test_each_option_is_its_field_or_none():
    every = {
        "csp": "default-src 'none'",
        "csp_report_only": "default-src 'self'",
        "hsts": "max-age=0",
        "permissions_policy": "camera=(self)",
        "referrer_policy": "no-referrer",
        "opener_policy": "unsafe-none",
        "resource_policy": "cross-origin",
        "embedder_policy": "require-corp",
        "frame_options": "SAMEORIGIN",
    }
    found = fields(scheme="https", **every)
    assert {value for _, value in found} == {*every.values(), "nosniff"}
    found = fields(scheme="https", **dict.fromkeys(every))
    assert found == [("X-Content-Type-Options", "nosniff")]


@pytest.mark.parametrize(
    "options",
    [
        {"hsts": "MAX-AGE=0"},
        {"hsts": 'includesubdomains;max-age="63072000"; preload;'},
        {"referrer_policy": "no-referrer, strict-origin-when-cross-origin"},
        {"opener_policy": "noopener-allow-popups"},
        {"frame_options": "SameOrigin"},
        {"opener_policy": 'same-origin; report-to="main"'},
        {"embedder_policy": 'credentialless;report-to="main"'},
        {"permissions_policy": "camera=*,usb=self, hid=(), midi=( )"},
        {"permissions_policy": 'camera=(self "https://a.example" "https://b.example")'},
        {"permissions_policy": "*=();report-to=main, ch-ua=*"},
        {"csp": "script-src 'SELF' 'Nonce-{nonce}'; img-src self.example; report-uri /'x"},
    ],
)
def test_what_browsers_understand_is_taken(options):
    security_headers(Response(""), **options, reporting_endpoints={"main": "/reports"})


def test_an_option_is_text():
    with pytest.raises(TypeError, match="hsts"):
        security_headers(Response(""), hsts=31536000)


def test_reports_go_where_the_endpoints_say():
    found = dict(
        fields(
            csp="default-src 'self'; report-to main",
            reporting_endpoints={"main": "https://r.example/x", "other": "/reports"},
        )
    )
    assert found["Reporting-Endpoints"] == 'main="https://r.example/x", other="/reports"'


def test_answer_of_the_application_may_be_replaced():
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        raise ValueError

    handled = errors(handlers={ValueError: lambda request, error: Response("sorry", 500)})
    answer = checked(security_headers(), handled, app).get("/", status=500)
    assert answer.headers.getall("X-Frame-Options") == ["DENY"]


def test_error_pages_keep_their_own_policy():
    answer = checked(security_headers(), Router()).get(
        "/", headers={"Accept": "text/html"}, status=404
    )
    assert answer.headers.getall("Content-Security-Policy")[0].startswith("default-src 'none'")
    assert len(answer.headers.getall("Content-Security-Policy")) == 1


# Nonces


@Request.application
def page(request):
    assert request.csp_nonce == request.environ[CSP_NONCE]
    return Response.html(f'<script nonce="{request.csp_nonce}">1</script>')


def test_nonce_of_the_page_is_that_of_the_policy_and_another_each_time():
    app = checked(security_headers(csp=NONCES), page)
    seen = set()
    for _ in range(3):
        answer = app.get("/")
        (nonce,) = re.findall(r'nonce="(.*?)"', answer.text)
        assert answer.headers["Content-Security-Policy"] == NONCES.replace("{nonce}", nonce)
        assert len(base64.b64decode(nonce)) == 16
        seen.add(nonce)
    assert len(seen) == 3


def test_nonce_of_a_policy_that_only_reports():
    answer = checked(security_headers(csp_report_only=NONCES, csp=None), page).get(
        "/", extra_environ=HTTPS
    )
    (nonce,) = re.findall(r'nonce="(.*?)"', answer.text)
    assert nonce in answer.headers["Content-Security-Policy-Report-Only"]
    assert "Strict-Transport-Security" in answer.headers


def test_unmodified_page_keeps_its_policy_and_its_nonces():
    found = dict(fields(status="304 Not Modified", csp=NONCES))
    assert "Content-Security-Policy" not in found
    assert found["X-Frame-Options"] == "DENY"
    found = dict(fields(status="304 Not Modified"))
    assert "Content-Security-Policy" in found


def test_policy_of_the_response_stays_beside_nonces():
    found = fields([("content-security-policy", "default-src 'none'")], csp=NONCES)
    values = [value for name, value in found if name.lower() == "content-security-policy"]
    assert values == ["default-src 'none'"]


def test_without_nonces_in_the_policy_none_is_made():
    def app(environ, start_response):
        assert CSP_NONCE not in environ
        return Response("")(environ, start_response)

    checked(security_headers(), app).get("/")


def test_errors_have_the_fields_too():
    @Request.application
    def fails(request):
        raise HTTPError(403)

    answer = checked(security_headers(csp=NONCES), fails).get("/", status=403)
    assert "'nonce-" in answer.headers["Content-Security-Policy"]


# Options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"csp": "default-src self"}, "csp takes 'self' in its quotes in default-src"),
        ({"csp": "script-src nonce-{nonce}"}, "csp takes 'nonce-{nonce}' in its quotes"),
        ({"csp": "script-src sha256-abc"}, "csp takes 'sha256-abc' in its quotes"),
        ({"csp": "img-src *; IMG-SRC a"}, "csp has img-src twice"),
        ({"csp": "img-src *, script-src *"}, "csp takes one policy"),
        ({"csp": "default-src 'self'; report-to x"}, "csp reports to what is not in"),
        ({"csp_report_only": "default-src none"}, "csp_report_only takes 'none'"),
        ({"csp": "script-src SELF"}, "csp takes 'SELF' in its quotes in script-src"),
        ({"csp": "script-src 'nonce-{nonce}"}, "csp takes 'nonce-{nonce}' in its quotes"),
        ({"csp": "script-src nonce-{nonce}'"}, "csp takes 'nonce-{nonce}' in its quotes"),
        ({"csp": 'default-src "self"'}, "csp takes 'self' in its quotes"),
        ({"csp": "img-src *\r\nX: y"}, "the value of csp takes"),
        ({"hsts": "max-age=1\n"}, "the value of hsts takes"),
        ({"hsts": "includeSubDomains"}, "hsts takes 'max-age=...' in seconds"),
        ({"hsts": "max-age=1y"}, "hsts takes"),
        ({"hsts": "max-age=-1"}, "hsts takes"),
        ({"hsts": "max-age"}, "hsts takes"),
        ({"hsts": "max-age=1; max-age=2"}, "hsts takes"),
        ({"hsts": "max-age=1, includeSubDomains"}, "hsts takes"),
        ({"hsts": "max-age=1; includeSubdomain"}, "hsts takes"),
        ({"hsts": "max-age=1; preload; preload"}, "hsts takes"),
        ({"referrer_policy": "same_origin"}, "referrer_policy takes no-referrer, "),
        ({"referrer_policy": "origin, none"}, "unsafe-url, not 'none'"),
        ({"referrer_policy": "origin,"}, "referrer_policy takes"),
        ({"opener_policy": "sameorigin"}, "opener_policy takes unsafe-none, "),
        ({"opener_policy": "same-origin, unsafe-none"}, "opener_policy takes"),
        ({"opener_policy": "same-origin; x"}, "opener_policy takes"),
        ({"opener_policy": 'same-origin; report-to="x"'}, "opener_policy reports to what is not"),
        (
            {"resource_policy": "same-orgin"},
            "resource_policy takes same-site, same-origin or cross-origin, not 'same-orgin'",
        ),
        ({"embedder_policy": "require_corp"}, "embedder_policy takes unsafe-none, "),
        ({"frame_options": "ALLOWALL"}, "frame_options takes DENY or SAMEORIGIN, not 'ALLOWALL'"),
        ({"frame_options": "ALLOW-FROM https://a.example"}, "frame_options takes"),
        ({"permissions_policy": "camera 'none'"}, "permissions_policy takes 'name=()'"),
        ({"permissions_policy": "camera=(), usb"}, "not 'usb'"),
        ({"permissions_policy": "camera=none"}, "permissions_policy takes"),
        ({"permissions_policy": "camera=('self')"}, "permissions_policy takes"),
        ({"permissions_policy": "camera=(https://a.example)"}, "permissions_policy takes"),
        ({"permissions_policy": "Camera=()"}, "permissions_policy takes"),
        ({"permissions_policy": "camera=(), "}, "permissions_policy takes"),
        ({"permissions_policy": "camera=();report-to=x"}, "permissions_policy reports to"),
        ({"reporting_endpoints": {"Main": "/x"}}, "reporting_endpoints takes names"),
        ({"reporting_endpoints": {"1": "/x"}}, "reporting_endpoints takes names"),
        ({"reporting_endpoints": {"a b": "/x"}}, "reporting_endpoints takes names"),
        ({"reporting_endpoints": {"a": "http://x"}}, "reporting_endpoints takes https"),
        ({"reporting_endpoints": {"a": '/"'}}, "reporting_endpoints takes https"),
        ({"reporting_endpoints": {"a": "/\xfc"}}, "reporting_endpoints takes https"),
    ],
)
def test_options_are_checked_when_the_layer_is_put_on(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        security_headers(Response(""), **options)
