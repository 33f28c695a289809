"""An answer of what is kept: the whole, a part of it, or that the client has it already."""

from __future__ import annotations

from wsgikit import http
from wsgikit.errors import answer_error
from wsgikit.http.problem import HTTPError
from wsgikit.wrap import no_content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wsgikit.caching.entry import Entry
    from wsgikit.types import Body, StartResponse, WSGIEnvironment

__all__ = ["send", "status_field"]


def status_field(parameters: str) -> tuple[str, str]:
    """The field that tells how a cache has handled the request (RFC 9211)."""
    return ("Cache-Status", f"wsgikit; {parameters}")


def send(
    entry: Entry,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    age: int,
    parameters: str,
    more: Sequence[tuple[str, str]] = (),
) -> Body:
    """Answer with a stored response.

    :param environ: the request, with the client's own conditions and range.
    :param parameters: what Cache-Status says.
    :param more: further fields for this client alone.
    """
    headers = [*entry.fields, ("Age", str(age)), status_field(parameters), *more]
    head = environ["REQUEST_METHOD"] == "HEAD"
    if entry.status[:3] == "200":
        conditional = "HTTP_IF_NONE_MATCH" in environ or "HTTP_IF_MODIFIED_SINCE" in environ
        if conditional and _is_known(entry, environ):
            start_response("304 Not Modified", http.conditions.not_modified(headers))
            return no_content()
        if "HTTP_RANGE" in environ and not head:
            ranges = _ranges(entry, environ)
            if ranges == []:
                told = [("Content-Range", http.ranges.unsatisfied_range(len(entry.body)))]
                error = HTTPError(416, f"There are {len(entry.body)} bytes.", headers=told)
                return answer_error(error, environ, start_response)
            if ranges is not None and len(ranges) == 1:  # several: the whole (RFC 9110 §14.2)
                ((start, stop),) = ranges
                headers = [field for field in headers if field[0].lower() != "content-length"]
                part = http.ranges.content_range(start, stop, len(entry.body))
                headers += [("Content-Range", part), ("Content-Length", str(stop - start))]
                start_response("206 Partial Content", headers)
                return [entry.body[start:stop]]
    start_response(entry.status, headers)
    # One block of nothing is none: a server would say that its length is 0.
    return no_content() if head or not entry.body else [entry.body]


def _is_known(entry: Entry, environ: WSGIEnvironment) -> bool:
    """Whether the client has this response (RFC 9111 §4.3.2)."""
    conditions = {
        name: environ[key]
        for key, name in (
            ("HTTP_IF_NONE_MATCH", "If-None-Match"),
            ("HTTP_IF_MODIFIED_SINCE", "If-Modified-Since"),
        )
        if key in environ
    }
    etag = http.etags.parse_etag(entry.field("etag") or "")
    modified = http.dates.parse_date(entry.field("last-modified") or entry.field("date") or "")
    return http.conditions.evaluate("GET", conditions, etag, modified) == 304


def _ranges(entry: Entry, environ: WSGIEnvironment) -> list[tuple[int, int]] | None:
    """The ranges that are asked for; None for the whole.

    Applications give parts of the content as it is, so a part of an encoded one is given by nobody:
    who got others from the application would join the two.
    """
    if entry.field("content-encoding") is not None:
        return None
    etag = http.etags.parse_etag(entry.field("etag") or "")
    modified = http.dates.parse_date(entry.field("last-modified") or "")
    if not http.conditions.range_applies(environ.get("HTTP_IF_RANGE"), etag, modified):
        return None
    return http.ranges.parse_range(environ["HTTP_RANGE"], len(entry.body))
