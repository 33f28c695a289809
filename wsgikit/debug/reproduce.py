"""A request to take along: as a curl command, and as a test to run with WebTest."""

from __future__ import annotations

import re
import shlex
import sys
from types import FunctionType

from wsgikit import environ as env
from wsgikit.debug.redaction import HIDDEN, is_secret, redact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.types import WSGIApplication, WSGIEnvironment

__all__ = ["Recording", "as_curl", "as_test", "importable", "request_fields"]

#: How many bytes of a body are kept.
MAX_KEPT = 64 * 1024

# Fields that are of the connection or the browser, or that curl and WebTest write themselves.
_NOT_COPIED = re.compile(
    "host|connection|content-length|accept-encoding|upgrade-insecure-requests|priority|sec-.*|te"
    "|transfer-encoding|keep-alive|dnt",
    re.IGNORECASE,
)


class Recording:
    """A ``wsgi.input`` that keeps the first :data:`MAX_KEPT` bytes of what is read from it."""

    def __init__(self, stream: object) -> None:
        self._stream = stream
        self._kept = bytearray()
        #: How many bytes were read.
        self.size = 0

    def _keep(self, block: bytes) -> bytes:
        self.size += len(block)
        self._kept += block[: max(0, MAX_KEPT - len(self._kept))]
        return block

    def read(self, *size: int) -> bytes:
        """As the stream's own."""
        return self._keep(self._stream.read(*size))  # type: ignore[attr-defined]

    def readline(self, *size: int) -> bytes:
        """As the stream's own."""
        return self._keep(self._stream.readline(*size))  # type: ignore[attr-defined]

    def readlines(self, *hint: int) -> list[bytes]:
        """As the stream's own."""
        return [self._keep(line) for line in self._stream.readlines(*hint)]  # type: ignore

    def __iter__(self) -> Recording:
        return self

    def __next__(self) -> bytes:
        if line := self.readline():
            return line
        raise StopIteration

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def text(self, content_type: str) -> tuple[str | None, str]:
        """What was read, secrets hidden, and a remark; None for what cannot be shown as text."""
        if not self.size:
            return "", ""
        if self.size > MAX_KEPT:
            return None, f"the body is cut: {self.size} bytes were read"
        if content_type.lower().startswith("multipart/"):
            return None, f"the body is left out: {self.size} bytes of {content_type[:60]}"
        try:
            text = self._kept.decode("utf-8")
        except UnicodeDecodeError:
            text = "\0"
        if not text.isprintable() and set(text) & _CONTROLS:
            return None, f"the body is left out: {self.size} bytes that are no text"
        return redact(text), ""


_CONTROLS = {chr(code) for code in range(32)} - set("\t\r\n")


def request_fields(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    """The request's header fields as native strings, secrets hidden."""
    return [
        (name, HIDDEN if is_secret(name) else redact(value))
        for name, value in env.EnvironHeaders(environ).items()
    ]


def _copied(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, value in request_fields(environ)
        if not _NOT_COPIED.fullmatch(name) and env.text(value).isprintable()
    ]


def as_curl(environ: WSGIEnvironment, body: Recording) -> str:
    """The request as a command for a POSIX shell. Secrets are for the reader to fill in."""
    method = environ["REQUEST_METHOD"]
    text, remark = body.text(environ.get("CONTENT_TYPE", ""))
    parts = ["curl --globoff --path-as-is " + shlex.quote(redact(env.text(env.url(environ))))]
    if method == "HEAD":
        parts.append("--head")
    elif method != "GET" or text:
        parts.append(f"--request {shlex.quote(method)}")
    for name, native in _copied(environ):
        value = env.text(native)  # a terminal makes UTF-8 of it again
        # With nothing behind the colon, curl would leave the field out.
        parts.append("--header " + shlex.quote(f"{name}: {value}" if value else f"{name};"))
    if text:
        if not environ.get("CONTENT_TYPE"):
            parts.append("--header 'Content-Type:'")  # else curl would say that this is a form
        parts.append(f"--data-raw {shlex.quote(text)}")
    return (f"# {remark}\n" if remark else "") + " \\\n  ".join(parts) + "\n"


def as_test(environ: WSGIEnvironment, body: Recording, source: tuple[str, str] | None) -> str:
    """The request as a Python test that runs with WebTest, and fails as long as the error is there.

    ``source`` is the application's module and name, where they are known (:func:`importable`).
    """
    module, name = source or ("myproject", "app")
    method = environ["REQUEST_METHOD"]
    text, remark = body.text(environ.get("CONTENT_TYPE", ""))
    words = re.sub(r"[^a-z0-9]+", "_", f"{method} {environ.get('PATH_INFO', '')}".lower()[:60])
    lines = [
        "from webtest import TestApp",
        "",
        f"from {module} import {name}" + ("" if source else "  # your application"),
        "",
        "",
        f"def test_{words.strip('_')}() -> None:",
        *([f"    # {remark}"] if remark else []),
        f"    response = TestApp({name}).request(",
        f"        {redact(env.path_url(environ))!a},",
        f"        method={method!a},",
    ]
    if fields := _copied(environ):
        lines.append("        headers={")
        for field, value in fields:
            lines.append(f"            {field!a}: {value!a},")
        lines.append("        },")
    if text:
        lines.append(f"        body={text.encode()!a},")
    lines += ['        status="*",', "    )", "    assert response.status_int < 500", ""]
    return "\n".join(lines)


def importable(app: WSGIApplication) -> tuple[str, str] | None:
    """Where to import the stack from that ``app`` is in: module and name of the outermost part."""
    best, found = 0, None
    # A module that was also run as the program is better known by its name.
    for module_name, module in sorted(sys.modules.items(), key=lambda item: item[0] == "__main__"):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            depth = _depth(value, app) if isinstance(value, FunctionType) else 0
            if depth > best and (f"{module_name}.{name}").replace(".", "").isidentifier():
                best, found = depth, (module_name, name)
    if found and found[0] == "__main__":
        main = sys.modules["__main__"]
        spec = getattr(main, "__spec__", None)
        stem = re.split(r"[\\/]", str(getattr(main, "__file__", "app")))[-1].removesuffix(".py")
        return (spec.name if spec else stem), found[1]
    return found


def _depth(outer: object, app: WSGIApplication) -> int:
    """How many layers above ``app`` this is, itself counted; 0 where ``app`` is not in it."""
    for depth in range(1, 100):
        if outer is app:
            return depth
        # Layers are functions. Other objects are not asked: a proxy might do anything.
        if not isinstance(outer, FunctionType) or "__wrapped__" not in outer.__dict__:
            return 0
        outer = outer.__dict__["__wrapped__"]
    return 0
