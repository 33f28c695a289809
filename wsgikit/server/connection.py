"""A connection: requests read one after another, each answered by the server's application.

RFC 9112, section 9 (connection management). A subclass of
:class:`wsgiref.simple_server.WSGIRequestHandler`.
"""

from __future__ import annotations

import logging
import socket
from io import BufferedReader
from socketserver import ThreadingMixIn
from time import monotonic
from wsgiref.simple_server import WSGIRequestHandler

from wsgikit.http.problem import HTTPError
from wsgikit.server.body import RequestBody
from wsgikit.server.head import RequestHead, parse_head
from wsgikit.server.threaded import Server
from wsgikit.server.writer import ResponseWriter

log = logging.getLogger("wsgikit.server")
access = logging.getLogger("wsgikit.access")

#: A longer request head is refused by 431 (414 where the request line alone is longer).
MAX_HEAD = 65536
#: What an application left of a body is read up to this length; beyond, the connection closes.
MAX_DRAIN = 262144
#: Seconds in which a client that still sends can take note that it was refused.
LINGER = 1.0


class RequestHandler(WSGIRequestHandler):
    """Handles one connection of a :class:`~wsgikit.server.threaded.Server`, request by request.

    HTTP/1.1 connections stay open for more requests. Malformed requests are refused and end the
    connection; so do bodies with a Transfer-Encoding (411). Each request is one line of the logger
    ``wsgikit.access``.
    """

    protocol_version = "HTTP/1.1"
    server_version = "wsgikit"
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(self.server.connection_timeout)

    def handle(self) -> None:
        self.close_connection = False
        try:
            while not self.close_connection:
                self.handle_one_request()
        except OSError:
            pass  # the client went away, or was silent for too long

    def handle_one_request(self) -> None:
        # What send_error and log_request go by where there is no proper head.
        self.command, self.requestline, self.request_version = "", "", "HTTP/1.1"
        try:
            data = self.read_head()
            if not data:
                self.close_connection = True
                return
            self.requestline = data.partition(b"\r\n")[0].decode("latin-1")
            head = parse_head(data)
        except HTTPError as error:
            self.send_error(error.status, explain=error.detail)
            self.linger()
            return
        self.respond(head)

    def read_head(self) -> bytes:
        """The lines of a request head; nothing where the client is done."""
        lines: list[bytes] = []
        room = MAX_HEAD
        self.server.mark(self.connection, idle=True)
        while room:
            line = self.rfile.readline(room)
            self.began = monotonic()
            if not line:
                return b""
            if not lines:
                self.server.mark(self.connection, idle=False)
            room -= len(line)
            if line[-2:] == b"\r\n":
                if len(line) > 2:
                    lines.append(line)
                elif lines:  # RFC 9112 §2.2: empty lines before a request are nothing
                    return b"".join(lines)
            elif line[-1:] == b"\n":
                raise HTTPError(400, "A line ends with CRLF.")
        raise HTTPError(431 if lines else 414, f"A request head has at most {MAX_HEAD} bytes.")

    def respond(self, head: RequestHead) -> None:
        """Answer one request, and leave the connection at the next one or to be closed."""
        body = RequestBody(self.rfile, head.length)
        writer = ResponseWriter(
            BufferedReader(body),
            self.wfile,  # type: ignore[arg-type]  # writes and flushes, and no more is asked
            self.server.base_environ | head.environ() | self.peer(),
            keep_alive=head.keep_alive and not self.server.stopping,
            multithread=isinstance(self.server, ThreadingMixIn),
        )
        if head.expects_continue:
            body.ask = writer.send_continue
        writer.run(self.server.get_app())  # type: ignore[arg-type]  # None fails as others do: 500
        status = writer.status if writer.headers_sent else None
        self.log_request((status or "-")[:3], writer.bytes_sent)
        self.close_connection = not (writer.keep_alive and body.drain(MAX_DRAIN))
        if self.close_connection and body.remaining:
            self.linger()

    def peer(self) -> dict[str, str]:
        """Who is at the other end, as environ keys."""
        host, port = self.client_address[:2]
        return {"REMOTE_ADDR": host, "REMOTE_PORT": str(port), "SERVER_SOFTWARE": "wsgikit"}

    def linger(self) -> None:
        """Half-close and read on for a moment: a reset would take the answer from the client.

        RFC 9112, section 9.6.
        """
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(LINGER)
        end = monotonic() + LINGER
        while monotonic() < end and self.connection.recv(65536):
            pass

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One line: client, request line (escaped), status, bytes of the body, milliseconds."""
        if access.isEnabledFor(logging.INFO):
            line = self.requestline.encode("unicode_escape").decode().replace('"', '\\"')
            took = 1000 * (monotonic() - self.began)
            access.info('%s "%s" %s %s %.1f ms', self.client_address[0], line, code, size, took)

    def log_message(self, format: str, *args: object) -> None:
        log.debug(format, *args)

    def version_string(self) -> str:
        return self.server_version
