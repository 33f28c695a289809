"""What the server does with one request: a subclass of ``wsgiref``'s ``WSGIRequestHandler``."""

from __future__ import annotations

import logging
from functools import cached_property
from socketserver import ThreadingMixIn
from time import monotonic
from wsgiref.simple_server import WSGIRequestHandler
from wsgiref.util import FileWrapper

from wsgikit import keys
from wsgikit.http.problem import HTTPError
from wsgikit.server.access import access, log_access
from wsgikit.server.blocking import BlockingChannel
from wsgikit.server.connection import Connection
from wsgikit.server.limits import Limits
from wsgikit.server.preamble import SOFTWARE, refusal
from wsgikit.server.writer import ResponseWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wsgikit.types import WSGIEnvironment

log = logging.getLogger("wsgikit.server")

#: What is the same in each environ of a server.
BASE_ENVIRON = {
    "GATEWAY_INTERFACE": "CGI/1.1",
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": SOFTWARE,
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.multithread": False,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
    keys.FILE_WRAPPER: FileWrapper,
    keys.INPUT_TERMINATED: True,
}


class RequestHandler(WSGIRequestHandler):
    """Answers one request with the server's application.

    A :class:`~wsgikit.server.Server` makes one for each request, with the connection that the
    request came on as its ``request``. Under a stock server it gets a socket: it reads one request
    from it, answers it, and leaves the connection to be closed.

    To be extended: :meth:`get_environ` and :meth:`log_request`. Each request is one line of the
    logger ``wsgikit.access``, unless the layer ``access_log`` writes one.
    """

    server: Any  # our own server, or a stock one
    protocol_version = "HTTP/1.1"
    server_version = SOFTWARE
    disable_nagle_algorithm = True
    #: Seconds of silence, where a stock server gives it a socket.
    timeout = 30.0

    def __init__(self, request: Any, client_address: Any, server: Any) -> None:
        if not isinstance(request, Connection):
            super().__init__(request, client_address, server)
            return
        # The request has been read, so there is nothing to set up and to finish.
        self.request = request
        self.client_address = client_address
        self.server = server
        self.began = request.began
        request.keep = (
            request.head.keep_alive
            and request.requests < request.limits.requests
            and not server.stopping
        )
        self.respond(request)

    def handle(self) -> None:
        """Read one request from a socket and answer it."""
        base = BASE_ENVIRON | self.server.base_environ
        base.pop("CONTENT_LENGTH", None)  # the stock server's is empty
        base["wsgi.multithread"] = isinstance(self.server, ThreadingMixIn)
        limits = getattr(self.server, "limits", Limits())
        channel = BlockingChannel(self.rfile, self.wfile, base, limits)
        self.began = monotonic()
        try:
            if channel.read_head():
                self.respond(channel)
        except HTTPError as error:
            channel.send(refusal(error, channel.protocol.line))
            log_access(self.client_address, channel.protocol.line, error.status, 0, 0.0)
        except OSError:
            pass  # the client went away, or was silent for too long

    def respond(self, channel: Connection | BlockingChannel) -> None:
        """Answer the request, and leave the connection at the next one or to be closed."""
        self.head = channel.head
        self.requestline = self.head.line
        environ = self.get_environ()
        writer = ResponseWriter(channel, environ, self.get_stderr())
        writer.run(self.server.get_app())
        if keys.LOGGED not in environ:  # else the application's own log has the line
            status = writer.status if writer.headers_sent else None
            self.log_request(status[:3] if status else "-", writer.bytes_sent)

    # What http.server has of a request: cut out of its line when somebody asks.

    @cached_property
    def command(self) -> str:  # type: ignore[override]
        return self.requestline.split(" ")[0]

    @cached_property
    def path(self) -> str:  # type: ignore[override]
        return self.requestline.split(" ")[1]

    @cached_property
    def request_version(self) -> str:  # type: ignore[override]
        return self.requestline.split(" ")[2]

    def get_environ(self) -> WSGIEnvironment:
        """The request's environ, as PEP 3333 and the server's ``base_environ`` have it."""
        environ = self.head.environ
        client = self.client_address
        if client:
            environ["REMOTE_ADDR"] = client[0]
            environ["REMOTE_PORT"] = str(client[1])
        return environ

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One line: client, request line (escaped), status, bytes of the body, milliseconds."""
        if access.isEnabledFor(logging.INFO):
            took = monotonic() - self.began
            log_access(self.client_address, self.requestline, code, size, took)

    def log_message(self, format: str, *args: object) -> None:
        log.debug(format, *args)

    def version_string(self) -> str:
        return self.server_version
