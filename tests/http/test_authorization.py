from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.authorization import format_challenge, parse_basic, parse_bearer, scheme_of


def basic(text):
    return "Basic " + b64encode(text if isinstance(text, bytes) else text.encode()).decode()


@pytest.mark.parametrize(
    ("field", "given"),
    [
        (basic("ann:secret"), ("ann", "secret")),
        (basic("ann:a:b:"), ("ann", "a:b:")),
        (basic(":"), ("", "")),
        (basic("test:123\u00a3"), ("test", "123\u00a3")),  # RFC 7617 §2.1
        ("bAsIc  YTpi ", ("a", "b")),
        ("", None),
        ("Basic", None),
        ("Basic ", None),
        ("Basic !", None),
        ("Basic YTpi YTpi", None),
        ("Basic YTpi,Basic YTpi", None),
        ("Basic YTpiYw", None),
        ("Basic YTpiYw==", ("a", "bc")),
        (basic("ann"), None),
        (basic("ann:se\ncret"), None),
        (basic("ann:se\tcret"), None),
        (basic("an\0n:secret"), None),
        (basic(b"ann:\xa3"), None),
        ("Bearer YTpi", None),
        ("BasicYTpi", None),
        (basic("a:" + "b" * 20000), None),
        ("Basic \u2603", None),
    ],
)
def test_basic(field, given):
    assert parse_basic(field) == given


@pytest.mark.parametrize(
    ("field", "token"),
    [
        ("Bearer mF_9.B5f-4.1JqM", "mF_9.B5f-4.1JqM"),
        ("bearer  a~+/== ", "a~+/=="),
        ("Bearer", None),
        ("Bearer ", None),
        ("Bearer ==", None),
        ("Bearer a=b", None),
        ("Bearer a b", None),
        ("Bearer a,b", None),
        ("Bearer \u00e9", None),
        ("Basic a", None),
        ("Bearer " + "a" * 20000, None),
        ("", None),
    ],
)
def test_bearer(field, token):
    assert parse_bearer(field) == token


@given(st.text(st.characters(max_codepoint=255)))
def test_no_field_fails(text):
    for field in (text, f"Basic {text}", f"Bearer {text}"):
        parse_basic(field)
        parse_bearer(field)
        scheme_of(field)


def test_schemes():
    assert [scheme_of(field) for field in ("Basic x", "BEARER", "")] == ["basic", "bearer", ""]


def test_a_challenge_quotes_what_it_has():
    assert format_challenge("Negotiate") == "Negotiate"
    assert format_challenge("Basic", realm='a "b" \\', x="") == 'Basic realm="a \\"b\\" \\\\", x=""'


@pytest.mark.parametrize(
    ("scheme", "realm", "kind"),
    [
        ("a b", "", ValueError),
        ("Basic", "a\r\nSet-Cookie: a=b", ValueError),
        ("Basic", "\u00e9", ValueError),
        ("Basic", None, TypeError),
    ],
)
def test_what_is_no_challenge_is_refused(scheme, realm, kind):
    with pytest.raises(kind):
        format_challenge(scheme, realm=realm)
