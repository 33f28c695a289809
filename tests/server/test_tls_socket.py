"""What arrives in which pieces is decided here; what a server makes of it, in ``test_tls``."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

import pytest

from tests.server.certificates import Files
from wsgikit.server import TLS
from wsgikit.server.tls_socket import BATCH, RECORD, TLSSocket


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return Files(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def ends():
    raw, other = socket.socketpair()
    with raw, other:
        raw.setblocking(False)
        other.settimeout(20)
        yield raw, other


class Client:
    """A client that says itself when its bytes go out."""

    def __init__(self, files, to):
        self._to = to
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = files.client()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname="localhost")

    def send(self, data=b""):
        self._to.sendall(self._outgoing.read() + data)

    def handshake(self, socket, first=b""):
        """Agree on keys; ``first`` is sent with the last step of it."""
        steps = socket.handshake()
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.send()
                next(steps)
                self._incoming.write(self._to.recv(65536))
        if first:
            self.tls.write(first)
        self.send()
        assert list(steps) == []

    def read(self):
        """What the socket has for it now, decrypted."""
        self._incoming.write(self._to.recv(1 << 20))
        found = b""
        while self._incoming.pending or self.tls.pending():
            try:
                found += self.tls.read(65536)
            except ssl.SSLWantReadError:
                break
        return found

    def encrypted(self, data):
        self.tls.write(data)
        return self._outgoing.read()


@pytest.fixture
def client(files, ends):
    return Client(files, ends[1])


@pytest.fixture
def encrypted(files, ends):
    return TLSSocket(ends[0], TLS(files.cert, files.key).context, b"")


def test_what_was_decrypted_ahead_is_given_out_before_more_is_read(client, encrypted):
    client.handshake(encrypted)
    client.tls.write(b"0123456789")
    client.send()
    assert encrypted.recv(4) == b"0123"
    assert encrypted.pending
    assert [encrypted.recv(4) for _ in range(2)] == [b"4567", b"89"]
    assert not encrypted.pending
    with pytest.raises(BlockingIOError):
        encrypted.recv(4)


def test_what_came_with_the_handshake_is_there_before_anything_is_read(client, encrypted):
    client.handshake(encrypted, b"first")
    assert encrypted.pending
    assert encrypted.recv(10) == b"first"


def test_a_record_in_pieces_is_given_out_when_it_is_whole(client, encrypted, ends):
    client.handshake(encrypted)
    data = client.encrypted(b"one") + client.encrypted(b"two")
    for place in range(len(data) - 1):
        ends[1].sendall(data[place : place + 1])
        if place == len(data) // 2 - 1:
            assert encrypted.recv(10) == b"one"
        else:
            with pytest.raises(BlockingIOError):
                encrypted.recv(10)
    ends[1].sendall(data[-1:])
    assert encrypted.recv(10) == b"two"


def test_more_than_one_read_of_the_socket_brings(client, encrypted, ends):
    client.handshake(encrypted)
    ends[1].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    client.tls.write(b"x" * 100_000)
    client.send()
    assert encrypted.recv(200_000) == b"x" * 100_000


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
def test_the_end_comes_after_what_was_sent_before_it(client, encrypted, ends, told):
    client.handshake(encrypted)
    client.tls.write(b"last")
    if told:
        with pytest.raises(ssl.SSLWantReadError):
            client.tls.unwrap()
    client.send()
    ends[1].shutdown(socket.SHUT_WR)
    assert [encrypted.recv(3) for _ in range(4)] == [b"las", b"t", b"", b""]


def test_a_damaged_record_is_no_data(client, encrypted, ends):
    client.handshake(encrypted)
    data = bytearray(client.encrypted(b"one"))
    data[-1] ^= 1
    ends[1].sendall(data)
    with pytest.raises(ssl.SSLError):
        encrypted.recv(10)


def test_answers_to_the_protocol_itself_that_nobody_reads(client, encrypted, ends):
    client.handshake(encrypted)
    with suppress(BlockingIOError):
        while True:
            ends[0].send(b"x" * 65536)
    encrypted._outgoing.write(b"x" * 100_000)  # as if for a client that asks for new keys
    client.send(b"\x16")
    with pytest.raises(ConnectionAbortedError, match="the client reads nothing"):
        encrypted.recv(10)


def test_blocks_are_sent_as_one_where_they_are_small(client, encrypted):
    client.handshake(encrypted)
    assert encrypted.sendmsg([b"one", memoryview(b"two"), b""]) == 6
    assert encrypted.send(b"three") == 5
    assert client.read() == b"onetwothree"


@pytest.mark.parametrize("blocks", [[1_000_000], [50_000] * 5, [16384, 1], [400_000, 16384, 1]])
def test_what_the_socket_does_not_take_is_sent_again_and_counted_once(
    client, encrypted, ends, blocks
):
    client.handshake(encrypted)
    left = [memoryview(bytes([number]) * size) for number, size in enumerate(blocks)]
    whole = b"".join(left)
    ends[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    got = b""
    while left:
        try:
            sent = encrypted.sendmsg(left)
        except BlockingIOError:
            sent = 0
        # A large block is not encrypted as a whole: how much is held depends on nobody's size.
        assert len(encrypted._cipher) < BATCH + 2 * RECORD
        if not sent:
            got += client.read()
            continue
        while left and sent >= len(left[0]):
            sent -= len(left.pop(0))
        if left:
            left[0] = left[0][sent:]
    while len(got) < len(whole):
        got += client.read()
    assert got == whole
