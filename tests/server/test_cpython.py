"""CPython's own integration tests of ``wsgiref``, with our classes in the place of the stock ones.

They run as they stand in ``test.test_wsgiref``; only names that they find in that module differ. In
a few points they say of the bytes on the line, or of the log, what holds for the stock server only.
:func:`run_amock` bridges these, and nothing else:

- ours refuses lines that end with LF, and a head that does not end: the requests get CRLF;
- ours answers HTTP/1.1, says that it closes the connection, tells its name after the application's
  fields, and knows RFC 9110's phrase of 414;
- ours puts a space after the comma between the values of a repeated field;
- ours raises one ValueError for what the stock one has three assertions for: a malformed status;
- ours adds to a line of the access log how long the answer took.
"""

from __future__ import annotations

import io
import logging
import re
import sys
import unittest
from http import HTTPStatus
from platform import python_implementation

import pytest

from wsgikit.server import RequestHandler, Server, make_server

# Debian, for one, packs CPython's tests apart; .ci/run sees to it that they are there.
test_wsgiref = pytest.importorskip("test.test_wsgiref")

STOCK = f"WSGIServer/0.2 {python_implementation()}/{sys.version.split()[0]}"


class MockServer(Server):
    """As theirs: has no socket."""

    __init__ = test_wsgiref.MockServer.__init__
    server_bind = test_wsgiref.MockServer.server_bind


class MockHandler(RequestHandler):
    """As theirs: reads and writes files."""

    setup = test_wsgiref.MockHandler.setup
    finish = test_wsgiref.MockHandler.finish

    def get_environ(self):
        environ = super().get_environ()
        fields = {key: environ[key].replace(", ", ",") for key in environ if key[:5] == "HTTP_"}
        return environ | fields


def with_crlf(request: bytes) -> bytes:
    request = re.sub(b"\r?\n", b"\r\n", request)
    return request if request.endswith(b"\r\n\r\n") else request + b"\r\n\r\n"


def as_stock(answer: bytes) -> bytes:
    """Our bytes, as the stock server orders and spells them."""
    head, blank, body = answer.partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    version, code = status.split()[:2]
    assert version == "HTTP/1.1"
    fields.remove("Server: wsgikit")
    fields.remove("Connection: close")
    lines = [f"HTTP/1.0 {code} {HTTPStatus(int(code)).phrase}", f"Server: {STOCK}", *fields]
    return "\r\n".join(lines).encode("latin-1") + blank + body


STATUS_ERRORS = {
    "200": "Status must be at least 4 characters",
    "20X OK": "Status message must begin w/3-digit code",
    "200OK": "Status message must have a space after code",
}


def as_logged(log: str) -> str:
    """What ours logs, in the stock server's words."""
    log = re.sub(r" [0-9.]+ ms$", "", log, flags=re.MULTILINE)
    return re.sub(
        r"^ValueError: status takes three digits, a space and a phrase, not '(.*)'$",
        lambda matched: f"AssertionError: {STATUS_ERRORS[matched[1]]}",
        log,
        flags=re.MULTILINE,
    )


def run_amock(app=test_wsgiref.hello_app, data=b"GET / HTTP/1.0\n\n"):
    server = make_server("", 80, app, MockServer, MockHandler)
    out, log = io.BytesIO(), io.StringIO()
    told = logging.StreamHandler(log)
    logger = logging.getLogger("wsgikit")
    logger.addHandler(told)
    try:
        files = io.BufferedReader(io.BytesIO(with_crlf(data))), out
        server.finish_request(files, ("127.0.0.1", 8888))
    finally:
        logger.removeHandler(told)
    return as_stock(out.getvalue()), as_logged(log.getvalue())


NAMES = unittest.TestLoader().getTestCaseNames(test_wsgiref.IntegrationTests)


@pytest.mark.parametrize("name", NAMES)
def test_integration(name, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "wsgikit")
    for stock, ours in {
        "WSGIServer": Server,
        "WSGIRequestHandler": RequestHandler,
        "make_server": make_server,
        "run_amock": run_amock,
    }.items():
        assert hasattr(test_wsgiref, stock)
        monkeypatch.setattr(test_wsgiref, stock, ours)
    result = unittest.TestResult()
    test_wsgiref.IntegrationTests(name).run(result)
    assert not [text for _, text in result.errors + result.failures]
    assert result.testsRun == 1
    assert not result.skipped
