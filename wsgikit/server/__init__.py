"""The server, on the classes of :mod:`wsgiref.simple_server`."""

from __future__ import annotations

from wsgikit.lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.server.handler import RequestHandler as RequestHandler
    from wsgikit.server.limits import Limits as Limits
    from wsgikit.server.run import make_server as make_server
    from wsgikit.server.run import serve as serve
    from wsgikit.server.server import Server as Server
    from wsgikit.server.tls import TLS as TLS
    from wsgikit.server.worker import WorkerError as WorkerError

_EXPORTS = {
    "Limits": "limits",
    "RequestHandler": "handler",
    "Server": "server",
    "TLS": "tls",
    "WorkerError": "worker",
    "make_server": "run",
    "serve": "run",
}

__all__ = list(_EXPORTS)

lazy(__name__, _EXPORTS)
