from __future__ import annotations

import base64
import hashlib
import hmac
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.signing import MAX_AHEAD, MAX_TOKEN, BadSignature, Expired, Signer

NEW, OLD = "a new key of 32 random characters", b"an old key of bytes"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."


def signer(*keys: str | bytes, at: float = 1000.0, purpose: str = "test") -> Signer:
    return Signer(*(keys or (NEW,)), purpose=purpose, clock=lambda: at)


@given(st.binary(max_size=200))
def test_what_was_signed_is_verified(value: bytes) -> None:
    token = signer().sign(value)
    assert set(token) <= set(ALPHABET)
    assert signer().verify(token) == value


def test_a_token_is_what_the_documentation_says() -> None:
    def encode(value: bytes) -> bytes:
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    key = hmac.digest(NEW.encode(), b"wsgikit.signing:test", hashlib.sha256)
    text = encode(b"\xff\xfe value") + b".1000"
    token = text + b"." + encode(hmac.digest(key, text, hashlib.sha256))
    assert signer(at=1000.9).sign(b"\xff\xfe value") == token.decode()


def test_every_changed_character_is_noticed() -> None:
    token = signer().sign(b"value")
    for place, character in enumerate(token):
        for other in ALPHABET + "=+/ \0é\ud800":
            if other != character:
                with pytest.raises(BadSignature):
                    signer().verify(token[:place] + other + token[place + 1 :])


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1],
        lambda token: token + "=",
        lambda token: token + "A",
        lambda token: " " + token,
        lambda token: token + "\n",
        lambda token: "." + token,
        lambda token: token.rpartition(".")[0],
        lambda token: token.replace(".", "..", 1),
        lambda token: token.replace(".1000.", ".01000."),
        lambda token: token.partition(".")[0] + "=" + token.partition(".")[2],
        lambda token: token.upper(),
    ],
)
def test_no_other_spelling_of_a_token_passes(change) -> None:
    with pytest.raises(BadSignature):
        signer().verify(change(signer().sign(b"value!")))


@given(st.text() | st.text(ALPHABET))
def test_nothing_else_is_raised_for_any_text(text: str) -> None:
    with pytest.raises(BadSignature):
        signer().verify(text, max_age=1)


@pytest.mark.parametrize(
    "text", ["." * 10_000_000, "A" * MAX_TOKEN, "\0", "", "..", "é.1.é", "\ud800"], ids=range(7)
)
def test_hostile_text(text: str) -> None:
    with pytest.raises(BadSignature):
        signer().verify(text)


def test_the_first_key_signs_and_all_verify() -> None:
    by_old = signer(OLD).sign(b"value")
    both = signer(NEW, OLD)
    assert both.verify(by_old) == b"value"
    assert both.read(by_old).outdated
    by_new = both.sign(b"value")
    assert signer(NEW).verify(by_new) == b"value"
    assert not both.read(by_new).outdated
    with pytest.raises(BadSignature):
        signer(OLD).verify(by_new)
    with pytest.raises(BadSignature):
        signer(NEW).verify(by_old)


def test_a_token_is_good_for_its_purpose_alone() -> None:
    token = signer(purpose="sign-in").sign(b"ann")
    with pytest.raises(BadSignature, match="for this purpose"):
        signer(purpose="password reset").verify(token)


def test_a_token_tells_when_it_was_signed() -> None:
    signed = signer(at=2000).read(signer(at=1000.7).sign(b"value"))
    assert (signed.value, signed.signed_at) == (b"value", 1000)


def test_a_token_expires() -> None:
    token = signer(at=1000).sign(b"value")
    assert signer(at=1060).verify(token, max_age=60) == b"value"
    assert signer(at=9e9).verify(token) == b"value"
    with pytest.raises(Expired, match="it is 61 s old, not 60") as caught:
        signer(at=1061).verify(token, max_age=60)
    assert (caught.value.signed.value, caught.value.signed.signed_at) == (b"value", 1000)
    with pytest.raises(Expired):
        signer(at=1000).verify(token, max_age=float("nan"))


def test_what_expired_and_is_not_genuine_is_not_genuine() -> None:
    with pytest.raises(BadSignature) as caught:
        signer(at=9e9).verify(signer(OLD).sign(b"value"), max_age=60)
    assert type(caught.value) is BadSignature


def test_the_clocks_of_two_machines_may_differ_a_little() -> None:
    token = signer(at=1000).sign(b"value")
    assert signer(at=1000 - MAX_AHEAD).verify(token, max_age=1) == b"value"
    with pytest.raises(BadSignature, match="61 s ahead: compare the clocks"):
        signer(at=1000 - MAX_AHEAD - 1).verify(token, max_age=1)
    assert signer(at=0).verify(token) == b"value"


def test_keys_and_purposes_are_any_text() -> None:
    odd = signer("\ud800" * 16, purpose="\udfff")
    assert odd.verify(odd.sign(b"value")) == b"value"


def test_an_expired_error_survives_a_process_boundary() -> None:
    with pytest.raises(Expired) as caught:
        signer(at=2000).verify(signer().sign(b"value"), max_age=1)
    copied = pickle.loads(pickle.dumps(caught.value))
    assert str(copied) == str(caught.value)
    assert copied.signed.value == b"value"


def test_the_keys_are_not_shown() -> None:
    assert repr(signer(NEW, OLD)) == "<Signer for 'test', keys: 2>"


@pytest.mark.parametrize(
    ("keys", "error", "message"),
    [
        ((), ValueError, "keys takes at least one secret"),
        (("short",), ValueError, "keys takes secrets of at least 16 bytes, not of 5"),
        ((NEW, b"x" * 15), ValueError, "keys takes secrets of at least 16 bytes, not of 15"),
        (([NEW],), TypeError, "keys takes str or bytes, not list"),
        ((None,), TypeError, "keys takes str or bytes, not NoneType"),
    ],
)
def test_keys_are_checked(keys, error, message) -> None:
    with pytest.raises(error, match=message):
        Signer(*keys, purpose="test")


@pytest.mark.parametrize(("purpose", "error"), [("", ValueError), (b"test", TypeError)])
def test_the_purpose_is_checked(purpose, error) -> None:
    with pytest.raises(error, match="purpose takes"):
        Signer(NEW, purpose=purpose)


def test_the_value_is_checked() -> None:
    with pytest.raises(TypeError, match="value takes bytes, not str"):
        signer().sign("text")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="longer than 65536"):
        signer().sign(b"x" * MAX_TOKEN)
    size = (MAX_TOKEN - len(".1000.") - 43) * 3 // 4
    assert len(signer().verify(signer().sign(b"x" * size))) == size


def test_the_clock_is_the_time_of_day() -> None:
    token = Signer(NEW, purpose="test").sign(b"value")
    assert Signer(NEW, purpose="test").verify(token, max_age=3600) == b"value"
