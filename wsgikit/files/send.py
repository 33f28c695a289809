"""Sending one file: opened once, described by what was opened, whole or in part (RFC 9110 §14)."""

from __future__ import annotations

import os
from stat import S_ISREG
from time import time

from wsgikit import http
from wsgikit.environ import EnvironHeaders
from wsgikit.errors import answer_error
from wsgikit.http.problem import HTTPError
from wsgikit.keys import FILE_WRAPPER
from wsgikit.wrap import Replaced, no_content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from wsgikit.types import Body, HeaderList, StartResponse, WSGIEnvironment

__all__ = ["BLOCK_SIZE", "open_file", "send_file"]

#: How many bytes of a file are in memory at a time.
BLOCK_SIZE = 64 * 1024

# A FIFO without a writer must not hold the request; a child process must not inherit the file.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
# The fields that a 304 must not carry, as it has no content (RFC 9110 §15.4.5).
_OF_CONTENT = {"content-type", "content-length", "content-disposition", "accept-ranges"}


def open_file(path: str | os.PathLike[str]) -> tuple[BinaryIO, os.stat_result]:
    """Open a regular file and tell what was opened.

    Raises :class:`FileNotFoundError` for what is no regular file, and what :func:`os.open` raises:
    :class:`ValueError` for a path with NUL in it.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        status = os.fstat(descriptor)
        if not S_ISREG(status.st_mode):
            raise FileNotFoundError(f"not a regular file: {os.fspath(path)!r}")
        return open(descriptor, "rb"), status
    except BaseException:
        os.close(descriptor)
        raise


def send_file(
    file: BinaryIO,
    status: os.stat_result,
    headers: HeaderList,
    environ: WSGIEnvironment,
    start_response: StartResponse,
) -> Body:
    """Answer GET and HEAD with an open file, which is closed in any case.

    ``headers`` describe the file (its type and the like). The validators, Content-Length and
    Accept-Ranges are added; the request's conditions and its Range are obeyed.
    """
    try:
        return _answer(file, status, headers, environ, start_response)
    except HTTPError as error:
        file.close()
        return answer_error(error, environ, start_response)
    except BaseException:
        file.close()
        raise


def _answer(
    file: BinaryIO,
    status: os.stat_result,
    headers: HeaderList,
    environ: WSGIEnvironment,
    start_response: StartResponse,
) -> Body:
    size = status.st_size
    # Not before what a date can say, and not in the future (RFC 9110 §8.8.2.1).
    modified = min(max(int(status.st_mtime), 0), int(time()))
    etag = http.etags.ETag(f"{status.st_mtime_ns:x}-{size:x}", False)
    headers = [  # a list of its own: the response that has them may be answering others
        *headers,
        ("ETag", str(etag)),
        ("Last-Modified", http.dates.format_date(modified)),
        ("Accept-Ranges", "bytes"),
    ]
    method = environ["REQUEST_METHOD"]
    fields = EnvironHeaders(environ)
    outcome = http.conditions.evaluate(method, fields, etag, modified)
    if outcome == 304:
        start_response(
            "304 Not Modified", [field for field in headers if field[0].lower() not in _OF_CONTENT]
        )
        file.close()
        return no_content()
    if outcome is not None:
        raise HTTPError(outcome, "The file is not the one that the request is about.")
    part = None
    wanted = fields.get("Range") if method == "GET" else None  # §14.2: defined for GET alone
    if wanted and http.conditions.range_applies(fields.get("If-Range"), etag, modified):
        part = http.ranges.parse_range(wanted, size)
    if part == []:
        unsatisfied = [("Content-Range", f"bytes */{size}"), ("Accept-Ranges", "bytes")]
        raise HTTPError(416, f"The file has {size} bytes.", headers=unsatisfied)
    if part is None or len(part) > 1:  # several ranges: a server may send the whole (§14.2)
        start_response("200 OK", [*headers, ("Content-Length", str(size))])
        if method == "HEAD":
            file.close()
            return no_content()
        return _whole(file, size, environ)
    ((start, stop),) = part
    ranged = ("Content-Range", http.ranges.content_range(start, stop, size))
    start_response("206 Partial Content", [*headers, ranged, ("Content-Length", str(stop - start))])
    return Replaced(_slice(file, start, stop), file.close)


def _whole(file: BinaryIO, size: int, environ: WSGIEnvironment) -> Body:
    wrapper = environ.get(FILE_WRAPPER)
    if wrapper is None:
        return Replaced(_slice(file, 0, size), file.close)
    body: Body = wrapper(file, BLOCK_SIZE)
    return body


def _slice(file: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    """The bytes that were announced: no more, should the file grow, and never fewer."""
    file.seek(start)
    while start < stop:
        block = file.read(min(BLOCK_SIZE, stop - start))
        if not block:  # the client must not wait for the rest: let the server break the connection
            raise EOFError("the file became shorter while it was sent")
        start += len(block)
        yield block
