"""Own pages for errors, whoever made them: by status, for people (RFC 9110 §12.1, §15)."""

from __future__ import annotations

from io import BytesIO

from wsgikit.arguments import check_mapping
from wsgikit.compose import layer
from wsgikit.errors import answer_error
from wsgikit.failures import logged
from wsgikit.http.accept import MediaAccept
from wsgikit.http.conditions import not_modified
from wsgikit.http.grammar import OWS
from wsgikit.http.headers import Headers
from wsgikit.http.problem import HTTPError
from wsgikit.keys import ERROR_STATUS
from wsgikit.wrap import guard, on_each_start, on_start, prefer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["error_pages"]

#: What has to stand inside of this layer, and why.
ORDER = {
    "outside": {
        "errors": "a failure would not be an answer yet",
        "debugger": "the page would take the place of what a developer wants to see",
    }
}

# The page has a content of its own, and what is about the old one is not true of it.
_OF_OLD = frozenset(["etag", "last-modified", "transfer-encoding"])
_HTML = "text/html"


@layer
def error_pages(
    app: WSGIApplication, *, pages: Mapping[int | str, WSGIApplication]
) -> WSGIApplication:
    """Errors that an application answers look like your site, also those of other frameworks.

    :param pages: what answers in the place of an error, by its status or for a class of them:
        ``{404: Response.file("404.html"), "5xx": sorry}``. Each is an application; a page that is
        the same each time is a :class:`~wsgikit.Response`. It is asked by GET or HEAD, for the
        same path, and finds the status in ``wsgikit.error_status`` of its environ.
    :raises TypeError: for pages that are no mapping to applications.
    :raises ValueError: for a key that is neither a status from 400 to 599 nor ``"4xx"`` or
        ``"5xx"``.

    An error counts as well where the application had started another response and fails before its
    first block; what has begun to be sent cannot be replaced.

    The status stays, and so do the fields of the error that are not about its content: Allow,
    Retry-After, WWW-Authenticate, cookies. Its body is closed. A page is for people: where the
    client prefers what the application sent, JSON for a program, that is sent. ``Vary: Accept``
    tells it.

    A page that fails is logged, and the error drawn as if there were none.
    """
    known = _checked(pages)

    def vary(status: str, headers: HeaderList) -> tuple[str, HeaderList]:
        if status[:3] in known:
            Headers.view(headers).vary("Accept")
        return status, headers

    around = on_each_start(vary)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        replaced: list[tuple[str, HeaderList]] = []
        method, accept = environ["REQUEST_METHOD"], environ.get("HTTP_ACCEPT")

        def wanted(status: str, headers: HeaderList) -> bool:
            replaced.clear()
            if status[:3] in known and _prefers_page(accept, headers):
                replaced.append((status, headers))
            return not replaced

        def page(start_response: StartResponse) -> Body:
            ((status, headers),) = replaced
            asked = {**environ, ERROR_STATUS: int(status[:3]), "wsgi.input": BytesIO()}
            asked["REQUEST_METHOD"] = "HEAD" if method == "HEAD" else "GET"
            asked.pop("CONTENT_LENGTH", None)
            for name in _CONDITIONS:
                asked.pop(name, None)
            return _page(known[status[:3]], asked, start_response, status, headers)

        return prefer(app, environ, around(start_response), wanted, page)

    return answer


# A page is sent as it is: these were about another resource.
_CONDITIONS = (
    "HTTP_RANGE",
    "HTTP_IF_MATCH",
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_UNMODIFIED_SINCE",
)


def _checked(pages: object) -> dict[str, WSGIApplication]:
    known: dict[str, WSGIApplication] = {}
    classes: dict[str, WSGIApplication] = {}
    for key, page in check_mapping("pages", pages, "statuses to applications"):
        if not callable(page):
            raise TypeError(f"pages: {page!r} is no application")
        if key in ("4xx", "5xx"):
            classes.update({f"{key[0]}{code:02d}": page for code in range(100)})
        elif type(key) is int and 400 <= key <= 599:
            known[str(key)] = page
        else:
            raise ValueError(
                f"pages: a key is a status from 400 to 599, '4xx' or '5xx', not {key!r}"
            )
    return {**classes, **known}


def _prefers_page(accept: str | None, headers: HeaderList) -> bool:
    """Whether the client would rather have HTML than what the application has sent."""
    own = _HTML
    for name, value in headers:
        if name.lower() == "content-type":
            own = value.partition(";")[0].strip(OWS).lower()
            break
    if own in (_HTML, "text/plain"):  # which is how programs without pages tell an error
        own = _HTML
    try:
        return MediaAccept(accept).best([own, _HTML]) == _HTML
    except ValueError:  # a type that is none
        return True


def _page(
    page: WSGIApplication,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    status: str,
    headers: HeaderList,
) -> Body:
    """Answer with the page, under the status of the error and with the fields that go with it."""
    kept = [field for field in not_modified(headers) if field[0].lower() not in _OF_OLD]

    def edit(_: str, own: HeaderList) -> tuple[str, HeaderList]:
        names = {name.lower() for name, _ in own} - {"set-cookie", "vary"}
        fields = [field for field in own if field[0].lower() not in _OF_OLD]
        fields += [field for field in kept if field[0].lower() not in names]
        Headers.view(fields).vary("Accept")
        return status, fields

    def rescue(error: Exception) -> WSGIApplication:
        drawn = HTTPError(int(status[:3]), headers=kept)
        return logged(lambda *asked: answer_error(drawn, *asked), error, "failed in its error page")

    return guard(page, environ, on_start(start_response, edit), rescue)
