from __future__ import annotations

from base64 import b64encode
from unicodedata import normalize
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import HTTPError, Request, check, stack
from wsgikit.middleware import ban, basic_auth, cors, errors
from wsgikit.stores import MemoryStore

CHALLENGE = 'Basic realm="This site", charset="UTF-8"'


def basic(text):
    return {"Authorization": "Basic " + b64encode(text.encode()).decode()}


def same(name, password):
    return name == password


@Request.application
def who(request):
    keys = ("AUTH_TYPE", "REMOTE_USER")
    return " ".join(ascii(request.environ[key]) for key in keys)


def site(**options):
    return TestApp(validator(stack(basic_auth(verify=same, **options), validator(who))))


def test_who_has_the_password_comes_in():
    assert site().get("/", headers=basic("ann:ann")).text == "'Basic' 'ann'"


def test_a_name_in_the_environ_is_text_as_pep_3333_has_it():
    assert site().get("/", headers=basic("Zo\u00eb:Zo\u00eb")).text == r"'Basic' 'Zo\xc3\xab'"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_is_one_however_it_was_typed(form):
    asked = []

    def verify(name, password):
        asked.append(name)
        return True

    app = TestApp(validator(basic_auth(who, verify=verify)))
    answer = app.get("/", headers=basic(normalize(form, "Zo\u00eb") + ":secret"))
    assert answer.text == r"'Basic' 'Zo\xc3\xab'"
    assert asked == ["Zo\u00eb"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Basic"},
        {"Authorization": "Basic ?"},
        {"Authorization": "Bearer YW5uOmFubg=="},
        {"Authorization": "Basic YW5uOmFubg==, Basic YW5uOmFubg=="},
        basic("ann:bob"),
        basic("ann"),
        basic("a\nb:a\nb"),
    ],
    ids=["none", "empty", "bare", "base64", "other", "two", "wrong", "no colon", "control"],
)
def test_others_are_asked_for_it(headers):
    answer = site().get("/", headers=headers, status=401)
    assert answer.headers.getall("WWW-Authenticate") == [CHALLENGE]
    assert answer.text == "401 Unauthorized: This needs a name and a password.\n"


def test_the_realm_is_quoted():
    answer = site(realm='The "back" office').get("/", status=401)
    assert answer.headers["WWW-Authenticate"].startswith('Basic realm="The \\"back\\" office", ')


def test_what_a_server_in_front_has_said_is_gone():
    seen = []

    def verify(name, password):
        return True

    def app(environ, start_response):
        seen.append(environ)
        return who(environ, start_response)

    def outer(environ, start_response):
        seen.append(environ)
        return basic_auth(app, verify=verify)(environ, start_response)

    client = TestApp(outer, extra_environ={"REMOTE_USER": "root", "AUTH_TYPE": "Proxy"})
    client.get("/", status=401)
    assert "REMOTE_USER" not in seen[-1]
    assert "AUTH_TYPE" not in seen[-1]
    assert client.get("/", headers=basic("ann:x")).text == "'Basic' 'ann'"
    client.get("/", headers={"Remote-User": "root"}, status=401)


def test_what_verify_raises_is_answered():
    def verify(name, password):
        raise HTTPError(503, "Later.")

    client = TestApp(validator(basic_auth(who, verify=verify)))
    assert "Later." in client.get("/", headers=basic("a:b"), status=503).text


def test_its_page_is_that_of_errors():
    app = stack(
        errors(handlers={401: lambda request, error: "Sign in!"}), basic_auth(verify=same), who
    )
    answer = TestApp(validator(app)).get("/", status=401)
    assert (answer.text, answer.headers["WWW-Authenticate"]) == ("Sign in!", CHALLENGE)


def test_who_guesses_is_banned():
    layers = [
        ban(store=MemoryStore(), offences=3, seconds=60, duration=60),
        basic_auth(verify=same),
    ]
    client = TestApp(validator(stack(*layers, who)), extra_environ={"REMOTE_ADDR": "192.0.2.1"})
    for _ in range(3):
        client.get("/", headers=basic("ann:bob"), status=401)
    client.get("/", headers=basic("ann:ann"), status=429)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"verify": None}, TypeError, "verify takes a function"),
        ({"verify": {"ann": "secret"}}, TypeError, "verify takes a function"),
        ({"verify": same, "realm": None}, TypeError, "realm takes a str"),
        ({"verify": same, "realm": "Caf\u00e9"}, ValueError, "realm takes printable ASCII"),
        ({"verify": same, "realm": "a\r\nb: c"}, ValueError, "realm takes printable ASCII"),
    ],
)
def test_bad_options_are_named(options, kind, message):
    with pytest.raises(kind, match=message):
        basic_auth(who, **options)


def test_its_place():
    asking = basic_auth(verify=same)
    assert check(stack(cors(origins=["https://app.example"]), errors(), asking, who)) == []
    (finding,) = check(stack(asking, cors(origins=["https://app.example"]), who))
    assert "a preflight has no credentials" in finding.reason
