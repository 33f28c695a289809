"""One response: what an application says, put on the connection so that the next one is safe.

PEP 3333; RFC 9112, sections 6 (message body), 7.1 (chunked) and 9.3 (persistence); RFC 9110,
section 6.4.1 (responses without content). A subclass of :class:`wsgiref.handlers.SimpleHandler`.
"""

from __future__ import annotations

import logging
import sys
from wsgiref.handlers import SimpleHandler

from wsgikit.http.problem import HTTPError
from wsgikit.http.status import status_line
from wsgikit.server.access import printable
from wsgikit.server.blocking import BlockingChannel
from wsgikit.server.body import Disconnected
from wsgikit.server.connection import Connection
from wsgikit.server.outbox import plain_file
from wsgikit.server.preamble import server_and_date
from wsgikit.server.response import ResponseHead, response_head

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Any, TypeAlias
    from wsgiref.types import ErrorStream

    from wsgikit.types import HeaderList, WSGIApplication, WSGIEnvironment

    ExcInfo: TypeAlias = (
        tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
    )

log = logging.getLogger("wsgikit.server")

#: Smaller blocks are joined with what stands around them; larger ones are sent from where they are.
JOINED = 16384
#: The type of what tells an error.
TEXT = ("Content-Type", "text/plain; charset=utf-8")
#: Smaller files are sent as a block.
SMALL_FILE = 65536


class ResponseWriter(SimpleHandler):
    """Runs an application for one request and sends what it answers.

    :param channel: where the request came from and the response goes.
    :param environ: the environ, but for what this adds: input, errors and early hints.

    A body without Content-Length is sent chunked to HTTP/1.1 clients, and until the connection
    closes to others. HEAD, 204 and 304 have none. A body that is shorter or longer than its
    Content-Length, or an error after the head was sent, is logged and ends the connection: with a
    reset where a close would look like the end of the body (a Unix socket knows none). An error
    before is answered by 500. The connection also ends where the application answers without having
    read a body that is still on its way.
    """

    environ: WSGIEnvironment
    result: Any  # None before and after
    os_environ: dict[str, str] = {}  # the process's environment is nobody's request

    _head: ResponseHead | None = None
    _bodiless = _chunked = False
    _owed: int | None = None  # what is still to come of the Content-Length
    _over = False  # what the application still writes would be part of the next response

    def __init__(
        self, channel: Connection | BlockingChannel, environ: WSGIEnvironment, errors: ErrorStream
    ) -> None:
        self.environ = environ
        self.channel = channel
        self.stderr = errors
        # Read now: the application may change its environ.
        self._method = environ["REQUEST_METHOD"]
        self._modern = environ["SERVER_PROTOCOL"] == "HTTP/1.1"
        # Nothing about the request keeps the response from being like most.
        self._usual = (
            self._modern and self._method != "HEAD" and channel.keep and channel.protocol.complete
        )

    def run(self, application: WSGIApplication) -> None:
        """Answer with ``application``; nothing is raised for what it or the client does wrong."""
        try:
            try:
                self.setup_environ()
                result = self.result = application(self.environ, self.start_response)
                try:
                    self.finish_response()
                finally:
                    self.result = None
                    close = getattr(result, "close", None)
                    if close is not None:
                        close()
            except Disconnected:
                raise
            except BaseException:
                self.handle_error()
        except Disconnected:
            self._break_off()
        finally:
            self._over = True
            self.environ = {}  # it refers to this object

    def setup_environ(self) -> None:
        environ = self.environ
        environ["wsgi.input"] = self.channel.input()
        environ["wsgi.errors"] = self.stderr
        if self._modern:
            environ["wsgi.early_hints"] = self.early_hints

    def early_hints(self, headers: HeaderList) -> None:
        """Send ``103 Early Hints`` (RFC 8297) with ``headers``, unless the response has begun.

        The environ has it as ``wsgi.early_hints``, for clients that speak HTTP/1.1.
        """
        if not self.headers_sent:
            fields = response_head("200 OK", headers).data.partition(b"\r\n")[2]
            awaited = self.channel.awaited
            self.channel.send(b"HTTP/1.1 103 Early Hints\r\n" + fields + b"\r\n", more=True)
            self.channel.awaited = awaited  # these are no answer: 100 Continue may still come

    def start_response(
        self, status: str, headers: HeaderList, exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        """As PEP 3333 says; ValueError for what would break the framing or inject a field."""
        if exc_info:
            try:
                if self.headers_sent:
                    error = exc_info[1]
                    raise error.with_traceback(exc_info[2]) if error else RuntimeError(status)
            finally:
                exc_info = None  # it refers to this frame
        elif self._head is not None:
            raise AssertionError("start_response was called before, and there is no exc_info")
        self._head = response_head(status, headers)
        self.status = status
        return self.write

    def finish_response(self) -> None:
        """Send the body; where the response has none, no more than its first block is asked for."""
        result = self.result
        if type(result) in (list, tuple) and not self.headers_sent:
            self._write_whole(result)
            return
        is_file = self.result_is_file()
        if is_file and self.sendfile():
            return
        for block in result:
            self.write(block)
            if self.headers_sent and (self._bodiless or (is_file and self._owed == 0)):
                break
        self.finish_content()

    def _write_whole(self, blocks: Sequence[bytes]) -> None:
        """Send a body that is all there."""
        for block in blocks:
            if type(block) is not bytes:
                raise TypeError(f"the blocks of a body are bytes, not {type(block).__name__}")
        body = blocks[0] if len(blocks) == 1 else b"".join(blocks)
        size = len(body)
        if self._usual and self._send_usual(body, size):
            return
        head = self._begin(size)
        if self._bodiless:
            self.channel.send(head)
        elif self._owed != size:
            self._send(body, head, more=False)
            self.finish_content()
        else:
            self.bytes_sent = size
            self.channel.send(head, body)

    def _send_usual(self, body: bytes, size: int) -> bool:
        """Send what most responses are, or leave it to be sent by the rest of this class.

        That would send the same, and ask more questions: a twentieth of the time of a request.
        """
        head, channel = self._head, self.channel
        if head is None or head.bodiless or size > JOINED or channel.last:
            return False
        if head.length is not None and head.length != size:
            return False
        self.headers_sent = True
        self.bytes_sent = size
        own = server_and_date(head.sets)
        channel.send(b"%b%bContent-Length: %d\r\n\r\n%b" % (head.data, own, size, body))
        return True

    def write(self, data: bytes) -> None:
        if self._over:
            raise RuntimeError("write() was called after the end of the response")
        if type(data) is not bytes:
            raise TypeError(f"the blocks of a body are bytes, not {type(data).__name__}")
        if not data:
            return  # PEP 3333: the head waits for the first block that has something in it
        if self.headers_sent:
            self._send(data)
        else:
            self._send(data, self._begin(len(data) if self._is_only_block() else None))

    def _is_only_block(self) -> bool:
        try:
            return len(self.result) == 1
        except (TypeError, AttributeError, NotImplementedError):
            return False

    def _send(self, data: bytes, head: bytes = b"", *, more: bool = True) -> None:
        """Send a block in its framing, after ``head``."""
        excess = False
        if self._bodiless:
            data = b""
        elif self._owed is not None:
            excess = len(data) > self._owed
            data = data[: self._owed]
            self._owed -= len(data)
        self.bytes_sent += len(data)
        end = b""
        if self._chunked:
            head, end = b"%b%x\r\n" % (head, len(data)), b"\r\n"
        if len(data) <= JOINED:
            self.channel.send(head + data + end, more=more)
        else:
            self.channel.send(*filter(None, (head, data, end)), more=more)
        if excess and not self.result_is_file():  # of a file, PEP 3333 wants so much and no more
            raise ValueError("the body is longer than its Content-Length")

    def finish_content(self) -> None:
        if not self.headers_sent:
            self.channel.send(self._begin(0))
        if self._chunked:
            self.channel.send(b"0\r\n\r\n")
        if self._owed and not self._bodiless:
            raise ValueError(f"the body is {self._owed} bytes shorter than its Content-Length")
        self._owed = 0

    def _begin(self, size: int | None) -> bytes:
        """The head of the response, when the body is about to begin.

        :param size: of the body, where it is known.
        """
        head = self._head
        if head is None:
            raise AssertionError("the application did not call start_response")
        channel = self.channel
        self.headers_sent = True
        if channel.last or not channel.protocol.complete:
            channel.keep = False
        length = head.length if head.length is not None else size
        self._bodiless = self._method == "HEAD" or head.bodiless
        framing = b""
        if self._bodiless:
            # RFC 9110 §8.6: never in a 204; elsewhere it tells what a GET would get.
            if head.code == "205":
                framing = b"Content-Length: 0\r\n"
            elif head.length is not None and head.code != "204":
                framing = b"Content-Length: %d\r\n" % head.length
            elif size and not head.bodiless:
                framing = b"Content-Length: %d\r\n" % size
        elif length is not None:
            self._owed = length
            framing = b"Content-Length: %d\r\n" % length
        elif self._modern:
            framing = b"Transfer-Encoding: chunked\r\n"
            self._chunked = True
        else:
            channel.keep = False
        if not channel.keep:
            framing += b"Connection: close\r\n"
        elif not self._modern:
            framing += b"Connection: keep-alive\r\n"
        return b"".join((head.data, server_and_date(head.sets), framing, b"\r\n"))

    def sendfile(self) -> bool:
        """Let the system send a ``wsgi.file_wrapper`` body, where it is a plain file."""
        head, channel = self._head, self.channel
        file = getattr(self.result, "filelike", None)
        plain = plain_file(file)
        if not isinstance(channel, Connection) or head is None or self.headers_sent:
            return False
        if file is None or plain is None:
            return False
        fd, place, size = plain
        if head.length is not None:
            if head.length > size:
                return False
            size = head.length
        if not size:  # or it is made as it is read, as those of /proc
            return False
        if size <= SMALL_FILE:
            self._write_whole([file.read(size)])
            return True
        data = self._begin(size)
        if self._bodiless:
            channel.send(data)
        else:
            channel.send_file(data, fd, place, size)
            self.bytes_sent = size
        return True

    def handle_error(self) -> None:
        """Log the error, and answer it where nothing was sent yet."""
        error = sys.exc_info()[1]
        line = printable(self.channel.head.line)
        if not isinstance(error, HTTPError):
            log.exception("Error in the application at %s", line)
        elif self.headers_sent:
            log.warning("The response to %s breaks off: %s", line, error)
        else:
            self.error_status = status_line(error.status)
            typed = any(name.lower() == "content-type" for name, _ in error.headers)
            self.error_headers = error.headers if typed else [TEXT, *error.headers]
            self.error_body = f"{error.detail}\n".encode()
        if self.headers_sent:
            self._break_off()
        else:
            self.result = self.error_output(self.environ, self.start_response)
            self.finish_response()
            self.result = None

    def _break_off(self) -> None:
        """End the connection, and the response with it, so that it does not look complete."""
        self.channel.keep = False
        unframed = self._owed is None and not (self._chunked or self._bodiless)
        if self.headers_sent and unframed:
            self.channel.abort()  # its end would be the body's
