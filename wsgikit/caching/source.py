"""What a cache stands before: the application, and how requests to it are told apart."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgikit.caching.flights import Flights
    from wsgikit.caching.shelf import Shelf
    from wsgikit.types import WSGIApplication, WSGIEnvironment

__all__ = ["Source", "finder"]


class Source:
    """The application, and what stands before it: where responses are kept, and who asks."""

    __slots__ = ("app", "clock", "flights", "max_size", "shelf")

    def __init__(
        self,
        app: WSGIApplication,
        shelf: Shelf,
        flights: Flights,
        max_size: int,
        clock: Callable[[], float],
    ) -> None:
        self.app = app
        self.shelf = shelf
        self.flights = flights
        self.max_size = max_size
        self.clock = clock


def finder(environ: WSGIEnvironment) -> Callable[[str], str | None]:
    """What gives the value of a request field by its name in lower case."""

    def find(name: str) -> str | None:
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        return environ.get(key)

    return find
