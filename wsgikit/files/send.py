"""Answering with a file: whole, in part, or only whether it changed (RFC 9110, sections 13 and 14).

The conditions come first, in the order of §13.2.2, and last of them the range (§14.2). What an
answer says of the file stands ready in its :class:`~wsgikit.files.representation.Representation`.
"""

from __future__ import annotations

from io import BytesIO
from time import time

from wsgikit import http
from wsgikit.environ import EnvironHeaders
from wsgikit.errors import answer_error
from wsgikit.files.parts import GAP, Multipart, blocks_of
from wsgikit.files.representation import Opened
from wsgikit.files.versions import etag_of_times, modified_of
from wsgikit.http.headers import Headers
from wsgikit.http.problem import HTTPError
from wsgikit.keys import FILE_WRAPPER
from wsgikit.trees.opening import BLOCK_SIZE
from wsgikit.wrap import Replaced, no_content

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import BinaryIO, Literal

    from wsgikit.files.representation import Representation
    from wsgikit.files.versions import Identity
    from wsgikit.types import Body, HeaderList, StartResponse, WSGIEnvironment

__all__ = ["send", "send_as", "send_file", "send_opened"]

# A request that has none of them gets the whole, and most do.
_ASKING = (
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_RANGE",
    "HTTP_IF_MATCH",
    "HTTP_IF_UNMODIFIED_SINCE",
)

# What Representation adds itself, and what is for GET and HEAD alone: validators in the answer to
# another method would be of what the method has made (§8.8).
_ADDED = ("etag", "last-modified", "accept-ranges")

# What is for the file under its own name: how long that may be kept says nothing of what is sent
# in place of something else, which may be there the next moment.
_OF_ITSELF = (*_ADDED, "cache-control")

# The module of the wrapper that our server has, and wsgiref's: these send a file from where it
# stands to its end, as PEP 3333 has it. uWSGI sends all of it, and of others nobody knows.
_FROM_ITS_PLACE = "wsgiref.util"

# What several parts have of their own (§15.3.7.2).
_OF_ONE = ("content-type", "content-length")


def send_file(
    file: BinaryIO,
    status: os.stat_result,
    headers: HeaderList,
    environ: WSGIEnvironment,
    start_response: StartResponse,
) -> Body:
    """Answer with an open file, which is closed in any case.

    ``headers`` describe the file (its type and the like). Validators, Content-Length and
    Accept-Ranges are added, but an ``ETag`` or ``Last-Modified`` that is there is taken. To GET and
    HEAD the request's conditions and its range are obeyed.
    """
    try:
        shown = _opened(file, status, headers)
    except BaseException:
        file.close()
        raise
    return send_opened(shown, environ, start_response)


def send_opened(shown: Opened, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
    """Answer with what is open already, which is closed in any case, as :func:`send` does."""
    try:
        body = send(shown, environ, start_response)
    except HTTPError as error:
        shown.file.close()
        return answer_error(error, environ, start_response)
    except BaseException:
        shown.file.close()
        raise
    if not shown.taken:
        shown.file.close()
    return body


def _opened(file: BinaryIO, status: os.stat_result, headers: HeaderList) -> Opened:
    now = time()
    given = Headers.view(headers)
    etag = http.etags.parse_etag(given.get("ETag", ""))
    modified = http.dates.parse_date(given.get("Last-Modified", ""))
    fields = [field for field in headers if field[0].lower() not in _ADDED]
    return Opened(
        fields,
        status,
        etag or etag_of_times(status, now),
        modified_of(status, now) if modified is None else modified,
        file,
    )


def send(shown: Representation, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
    """Answer with a file: 200, 206 or 304.

    Other methods than GET and HEAD get the whole: what they do is done, and no condition can stop
    it any more (§13.2.1). An application that acts asks
    :func:`wsgikit.http.conditions.evaluate` before.

    :raises HTTPError: 412 or 416; nothing is open then.
    :raises Changed: when it is not this version of the file that is there.
    """
    method = environ["REQUEST_METHOD"]
    ranges = None
    if method != "GET" and method != "HEAD":
        headers = [field for field in shown.whole if field[0].lower() not in _ADDED]
        return _send_whole(shown, "200 OK", headers, environ, start_response)
    if not environ.keys().isdisjoint(_ASKING):
        outcome = _outcome(shown, method, environ)
        if outcome == 304:
            known = shown.known or shown.lasting()
            start_response("304 Not Modified", known.copy())
            return no_content()
        if outcome is not None:
            told = "The file is not the one that the request is about."
            raise HTTPError(412, told, headers=shown.varies())
        ranges = _ranges(shown, method, environ)
    if method == "HEAD":
        start_response("200 OK", shown.whole.copy())
        return no_content()
    if ranges is not None:
        return _send_ranges(shown, ranges, environ, start_response)
    content = shown.content  # now: another thread may drop it
    if content is not None:
        start_response("200 OK", shown.whole.copy())
        return content
    return _send_whole(shown, "200 OK", shown.whole.copy(), environ, start_response)


def send_as(
    line: str, shown: Representation, environ: WSGIEnvironment, start_response: StartResponse
) -> Body:
    """Answer with a file as the content of another status, to which no condition applies.

    It may not be used again without a question (``no-cache``), whatever the file says of itself.

    :param line: the status code and its phrase: ``404 Not Found``.
    :raises Changed: when it is not this version of the file that is there.
    """
    headers = [field for field in shown.whole if field[0].lower() not in _OF_ITSELF]
    headers.append(("Cache-Control", "no-cache"))
    if environ["REQUEST_METHOD"] == "HEAD":
        start_response(line, headers)
        return no_content()
    return _send_whole(shown, line, headers, environ, start_response)


def _outcome(
    shown: Representation, method: str, environ: WSGIEnvironment
) -> Literal[304, 412] | None:
    """What the conditions say. Browsers send back what they were told, which needs no parser."""
    if "HTTP_IF_MATCH" not in environ and "HTTP_IF_UNMODIFIED_SINCE" not in environ:
        tag = environ.get("HTTP_IF_NONE_MATCH")
        if tag is None:
            since = environ.get("HTTP_IF_MODIFIED_SINCE")
            if since is None:
                return None
            if since == shown.date:
                return 304
        elif tag == shown.tag:
            return 304
    return http.conditions.evaluate(method, EnvironHeaders(environ), shown.etag, shown.modified)


def _ranges(
    shown: Representation, method: str, environ: WSGIEnvironment
) -> list[tuple[int, int]] | None:
    """The ranges to send; None where the whole is to be sent."""
    wanted = environ.get("HTTP_RANGE")
    if not wanted or method != "GET":  # §14.2: defined for GET alone
        return None
    if_range = environ.get("HTTP_IF_RANGE")
    if not http.conditions.range_applies(if_range, shown.etag, shown.modified):
        return None
    ranges = http.ranges.parse_range(wanted, shown.size, GAP)
    if ranges == []:
        unsatisfied = http.ranges.unsatisfied_range(shown.size)
        headers = [("Content-Range", unsatisfied), ("Accept-Ranges", "bytes"), *shown.varies()]
        raise HTTPError(416, f"The file has {shown.size} bytes.", headers=headers)
    return ranges


def _send_whole(
    shown: Representation,
    line: str,
    headers: HeaderList,
    environ: WSGIEnvironment,
    start_response: StartResponse,
) -> Body:
    content = shown.content
    if content is not None:
        start_response(line, headers)
        return content
    file = shown.open()
    try:
        start_response(line, headers)
        wrapper = environ.get(FILE_WRAPPER)
        if wrapper is None or shown.grows:
            return Replaced(blocks_of(file, shown.identity, 0, shown.size), file.close)
        body: Body = wrapper(file, BLOCK_SIZE)
        return body
    except BaseException:
        file.close()
        raise


def _send_ranges(
    shown: Representation,
    ranges: list[tuple[int, int]],
    environ: WSGIEnvironment,
    start_response: StartResponse,
) -> Body:
    if shown.identity is None:  # to step back in a zip is to begin anew
        ranges.sort()
    several = Multipart(shown, ranges) if len(ranges) > 1 else None
    start, stop = ranges[0]
    if several is None:
        headers = shown.whole[:-1]
        headers.append(("Content-Range", http.ranges.content_range(start, stop, shown.size)))
        headers.append(("Content-Length", str(stop - start)))
    else:
        headers = [field for field in shown.whole if field[0].lower() not in _OF_ONE]
        headers.append(("Content-Type", several.media))
        headers.append(("Content-Length", str(several.size)))
    file, identity = _readable(shown)
    try:
        start_response("206 Partial Content", headers)
        if several is None:
            wrapper = environ.get(FILE_WRAPPER)
            to_end = stop == shown.size and identity is not None and not shown.grows
            if to_end and wrapper and getattr(wrapper, "__module__", "") == _FROM_ITS_PLACE:
                file.seek(start)
                body: Body = wrapper(file, BLOCK_SIZE)
                return body
            return Replaced(blocks_of(file, identity, start, stop), file.close)
        return Replaced(several.blocks(file, identity), file.close)
    except BaseException:
        file.close()
        raise


def _readable(shown: Representation) -> tuple[BinaryIO, Identity | None]:
    content = shown.content
    if content is not None:
        return BytesIO(content[0]), None
    return shown.open(), shown.identity
