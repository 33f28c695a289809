"""Signed text: what a client is given to keep, and is believed when it brings it back unchanged.

A token is three parts, ``value.seconds.signature``: the value in base64url (RFC 4648 §5, without
padding), when it was signed, and an HMAC-SHA256 of both (RFC 2104). It needs no quotes in a cookie
and no escapes in a URL. Its holder can read the value, but not change it.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from time import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BadSignature", "Expired", "Signed", "Signer"]

#: The fewest bytes of a key. 16 random ones have the 128 bits of security that nobody tries out.
MIN_KEY = 16
#: The most characters of a token. A browser keeps cookies of 4096 bytes (RFC 6265bis §5.6).
MAX_TOKEN = 65536
#: How many seconds a token may be dated ahead: the clocks of two machines never agree.
MAX_AHEAD = 60


class BadSignature(Exception):
    """The token was not made with any of the keys for this purpose, or was changed."""


class Expired(BadSignature):
    """The token is genuine, but older than ``max_age``. What it holds is told as evidence."""

    #: What was signed, as :meth:`Signer.read` would have returned it.
    signed: Signed

    def __init__(self, message: str, signed: Signed) -> None:
        super().__init__(message, signed)
        self.signed = signed

    def __str__(self) -> str:
        return str(self.args[0])


class Signed:
    """What a genuine token says."""

    __slots__ = ("outdated", "signed_at", "value")

    def __init__(self, value: bytes, signed_at: int, outdated: bool) -> None:
        #: What was signed.
        self.value = value
        #: When, in seconds since 1970.
        self.signed_at = signed_at
        #: Whether another key than the first signed it: sign it anew before that key is dropped.
        self.outdated = outdated


class Signer:
    """Signs values and verifies them, for one purpose.

    :param keys: secrets of at least :data:`MIN_KEY` bytes, the newest first: the first signs, all
        verify. Make one with ``python3 -c "import secrets; print(secrets.token_urlsafe(32))"``. To
        change it, put the new one in front, and drop the old one when what it signed has expired.
    :param purpose: what the tokens are for, such as ``"password reset"``. A token for one purpose
        is none for another, though the keys are the same.
    :param clock: seconds since 1970, for tests.
    :raises TypeError: when a key is neither ``str`` nor ``bytes``, or ``purpose`` no ``str``.
    :raises ValueError: when there is no key, one is too short, or ``purpose`` is empty.
    """

    __slots__ = ("_clock", "_keys", "_purpose")

    def __init__(self, *keys: str | bytes, purpose: str, clock: Callable[[], float] = time) -> None:
        if not keys:
            raise ValueError("keys takes at least one secret")
        if not isinstance(purpose, str):
            raise TypeError(f"purpose takes a str, not {purpose!r}")
        if not purpose:
            raise ValueError("purpose takes what the tokens are for, not an empty str")
        self._purpose = purpose
        self._keys = tuple(_derived(key, purpose) for key in keys)
        self._clock = clock

    def sign(self, value: bytes) -> str:
        """The token of a value: ASCII, fit for a cookie or a URL, a third longer and 55 characters.

        :raises TypeError: when the value is no ``bytes``.
        :raises ValueError: when the token would be longer than :data:`MAX_TOKEN`.
        """
        if not isinstance(value, bytes):
            raise TypeError(f"value takes bytes, not {type(value).__name__}")
        text = b"%b.%d" % (_encode(value), self._clock())
        token = text + b"." + _signature(self._keys[0], text)
        if len(token) > MAX_TOKEN:
            raise ValueError(f"a token of {len(value)} bytes is longer than {MAX_TOKEN} characters")
        return token.decode("ascii")

    def verify(self, token: str, *, max_age: float | None = None) -> bytes:
        """The value of a token that this signer or one with the same keys and purpose has made.

        :param token: whatever a client sent.
        :param max_age: the age in seconds up to which it is good. None: it never expires.
        :raises Expired: when it is older.
        :raises BadSignature: when it is not genuine, or its date is more than :data:`MAX_AHEAD`
            seconds ahead, which would make it good for longer than ``max_age``.
        """
        return self.read(token, max_age=max_age).value

    def read(self, token: str, *, max_age: float | None = None) -> Signed:
        """As :meth:`verify`, with when it was signed and whether by a key of old."""
        if len(token) > MAX_TOKEN or not token.isascii():
            raise BadSignature("the token is not signed")
        text, _, signature = token.encode("ascii").rpartition(b".")
        for place, key in enumerate(self._keys):
            # What is compared is text, so that no other spelling of a signature passes.
            if hmac.compare_digest(_signature(key, text), signature):
                value, _, seconds = text.partition(b".")
                signed = Signed(_decode(value), int(seconds), outdated=place > 0)
                break
        else:
            raise BadSignature("the token is not signed with a known key for this purpose")
        if max_age is not None:
            age = self._clock() - signed.signed_at
            if not age <= max_age:  # so that no age is below a NaN
                raise Expired(f"the token expired: it is {age:.0f} s old, not {max_age:g}", signed)
            if age < -MAX_AHEAD:
                raise BadSignature(f"the token is dated {-age:.0f} s ahead: compare the clocks")
        return signed

    def __repr__(self) -> str:
        return f"<Signer for {self._purpose!r}, keys: {len(self._keys)}>"


def _derived(key: str | bytes, purpose: str) -> bytes:
    """A key of its own for each purpose, of which the secret cannot be told (RFC 5869 §2.3)."""
    if not isinstance(key, str | bytes):
        raise TypeError(f"keys takes str or bytes, not {type(key).__name__}")
    secret = key.encode(errors="surrogatepass") if isinstance(key, str) else key
    if len(secret) < MIN_KEY:
        raise ValueError(f"keys takes secrets of at least {MIN_KEY} bytes, not of {len(secret)}")
    info = b"wsgikit.signing:" + purpose.encode(errors="surrogatepass")
    return hmac.digest(secret, info, "sha256")


def _signature(key: bytes, text: bytes) -> bytes:
    return _encode(hmac.digest(key, text, "sha256"))


def _encode(value: bytes) -> bytes:
    return urlsafe_b64encode(value).rstrip(b"=")


def _decode(text: bytes) -> bytes:
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))
