"""Responses: what a view returns, and WSGI applications themselves."""

from __future__ import annotations

import os
from stat import S_ISREG

from wsgikit import http
from wsgikit.errors import answer_error
from wsgikit.files.send import send_file
from wsgikit.http.grammar import check_value
from wsgikit.http.headers import Headers
from wsgikit.http.problem import HTTPError
from wsgikit.http.status import status_line
from wsgikit.trees.opening import open_file
from wsgikit.wrap import Replaced, close, closers, no_content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Literal

    from wsgikit.types import (
        Body,
        HeaderList,
        JSONValue,
        StartResponse,
        WSGIApplication,
        WSGIEnvironment,
    )

__all__ = ["FileResponse", "Response", "to_application"]

TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
BYTES = "application/octet-stream"
JSON = "application/json"

# The statuses whose responses have no content (RFC 9110 §15.3.5, §15.3.6, §15.4.5); to say that its
# length is 0 is for 205 alone.
_EMPTY = {204, 205, 304}
_BYTES = (bytes, bytearray, memoryview)


class Response:
    """A status, header fields and a body; a WSGI application that answers every request with them.

    :param body: ``str`` is sent as UTF-8, ``bytes`` as they are, and an iterable of ``bytes`` block
        by block, without a Content-Length; an iterator can be sent only once.
    :param status: the status code, 200 to 599.
    :param headers: fields as a mapping or ``(name, value)`` pairs. They win over what is set here.
    :param content_type: ``text/plain; charset=utf-8`` for ``str`` and ``application/octet-stream``
        otherwise, unless said; HTML is said with :meth:`html`.
    :raises ValueError: for a status out of range, a body with a status that has none (204, 205,
        304), and a name or value that is not fit for a header field (RFC 9110 §5).
    :raises TypeError: for a body of another kind.

    A response whose body is ``str`` or ``bytes`` may answer any number of requests, at the same
    time too. To a HEAD request its body is not sent.
    """

    __slots__ = ("_blocks", "_line", "_raw")

    def __init__(
        self,
        body: str | bytes | Iterable[bytes] = "",
        status: int = 200,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        *,
        content_type: str | None = None,
    ) -> None:
        self._line = _final(status)
        if isinstance(body, str):
            # A lone surrogate, which JSON can smuggle in, becomes "?": no client can cause a 500.
            body = body.encode("utf-8", "replace")
            content_type = content_type or TEXT
        content_type = check_value(content_type or BYTES, "content_type")
        self._raw: HeaderList = [("Content-Type", content_type)]
        self._blocks: Iterable[bytes] | None
        if isinstance(body, _BYTES):
            body = bytes(body)
            self._blocks = (body,)
            self._raw.append(("Content-Length", str(len(body))))
        elif hasattr(body, "__iter__") and not isinstance(body, dict):
            self._blocks = body
        else:
            raise TypeError(
                f"body is str, bytes or an iterable of bytes, not {type(body).__name__}"
            )
        if status in _EMPTY:
            if body:
                raise ValueError(f"status {status} has no content, so no body")
            if status != 205:
                self._blocks, self._raw = None, []
        if headers:
            self._add(headers)

    def _add(self, headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> None:
        given = Headers(headers)
        own = self.headers
        for name in ("Content-Type", "Content-Length"):
            values = given.get_all(name)
            if not values:
                continue
            if self._blocks is None:
                raise ValueError(f"status {self.status} has no content, so no {name}")
            if len(values) > 1:
                raise ValueError(f"{name} is given {len(values)} times")
            if name in own:
                if name == "Content-Length" and values != [own[name]]:
                    raise ValueError(f"Content-Length {values[0]} of a body of {own[name]} bytes")
                del own[name]
        self._raw.extend(given.raw)

    @classmethod
    def html(
        cls,
        body: str | bytes,
        status: int = 200,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> Response:
        """HTML. The caller escapes what came from people (:func:`html.escape`, a template)."""
        return cls(body, status, headers, content_type=HTML)

    @classmethod
    def json(
        cls,
        value: JSONValue,
        status: int = 200,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        *,
        content_type: str = JSON,
    ) -> Response:
        """``value`` as JSON (RFC 8259) in ASCII. NaN and infinities raise :class:`ValueError`."""
        return cls(http.jsontext.dumps(value).encode(), status, headers, content_type=content_type)

    @classmethod
    def redirect(cls, location: str, status: int = 303, *, external: bool = False) -> Response:
        """Send the client to ``location``, a path or query of this site.

        :param status: 303 (GET there, the default), 301, 302, 307 or 308 (same method there).
        :param external: whether it may be an http or https URL of any site instead, without a user
            name or password in it (RFC 9110 §4.2.4).
        :raises HTTPError: 400 where ``location`` leaves the site and must not: it begins with
            ``//`` or a scheme, or has a backslash or a control character, which browsers bend into
            such; or where it is empty. Such a target came from the client as a rule
            (``?next=...``), hence an answer and no failure.

        What a URL cannot hold is percent-encoded; escapes are left as they are.
        """
        if status not in (301, 302, 303, 307, 308):
            raise ValueError(f"status of a redirect is 301, 302, 303, 307 or 308, not {status}")
        return cls("", status, [("Location", http.location.location(location, external))])

    @classmethod
    def file(
        cls,
        path: str | os.PathLike[str],
        *,
        content_type: str | None = None,
        download_as: str | None = None,
    ) -> FileResponse:
        """A regular file with its validators; conditions and a range are obeyed (RFC 9110 §13-14).

        :param content_type: guessed from the name unless said.
        :param download_as: the name under which the client should save it (RFC 6266).
        :raises FileNotFoundError: when there is no regular file now. If it goes away before a
            request is answered, that request gets a 404.

        The status is 200, or what the request's conditions and range make of it (206, 304, 412,
        416). Browsers are told to trust the type (``X-Content-Type-Options: nosniff``).
        """
        return FileResponse(path, content_type, download_as)

    @classmethod
    def stream(
        cls,
        blocks: Iterable[bytes] | Iterable[str],
        status: int = 200,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        *,
        content_type: str = TEXT,
    ) -> Response:
        """Blocks sent as they come, ``str`` as UTF-8; the iterable is closed in the end."""
        if isinstance(blocks, (str, *_BYTES)):
            raise TypeError(f"blocks is an iterable of str or bytes, not {type(blocks).__name__}")
        encoded = Replaced(map(_encoded, blocks), *closers(blocks))
        return cls(encoded, status, headers, content_type=content_type)

    @property
    def status(self) -> int:
        """The status code. Settable, but not to or from one that has no content (204, 205, 304)."""
        return int(self._line[:3])

    @status.setter
    def status(self, status: int) -> None:
        line = _final(status)
        if line != self._line and {status, self.status} & _EMPTY:
            raise ValueError(f"status {self.status} cannot become {status}: make a new response")
        self._line = line

    @property
    def headers(self) -> Headers:
        """The header fields, to read and to change before the response is returned."""
        return Headers.view(self._raw)

    def set_cookie(
        self,
        name: str,
        value: str,
        *,
        max_age: int | None = None,
        expires: float | None = None,
        path: str = "/",
        domain: str | None = None,
        secure: bool = False,
        http_only: bool = True,
        same_site: Literal["Strict", "Lax", "None"] | None = "Lax",
        partitioned: bool = False,
    ) -> None:
        """Add a Set-Cookie field (RFC 6265bis), closed to scripts and other sites by default.

        ``max_age`` is in seconds, ``expires`` in seconds since 1970. See
        :func:`wsgikit.http.cookies.format_cookie`, which raises :class:`ValueError`.
        """
        cookie = http.cookies.format_cookie(
            name,
            value,
            max_age=max_age,
            expires=expires,
            path=path,
            domain=domain,
            secure=secure,
            http_only=http_only,
            same_site=same_site,
            partitioned=partitioned,
        )
        self._raw.append(("Set-Cookie", cookie))

    def expire_cookie(
        self,
        name: str,
        *,
        path: str = "/",
        domain: str | None = None,
        secure: bool = False,
        same_site: Literal["Strict", "Lax", "None"] | None = "Lax",
        partitioned: bool = False,
    ) -> None:
        """Have the client forget a cookie: name and options are those it was set with."""
        cookie = http.cookies.expire_cookie(
            name,
            path=path,
            domain=domain,
            secure=secure,
            same_site=same_site,
            partitioned=partitioned,
        )
        self._raw.append(("Set-Cookie", cookie))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        start_response(self._line, self._raw.copy())
        if self._blocks is None or environ["REQUEST_METHOD"] == "HEAD":
            close(self._blocks)
            return no_content()
        return self._blocks

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._line}>"


class FileResponse(Response):
    """A response whose body is a file; made by :meth:`Response.file`."""

    __slots__ = ("_path",)

    def __init__(
        self, path: str | os.PathLike[str], content_type: str | None, download_as: str | None
    ) -> None:
        self._path = os.fsdecode(path)
        try:
            regular = S_ISREG(os.stat(self._path).st_mode)
        except ValueError:  # NUL, or what no name of a file can hold
            regular = False
        if not regular:
            raise FileNotFoundError(f"not a regular file: {self._path!r}")
        super().__init__((), content_type=content_type or _type_of(self._path))
        self._raw.append(("X-Content-Type-Options", "nosniff"))
        if download_as is not None:
            value = http.params.content_disposition("attachment", download_as)
            self._raw.append(("Content-Disposition", value))

    @property
    def status(self) -> int:
        """200, unless the request asks for a part or sets conditions. Not settable."""
        return 200

    @status.setter
    def status(self, status: int) -> None:
        raise AttributeError("the status of a file is chosen for each request")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        try:
            file, status = open_file(self._path)
        except OSError:
            return answer_error(HTTPError(404), environ, start_response)
        return send_file(file, status, self._raw, environ, start_response)


def to_application(result: object) -> WSGIApplication:
    """What a view returned, as an application.

    ``str`` becomes text, ``bytes`` octets, ``dict`` and ``list`` JSON, None a 204; an application
    (a :class:`Response`, say) stays what it is. Anything else raises :class:`TypeError`.
    """
    if isinstance(result, str | bytes):
        return Response(result)
    if isinstance(result, dict | list):
        return Response.json(result)
    if result is None:
        return Response(status=204)
    if callable(result):
        return result
    raise TypeError(
        "a view returns a Response, str, bytes, dict, list, None or a WSGI application,"
        f" not {type(result).__name__}"
    )


def _encoded(block: str | bytes) -> bytes:
    return block if isinstance(block, bytes) else block.encode("utf-8", "replace")


def _final(status: int) -> str:
    line = status_line(status)
    if status < 200:  # 1xx go before a response (RFC 9110 §15.2), and WSGI has no way to send them
        raise ValueError(f"status of a response is 200 to 599, not {status}")
    return line


def _type_of(name: str) -> str:
    kind, coding = http.media.guess_type(name)
    # What is compressed in itself (a .tar.gz to download) is sent as what it is.
    return http.media.CODING_TYPES[coding] if coding else http.media.content_type(kind)
