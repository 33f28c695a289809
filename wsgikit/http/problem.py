"""The one exception that carries an HTTP answer, and its problem details (RFC 9457)."""

from __future__ import annotations

from wsgikit.http.grammar import check_name, check_value
from wsgikit.http.status import status_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class HTTPError(Exception):
    """Raised anywhere inside a view, it is answered with this status instead of the view's result.

    :param status: an error status, 400 to 599.
    :param detail: what went wrong this time, for the person who reads the answer (RFC 9457 §3.1.4).
    :param headers: header fields of the answer, as (name, value) pairs or a mapping: ``Allow``
        for a 405, ``Retry-After`` for a 503.
    :param title: what went wrong in general; the status phrase when it is None (§3.1.3).
    :param type: a URI that identifies the kind of problem (§3.1.1).
    :param extensions: more members of the problem, with values that JSON can hold (§3.2). The
        members named here win over extensions of the same name.
    :raises ValueError: when ``status`` is not in range, or a header is not fit to be sent.
    :raises TypeError: when a text is no ``str``.

    The parameters are attributes too; ``headers`` is a list of pairs, ``extensions`` a dict.
    """

    status: int
    detail: str
    headers: list[tuple[str, str]]
    title: str
    type: str
    extensions: dict[str, object]

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        title: str | None = None,
        type: str = "about:blank",
        extensions: Mapping[str, object] | None = None,
    ) -> None:
        line = status_line(status)
        if status < 400:
            raise ValueError(f"status of an HTTPError is from 400 to 599, not {status}")
        if not isinstance(detail, str):
            raise TypeError(f"detail is a str, not {detail!r}")
        if title is None:
            title = line[4:]
        elif not isinstance(title, str):
            raise TypeError(f"title is a str or None, not {title!r}")
        if not isinstance(type, str):
            raise TypeError(f"type is a str, not {type!r}")
        # What the exception is pickled and copied with, together with its attributes.
        super().__init__(status, detail)
        self.status = int(status)
        self.detail = detail
        self.title = title
        self.type = type
        self.headers = _checked(headers) if headers else []
        self.extensions = {} if extensions is None else dict(extensions)
        for name in self.extensions:
            if not isinstance(name, str):
                raise TypeError(f"names in extensions are str, not {name!r}")

    def __str__(self) -> str:
        line = f"{self.status} {self.title}"
        return f"{line}: {self.detail}" if self.detail else line

    def problem(self) -> dict[str, object]:
        """The members of the problem details object, ready for ``application/problem+json``."""
        members: dict[str, object] = {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        return members | self.extensions | members


class MissingField(HTTPError, KeyError):
    """What a view read by its name with ``[]`` and the client did not send: answered by a 400.

    Raised for fields of a query or a form, header fields and cookies. It is a :class:`KeyError` as
    well, as for every mapping; ``get()`` and ``in`` are there for what may be left out.
    """


def _checked(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    pairs = headers.items() if hasattr(headers, "items") else headers
    return [(check_name(name), check_value(value, name)) for name, value in pairs]
