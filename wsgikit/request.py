"""The request, as a view sees it: everything is read from the environ when it is asked for."""

from __future__ import annotations

from wsgikit import environ as env
from wsgikit import http
from wsgikit.errors import answer_error
from wsgikit.http.problem import HTTPError, MissingField
from wsgikit.http.query import parse_form, parse_query
from wsgikit.keys import ROUTE, ROUTING_ARGS, STATE
from wsgikit.response import JSON, TEXT, to_application
from wsgikit.wrap import no_content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from functools import cached_property as computed
    from typing import Concatenate

    from wsgikit.http.accept import EncodingAccept, LanguageAccept, MediaAccept
    from wsgikit.http.media import MediaType
    from wsgikit.http.query import MultiDict
    from wsgikit.types import (
        Body,
        JSONValue,
        StartResponse,
        WSGIApplication,
        WSGIEnvironment,
    )
else:

    class computed:
        """``functools.cached_property`` without its lock and its import, which takes 2 ms."""

        def __init__(self, compute):
            self._compute = compute
            self.__doc__ = compute.__doc__

        def __set_name__(self, owner, name):
            self._name = name

        def __get__(self, request, owner=None):
            if request is None:
                return self
            value = request.__dict__[self._name] = self._compute(request)
            return value


__all__ = ["MAX_BODY", "Request"]

#: How many bytes of a body are read unless the view says otherwise.
MAX_BODY = 1024 * 1024

# The charsets that text may be sent in. Python knows more, some of them slow or no text at all.
_CHARSETS = frozenset(
    "utf-8 utf8 us-ascii ascii iso-8859-1 latin-1 latin1 iso-8859-15 windows-1252 cp1252"
    " utf-16 utf-16le utf-16be".split()
)
_TEXT = ("Content-Type", TEXT)
_JSON = ("Content-Type", JSON)


class Cookies(dict[str, str]):
    """The cookies of a request by name."""

    def __missing__(self, name: str) -> str:
        raise MissingField(400, f"The cookie {name!r:.100} is missing.")


class Request:
    """One request: a view of its ``environ``, which stays the one place where things are kept.

    Nothing is parsed before it is asked for. What a client sent wrong, or did not send, raises an
    :class:`~wsgikit.HTTPError` of the 4xx kind where it is asked for: ``request.query["q"]`` is a
    400 without ``q``, where ``request.query.get("q")`` is None.
    """

    def __init__(self, environ: WSGIEnvironment) -> None:
        self.environ = environ

    @staticmethod
    def application(
        view: Callable[Concatenate[Request, ...], object],
    ) -> WSGIApplication:
        """Make a WSGI application of a view.

        A view is called as ``view(request, **params)`` and returns a :class:`~wsgikit.Response`,
        ``str``, ``bytes``, ``dict``, ``list``, None or any application.

        ``params`` are the path parameters that a router left in ``wsgiorg.routing_args``. An
        :class:`~wsgikit.HTTPError` that the view raises is answered here; whatever else it raises
        passes on, for the ``errors`` layer or the server.
        """

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
            args = environ.get(ROUTING_ARGS)
            try:
                request = Request(environ)
                result = view(request) if args is None else view(request, **args[1])
            except HTTPError as error:
                return answer_error(error, environ, start_response)
            # What to_application() does with the most usual results, without a Response.
            kind = type(result)
            if kind is str:
                field, block = _TEXT, result.encode("utf-8", "replace")  # type: ignore[attr-defined]
            elif kind is dict or kind is list:
                field, block = _JSON, http.jsontext.dumps(result).encode()
            else:
                return to_application(result)(environ, start_response)
            start_response("200 OK", [field, ("Content-Length", f"{len(block)}")])
            return no_content() if environ["REQUEST_METHOD"] == "HEAD" else (block,)

        answer.__name__ = getattr(view, "__name__", type(view).__name__)
        answer.__qualname__ = getattr(view, "__qualname__", answer.__name__)
        answer.__module__ = view.__module__
        answer.__doc__ = view.__doc__
        answer.__wrapped__ = view  # type: ignore[attr-defined]
        return answer

    def __repr__(self) -> str:
        method = self.environ.get("REQUEST_METHOD", "-")
        return f"<Request {method} {env.path_url(self.environ)}>"

    @property
    def method(self) -> str:
        """``GET``, ``POST`` and so on, as the client wrote it."""
        return self.environ["REQUEST_METHOD"]  # type: ignore[no-any-return]

    @property
    def scheme(self) -> str:
        """``http`` or ``https``."""
        return self.environ["wsgi.url_scheme"]  # type: ignore[no-any-return]

    @property
    def host(self) -> str:
        """Host and port as the client asked for them; check it before you trust it."""
        return env.host(self.environ)

    @property
    def path(self) -> str:
        """The path below this application (PATH_INFO), decoded."""
        return env.text(self.environ.get("PATH_INFO", ""))

    @property
    def root_path(self) -> str:
        """Where this application is mounted (SCRIPT_NAME), decoded; empty at the top."""
        return env.text(self.environ.get("SCRIPT_NAME", ""))

    @property
    def url(self) -> str:
        """The whole URL, rebuilt as PEP 3333 says and percent-encoded: always ASCII."""
        return env.url(self.environ)

    @property
    def query_string(self) -> str:
        """What stands behind the ``?``, as it came."""
        return self.environ.get("QUERY_STRING", "")  # type: ignore[no-any-return]

    @computed
    def query(self) -> MultiDict:
        """The query string's parameters: ``query["q"]`` is the first ``q``, ``get_all`` has all."""
        return parse_query(self.environ.get("QUERY_STRING", ""))

    @computed
    def headers(self) -> env.EnvironHeaders:
        """The header fields, whatever the case of their names."""
        return env.EnvironHeaders(self.environ)

    @computed
    def cookies(self) -> Cookies:
        """The cookies by name; those that are malformed are left out (RFC 6265bis)."""
        return Cookies(http.cookies.parse_cookies(self.environ.get("HTTP_COOKIE", "")))

    @computed
    def accept(self) -> MediaAccept:
        """What media types the client takes: ``accept.best(["text/html", "application/json"])``."""
        return http.accept.MediaAccept(self.environ.get("HTTP_ACCEPT"))

    @computed
    def accept_language(self) -> LanguageAccept:
        """What languages the client prefers: ``accept_language.best(["en", "de-CH"])``."""
        return http.accept.LanguageAccept(self.environ.get("HTTP_ACCEPT_LANGUAGE"))

    @computed
    def accept_encoding(self) -> EncodingAccept:
        """What codings the client takes: ``accept_encoding.best(["gzip", "identity"])``."""
        return http.accept.EncodingAccept(self.environ.get("HTTP_ACCEPT_ENCODING"))

    @computed
    def media_type(self) -> MediaType | None:
        """What the body is, by its Content-Type; None where that is absent or malformed."""
        return http.media.parse_media_type(self.environ.get("CONTENT_TYPE", ""))

    @property
    def content_length(self) -> int | None:
        """The size of the body in bytes, where the client told it."""
        return env.content_length(self.environ)

    @property
    def client(self) -> str | None:
        """The address of the peer (REMOTE_ADDR): the client, or the last proxy before us."""
        return self.environ.get("REMOTE_ADDR") or None

    @property
    def params(self) -> dict[str, object]:
        """The path parameters that the router found, as ``wsgiorg.routing_args`` has them."""
        args = self.environ.get(ROUTING_ARGS)
        return args[1] if args else {}

    @property
    def state(self) -> dict[str, object]:
        """The application's own values for this request, shared by layers and views."""
        return self.environ.setdefault(STATE, {})  # type: ignore[no-any-return]

    def url_for(self, name: str, /, **params: object) -> str:
        """The path of the route ``name`` of the router that called this view, with SCRIPT_NAME.

        Raises :class:`LookupError` for an unknown name or outside of a router, and
        :class:`ValueError` for a parameter that the route would not match.
        """
        route = self.environ.get(ROUTE)
        if route is None:
            raise LookupError("url_for() works in a view that a Router has called")
        return env.root_url(self.environ) + route.router.url(name, **params)  # type: ignore[no-any-return]

    def read(self, max_size: int = MAX_BODY) -> bytes:
        """The body, at most ``max_size`` bytes; read from the server once, and kept.

        It is kept in the environ, as its ``wsgi.input``: another request object, another layer or
        an application of another framework may read it again.

        Raises :class:`~wsgikit.HTTPError` 413 for a larger body, and 400 for one that ends before
        the length that was announced.
        """
        return env.read_body(self.environ, max_size)

    @property
    def body(self) -> bytes:
        """The body, if it has at most :data:`MAX_BODY` bytes; :meth:`read` takes another limit."""
        return self.read()

    @property
    def text(self) -> str:
        """The body as text, in the charset of its Content-Type, else UTF-8.

        Raises :class:`~wsgikit.HTTPError` 415 for a charset that is not taken, 400 for bytes that
        are not of it.
        """
        charset = self.media_type.params.get("charset", "utf-8") if self.media_type else "utf-8"
        if charset.lower() not in _CHARSETS:
            raise HTTPError(415, f"Text in {charset[:40]!r} is not read here; send UTF-8.")
        try:
            return self.read().decode(charset)
        except UnicodeDecodeError as error:
            raise HTTPError(400, f"The body is not {charset}: {error.reason}.") from None

    def json(self, max_size: int = MAX_BODY) -> JSONValue:
        """The body's value, of at most ``max_size`` bytes of JSON (RFC 8259).

        Raises :class:`~wsgikit.HTTPError` 415 unless the Content-Type is JSON, 413 for a larger
        body and 400 for what is no JSON.
        """
        media = self.media_type
        if media is None or not (media.subtype == "json" or media.subtype.endswith("+json")):
            raise HTTPError(415, "This takes JSON: send Content-Type: application/json.")
        return http.jsontext.loads(self.read(max_size))

    def form(self, max_size: int = MAX_BODY, max_fields: int = 1000) -> MultiDict:
        """The fields of a submitted form (``application/x-www-form-urlencoded``), in UTF-8.

        Parsed once: of several calls, the first has the limits.

        Raises :class:`~wsgikit.HTTPError` 415 for another Content-Type, 413 for a body of more than
        ``max_size`` bytes, 400 for more than ``max_fields`` fields.
        """
        form: MultiDict | None = self.__dict__.get("_form")
        if form is None:
            given: str = self.environ.get("CONTENT_TYPE", "")
            if given.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
                raise HTTPError(415, "This takes a form: application/x-www-form-urlencoded.")
            form = self.__dict__["_form"] = parse_form(self.read(max_size), max_fields)
        return form
