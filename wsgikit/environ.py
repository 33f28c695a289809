"""Reading the environ: what PEP 3333 and RFC 3875 put there, as values of today.

Text in an environ is bytes in disguise: PEP 3333 has servers decode them as latin-1. :func:`text`
undoes that and decodes UTF-8.
"""

from __future__ import annotations

from io import BufferedReader, BytesIO, RawIOBase

from wsgikit.http.problem import HTTPError, MissingField
from wsgikit.http.query import PATH_SAFE, QUERY_SAFE, decode_utf8, percent_encode_octets
from wsgikit.keys import INPUT_TERMINATED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, overload

    from _typeshed import WriteableBuffer

    from wsgikit.types import WSGIEnvironment

# An authority without user information (§3.2.2): nothing that would end it.
_HOST_SAFE = "!$&'()*+,;=:[]%"

_BLOCK = 64 * 1024
_STREAMED = 256 * 1024


def text(native: str) -> str:
    """Decode a native string of the environ as UTF-8; what is no UTF-8 shows as U+FFFD."""
    return decode_utf8(native)


def native(value: str) -> str:
    """The reverse of :func:`text`: how ``value`` stands in an environ."""
    return value if value.isascii() else value.encode("utf-8").decode("latin-1")


def host(environ: WSGIEnvironment) -> str:
    """The authority that the client asked for: the Host field, else the server's name and port."""
    named: str | None = environ.get("HTTP_HOST")
    if named:
        return named
    name, port = environ["SERVER_NAME"], environ["SERVER_PORT"]
    if ":" in name and name[0] != "[":  # an IPv6 address, as the socket gives it
        name = f"[{name}]"
    default = "443" if environ["wsgi.url_scheme"] == "https" else "80"
    return f"{name}" if port == default else f"{name}:{port}"


def root_url(environ: WSGIEnvironment) -> str:
    """Where the application is mounted (SCRIPT_NAME), percent-encoded; empty at the top."""
    return percent_encode_octets(environ.get("SCRIPT_NAME", ""), PATH_SAFE)


def path_url(environ: WSGIEnvironment) -> str:
    """The path of the request's URL with the query, percent-encoded (PEP 3333)."""
    path = percent_encode_octets(environ.get("PATH_INFO", ""), PATH_SAFE)
    query = percent_encode_octets(environ.get("QUERY_STRING", ""), QUERY_SAFE)
    encoded = root_url(environ) + path or "/"
    return f"{encoded}?{query}" if query else encoded


def url(environ: WSGIEnvironment) -> str:
    """The request's whole URL, in ASCII."""
    authority = percent_encode_octets(host(environ), _HOST_SAFE)
    return f"{environ['wsgi.url_scheme']}://{authority}{path_url(environ)}"


def shift(environ: WSGIEnvironment, prefix: str) -> None:
    """Move ``prefix`` from the front of PATH_INFO to the end of SCRIPT_NAME."""
    environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + prefix
    environ["PATH_INFO"] = environ.get("PATH_INFO", "")[len(prefix) :]


def content_length(environ: WSGIEnvironment) -> int | None:
    """How many bytes the body has; None where the client did not say (RFC 9110 §8.6).

    Raises :class:`~wsgikit.HTTPError` 400 for what is no decimal number.
    """
    given: str | None = environ.get("CONTENT_LENGTH")
    if not given:
        return None
    if not (given.isascii() and given.isdigit()) or len(given) > 18:
        raise HTTPError(400, f"Content-Length is not a number of bytes: {given[:40]!a}")
    return int(given)


def read_body(environ: WSGIEnvironment, max_size: int) -> bytes:
    """The request's body, of at most ``max_size`` bytes.

    What was read is put back: ``wsgi.input`` is replaced by a stream that begins with the body, so
    that it is there for whoever reads it later, in a layer, in a view or in another framework.

    Raises :class:`~wsgikit.HTTPError` 413 for a larger body, which may be read with a larger limit
    afterwards, and 400 for one that ends before the length that was announced, or breaks off.
    """
    stream = environ["wsgi.input"]
    if isinstance(stream, _Kept):
        if len(stream.body) > max_size:
            raise _too_large(max_size)
        return stream.body
    length = content_length(environ)
    if length is not None and length > max_size:
        raise _too_large(max_size)
    if length is not None:
        body = _read(stream, length)
        if len(body) < length:
            raise _too_short(length - len(body))
    else:
        # Without a length, only a server that ends the input itself can be read to the end.
        body = _read(stream, max_size + 1) if environ.get(INPUT_TERMINATED) else b""
        if len(body) > max_size:
            environ["wsgi.input"] = BufferedReader(_Joined(BytesIO(body), stream))
            raise _too_large(max_size)
    environ["wsgi.input"] = _Kept(body)
    return body


def stream_body(environ: WSGIEnvironment, max_size: int | None) -> Iterator[bytes]:
    """The request's body in blocks of 256 KiB, as they arrive; None as ``max_size`` is no limit.

    It is not kept, however small it is, unless :func:`read_body` has kept it before: whoever reads
    ``wsgi.input`` afterwards gets a :class:`RuntimeError`.

    Raises :class:`~wsgikit.HTTPError` 413 for a larger body, at once where its length was told, and
    400 for one that ends before that length, or breaks off.
    """
    stream = environ["wsgi.input"]
    if isinstance(stream, _Kept):
        return _stream(BytesIO(stream.body), len(stream.body), max_size)
    length = content_length(environ)
    if length is None and not environ.get(INPUT_TERMINATED):
        length = 0
    if max_size is not None and length is not None and length > max_size:
        raise _too_large(max_size)
    environ["wsgi.input"] = BufferedReader(_Gone())
    return _stream(stream, length, max_size)


def refuse_body(environ: WSGIEnvironment, error: HTTPError) -> None:
    """Have whoever reads a body that was streamed, and not kept, hear why it was refused.

    Without it they get the :class:`RuntimeError`, which is for what a program has got wrong.
    """
    raw = getattr(environ["wsgi.input"], "raw", None)
    if isinstance(raw, _Gone):
        raw.refused = error.status, error.detail


def _stream(stream: BinaryIO, length: int | None, max_size: int | None) -> Iterator[bytes]:
    size = 0
    while length is None or size < length:
        wanted = _STREAMED if length is None else min(_STREAMED, length - size)
        try:
            block = stream.read(wanted)
        except OSError as error:
            raise _broken_off() from error
        size += len(block)
        if max_size is not None and size > max_size:
            raise _too_large(max_size)
        if not block:
            break
        yield block
    if length is not None and size < length:
        raise _too_short(length - size)


def _broken_off() -> HTTPError:
    """What an OSError means: so servers tell that the client is gone, or sent bad chunks."""
    return HTTPError(400, "The body broke off before its end.")


def _too_short(missing: int) -> HTTPError:
    return HTTPError(400, f"The body ended {missing} bytes before its Content-Length.")


def _too_large(max_size: int) -> HTTPError:
    return HTTPError(413, f"The body is larger than the {max_size} bytes taken here (max_size).")


def _read(stream: BinaryIO, size: int) -> bytes:
    """``size`` bytes of ``stream``, or fewer where it ends."""
    blocks = []
    try:
        while size and (block := stream.read(min(size, _BLOCK))):
            blocks.append(block)
            size -= len(block)
    except OSError as error:
        raise _broken_off() from error
    return b"".join(blocks)


class _Kept(BytesIO):
    """A body that has been read, as a ``wsgi.input`` to read it again."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.body = body


class _Gone(RawIOBase):
    """The ``wsgi.input`` of a body that was streamed, and not kept."""

    # Not the error, whose traceback would keep what has been read until then.
    refused: tuple[int, str] | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        if self.refused is not None:
            raise HTTPError(*self.refused)
        raise RuntimeError("the body is gone: it was streamed, by Request.form or stream_parts")


class _Joined(RawIOBase):
    """Streams one after the other: what was read already, then the rest."""

    def __init__(self, *streams: BinaryIO) -> None:
        self._streams = list(streams)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        room = memoryview(buffer)
        while self._streams:
            block = self._streams[0].read(len(room))
            if block:
                room[: len(block)] = block
                return len(block)
            del self._streams[0]
        return 0


class EnvironHeaders:
    """The request's header fields: a read-only, case-insensitive mapping onto the environ.

    A field that came several times has one value, joined by the server (RFC 9110 §5.3). Values are
    native strings: :func:`text` decodes one that is meant to be UTF-8.
    """

    __slots__ = ("_environ",)

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._environ = environ

    if TYPE_CHECKING:

        @overload
        def get(self, name: str, /) -> str | None: ...
        @overload
        def get(self, name: str, default: str) -> str: ...
        @overload
        def get(self, name: str, default: None) -> str | None: ...

    def get(self, name: str, default: str | None = None) -> str | None:
        """The field's value, else ``default``."""
        key = name.upper().replace("-", "_")
        value: str | None
        if key in _WITHOUT_PREFIX:  # empty is as good as absent there (PEP 3333)
            value = self._environ.get(key) or None
        else:
            value = self._environ.get(f"HTTP_{key}")
        return default if value is None else value

    def __getitem__(self, name: str) -> str:
        """The field's value.

        :raises MissingField: when there is none: a :class:`KeyError` that is answered by a 400.
        """
        value = self.get(name)
        if value is None:
            raise MissingField(400, f"The header field {name!r:.100} is missing.")
        return value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.items())

    def keys(self) -> list[str]:
        """The name of every field, in the usual spelling."""
        return [name for name, _ in self.items()]

    def items(self) -> list[tuple[str, str]]:
        """``(name, value)`` of every field, names in the usual spelling."""
        fields = []
        for key, value in self._environ.items():
            if key.startswith("HTTP_") and key[5:] not in _WITHOUT_PREFIX:
                fields.append((key[5:].replace("_", "-").title(), value))
            elif key in _WITHOUT_PREFIX and value:
                fields.append((key.replace("_", "-").title(), value))
        return fields

    def __repr__(self) -> str:
        return f"EnvironHeaders({self.items()!r})"


# The two fields that an environ has under their plain names.
_WITHOUT_PREFIX = ("CONTENT_TYPE", "CONTENT_LENGTH")
