"""The request, as a view sees it: everything is read from the environ when it is asked for."""

from __future__ import annotations

from wsgikit import environ as env
from wsgikit import forms, http, sessions
from wsgikit.errors import answer_error
from wsgikit.http.problem import HTTPError, MissingField
from wsgikit.http.query import parse_query
from wsgikit.keys import CSP_NONCE, FORM, ROUTE, ROUTING_ARGS, SESSION, STATE
from wsgikit.response import JSON, TEXT, to_application
from wsgikit.wrap import no_content, on_close

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from functools import cached_property as computed
    from typing import Concatenate

    from wsgikit.forms.form import Form
    from wsgikit.forms.streamed import StreamedPart
    from wsgikit.http.accept import EncodingAccept, LanguageAccept, MediaAccept
    from wsgikit.http.media import MediaType
    from wsgikit.http.query import MultiDict
    from wsgikit.sessions.session import Session
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
                _close_form(environ)
                return answer_error(error, environ, start_response)
            except BaseException:
                _close_form(environ)
                raise
            if FORM in environ:
                return _answer_with_form(result, environ, start_response)
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

    @property
    def session(self) -> Session:
        """What is kept for this client from one request to the next; saved as the response starts.

        To ask for it is to use it: the response is then of one person, and says so to caches.

        Raises :class:`LookupError` where no ``sessions`` layer is around, and :class:`RuntimeError`
        where it is asked for first when the response has started, as in a body that is streamed.
        """
        if SESSION not in self.environ:
            raise LookupError("request.session needs the layer sessions() around the application")
        return sessions.open_session(self.environ)

    @property
    def csp_nonce(self) -> str:
        """The nonce of this response's Content-Security-Policy: ``<script nonce="...">``.

        Raises :class:`LookupError` where no ``security_headers`` layer with ``{nonce}`` in its
        policy is around.
        """
        nonce: str | None = self.environ.get(CSP_NONCE)
        if nonce is None:
            raise LookupError("csp_nonce needs security_headers() with '{nonce}' in its policy")
        return nonce

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
        codec = http.charsets.codec_of(charset)
        try:
            return self.read().decode(codec)
        except UnicodeDecodeError as error:
            raise HTTPError(400, f"The body is not {charset}: {error.reason}.") from None

    def json(
        self, max_size: int = MAX_BODY, *, max_depth: int = 200, unique_names: bool = True
    ) -> JSONValue:
        """The body's value, of at most ``max_size`` bytes of JSON (RFC 8259).

        :param max_depth: how deep arrays and objects may stand in each other.
        :param unique_names: whether an object with two members of one name is refused (RFC 7493
            §2.3): programs do not agree on which of them counts. Else the last one counts.
        :raises HTTPError: 415 unless the Content-Type is JSON, 413 for a larger body, 400 for what
            is no JSON, is nested too deep or has a name twice.
        """
        media = self.media_type
        if media is None or not (media.subtype == "json" or media.subtype.endswith("+json")):
            raise HTTPError(415, "This takes JSON: send Content-Type: application/json.")
        return http.jsontext.loads(
            self.read(max_size), max_depth=max_depth, unique_names=unique_names
        )

    def form(
        self,
        max_size: int = MAX_BODY,
        max_fields: int = 1000,
        *,
        max_memory: int = MAX_BODY,
        max_file_size: int | None = None,
    ) -> Form:
        """The fields and files of a submitted form, urlencoded or multipart.

        ``form["name"]`` is the text of a field, ``form.files["photo"]`` a file
        (:class:`~wsgikit.forms.upload.Upload`). Text is in UTF-8, unless a multipart form says
        otherwise, by a field ``_charset_`` or in the head of the field; what is not of its charset
        reads as U+FFFD.

        Parsed once: of several calls, the first has the limits. A form that was refused is refused
        again, for the same reason, unless its body was kept and the limits are others.

        :param max_size: bytes of the body.
        :param max_fields: how many fields and files there may be.
        :param max_memory: bytes of it that may be in memory: of fields together, and of files,
            which go to a temporary file beyond. A body of that size is kept and may be read again,
            by other layers and frameworks; a larger one is not.
        :param max_file_size: bytes of one file.
        :raises HTTPError: 415 for another Content-Type and for what is in an unknown charset, 413
            for what breaks a limit, 400 for a malformed or truncated multipart form.

        The temporary file is gone when the request ends: :meth:`application` closes the form, also
        where the view fails and where its answer is never sent. Elsewhere, in a layer or in a plain
        WSGI application, write ``with request.form() as form:``.
        """
        form: Form | None = self.__dict__.get("_form")
        if form is None:
            form = forms.read_form(self.environ, max_size, max_fields, max_memory, max_file_size)
            self.__dict__["_form"] = form
        return form

    def stream_parts(
        self,
        max_size: int | None = MAX_BODY,
        max_fields: int = 1000,
        *,
        max_file_size: int | None = None,
    ) -> Iterator[StreamedPart]:
        """The parts of a multipart form as they arrive, for uploads that are kept nowhere.

        Each :class:`~wsgikit.forms.streamed.StreamedPart` is a field or a file, and gives its
        content in blocks, until the next part is asked for::

            for part in request.stream_parts(max_size=None):
                for block in part:
                    ...

        The limits are those of :meth:`form`; None is no limit. The body is read once: it is not
        there for :meth:`form` or :meth:`read` afterwards, which raise :class:`RuntimeError`.

        :raises HTTPError: 415 unless the Content-Type is ``multipart/form-data``, 413 for what
            breaks a limit, 400 for a malformed or truncated form: at the call, or while the parts
            are read. So do not trust what came until the last one has been read.
        """
        return forms.stream_parts(self.environ, max_size, max_fields, max_file_size)


def _close_form(environ: WSGIEnvironment) -> None:
    form: Form | None = environ.get(FORM)
    if form is not None:
        form.close()


def _answer_with_form(
    result: object, environ: WSGIEnvironment, start_response: StartResponse
) -> Body:
    """Answer with the result of a view that has read a form; close the form after the answer."""
    try:
        body = to_application(result)(environ, start_response)
    except BaseException:
        _close_form(environ)
        raise
    return on_close(body, environ[FORM].close, environ)
