"""Connections that begin with a PROXY header, over real sockets."""

from __future__ import annotations

import logging
import os
import socket
import struct
import time
from socketserver import BaseRequestHandler

import pytest

from wsgikit import keys
from wsgikit.server import Limits, Server, loop, make_server, openings
from wsgikit.server.inline import Inline
from wsgikit.server.opening import Opening
from wsgikit.server.poller import LevelPoller, best_poller
from wsgikit.server.proxy_protocol import SIGNATURE

V1 = b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"
V2 = SIGNATURE + bytes.fromhex("2111000c c0000201 c0000202 dc04 01bb")
V2_TLS = SIGNATURE + bytes.fromhex("21110014 c0000201 c0000202 dc04 01bb 20 0005 01 00000000")
LOCAL = SIGNATURE + bytes.fromhex("20000000")
GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
LAST = b"GET / HTTP/1.0\r\n\r\n"


@pytest.fixture(autouse=True, params=[best_poller, LevelPoller], ids=["edge", "level"])
def poller(request, monkeypatch):
    monkeypatch.setattr(Server, "new_poller", staticmethod(request.param))


def who(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    asked = ("REMOTE_ADDR", "REMOTE_PORT", keys.PEER, "wsgi.url_scheme", "HTTPS")
    return [" ".join(environ.get(key, "-") for key in asked).encode()]


def behind(proxies=("127.0.0.1",), **options):
    return make_server("127.0.0.1", 0, who, proxy_protocol=proxies, **options)


def dial(server):
    return socket.create_connection((server.host, server.port), timeout=10)


def everything(client):
    with client.makefile("rb") as stream:
        return stream.read()


def exchange(server, *pieces):
    with dial(server) as client:
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(0.02)
            client.sendall(piece)
        return everything(client)


def until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        (V1, b"192.0.2.1 56324 127.0.0.1 http -"),
        (V2, b"192.0.2.1 56324 127.0.0.1 http -"),
        (V2_TLS, b"192.0.2.1 56324 127.0.0.1 https on"),
    ],
    ids=["version 1", "version 2", "by TLS"],
)
def test_the_client_is_the_one_that_the_proxy_tells(header, answer):
    with behind().start() as server:
        assert exchange(server, header + LAST).endswith(b"\r\n\r\n" + answer)
        assert exchange(server, header, LAST).endswith(b"\r\n\r\n" + answer)
        assert exchange(server, header[:5], header[5:20], header[20:] + LAST).endswith(answer)


@pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", LOCAL], ids=["UNKNOWN", "LOCAL"])
def test_a_proxy_that_speaks_for_itself(header):
    with behind().start() as server, dial(server) as client:
        port = client.getsockname()[1]
        client.sendall(header + LAST)
        assert everything(client).endswith(b"\r\n\r\n127.0.0.1 %d - http -" % port)


def test_the_log_has_the_client(caplog):
    caplog.set_level(logging.INFO, "wsgikit.access")
    with behind().start() as server:
        exchange(server, V1 + LAST)
    assert caplog.messages[0].startswith('192.0.2.1 "GET / HTTP/1.0" 200 ')


@pytest.mark.parametrize("inline", [True, False], ids=["inline", "workers"])
def test_all_requests_of_a_connection_are_of_the_client(inline, monkeypatch):
    if not inline:

        class Never(Inline):
            def __init__(self, retake):
                super().__init__(retake)
                self.account.resumes = float("inf")

        monkeypatch.setattr(loop, "Inline", Never)
    with behind().start() as server:
        answer = exchange(server, V1 + GET * 3 + LAST)
        assert answer.count(b"192.0.2.1 56324 127.0.0.1") == 4
        answer = exchange(server, V1 + GET, GET + GET[:10], GET[10:] + LAST)
        assert answer.count(b"192.0.2.1 56324 127.0.0.1") == 4


def test_a_large_body_right_behind_the_header():
    def echo(environ, start_response):
        start_response("200 OK", [])
        return [environ["wsgi.input"].read()]

    body = os.urandom(300_000)
    head = b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 300000\r\n\r\n"
    options = {"proxy_protocol": ["127.0.0.1"]}
    with make_server("127.0.0.1", 0, echo, **options).start() as server:
        assert exchange(server, V2 + head + body).endswith(b"\r\n\r\n" + body)


@pytest.mark.parametrize("header", [V1, V2], ids=["version 1", "version 2"])
def test_a_header_from_anybody_else_is_no_request(header):
    with behind(["192.0.2.0/24", "2001:db8::1"]).start() as server:
        assert exchange(server, header + LAST).startswith(b"HTTP/1.1 400 ")
        assert b"127.0.0.1 " in exchange(server, LAST)


@pytest.mark.parametrize(
    "data",
    [LAST, b"PROXY nonsense\r\n" + LAST, SIGNATURE + bytes.fromhex("2211 000c"), b"\x16\x03\x01"],
    ids=["none", "malformed", "command", "TLS"],
)
def test_a_trusted_proxy_without_a_header_is_told_in_the_log(data, caplog):
    with behind().start() as server:
        assert exchange(server, data) == b""
    (message,) = caplog.messages
    assert message.startswith("Closed a connection of ('127.0.0.1', ")
    assert "(proxy_protocol): " in message


@pytest.mark.parametrize("data", [b"", V1[:10], V2[:14]])
def test_a_proxy_that_leaves_is_no_error(data, caplog):
    with behind().start() as server:
        with dial(server) as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            assert everything(client) == b""
        with dial(server) as client:
            client.sendall(data)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        until(lambda: not server._loop.sockets.openings)
    assert not caplog.records


@pytest.mark.parametrize("data", [b"", V1[:10]], ids=["nothing", "half"])
def test_a_proxy_that_says_nothing_is_left(data):
    with behind(limits=Limits(head_time=0.05)).start() as server:
        assert exchange(server, data) == b""


def test_those_that_wait_count_and_stop_nobody():
    limits = Limits(connections=50)
    with behind(limits=limits).start() as server:
        held = [dial(server) for _ in range(49)]
        until(lambda: len(server._loop.sockets.openings) == 49)
        assert b"192.0.2.1" in exchange(server, V1 + LAST)
        held.append(dial(server))
        until(lambda: len(server._loop.sockets.openings) == 50)
        with dial(server) as late:
            late.sendall(V1 + LAST)
            late.settimeout(0.05)
            with pytest.raises(TimeoutError):
                late.recv(1)
            late.settimeout(10)
            held.pop().close()
            assert b"192.0.2.1" in everything(late)
        for client in held:
            client.close()


def test_openings_take_turns_with_all_else(monkeypatch):
    monkeypatch.setattr(openings, "SLICE", 0)  # one at a time
    with behind().start() as server:
        clients = [dial(server) for _ in range(20)]
        for client in clients:
            client.sendall(V1 + LAST)
        for client in clients:
            assert b"192.0.2.1" in everything(client)
            client.close()


def test_a_stop_waits_a_moment_for_who_is_about_to_ask(monkeypatch):
    with behind().start() as server, dial(server) as slow, dial(server) as silent:
        until(lambda: len(server._loop.sockets.openings) == 2)
        server.begin_shutdown()
        slow.sendall(V1 + LAST)
        assert b"192.0.2.1" in everything(slow)
        assert everything(silent) == b""
        server.stop()


def test_a_stop_at_once_leaves_nothing_open():
    with behind().start() as server, dial(server) as client:
        until(lambda: server._loop.sockets.openings)
        server.stop_timeout = 0.01
        server.stop()
        assert everything(client) == b""


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets")
def test_a_proxy_on_a_unix_socket(tmp_path):
    path = str(tmp_path / "s")
    binds = [f"unix:{path}", "127.0.0.1:0"]
    with make_server("", 0, who, bind=binds, proxy_protocol=["unix"]).start() as server:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(path)
            client.sendall(V1 + LAST)
            assert everything(client).endswith(b"\r\n\r\n192.0.2.1 56324  http -")
        with socket.create_connection(("127.0.0.1", server.listeners[1].port)) as client:
            client.sendall(LAST)
            assert b"127.0.0.1 " in everything(client)


@pytest.mark.parametrize(
    ("networks", "error"),
    [("10.0.0.0/8", TypeError), (["10.0.0.1/8"], ValueError), (["0.0.0.0/0"], ValueError)],
    ids=["text", "host bits", "everybody"],
)
def test_the_networks_are_checked(networks, error):
    with pytest.raises(error, match=r"^proxy_protocol takes "):
        behind(networks)


def test_handlers_that_read_for_themselves_know_no_header(caplog):
    with pytest.raises(TypeError, match=r"go with wsgikit\.server\.RequestHandler"):
        Server(("127.0.0.1", 0), BaseRequestHandler, proxy_protocol=["10.0.0.1"])
    with behind() as server, dial(server) as client:
        server.handle_request()
        assert everything(client) == b""
    assert "handle_request goes without tls and proxy_protocol" in caplog.text


def test_an_opening_waits_for_one_thing_and_then_for_another(poller):
    watched = Server.new_poller()
    waiting = openings.Openings(watched)
    raw, other = socket.socketpair()
    with raw, other:
        opening = Opening(raw, float("inf"), (writing for writing in (True, False)))
        waiting.add(opening)
        assert waiting.go_on() == []
        assert [fd for fd, _ in watched.wait(10)] == [raw.fileno()]  # it takes something
        assert waiting.tell(raw.fileno())
        assert waiting.go_on() == []
        assert watched.wait(0) == []
        other.sendall(b"x")
        assert [fd for fd, _ in watched.wait(10)] == [raw.fileno()]
        waiting.close_all()
        assert not waiting.tell(other.fileno())
    watched.close()
