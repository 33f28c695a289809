"""Conditional requests, answered from the validators that the application sets (RFC 9110 §13)."""

from __future__ import annotations

from wsgikit.compose import layer
from wsgikit.errors import answer_error
from wsgikit.http.conditions import evaluate, not_modified
from wsgikit.http.dates import parse_date
from wsgikit.http.etags import parse_etag
from wsgikit.http.problem import HTTPError
from wsgikit.wrap import attempt, no_content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["conditional"]

#: What has to stand outside of this layer, and what inside, and why.
ORDER = {
    "inside": {"compress": "what becomes a 304 would be compressed before, for nothing"},
    "outside": {
        "etag": "a tag that nobody compares saves nothing",
        "cache_control": "a 304 has to have the Cache-Control of the 200",
    },
}

_CONDITIONS = {
    "HTTP_IF_MATCH": "If-Match",
    "HTTP_IF_NONE_MATCH": "If-None-Match",
    "HTTP_IF_MODIFIED_SINCE": "If-Modified-Since",
    "HTTP_IF_UNMODIFIED_SINCE": "If-Unmodified-Since",
}


@layer
def conditional(app: WSGIApplication) -> WSGIApplication:
    """What the client has already is not sent again: GET and HEAD are answered by a 304.

    The conditions If-None-Match, If-Modified-Since, If-Match and If-Unmodified-Since are compared
    with the ETag and the Last-Modified of a successful response, in the order of RFC 9110 §13.2.2;
    the latter two are answered by a 412.

    A 304 has the response's fields but those of the content; Last-Modified only where there is no
    ETag. A 412 has its Vary. The content is not asked for, and the body is closed.

    Other methods pass: when their response is there, what they do is done. A view that changes
    something compares before, with :func:`wsgikit.http.conditions.evaluate`. So does what can tell
    the validators without making the content, as ``static`` does: its answers pass as they are.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        # One after the other: this is what most requests pass. The rest is a function of its own:
        # what inner functions share costs 0.2 µs.
        if (
            "HTTP_IF_NONE_MATCH" not in environ
            and "HTTP_IF_MODIFIED_SINCE" not in environ
            and "HTTP_IF_MATCH" not in environ
            and "HTTP_IF_UNMODIFIED_SINCE" not in environ
        ) or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return app(environ, start_response)
        return compare(environ, start_response)

    def compare(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        method = environ["REQUEST_METHOD"]
        conditions = {name: environ[key] for key, name in _CONDITIONS.items() if key in environ}
        refused: list[tuple[int, HeaderList]] = []

        def accept(status: str, headers: HeaderList) -> bool:
            refused.clear()
            outcome = _outcome(method, conditions, headers) if status[:1] == "2" else None
            if outcome is not None:
                refused.append((outcome, headers))
            return outcome is None

        body = attempt(app, environ, start_response, accept)
        if body is not None:
            return body
        ((outcome, headers),) = refused
        if outcome == 304:
            start_response("304 Not Modified", not_modified(headers))
            return no_content()
        # Which representation was compared depends on the same fields (§12.5.5), and a 412 is kept
        # where a layer further out gives it an age.
        vary = [field for field in headers if field[0].lower() == "vary"]
        error = HTTPError(412, "This is not the version that the request is about.", headers=vary)
        return answer_error(error, environ, start_response)

    return answer


def _outcome(method: str, conditions: dict[str, str], headers: HeaderList) -> int | None:
    etag = modified = None
    for name, value in headers:
        name = name.lower()
        if name == "etag":
            etag = parse_etag(value)
        elif name == "last-modified":
            modified = parse_date(value)
    return evaluate(method, conditions, etag, modified)
