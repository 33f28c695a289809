from __future__ import annotations

import time
from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.debug.redaction import HIDDEN, LONGEST, is_secret, redact, shown


@pytest.mark.parametrize(
    "name",
    "password PASSWORD db_passwd user_password_hash passphrase secret SECRET_KEY client-secret"
    " token csrf_token X-CSRF-Token key api_key X-Api-Key apikey apiKey authorization"
    " HTTP_PROXY_AUTHORIZATION cookie HTTP_COOKIE Set-Cookie session session_id sessionid auth"
    " basic_auth credentials pin pwd jwt otp".split(),
)
def test_secret_names(name: str) -> None:
    assert is_secret(name)
    assert is_secret(name.encode())


@pytest.mark.parametrize(
    "name",
    ["name", "author", "keyboard", "KEYBOARD", "monkey", "keys", "spinning", "", "id", 7, None],
)
def test_other_names(name: object) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        pytest.param("a=1&token=abc&b=2", "a=1&token=[redacted]&b=2", id="form"),
        pytest.param(
            '{"password": "a\\"b", "c": 1}', '{"password": [redacted], "c": 1}', id="json"
        ),
        pytest.param("User(name='x', secret='y')", "User(name='x', secret=[redacted])", id="repr"),
        pytest.param("[('Cookie', 'a=b; c')]", "[('Cookie', [redacted])]", id="pairs"),
        pytest.param("{b'token': b'x'}", "{b'token': [redacted]}", id="bytes"),
        pytest.param("Authorization: Bearer abc", "Authorization: [redacted]", id="bearer"),
        pytest.param("<password>abc</password>", "<password>[redacted]</password>", id="xml"),
        pytest.param("a=password='x y'", "a=password=[redacted]", id="nested"),
        pytest.param("pwd=a=token=b", "pwd=[redacted]", id="inside-a-hidden-value"),
        pytest.param("secret='cut off in the mid", "secret=[redacted]", id="open-quote"),
        pytest.param("token=", "token=", id="empty"),
        pytest.param("postgres://me:pw@db/x", "postgres://me:[redacted]@db/x", id="url"),
        pytest.param("the token is wrong", "the token is wrong", id="prose"),
    ],
)
def test_values_of_secret_names_are_replaced(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    assert isinstance(redact(text), str)


@given(st.text(alphabet="ab1 ", min_size=12).filter(lambda text: "'" not in text))
def test_a_secret_never_shows(secret: str) -> None:
    assert secret not in redact(f"x=1, api_key={secret!r}, y=2")


@pytest.mark.parametrize("unit", ["password", "a=", "'", "token='", "://a:", "key.", "\\", "=:"])
def test_long_texts_take_linear_time(unit: str) -> None:
    def cost(times: int) -> float:
        text = unit * times
        best = 9.0
        for _ in range(3):
            begin = time.process_time()
            redact(text)
            best = min(best, time.process_time() - begin)
        return best

    assert cost(16000) < 16 * cost(2000) + 0.05


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class Endless:
    def __repr__(self) -> str:
        return "x" * 10_000_000


class Credentials:
    def __repr__(self) -> str:
        return "Credentials(user='ada', password='hunter2')"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("a", "'a'", id="str"),
        pytest.param("?token=abc&a=1", "'?token=[redacted]&a=1'", id="str-with-a-secret"),
        pytest.param(b"ab", "b'ab'", id="bytes"),
        pytest.param({"a": 1}, "{'a': 1}", id="dict"),
        pytest.param({"password": "x", b"key": 1}, f"{{'password': {HIDDEN}, b'key': {HIDDEN}}}"),
        pytest.param([("Cookie", "a=b")], f"[('Cookie', {HIDDEN})]", id="header-list"),
        pytest.param((1, 2), "(1, 2)", id="tuple"),
        pytest.param(Broken(), "<Broken whose repr raised RuntimeError>", id="broken"),
        pytest.param([Broken()], "[<Broken whose repr raised RuntimeError>]", id="broken-inside"),
        pytest.param(Credentials(), f"Credentials(user='ada', password={HIDDEN})", id="object"),
        pytest.param(OrderedDict(), "OrderedDict()", id="mapping"),
        pytest.param({}, "{}", id="empty"),
        pytest.param([[[[{"a": 1}]]]], "[[[[{...}]]]]", id="deep"),
        pytest.param([[[[{}]]]], "[[[[{}]]]]", id="deep-and-empty"),
    ],
)
def test_value_as_text(value: object, text: str) -> None:
    assert shown(value) == text


def test_value_of_a_secret_name_is_not_looked_at() -> None:
    assert shown("hunter2", "db_password") == HIDDEN


@pytest.mark.parametrize(
    "value",
    [
        "x" * 10**6,
        b"x" * 10**6,
        list(range(10**6)),
        dict.fromkeys(range(10**5)),
        10**6000,
        Endless(),
        [["x" * 1000] * 100] * 100,
    ],
    ids=["str", "bytes", "list", "dict", "int", "object", "nested"],
)
def test_everything_is_bounded(value: object) -> None:
    assert len(shown(value)) <= LONGEST + 3


def test_itself_inside() -> None:
    value: list[object] = []
    value.append(value)
    assert shown(value).startswith("[")
