"""What a loop asks of the server it works for: hooks of :mod:`socketserver`, and options."""

from __future__ import annotations

from collections.abc import Callable
from socket import socket as Socket
from typing import Any, Protocol

from wsgikit.server.limits import Limits
from wsgikit.server.listener import Listener
from wsgikit.server.opening import Opener
from wsgikit.server.poller import Poller


class Host(Protocol):
    """A :class:`~wsgikit.server.Server`, as its loop sees it."""

    listeners: list[Listener]
    listener: Listener
    opener: Opener | None
    limits: Limits
    threads: int
    stop_timeout: float
    base_environ: dict[str, Any]
    new_poller: Callable[[], Poller]
    RequestHandlerClass: Any

    def get_request(self) -> tuple[Socket, Any]: ...
    def verify_request(self, request: Any, client_address: Any) -> bool: ...
    def process_request(self, request: Any, client_address: Any) -> None: ...
    def finish_request(self, request: Any, client_address: Any) -> None: ...
    def shutdown_request(self, request: Any) -> None: ...
    def server_close(self) -> None: ...
    def handle_error(self, request: Any, client_address: Any) -> None: ...
