"""Passwords, kept so that who steals the list cannot use it: scrypt (RFC 7914) with random salt.

A hash is text that has all that is needed to verify it, in the PHC string format, which other
libraries read and write too: ``$scrypt$ln=14,r=8,p=5$salt$hash``. The parameters can so be raised
later: :func:`needs_upgrade` tells which hashes are of old.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import b64encode
from binascii import a2b_base64
from unicodedata import normalize

__all__ = ["hash_password", "needs_upgrade", "verify_password"]

#: The parameters of RFC 7914 §2: cost, block size and parallelization. Of the sets that OWASP gives
#: as equally strong, one that takes a quarter of a second of a processor, and 16 MiB: one with more
#: memory would fell a small machine when many people sign in.
N, R, P = 2**14, 8, 5
#: The most characters of a password.
MAX_PASSWORD = 1024
#: The most work that a hash may ask for, as 128 * n * r * p: the memory is never more.
MAX_WORK = 2**30

_SALT, _HASH = 16, 32  # bytes
_MAX_STORED = 512


def hash_password(password: str, *, n: int = N, r: int = R, p: int = P) -> str:
    """The hash to store of a password: another one each time, as its salt is random.

    The time that it takes is meant: about a quarter of a second, in which other threads run.

    :param password: 1 to :data:`MAX_PASSWORD` characters. The same character may be typed as one
        code point or several: they are composed first (NFC, RFC 8265 §4.2.2).
    :param n: the cost in time and memory, a power of two. The memory is 128 * n * r bytes.
    :param r: the block size.
    :param p: how often all of it is done, in the same memory.
    :raises TypeError: when the password is no ``str``.
    :raises ValueError: when the password is empty, too long or no Unicode text, or the parameters
        are no positive numbers, ``n`` no power of two, or the work above :data:`MAX_WORK`.
    """
    if not isinstance(password, str):
        raise TypeError(f"password takes a str, not {type(password).__name__}")
    secret = _prepared(password)
    if secret is None:
        raise ValueError(f"password takes 1 to {MAX_PASSWORD} characters of Unicode text")
    if not _sound(n, r, p):
        raise ValueError(
            f"n takes a power of two, r and p numbers from 1, together at most {MAX_WORK} as"
            f" 128 * n * r * p, not n={n!r}, r={r!r}, p={p!r}"
        )
    salt = os.urandom(_SALT)
    digest = _scrypt(secret, salt, n, r, p, _HASH)
    return f"$scrypt$ln={n.bit_length() - 1},r={r},p={p}${_encode(salt)}${_encode(digest)}"


def verify_password(password: str, stored: str | None) -> bool:
    """Whether a password is the one of a hash, compared in constant time.

    :param password: whatever was typed; what :func:`hash_password` refuses is wrong.
    :param stored: what :func:`hash_password` returned. None, for a name that nobody has, is always
        wrong, but takes as long as a hash with the usual parameters: the time does not tell
        which names there are.
    :raises ValueError: when ``stored`` is no hash of scrypt in the PHC string format.
    """
    n, r, p, salt, digest = _parsed(stored) if stored is not None else _NOBODY
    secret = _prepared(password)
    found = _scrypt(secret or b"", salt, n, r, p, len(digest))
    return hmac.compare_digest(found, digest) and secret is not None and stored is not None


def needs_upgrade(stored: str, *, n: int = N, r: int = R, p: int = P) -> bool:
    """Whether a hash has other parameters than these: hash the password anew when it is verified.

    :param stored: what :func:`hash_password` returned.
    :param n: the parameters to have, as in :func:`hash_password`.
    :param r: see ``n``.
    :param p: see ``n``.
    :raises ValueError: when ``stored`` is no hash of scrypt in the PHC string format.
    """
    *parameters, salt, digest = _parsed(stored)
    return parameters != [n, r, p] or len(salt) < _SALT or len(digest) < _HASH


def _prepared(password: str) -> bytes | None:
    if not 0 < len(password) <= MAX_PASSWORD:
        return None
    try:
        return normalize("NFC", password).encode()
    except UnicodeEncodeError:  # half a character: JSON can say that, a keyboard cannot
        return None


def _sound(n: int, r: int, p: int) -> bool:
    """Whether the parameters are in the bounds of RFC 7914 §2, and of the time that we have."""
    if not all(isinstance(each, int) and each > 0 for each in (n, r, p)):
        return False
    power_of_two = n > 1 and n & (n - 1) == 0
    return power_of_two and n.bit_length() <= 16 * r and 128 * n * r * p <= MAX_WORK


def _scrypt(secret: bytes, salt: bytes, n: int, r: int, p: int, length: int) -> bytes:
    memory = 128 * r * (n + p + 2)  # what OpenSSL counts; without it 32 MiB are the limit
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=length)


def _parsed(stored: str) -> tuple[int, int, int, bytes, bytes]:
    """The parameters, salt and hash; the message of the error does not tell them."""
    try:
        if len(stored) > _MAX_STORED:
            raise ValueError
        empty, scheme, parameters, *encoded = stored.split("$")
        ln, r, p = map(_number, zip(("ln=", "r=", "p="), parameters.split(","), strict=True))
        n = 1 << min(ln, 64)
        salt, digest = map(_decode, encoded)
        if empty or scheme != "scrypt" or not _sound(n, r, p):
            raise ValueError
        if len(salt) < 8 or len(digest) < 16:  # of nobody's making
            raise ValueError
    except ValueError:
        raise ValueError(
            "stored takes what hash_password returned: $scrypt$ln=..,r=..,p=..$salt$hash"
        ) from None
    return n, r, p, salt, digest


def _number(named: tuple[str, str]) -> int:
    name, item = named
    digits = item.removeprefix(name)
    if digits == item or not digits.isascii() or not digits.isdecimal() or len(digits) > 8:
        raise ValueError
    return int(digits)


def _encode(value: bytes) -> str:
    return b64encode(value).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    if "=" in text:
        raise ValueError
    return a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)


_NOBODY = (N, R, P, bytes(_SALT), bytes(_HASH))
