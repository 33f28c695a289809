"""What :pep:`3333` asks of a call, as a sentence about what breaks it; None where all is well."""

from __future__ import annotations

from wsgiref.util import is_hop_by_hop

from wsgikit.http.grammar import CONTROLS, check_name, check_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "body_fault",
    "call_fault",
    "content_length",
    "environ_fault",
    "headers_fault",
    "start_fault",
    "status_fault",
]

_REQUIRED = (
    "REQUEST_METHOD",
    "SERVER_NAME",
    "SERVER_PORT",
    "wsgi.version",
    "wsgi.url_scheme",
    "wsgi.input",
    "wsgi.errors",
    "wsgi.multithread",
    "wsgi.multiprocess",
    "wsgi.run_once",
)
_METHODS = {
    "wsgi.input": ("read", "readline", "readlines", "__iter__"),
    "wsgi.errors": ("flush", "write", "writelines"),
}


def call_fault(args: Sequence[object], options: Mapping[str, object]) -> str | None:
    """What is wrong with calling an application so."""
    if len(args) != 2 or options:
        return "an application is called with (environ, start_response), by position"
    if not callable(args[1]):
        return f"start_response is a function, not {args[1]!r}"
    return environ_fault(args[0])


def environ_fault(environ: object) -> str | None:
    """What is wrong with an environ."""
    if type(environ) is not dict:
        return f"environ is a dict, not {_kind(environ)}"
    for key in _REQUIRED:
        if key not in environ:
            return f"environ has no {key}"
    for key, value in environ.items():
        if type(key) is not str:
            return f"the keys of environ are str, not {key!r}"
        if "." not in key and not _is_native(value):
            return f"{key} is a str of Latin-1 characters, not {value!r}"
    for key in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
        if key in environ:
            return f"environ has {key}; it is called {key[5:]}"
    for key, methods in _METHODS.items():
        for method in methods:
            if not hasattr(environ[key], method):
                return f"{key} has no method {method}"
    if type(environ["wsgi.version"]) is not tuple:
        return f"wsgi.version is a tuple, not {environ['wsgi.version']!r}"
    if environ["wsgi.url_scheme"] not in ("http", "https"):
        return f"wsgi.url_scheme is http or https, not {environ['wsgi.url_scheme']!r}"
    return _request_fault(environ)


def _request_fault(environ: Mapping[str, str]) -> str | None:
    if not environ["REQUEST_METHOD"]:
        return "REQUEST_METHOD is empty"
    length = environ.get("CONTENT_LENGTH", "")
    if length and not _is_number(length):
        return f"CONTENT_LENGTH is a number or empty, not {length!r}"
    root, path = environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")
    if root and (not root.startswith("/") or root == "/"):
        return f"SCRIPT_NAME is empty or begins with a slash and is not one alone, not {root!r}"
    if path and not path.startswith("/") and path != "*":  # "*": OPTIONS of the server as a whole
        return f"PATH_INFO is empty or begins with a slash, not {path!r}"
    if not root and "PATH_INFO" not in environ:
        return "environ has neither SCRIPT_NAME nor PATH_INFO"
    return None


def start_fault(args: Sequence[object], options: Mapping[str, object]) -> str | None:
    """What is wrong with calling ``start_response`` so."""
    if len(args) not in (2, 3) or options:
        return "start_response is called with (status, headers[, exc_info]), by position"
    exc_info = args[2] if len(args) == 3 else None
    if exc_info is not None and not (type(exc_info) is tuple and len(exc_info) == 3):
        return f"exc_info is what sys.exc_info() returns, not {exc_info!r}"
    return status_fault(args[0]) or headers_fault(args[1])


def status_fault(status: object) -> str | None:
    """What is wrong with a status line."""
    if (
        type(status) is str
        and _is_native(status)
        and _is_number(status[:3])
        and status[0] != "0"
        and status[3:4] == " "
        and CONTROLS.isdisjoint(status)
    ):
        return None
    return f"a status is a str such as '200 OK', not {status!r}"


def headers_fault(headers: object) -> str | None:
    """What is wrong with a list of fields."""
    if type(headers) is not list:
        return f"headers are a list, not {_kind(headers)}"
    for field in headers:
        if type(field) is not tuple or len(field) != 2:
            return f"a field is a tuple (name, value), not {field!r}"
        name, value = field
        if type(name) is not str or type(value) is not str:
            return f"the name and the value of a field are str, not {field!r}"
        try:
            check_name(name)
            check_value(value, name)
        except ValueError as error:
            return str(error)
        if is_hop_by_hop(name) or name.lower() == "status":
            return f"the field {name} is the server's affair"
        if name.lower() == "content-length" and not _is_number(value):
            return f"Content-Length is a number, not {value!r}"
    return None


def body_fault(body: object) -> str | None:
    """What is wrong with what an application returns."""
    if isinstance(body, str | bytes):
        return f"the body is an iterable of bytes, not {_kind(body)}: [b'...'] is one"
    if not hasattr(body, "__iter__") and not hasattr(body, "__getitem__"):
        return f"the body is an iterable of bytes, not {body!r}"
    return None


def content_length(headers: Sequence[tuple[str, str]]) -> int | None:
    """The Content-Length among fields that have no fault; None where there is none."""
    for name, value in headers:
        if name.lower() == "content-length":
            return int(value[:18])
    return None


def _kind(value: object) -> str:
    return type(value).__name__


def _is_native(value: object) -> bool:
    return type(value) is str and (value.isascii() or max(value) <= "\xff")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
