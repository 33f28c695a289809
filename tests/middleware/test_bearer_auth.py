from __future__ import annotations

from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import HTTPError, Request, stack
from wsgikit.credentials import TokenFile, hash_token
from wsgikit.middleware import bearer_auth, errors
from wsgikit.middleware.bearer_auth import insufficient_scope


@Request.application
def who(request):
    if request.path == "/admin":
        raise insufficient_scope("admin write")
    keys = ("AUTH_TYPE", "REMOTE_USER")
    return " ".join(ascii(request.environ[key]) for key in keys)


def verify(token):
    return {"one": "ann", "two": "Zo\u00eb"}.get(token)


client = TestApp(
    validator(stack(errors(), bearer_auth(verify=verify, realm="api"), validator(who))),
    extra_environ={"REMOTE_USER": "root"},
)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def test_who_has_a_token_comes_in():
    assert client.get("/", headers=bearer("one")).text == "'Bearer' 'ann'"
    assert client.get("/", headers=bearer("two")).text == r"'Bearer' 'Zo\xc3\xab'"


@pytest.mark.parametrize(
    ("headers", "status", "challenge"),
    [
        ({}, 401, 'Bearer realm="api"'),
        ({"Authorization": "Basic YTpi"}, 401, 'Bearer realm="api"'),
        (bearer("three"), 401, 'Bearer realm="api", error="invalid_token"'),
        (bearer(""), 400, 'Bearer realm="api", error="invalid_request"'),
        (bearer("a b"), 400, 'Bearer realm="api", error="invalid_request"'),
        (bearer("one, Bearer two"), 400, 'Bearer realm="api", error="invalid_request"'),
        (bearer("o" * 20000), 400, 'Bearer realm="api", error="invalid_request"'),
    ],
    ids=["none", "other scheme", "unknown", "empty", "space", "two", "long"],
)
def test_others_are_told_what_is_wrong(headers, status, challenge):
    answer = client.get("/", headers=headers, status=status)
    assert answer.headers.getall("WWW-Authenticate") == [challenge]


def test_a_token_in_the_query_is_not_taken():
    client.get("/?access_token=one", status=401)
    client.post("/", {"access_token": "one"}, status=401)


def test_a_token_that_is_not_for_this():
    answer = client.get("/admin", headers=bearer("one"), status=403)
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer realm="This service", error="insufficient_scope", scope="admin write"'
    )
    assert "it needs admin write" in answer.text
    with pytest.raises(ValueError, match="scope takes printable ASCII"):
        insufficient_scope("\u00e9")


def test_a_file(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(f"build:{hash_token('one')}\n")
    app = TestApp(validator(bearer_auth(who, verify=TokenFile(path).verify)))
    assert app.get("/", headers=bearer("one")).text == "'Bearer' 'build'"
    path.write_text("")
    app.get("/", headers=bearer("one"), status=401)


def test_what_verify_raises_is_answered():
    def verify(token):
        raise HTTPError(503, "Later.")

    app = TestApp(validator(bearer_auth(who, verify=verify)))
    assert "Later." in app.get("/", headers=bearer("one"), status=503).text


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"verify": "token"}, TypeError),
        ({"verify": verify, "realm": 3}, TypeError),
        ({"verify": verify, "realm": "\n"}, ValueError),
    ],
)
def test_bad_options_are_named(options, kind):
    with pytest.raises(kind, match="verify takes" if len(options) == 1 else "realm takes"):
        bearer_auth(who, **options)
