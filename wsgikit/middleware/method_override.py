"""PUT, PATCH and DELETE for clients that can only POST, such as HTML forms."""

from __future__ import annotations

from wsgikit.arguments import check_size, check_texts, check_token
from wsgikit.compose import layer
from wsgikit.environ import content_length, read_body
from wsgikit.errors import answer_error
from wsgikit.http.grammar import is_token
from wsgikit.http.problem import HTTPError
from wsgikit.http.query import parse_form, parse_query
from wsgikit.keys import ORIGINAL_METHOD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["method_override"]

#: What has to stand outside of this layer, and why.
ORDER = {"inside": {"body_limit": "this layer reads forms"}}

_FORM = "application/x-www-form-urlencoded"
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE", "CONNECT", "POST")
# How many fields to look at: their text is limited already.
_ANY = 1_000_000


@layer
def method_override(
    app: WSGIApplication,
    *,
    methods: Collection[str] = ("PUT", "PATCH", "DELETE"),
    header: str | None = "X-HTTP-Method-Override",
    field: str | None = "_method",
    max_size: int = 65536,
) -> WSGIApplication:
    """A POST counts as the method that it names: in a header field, its query or its form.

    :param methods: the methods that may be named; none that is safe: what may be sent from
        anywhere would then have effects. Another one is a 400.
    :param header: the header field that names it.
    :param field: the parameter of the query, else of the form, that names it:
        ``<input type="hidden" name="_method" value="DELETE">``. None for either: it is not read.
    :param max_size: the longest form that is read for that, in bytes; a longer one, or one with
        files (multipart), names its method in the query.
    :raises ValueError: for a method that is none or is safe, for a header or a field that is no
        name, and for a size below 0.
    :raises TypeError: for an option of another type.

    A form that is read stays to be read by others. ``wsgikit.original_method`` is the ``POST`` that
    was replaced.
    """
    methods = check_texts("methods", methods, "methods")
    for method in methods:
        if not is_token(method) or method != method.upper() or method in _SAFE:
            raise ValueError(f"methods takes methods that change something, not {method!r}")
    if header is not None:
        check_token("header", header, "the name of a header field")
    if field is not None and (not isinstance(field, str) or not field):
        raise ValueError(f"field takes the name of a parameter, not {field!r}")
    check_size("max_size", max_size, 0)
    key = "" if header is None else f"HTTP_{header.upper().replace('-', '_')}"

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        if environ["REQUEST_METHOD"] == "POST":
            try:
                method = environ.get(key) or named(environ)
                if method:
                    override(environ, method.upper())
            except HTTPError as error:
                return answer_error(error, environ, start_response)
        return app(environ, start_response)

    def override(environ: WSGIEnvironment, method: str) -> None:
        if method not in methods:
            raise HTTPError(
                400, f"A POST may count as {', '.join(methods)}, not as another method."
            )
        environ[ORIGINAL_METHOD] = environ["REQUEST_METHOD"]
        environ["REQUEST_METHOD"] = method

    def named(environ: WSGIEnvironment) -> str | None:
        if field is None:
            return None
        query = environ.get("QUERY_STRING", "")
        if field in query and (method := parse_query(query, _ANY).get(field)):
            return method
        media = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        if media != _FORM or (content_length(environ) or max_size + 1) > max_size:
            return None
        return parse_form(read_body(environ, max_size), _ANY).get(field)

    return answer
