from __future__ import annotations

import os
import zlib
from http.client import HTTPConnection, HTTPException
from time import monotonic, sleep

import pytest

import wsgikit.middleware
from tests.matrix.applications import APPLICATIONS, GREETING, digest
from tests.matrix.rows import ALL, ROWS
from tests.matrix.servers import SERVERS, running

UPLOAD = bytes(range(256)) * 300
# How long an answer may take on a machine that is busy; it is not waited for longer.
PATIENCE = 30


@pytest.fixture(
    scope="module", params=[(s, a) for s in SERVERS for a in APPLICATIONS], ids="-".join
)
def served(request, tmp_path_factory):
    server, application = request.param
    place = tmp_path_factory.mktemp(f"{server}-{application}")
    os.mkfifo(place / "go")
    (place / "public").mkdir()
    (place / "ledger").touch()
    with running(server, application, place) as process:
        client = Client(process, place)
        yield client
        client.connection.close()


class Client:
    """Asks a server, one request after the other, over one connection if the server keeps it."""

    def __init__(self, process, place):
        self.process, self.place = process, place
        self.connection = HTTPConnection("127.0.0.1", process.port, timeout=PATIENCE)

    def send(self, name, method, path, body=None, **fields):
        fields = {"X-Row": name, **ALL[name].sent, **fields}
        self.connection.request(method, path, body, fields)
        return self.connection.getresponse()

    def ask(self, name, method, path, body=None, **fields):
        response = self.send(name, method, path, body, **fields)
        return response, decoder(response)(response.read())

    def go(self):
        """Let the stream go on; the application may not have come there yet."""
        with open(self.place / "go", "wb"):
            pass

    def marks(self):
        return (self.place / "ledger").read_bytes()


def decoder(response):
    if response.headers.get("Content-Encoding") == "gzip":
        return zlib.decompressobj(31).decompress
    return bytes


def fits(name, response, *apart):
    for field, value in ALL[name].fields.items():
        if field in apart:
            continue
        assert value in response.headers.get(field, ""), (field, str(response.headers))


@pytest.mark.parametrize("name", ALL)
def test_a_layer_around_an_application_under_a_server(served, name):
    before = len(served.marks())
    try:
        for check in CHECKS:
            check(served, name)
        all_closed_once(served, before)
    except BaseException:
        served.connection.close()
        print("".join(served.process.printed[-50:]))
        raise


def a_page_is_whole(client, name):
    response, body = client.ask(name, "GET", "/hello")
    assert (response.status, body.decode()) == (200, GREETING)
    assert response.headers["Content-Type"].startswith("text/plain")
    fits(name, response)


def head_has_no_content(client, name):
    response, body = client.ask(name, "HEAD", "/hello")
    assert (response.status, body) == (200, b"")
    assert response.headers["Content-Length"] in (None, str(len(GREETING)))
    # On a connection that is kept, content would be taken for the next response.
    a_page_is_whole(client, name)


def what_is_known_is_not_sent_again(client, name):
    response, body = client.ask(name, "GET", "/tagged")
    assert (response.status, body.decode()) == (200, GREETING)
    tag = response.headers["ETag"]
    response, body = client.ask(name, "GET", "/tagged", **{"If-None-Match": tag})
    assert (response.status, body, response.headers["ETag"]) == (304, b"", tag)


def blocks_come_when_they_are_made(client, name):
    response = client.send(name, "GET", "/stream")
    decode, content = decoder(response), b""
    while content != b"first\n":
        block = response.read1(1000)
        assert block, "the first block did not come, and the end did"
        content += decode(block)
    client.go()
    assert decode(response.read()) == b"second\nthird\n"


def an_upload_is_whole(client, name):
    response, body = client.ask(
        name, "POST", "/upload", UPLOAD, **{"Content-Type": "application/octet-stream"}
    )
    assert (response.status, body.decode()) == (200, digest(UPLOAD))


def an_error_is_answered(client, name):
    try:
        response, body = client.ask(name, "GET", "/error")
    except HTTPException:  # the server has none of its own
        client.connection.close()
        assert not ALL[name].answers
    else:
        assert response.status == 500
        if ALL[name].answers:
            fits(name, response, "Content-Encoding", "ETag")  # of what is small, of what is well
            assert body
        else:  # the server's own answer may end the connection without a word
            client.connection.close()
    a_page_is_whole(client, name)


CHECKS = [
    a_page_is_whole,
    head_has_no_content,
    what_is_known_is_not_sent_again,
    blocks_come_when_they_are_made,
    an_upload_is_whole,
    an_error_is_answered,
]


def all_closed_once(client, before):
    """Servers close a body after they have sent it, so the client may be ahead of them."""
    end = monotonic() + PATIENCE
    while (marks := client.marks()[before:]).count(b"c") < marks.count(b"o"):
        assert monotonic() < end, f"a body was not closed: {marks}"
        sleep(0.002)
    assert marks.count(b"c") == marks.count(b"o"), f"a body was closed twice: {marks}"
    assert marks.count(b"o") >= 1


def test_every_layer_has_a_row():
    assert sorted(ROWS) == sorted(wsgikit.middleware.__all__)
