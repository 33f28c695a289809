from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit import passwords
from wsgikit.passwords import MAX_PASSWORD, hash_password, needs_upgrade, verify_password

QUICK = {"n": 2, "r": 1, "p": 1}


def encoded(value: bytes) -> str:
    return b64encode(value).rstrip(b"=").decode()


def test_a_password_is_verified() -> None:
    stored = hash_password("correct horse battery staple")
    assert verify_password("correct horse battery staple", stored)
    assert not verify_password("correct horse battery stapler", stored)
    assert not needs_upgrade(stored)


def test_a_hash_is_scrypt_in_the_phc_string_format() -> None:
    stored = hash_password("Grüße")
    _, scheme, parameters, salt, digest = stored.split("$")
    assert (scheme, parameters, len(salt), len(digest)) == ("scrypt", "ln=14,r=8,p=5", 22, 43)
    raw = passwords._decode(salt)
    wanted = hashlib.scrypt("Grüße".encode(), salt=raw, n=2**14, r=8, p=5, maxmem=2**26, dklen=32)
    assert digest == encoded(wanted)


def test_the_vector_of_rfc_7914() -> None:
    # §12, the third one, with a salt of 14 bytes and a hash of 64.
    digest = bytes.fromhex(
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
        "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
    )
    stored = f"$scrypt$ln=14,r=8,p=1${encoded(b'SodiumChloride')}${encoded(digest)}"
    assert verify_password("pleaseletmein", stored)
    assert not verify_password("pleaseletmeout", stored)
    assert needs_upgrade(stored)


def test_each_hash_has_its_own_salt() -> None:
    assert hash_password("secret", **QUICK) != hash_password("secret", **QUICK)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=MAX_PASSWORD))
def test_any_text_can_be_a_password(password: str) -> None:
    stored = hash_password(password, **QUICK)
    assert verify_password(password, stored)
    assert not verify_password(password + "x", stored)


def test_the_same_characters_are_the_same_password() -> None:
    assert verify_password("Gru\u0308ße", hash_password("Gr\u00fcße", **QUICK))


@pytest.mark.parametrize("password", ["", "x" * (MAX_PASSWORD + 1), "\ud800"], ids=ascii)
def test_what_cannot_be_a_password_is_refused_and_never_right(password: str) -> None:
    with pytest.raises(ValueError, match="password takes 1 to 1024 characters"):
        hash_password(password)
    assert not verify_password(password, hash_password("x", **QUICK))


def test_what_cannot_be_a_password_is_not_right_for_the_empty_one() -> None:
    digest = hashlib.scrypt(b"", salt=b"saltsalt", n=2, r=1, p=1, dklen=32)
    stored = f"$scrypt$ln=1,r=1,p=1${encoded(b'saltsalt')}${encoded(digest)}"
    assert not verify_password("", stored)


def test_a_password_is_text() -> None:
    with pytest.raises(TypeError, match="password takes a str, not bytes"):
        hash_password(b"secret")  # type: ignore[arg-type]


def test_nobody_takes_as_much_work_as_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    work = []
    scrypt = hashlib.scrypt

    def counted(secret: bytes, **parameters: int) -> bytes:
        work.append((parameters["n"], parameters["r"], parameters["p"], parameters["dklen"]))
        return scrypt(secret, **parameters)

    monkeypatch.setattr(passwords.hashlib, "scrypt", counted)
    stored = hash_password("secret")
    assert verify_password("secret", stored)
    assert not verify_password("secret", None)
    assert not verify_password("", None)
    assert work == [(2**14, 8, 5, 32)] * 4


@pytest.mark.parametrize(
    ("changed", "upgrade"),
    [
        ({}, False),
        ({"n": 4}, True),
        ({"r": 2}, True),
        ({"p": 2}, True),
    ],
    ids=["same", "n", "r", "p"],
)
def test_an_upgrade_is_told(changed: dict[str, int], upgrade: bool) -> None:
    assert needs_upgrade(hash_password("secret", **QUICK), **{**QUICK, **changed}) is upgrade


def test_a_hash_with_less_salt_needs_an_upgrade() -> None:
    stored = f"$scrypt$ln=1,r=1,p=1${encoded(bytes(8))}${encoded(bytes(32))}"
    assert needs_upgrade(stored, **QUICK)
    stored = f"$scrypt$ln=1,r=1,p=1${encoded(bytes(16))}${encoded(bytes(16))}"
    assert needs_upgrade(stored, **QUICK)


@pytest.mark.parametrize(
    "parameters",
    [
        {"n": 0},
        {"n": 1},
        {"n": 3},
        {"n": -2},
        {"n": 2.0},
        {"n": "16384"},
        {"r": 0},
        {"p": 0},
        {"p": -1},
        {"n": 2**20, "r": 9},
        {"n": 2**10_000},
        {"n": 2**16, "r": 1, "p": 1},
        {"p": 2**30},
    ],
    ids=repr,
)
def test_parameters_are_checked(parameters: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="n takes a power of two, r and p numbers from 1"):
        hash_password("secret", **parameters)


def test_the_highest_parameters_of_a_small_block_work() -> None:
    stored = hash_password("secret", n=2**15, r=1, p=1)
    assert verify_password("secret", stored)


SALT, DIGEST = encoded(bytes(16)), encoded(bytes(32))


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "secret",
        "$" * 100,
        "$" * 10_000_000,
        f"x$scrypt$ln=1,r=1,p=1${SALT}${DIGEST}",
        f"$bcrypt$ln=1,r=1,p=1${SALT}${DIGEST}",
        f"$scrypt$ln=1,r=1${SALT}${DIGEST}",
        f"$scrypt$ln=1,r=1,p=1,q=1${SALT}${DIGEST}",
        f"$scrypt$r=1,ln=1,p=1${SALT}${DIGEST}",
        f"$scrypt$ln=,r=1,p=1${SALT}${DIGEST}",
        f"$scrypt$ln=-1,r=1,p=1${SALT}${DIGEST}",
        f"$scrypt$ln=+1,r=1,p=1${SALT}${DIGEST}",
        f"$scrypt$ln=1_0,r=1,p=1${SALT}${DIGEST}",
        f"$scrypt$ln=\u0661,r=1,p=1${SALT}${DIGEST}",
        f"$scrypt$ln=0,r=1,p=1${SALT}${DIGEST}",
        f"$scrypt$ln=64,r=8,p=1${SALT}${DIGEST}",
        f"$scrypt$ln=99999999,r=99999999,p=99999999${SALT}${DIGEST}",
        f"$scrypt$ln={'9' * 300},r=1,p=1${SALT}${DIGEST}",
        f"$scrypt$ln=1,r=1,p=1${SALT}",
        f"$scrypt$ln=1,r=1,p=1${SALT}${DIGEST}$",
        f"$scrypt$ln=1,r=1,p=1$${DIGEST}",
        f"$scrypt$ln=1,r=1,p=1${SALT}$",
        f"$scrypt$ln=1,r=1,p=1${SALT}=${DIGEST}",
        f"$scrypt$ln=1,r=1,p=1$*{SALT[1:]}${DIGEST}",
        f"$scrypt$ln=1,r=1,p=1${SALT}${DIGEST[:-2]}é",
        f"$scrypt$ln=1,r=1,p=1${SALT}${DIGEST}\n",
        f"$scrypt$ln=1,r=1,p=1${SALT}${DIGEST}\ud800",
    ],
    ids=range(27),
)
def test_what_is_no_hash_is_an_error_that_does_not_show_it(stored: str) -> None:
    for ask in (lambda: verify_password("secret", stored), lambda: needs_upgrade(stored)):
        with pytest.raises(ValueError, match="stored takes what hash_password returned") as caught:
            ask()
        assert DIGEST not in str(caught.value)
        assert caught.value.__suppress_context__


@given(st.text(st.sampled_from("$scrypt=ln,123rpA/+")))
def test_nothing_else_is_raised_for_any_hash(stored: str) -> None:
    with pytest.raises(ValueError, match="stored takes"):
        needs_upgrade("$scrypt$" + stored)
