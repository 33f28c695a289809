"""Real connections for tests: an application served on a free port while a ``with`` block runs."""

from __future__ import annotations

from contextlib import contextmanager

from wsgikit.server.run import make_server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from wsgikit.server.server import Server
    from wsgikit.types import WSGIApplication


@contextmanager
def serving(app: WSGIApplication, host: str = "127.0.0.1") -> Iterator[Server]:
    """Serve ``app`` on a free port in a thread; the server stops at the end of the block.

    :param app: any WSGI callable.
    :param host: the address to listen on.
    :returns: the server; its ``url``, ``host`` and ``port`` are for the client.
    :raises TypeError: ``app`` is not callable.

    Errors of the application are logged with their traceback (logger ``wsgikit.server``), which
    pytest shows and its ``caplog`` holds. A request that hangs is cut after five seconds more::

        with serving(app) as server:
            assert urlopen(server.url).status == 200
    """
    with make_server(host, 0, app) as server:
        server.stop_timeout = 5.0
        yield server.start()
