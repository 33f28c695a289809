"""One response: what an application says, put on the connection so that the next one is safe.

PEP 3333; RFC 9112, sections 6 (message body), 7.1 (chunked) and 9.3 (persistence); RFC 9110,
section 6.4.1 (responses without content). A subclass of :class:`wsgiref.handlers.SimpleHandler`.
"""

from __future__ import annotations

import logging
import sys
from wsgiref.handlers import SimpleHandler
from wsgiref.util import is_hop_by_hop

from wsgikit import keys
from wsgikit.http.grammar import OWS, check_name, check_value
from wsgikit.server.body import Disconnected

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import BinaryIO, TypeAlias
    from wsgiref.headers import Headers

    from wsgikit.types import HeaderList, WSGIApplication, WSGIEnvironment

    ExcInfo: TypeAlias = (
        tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
    )

log = logging.getLogger("wsgikit.server")

# A block is sent in pieces of this size: a socket's timeout counts for a whole sendall, and a slow
# reader of a large block is not a silent one.
PIECE = 65536


class ResponseWriter(SimpleHandler):
    """Runs an application for one request and sends what it answers.

    A body without Content-Length is sent chunked to HTTP/1.1 clients, and until the connection
    closes to others. HEAD, 204 and 304 have none. A body that is shorter or longer than its
    Content-Length, or an error after the head was sent, is logged and ends the connection; an error
    before is answered by 500.
    """

    environ: WSGIEnvironment
    headers: Headers | None
    headers_sent: bool
    status: str | None

    os_environ: dict[str, str] = {}  # the process's environment is nobody's request
    http_version = "1.1"
    server_software = "wsgikit"

    def __init__(
        self,
        stdin: BinaryIO,
        stdout: BinaryIO,
        environ: dict[str, str],
        *,
        keep_alive: bool,
        multithread: bool,
    ) -> None:
        super().__init__(stdin, stdout, sys.stderr, environ, multithread=multithread)
        #: May the connection carry another request? To begin with: does the client want it.
        self.keep_alive = keep_alive
        # Read now: the application may change its environ.
        self._method = environ["REQUEST_METHOD"]
        self._modern = environ["SERVER_PROTOCOL"] == "HTTP/1.1"
        self._line = f"{self._method} {environ['REQUEST_URI']}"
        self._pending: list[bytes] = []
        self._bodiless = self._chunked = False
        self._owed: int | None = None  # what is still to come of the Content-Length

    def run(self, application: WSGIApplication) -> None:
        """Answer with ``application``; nothing is raised for what it or the client does wrong."""
        try:
            try:
                self._respond(application)
            except Disconnected:
                raise
            except (Exception, SystemExit):
                self.handle_error()
        except Disconnected:
            self.keep_alive = False

    def _respond(self, application: WSGIApplication) -> None:
        self.setup_environ()
        self.environ[keys.INPUT_TERMINATED] = True
        try:
            self.result = application(self.environ, self.start_response)
            self.finish_response()
        finally:
            close = getattr(self.result, "close", None)
            if close is not None:
                close()

    def start_response(
        self, status: str, headers: HeaderList, exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], None]:
        """As PEP 3333 says; ValueError for what would break the framing or inject a field."""
        check_value(status.strip(OWS), "the status")
        if status[:1] == "1":
            raise ValueError(f"status {status!r} is no final response")
        lengths = []
        for name, value in headers:
            check_value(value.strip(OWS), name)
            if is_hop_by_hop(check_name(name)):
                raise ValueError(f"{name} is the server's to set")
            if name.lower() == "content-length":
                lengths.append(value)
        if len(lengths) > 1 or not all(text.isascii() and text.isdigit() for text in lengths):
            raise ValueError(f"Content-Length is one decimal number, not {', '.join(lengths)}")
        super().start_response(status, list(headers), exc_info)
        return self.write

    def finish_response(self) -> None:
        """Send the body; where the response has none, no more than its first block is asked for."""
        for block in self.result:
            self.write(block)
            if self.headers_sent and self._bodiless:
                break
        self.finish_content()

    def write(self, data: bytes) -> None:
        if type(data) is not bytes:
            raise TypeError(f"the blocks of a body are bytes, not {type(data).__name__}")
        if not data:
            return  # PEP 3333: the head waits for the first block that has something in it
        if not self.headers_sent:
            self.bytes_sent = len(data)  # what set_content_length goes by
            self.send_headers()
            self.bytes_sent = 0
        if not self._bodiless:
            self._write_block(data)

    def _write_block(self, data: bytes) -> None:
        excess = False
        if self._owed is not None:
            excess = len(data) > self._owed
            data = data[: self._owed]
            self._owed -= len(data)
        self._write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
        self._flush()
        self.bytes_sent += len(data)
        if excess:
            raise ValueError("the body is longer than its Content-Length")

    def finish_content(self) -> None:
        if not self.headers_sent:
            self.bytes_sent = 0
            self.send_headers()
        if self._chunked:
            self._write(b"0\r\n\r\n")
        self._flush()
        if self._owed:
            raise ValueError(f"the body is {self._owed} bytes shorter than its Content-Length")

    def cleanup_headers(self) -> None:
        if self.headers is None or self.status is None:
            raise RuntimeError("the application did not call start_response")
        code, headers = self.status[:3], self.headers
        self._bodiless = self._method == "HEAD" or code in ("204", "304")
        if code == "204":
            del headers["Content-Length"]  # RFC 9110 §8.6
        elif "Content-Length" not in headers and code != "304":
            if self.bytes_sent:
                self.set_content_length()
            elif not self._bodiless:
                headers["Content-Length"] = "0"
        length = headers["Content-Length"]
        if self._bodiless:
            pass
        elif length is not None:
            self._owed = int(length)
        elif self._modern:
            headers["Transfer-Encoding"] = "chunked"
            self._chunked = True
        else:
            self.keep_alive = False
        if not self.keep_alive:
            headers["Connection"] = "close"
        elif not self._modern:
            headers["Connection"] = "keep-alive"

    def client_is_modern(self) -> bool:
        return True  # HTTP/0.9 was refused, and the environ may no longer say

    def send_continue(self) -> None:
        """Ask for the body, unless the response has begun."""
        if not self.headers_sent:
            self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._flush()

    def _write(self, data: bytes) -> None:
        self._pending.append(data)

    def _flush(self) -> None:
        """Send head and block in one piece."""
        block = memoryview(b"".join(self._pending))
        self._pending.clear()
        try:
            for start in range(0, len(block), PIECE):
                self.stdout.write(block[start : start + PIECE])
        except OSError as error:
            raise Disconnected("the client stopped reading the response") from error

    def handle_error(self) -> None:
        line = self._line.encode("unicode_escape").decode()
        log.exception("Error in the application at %s", line)
        if self.headers_sent:
            self.keep_alive = False
        else:
            self.result = self.error_output(self.environ, self.start_response)
            self.finish_response()
