"""How long responses may be kept, and by whom: Cache-Control by rule (RFC 9111 §5.2)."""

from __future__ import annotations

from wsgikit.arguments import check_mapping
from wsgikit.compose import layer
from wsgikit.environ import native
from wsgikit.http.cache_control import additions, check_cache_control, parse_cache_control
from wsgikit.http.grammar import OWS, is_token
from wsgikit.remembered import Remembered
from wsgikit.wrap import on_each_start, on_start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["cache_control"]

#: What has to stand outside of this layer, and why.
ORDER = {
    "inside": {
        "compress": "its no-transform would come too late",
        "conditional": "a 304 has to have the Cache-Control of the 200",
        "etag": "what must not be stored would be given a tag",
    }
}

# For what is of one person: directives that let caches of many keep it.
_SHARED = frozenset(["public", "s-maxage", "proxy-revalidate"])
# Fields that say something of how long a response lasts, and usual ones that do not.
_TOLD = frozenset(["cache-control", "content-type", "expires", "set-cookie"])
_OTHERS = frozenset(["Content-Length", "Date", "ETag", "Last-Modified", "Location", "Vary"])
# How many values of Content-Type are remembered with what is said of them.
_MOST_KNOWN = 100


@layer
def cache_control(app: WSGIApplication, *, rules: Mapping[str, str]) -> WSGIApplication:
    """Responses to GET and HEAD say how long they may be kept, and by whom.

    :param rules: directives by what they are for: ``{"/api/*": "no-store", "*": "no-cache"}``. The
        first rule that fits counts. ``"/about"`` is a path, ``"/api/*"`` all paths that begin so;
        ``"text/html"`` and ``"image/*"`` are media types; ``"*"`` is everything.
    :raises ValueError: for a rule for anything else, and for directives that are none.
    :raises TypeError: for rules that are no mapping of text to text.

    Paths are as this layer finds them: PATH_INFO. Rules are for successful responses and for 304;
    errors and redirects say for themselves how long they last. The application knows better: of a
    rule is added what neither repeats nor contradicts the response's own directives, and an Expires
    counts as a ``max-age``.

    What is of one person is not left to caches of many: where the request has an Authorization, or
    the response sets a cookie, a rule says ``private`` in place of ``public`` and ``s-maxage``.

    A 304 without a Content-Type gets what its path says. Where a media type would decide, it gets
    nothing: a cache keeps what it has.
    """
    check_mapping("rules", rules, "paths and media types to directives")
    checked = [_checked(key, text) for key, text in rules.items()]
    # How the paths begin that may have a rule of their own.
    starts = tuple(
        [key.rstrip("*") for of_media, key, *_ in checked if not of_media and key != "*"]
    )

    def find(path: str, media: str | None) -> _Directives | None:
        """What to say of a path and a media type, which is None where it is not known."""
        for of_media, exact, start, directives in checked:
            name = media if of_media else path
            if name is None:
                return None
            if name == exact or (start is not None and name.startswith(start)):
                return directives
        return None

    def add(
        status: str, headers: HeaderList, path: str, authorized: bool
    ) -> tuple[str, HeaderList]:
        unchanged = status[:3] == "304"
        if status[:1] != "2" and not unchanged:
            return status, headers
        media = None if unchanged else ""
        personal, expires = authorized, False
        own = []
        for name, value in headers:
            name = name.lower()
            if name == "content-type":
                media = _media(value)
            elif name == "set-cookie":
                personal = True
            elif name == "cache-control":
                own.append(value)
            elif name == "expires":
                expires = True
        directives = find(path, media)
        if directives is not None:
            directives.add(headers, own, personal, expires)
        return status, headers

    def find_usual(content_type: str) -> HeaderList:
        """The field for content of many, of a path that no rule is for."""
        directives = find("", _media(content_type))
        return [] if directives is None else [directives.field]

    usual = Remembered(find_usual, _MOST_KNOWN)

    def add_usual(status: str, headers: HeaderList) -> tuple[str, HeaderList]:
        """The same in a third of the time, for a path without a rule and content of many."""
        if not "2" <= status < "3":
            return add(status, headers, "", False)
        content_type = ""
        for name, value in headers:
            if name == "Content-Type":
                content_type = value
            elif name not in _OTHERS and name.lower() in _TOLD:
                return add(status, headers, "", False)
        headers += usual[content_type]
        return status, headers

    around = on_each_start(add_usual)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return app(environ, start_response)
        path = environ.get("PATH_INFO", "")
        authorized = "HTTP_AUTHORIZATION" in environ
        if not authorized and not path.startswith(starts):
            return app(environ, around(start_response))

        def edit(status: str, headers: HeaderList) -> tuple[str, HeaderList]:
            return add(status, headers, path, authorized)

        return app(environ, on_start(start_response, edit))

    return answer


def _media(content_type: str) -> str:
    return content_type.partition(";")[0].strip(OWS).lower()


def _checked(key: str, text: str) -> tuple[bool, str, str | None, _Directives]:
    """Whether a rule is for a media type, what it is for, how that begins, and what to say."""
    if not isinstance(key, str) or not isinstance(text, str):
        raise TypeError(f"rules maps text to text, not {key!r} to {text!r}")
    kind, _, subtype = key.partition("/")
    of_media = kind not in ("", "*")
    sound = is_token(kind) and is_token(subtype) if of_media else key == "*" or kind == ""
    if not key or not sound or "*" in key.removesuffix("*"):
        raise ValueError(
            f"rules takes paths, media types and '*', such as '/a/*' and 'image/*', not {key!r}"
        )
    exact = key.lower() if of_media else native(key)
    start = exact[:-1] if exact.endswith("*") else None
    return of_media, exact, start, _Directives(check_cache_control(text))


class _Directives:
    """What a rule says, of what is for many and of what is for one person."""

    __slots__ = ("_private", "_public", "field")

    def __init__(self, public: dict[str, str]) -> None:
        self.field = ("Cache-Control", ", ".join(public.values()))
        self._public = public
        self._private = public
        if "no-store" not in public:
            rest = {name: text for name, text in public.items() if name not in _SHARED}
            self._private = {"private": "private", **rest}

    def add(self, headers: HeaderList, own: list[str], personal: bool, expires: bool) -> None:
        """Add to the fields what goes with a response's own directives."""
        if not own and not personal and not expires:
            headers.append(self.field)
            return
        known = parse_cache_control(", ".join(own))
        if expires:
            known.setdefault("max-age", "")
        directives = self._private if personal else self._public
        added = [directives[name] for name in additions(known, directives)]
        if added:
            headers[:] = [field for field in headers if field[0].lower() != "cache-control"]
            headers.append(("Cache-Control", ", ".join([*filter(None, own), *added])))
