"""A request to the application, whose response is kept if it may be, or says that what is kept is
still good."""

from __future__ import annotations

from wsgikit.caching.entry import entry_of
from wsgikit.caching.recorded import Recorded, announced
from wsgikit.caching.send import send, status_field
from wsgikit.caching.source import finder
from wsgikit.failures import logged
from wsgikit.http.caching import freshened, terms
from wsgikit.http.etags import parse_etag
from wsgikit.keys import CSP_NONCE
from wsgikit.stores.protocol import StoreError
from wsgikit.wrap import Transformer, attempt, guard, is_file, transform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.caching.entry import Entry
    from wsgikit.caching.shelf import Found
    from wsgikit.caching.source import Source
    from wsgikit.http.caching import Terms
    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Fetch"]

# What the application may fail with while an older response stands in for it (RFC 5861 §4).
_ERRORS = ("500", "502", "503", "504")
# What says nothing of how the next one is answered.
_OF_CONDITIONS = ("206", "304", "412", "416")


class Fetch:
    """One request to the application.

    :param found: what is kept for this request, to be validated or replaced.
    :param way: the key of the flight for which it is remembered whether the response was kept.
    :param why: why the application is asked, as Cache-Status says it.
    """

    __slots__ = (
        "_environ",
        "_failed",
        "_found",
        "_given",
        "_received",
        "_recorded",
        "_requested",
        "_source",
        "_unchanged",
        "_validates",
        "_way",
        "_why",
    )

    def __init__(
        self, source: Source, found: Found, way: str, environ: WSGIEnvironment, why: str
    ) -> None:
        self._source = source
        self._found = found
        self._way = way
        self._environ = environ
        self._given = environ.copy()  # the application may change the one that it gets
        self._why = why
        self._requested = source.clock()
        self._received = self._requested
        self._validates = False
        # The entry that is good by a 304 and its fields, or stands in for an error and its status.
        self._unchanged: tuple[Entry, HeaderList] | None = None
        self._failed: tuple[Entry, str] | None = None
        self._recorded: Recorded | None = None

    def run(self, start_response: StartResponse) -> Body:
        """Answer as the application does, or with what is kept where that is good."""
        entry, environ = self._found.entry, self._environ
        if entry is not None and "HTTP_RANGE" not in environ:
            self._ask_whether_changed(entry)
        if entry is not None and self._stands_in(entry):
            stale = entry

            def rescue(error: Exception) -> WSGIApplication:
                return logged(self._standing_in(stale), error, "failed; an older response stood in")

            return guard(self._asked, environ, start_response, rescue)
        return self._asked(environ, start_response)

    def _ask_whether_changed(self, entry: Entry) -> None:
        """Put conditions of our own in the place of the client's (RFC 9111 §4.3.1)."""
        fields = {
            "HTTP_IF_NONE_MATCH": entry.field("etag"),
            "HTTP_IF_MODIFIED_SINCE": entry.field("last-modified"),
        }
        self._validates = any(fields.values())
        for key, value in fields.items():
            self._environ.pop(key, None)
            if value is not None:
                self._environ[key] = value

    def _asked(self, environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        def app(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
            body = self._source.app(environ, start_response)
            if self._recorded is not None:
                self._recorded.file = is_file(body, environ)
            return body

        def transformed(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
            return transform(app, environ, start_response, self._begin)

        body = attempt(transformed, environ, start_response, self._accept)
        if self._unchanged is not None:
            return self._send_validated(*self._unchanged, start_response)
        if self._failed is not None:
            return self._standing_in(*self._failed)(environ, start_response)
        return () if body is None else body

    def _accept(self, status: str, headers: HeaderList) -> bool:
        return self._unchanged is None and self._failed is None

    def _begin(self, status: str, headers: HeaderList) -> Transformer | None:
        """What to do with a response: for :func:`wsgikit.wrap.transform`."""
        self._received = self._source.clock()
        self._unchanged = self._failed = None
        code, entry = status[:3], self._found.entry
        if entry is not None:
            if code == "304" and self._validates:
                self._unchanged = entry, headers
                return None
            if code in _ERRORS and self._stands_in(entry):
                self._failed = entry, code
                return None
        if self._given["REQUEST_METHOD"] == "HEAD":
            if entry is not None and code == "200":
                self._compare(entry, headers)
            headers.append(self._status(code))
            return None
        kept = self._terms(int(code) if code.isdigit() else 0, headers)
        if kept is None or announced(headers) > self._source.max_size:
            if code not in _OF_CONDITIONS:
                self._source.flights.passed(self._way, False)
            headers.append(self._status(code))
            return None
        names = {name.lower() for name, _ in headers}
        headers += [field for field in kept.fields if field[0] == "Date" and "date" not in names]
        self._recorded = Recorded(
            headers,
            lambda content: self._keep_new(entry_of(status, kept, content, self._received), kept),
            lambda done: self._told(code, done),
            self._source.max_size,
        )
        return self._recorded

    def _terms(self, code: int, headers: HeaderList) -> Terms | None:
        given = self._given
        return terms(
            code,
            headers,
            authorized="HTTP_AUTHORIZATION" in given or bool(given.get("REMOTE_USER")),
            personal="HTTP_COOKIE" in given,
            requested=self._requested,
            received=self._received,
        )

    def _told(self, code: str, kept: bool) -> tuple[str, str]:
        if not kept:  # or not yet: nobody waits for a stream
            self._source.flights.passed(self._way, False)
        return self._status(code, kept)

    def _status(self, code: str, kept: bool = False) -> tuple[str, str]:
        validated = f"; fwd-status={code}" if self._validates else ""
        return status_field(f"fwd={self._why}{validated}{'; stored' if kept else ''}")

    def _keep_new(self, entry: Entry, kept: Terms) -> bool:
        """Keep a response that the application made; whether it is kept."""
        nonce = self._environ.get(CSP_NONCE)
        personal = nonce and (
            nonce.encode() in entry.body or any(nonce in value for _, value in entry.fields)
        )
        done = not personal and self._keep(entry, kept)
        self._source.flights.passed(self._way, done)
        return done

    def _keep(self, entry: Entry, kept: Terms) -> bool:
        find = finder(self._given)
        try:
            return self._source.shelf.keep(self._found, kept.vary, find, entry, self._received)
        except StoreError:
            return False

    def _stands_in(self, entry: Entry) -> bool:
        """Whether the entry may be used where the application fails."""
        over = entry.age(self._source.clock()) - entry.lifetime
        return bool(entry.if_error) and over < entry.if_error

    def _standing_in(self, entry: Entry, code: str = "") -> WSGIApplication:
        """What answers with the entry, as the application has failed: with a status, or without."""
        status = f"; fwd-status={code}" if code else ""
        told = f"fwd={self._why}{status}; detail=stale-if-error"

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
            age = entry.age(self._source.clock())
            return send(entry, self._given, start_response, age, told)

        return answer

    def _send_validated(
        self, entry: Entry, headers: HeaderList, start_response: StartResponse
    ) -> Body:
        """Answer after a 304 (RFC 9111 §4.3.3, §4.3.4)."""
        etag = parse_etag(entry.field("etag") or "")
        for name, value in headers:
            told = parse_etag(value) if name.lower() == "etag" else None
            if told is not None and etag is not None and not told.matches_weakly(etag):
                return self._again(start_response)
        cookies = [field for field in headers if field[0].lower() == "set-cookie"]
        others = [field for field in headers if field[0].lower() != "set-cookie"]
        fields = freshened(entry.fields, others, self._received)
        kept = self._terms(int(entry.status[:3]), fields)
        done = False
        if kept is None:
            self._forget()
            entry.fields = fields
        else:
            was_validated_always = entry.validates and kept.validates
            entry = entry_of(entry.status, kept, entry.body, self._received)
            done = not was_validated_always and self._keep(entry, kept)
        parameters = f"fwd={self._why}; fwd-status=304{'; stored' if done else ''}"
        age = entry.age(self._source.clock())
        return send(entry, self._given, start_response, age, parameters, cookies)

    def _again(self, start_response: StartResponse) -> Body:
        """Ask without conditions: the 304 was about something else (§4.3.4)."""
        self._found.entry = None
        self._validates = False
        for key in ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"):
            self._environ.pop(key, None)
        return self._asked(self._environ, start_response)

    def _compare(self, entry: Entry, headers: HeaderList) -> None:
        """Update or forget what is kept by the response to a HEAD (RFC 9111 §4.3.5)."""
        for name, value in headers:
            name = name.lower()
            if name in ("content-length", "etag", "last-modified") and entry.field(name) != value:
                self._forget()
                return
        kept = self._terms(200, freshened(entry.fields, headers, self._received))
        if kept is not None:
            self._keep(entry_of(entry.status, kept, entry.body, self._received), kept)

    def _forget(self) -> None:
        try:
            self._source.shelf.forget(self._found.key)
        except StoreError:
            pass
