"""wsgikit: the web layer that Python's standard library lacks.

Everything is a WSGI callable (PEP 3333): applications answer, layers wrap applications, ``stack``
puts them in order, ``serve`` serves them. The public names load on first use.
"""

from __future__ import annotations

from wsgikit.lazy import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit import converters as converters
    from wsgikit import http as http
    from wsgikit.compose import layer as layer
    from wsgikit.compose import stack as stack
    from wsgikit.compose import when as when
    from wsgikit.converters import Converter as Converter
    from wsgikit.describe import describe as describe
    from wsgikit.doctor import check as check
    from wsgikit.flame import flame as flame
    from wsgikit.http.problem import HTTPError as HTTPError
    from wsgikit.lint import lint as lint
    from wsgikit.request import Request as Request
    from wsgikit.response import Response as Response
    from wsgikit.router import Router as Router
    from wsgikit.server import make_server as make_server
    from wsgikit.server import serve as serve
    from wsgikit.templates import templates as templates

__version__ = "0.1.0"

_EXPORTS = {
    "Converter": "converters",
    "HTTPError": "http.problem",
    "Request": "request",
    "Response": "response",
    "Router": "router",
    "check": "doctor",
    "converters": None,
    "describe": "describe",
    "flame": "flame",
    "http": None,
    "layer": "compose",
    "lint": "lint",
    "make_server": "server",
    "serve": "server",
    "stack": "compose",
    "templates": "templates",
    "when": "compose",
}

__all__ = ["__version__", *_EXPORTS]

lazy(__name__, _EXPORTS)
