"""Names with passwords or tokens in a file, of which only hashes are there: for who may come in.

A line is ``name:hash``; ``wsgikit password NAME`` makes one. Empty lines and those that begin with
``#`` are for people. The file is read again when it has changed: what was taken out is out at the
next request.
"""

from __future__ import annotations

import hmac
import logging
import os
from hashlib import sha256
from threading import Lock, Semaphore
from time import monotonic
from unicodedata import normalize

from wsgikit.http.problem import HTTPError
from wsgikit.passwords import needs_upgrade, verify_password

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

__all__ = ["PasswordCheck", "PasswordFile", "TokenFile", "checked_name", "hash_token"]

#: How many right passwords are remembered.
MAX_REMEMBERED = 1000
#: The most characters of a name.
MAX_NAME = 255

LOG = logging.getLogger("wsgikit.credentials")

_TOKEN = "$sha256$"


def checked_name(name: str) -> str:
    """A name as a line of a file has it, and REMOTE_USER: composed (NFC, RFC 7617 §2.1).

    :raises ValueError: for one that is empty or longer than :data:`MAX_NAME`, begins with ``#`` or
        a space, ends with one, or has a colon or a control in it.
    """
    name = normalize("NFC", name)
    sound = 0 < len(name) <= MAX_NAME and name.isprintable() and name.strip() == name
    if not sound or ":" in name or name[0] == "#":
        raise ValueError(
            f"a name has 1 to {MAX_NAME} printable characters, no colon, and no # in front,"
            f" not {name[:60]!a}"
        )
    return name


class PasswordCheck:
    """:func:`~wsgikit.passwords.verify_password` for those who send a password with each request.

    A right password is remembered for a while, not as it is but as an HMAC of it and its stored
    hash, with a key that is made when the program starts: whoever has signed in does not pay a
    quarter of a second for each picture. Wrong ones always cost it; so that guessing cannot take
    all of the machine, only some are checked at once, and beside as many again that wait, the
    others are turned away at once.

    :param at_once: how many are checked at a time, in each process.
    :param remember: how many seconds a right one is remembered; 0 for not at all.
    :param clock: seconds, always forward.
    :raises ValueError: for numbers out of range.
    """

    def __init__(
        self,
        *,
        at_once: int = 2,
        remember: float = 300.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        if type(at_once) is not int or at_once < 1:
            raise ValueError(f"at_once takes a number from 1 on, not {at_once!r}")
        if not isinstance(remember, int | float) or not remember >= 0:
            raise ValueError(f"remember takes seconds from 0 on, not {remember!r}")
        self._at_once = at_once
        self._remember = remember
        self._clock = clock
        self._key = os.urandom(32)
        # Until when each is remembered.
        self._right: dict[bytes, float] = {}
        self._process = 0
        self._renew()

    def verify(self, password: str, stored: str | None) -> bool:
        """Whether a password is the one of a hash, as :func:`~wsgikit.passwords.verify_password`.

        :raises HTTPError: 503 with Retry-After, when too many are checked already.
        """
        text = f"{stored}\0{password}".encode(errors="surrogatepass")
        mark = hmac.digest(self._key, text, "sha256")
        until = self._right.get(mark)
        if until is not None and self._clock() < until:
            return True
        if self._process != os.getpid():  # those who were at work in the parent are not here
            self._renew()
        if not self._places.acquire(blocking=False):
            raise HTTPError(
                503,
                "Too many passwords are being checked: try again in a moment.",
                headers=[("Retry-After", "2")],
            )
        try:
            with self._working:
                right = verify_password(password, stored)
        finally:
            self._places.release()
        if right and self._remember:
            if len(self._right) >= MAX_REMEMBERED:
                self._right.clear()
            self._right[mark] = self._clock() + self._remember
        return right

    def _renew(self) -> None:
        self._process = os.getpid()
        self._places = Semaphore(2 * self._at_once)
        self._working = Semaphore(self._at_once)


class _Lines:
    """The lines of a file by name, read again when the file is another one."""

    def __init__(self, path: str | PathLike[str], check: Callable[[str], object]) -> None:
        self._path = os.path.abspath(path)
        self._check = check
        self._lock = Lock()
        self._version: tuple[int, ...] | None = self._look()
        self._lines = self._read(strict=True)

    def lines(self) -> dict[str, str]:
        """What each name has: nothing, where the file cannot be read."""
        try:
            version = self._look()
            if version != self._version:
                with self._lock:
                    self._lines = self._read(strict=False)
                    self._version = version
        except OSError as error:
            if self._version is not None:
                LOG.error("nobody can sign in: %s", error)
            self._version, self._lines = None, {}
        return self._lines

    def _look(self) -> tuple[int, ...]:
        stat = os.stat(self._path)
        return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns

    def _read(self, strict: bool) -> dict[str, str]:
        lines: dict[str, str] = {}
        with open(self._path, encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                line = line.strip()
                if not line or line[0] == "#":
                    continue
                name, _, rest = line.partition(":")
                try:
                    name = checked_name(name)
                    if name in lines:
                        raise ValueError(f"{name!a} is there twice")
                    self._check(rest)
                except ValueError as error:
                    # Neither error tells what may be a secret.
                    if strict:
                        raise ValueError(f"{self._path}, line {number}: {error}") from None
                    LOG.error("left out: %s, line %d: %s", self._path, number, error)
                else:
                    lines[name] = rest
        return lines


class PasswordFile:
    """Who may sign in with a password: lines ``name:hash``.

    :param path: the file. It should be for the eyes of the server's user alone.
    :param check: how passwords are checked; by default a :class:`PasswordCheck` of its own.
    :raises OSError: when the file cannot be read.
    :raises ValueError: for a line that is none, or a name that is there twice. Where that comes
        later, the line is left out, and the logger ``wsgikit.credentials`` tells.
    """

    def __init__(self, path: str | PathLike[str], *, check: PasswordCheck | None = None) -> None:
        self._check = PasswordCheck() if check is None else check
        self._file = _Lines(path, needs_upgrade)

    def verify(self, name: str, password: str) -> bool:
        """Whether the password is that of the name; an unknown name takes as long as a wrong one.

        :raises HTTPError: 503, when too many are checked already.
        """
        stored = self._file.lines().get(normalize("NFC", name))
        return self._check.verify(password, stored)


class TokenFile:
    """Who may come in with a token: lines ``name:hash``, as ``wsgikit password --token`` makes.

    A token is 256 random bits. There is nothing to try out, so a quick hash does, and each is
    looked up by its hash, which nobody can choose: the time tells nothing.

    :param path: the file.
    :raises OSError: when the file cannot be read.
    :raises ValueError: for a line that is none, or a name that is there twice, as with
        :class:`PasswordFile`.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self._file = _Lines(path, _check_token)
        self._lines: dict[str, str] | None = None
        self._names: dict[str, str] = {}

    def verify(self, token: str) -> str | None:
        """The name of a token; None for one that is not there."""
        lines = self._file.lines()
        if lines is not self._lines:
            self._names = {stored: name for name, stored in lines.items()}
            self._lines = lines
        return self._names.get(hash_token(token))


def hash_token(token: str) -> str:
    """What a line has of a token."""
    return _TOKEN + sha256(token.encode(errors="replace")).hexdigest()


def _check_token(stored: str) -> None:
    digits = stored.removeprefix(_TOKEN)
    if digits == stored or len(digits) != 64 or not set(digits) <= set("0123456789abcdef"):
        raise ValueError(f"a token's hash is {_TOKEN} and 64 hexadecimal digits")
