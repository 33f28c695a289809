"""HTTPS over real sockets, with certificates that were made for the test."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time
from http.client import HTTPSConnection
from socketserver import BaseRequestHandler
from threading import Event, Thread

import pytest
import trustme

from tests.server.certificates import Files
from wsgikit.server import TLS, Limits, Server, make_server, serve
from wsgikit.server.opening import Opening

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
LAST = b"GET / HTTP/1.0\r\n\r\n"
V1 = b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"


# Each test with each way of watching sockets and of calling the application.
pytestmark = pytest.mark.usefixtures("ways")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return Files(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls(files):
    return TLS(files.cert, files.key)


def echo(environ, start_response):
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


def path(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode("latin-1")]


def telling(*keys):
    def app(environ, start_response):
        start_response("200 OK", [])
        return [" ".join(str(environ.get(key, "-")) for key in keys).encode("latin-1")]

    return app


def serving(app, tls, **options):
    return make_server("127.0.0.1", 0, app, tls=tls, **options).start()


def dial(server):
    return socket.create_connection((server.host, server.port), timeout=20)


def secure(server, files, **options):
    raw = dial(server)
    return files.client(**options).wrap_socket(raw, server_hostname="localhost")


def everything(client):
    blocks = []
    while block := client.recv(65536):
        blocks.append(block)
    return b"".join(blocks)


def exchange(server, files, data, **options):
    with secure(server, files, **options) as client:
        client.sendall(data)
        return everything(client)


def bodies(client, count, size):
    """The bodies of ``count`` responses of one size."""
    found = []
    with client.makefile("rb") as stream:
        for _ in range(count):
            while stream.readline() != b"\r\n":
                pass
            found.append(stream.read(size))
    return found


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_https(files, tls):
    asked = ("wsgi.url_scheme", "HTTPS", "SERVER_PORT", "SSL_PROTOCOL", "SSL_CLIENT_VERIFY")
    with serving(telling(*asked), tls) as server:
        assert server.url == f"https://127.0.0.1:{server.port}"
        client = HTTPSConnection(server.host, server.port, timeout=10, context=files.client())
        for _ in range(3):
            client.request("GET", "/")
            answer = client.getresponse().read().decode()
            assert answer == f"https on {server.port} TLSv1.3 NONE"
        client.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_of_tls(files, tls, version):
    with serving(telling("SSL_PROTOCOL", "SSL_CIPHER", "SSL_CIPHER_USEKEYSIZE"), tls) as server:
        options = {"minimum_version": version, "maximum_version": version}
        with secure(server, files, **options) as client:
            name, protocol, bits = client.cipher()
            client.sendall(LAST)
            told = everything(client).partition(b"\r\n\r\n")[2].decode().split()
            assert told == [client.version(), name, str(bits)]
            assert protocol


def test_pipelined_requests_in_one_record_and_in_many(files, tls):
    request = b"POST /%06d HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
    stream = b"".join(request % number for number in range(3000))
    expected = [b"/%06d" % number for number in range(3000)]
    with serving(path, tls) as server:
        with secure(server, files) as client:
            client.sendall(stream)
            assert bodies(client, 3000, 7) == expected
        with secure(server, files) as client:
            for number in range(300):
                client.sendall(request % number)
            assert bodies(client, 300, 7) == expected[:300]


def test_a_request_right_behind_the_handshake_and_one_in_pieces(files, tls):
    with serving(path, tls) as server, secure(server, files) as client:
        client.sendall(GET + GET[:10])
        time.sleep(0.05)
        for byte in GET[10:]:
            client.sendall(bytes([byte]))
        assert bodies(client, 2, 1) == [b"/", b"/"]


@pytest.mark.parametrize("size", [0, 1, 16384, 65536, 65537, 5_000_000])
def test_uploads_and_downloads_of_any_size(files, tls, size):
    body = os.urandom(size)
    head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size
    with serving(echo, tls) as server, secure(server, files) as client:
        for _ in range(3):
            client.sendall(head + body)
            assert bodies(client, 1, size) == [body]


@pytest.mark.parametrize("size", [70_000, 1_000_000])
def test_what_a_worker_has_read_ahead_is_the_next_request(files, tls, size):
    # The end of the body and the next requests arrive together, and are decrypted together.
    head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size
    follow = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n"
    with serving(echo, tls) as server, secure(server, files) as client:
        client.sendall(head + b"x" * (size - 1))
        time.sleep(0.05)
        client.sendall(b"x" + (follow + b"y") * 3 + follow)
        with client.makefile("rb") as stream:

            def body(size):
                while stream.readline() != b"\r\n":
                    pass
                return stream.read(size)

            assert body(size) == b"x" * size
            assert [body(1) for _ in range(3)] == [b"y"] * 3
            client.sendall(b"z")
            assert body(1) == b"z"


BLOCK = b"z" * 8_000_000  # more than the buffers of two sockets hold


@pytest.mark.parametrize("kind", ["one", "two", "iter", "many", "file", "short file"])
def test_a_slow_reader_gets_all(files, tls, tmp_path, kind):
    name = tmp_path / "file"
    name.write_bytes(b"-" + BLOCK)

    def app(environ, start_response):
        start_response("200 OK", [])
        if "file" in kind:
            file = name.open("rb")
            file.read(1 if kind == "file" else len(BLOCK) - 99)
            return environ["wsgi.file_wrapper"](file)
        return {
            "one": [BLOCK],
            "two": [b"a" * 20_000, BLOCK],
            "iter": iter([BLOCK, b"b" * 20_000]),
            "many": iter([b"c" * 1000] * 9000),
        }[kind]

    expected = {
        "one": BLOCK,
        "two": b"a" * 20_000 + BLOCK,
        "iter": BLOCK + b"b" * 20_000,
        "many": b"c" * 9_000_000,
        "file": BLOCK,
        "short file": b"z" * 100,
    }[kind]
    with serving(app, tls) as server, secure(server, files) as client:
        client.sendall(LAST)
        time.sleep(0.1)
        assert everything(client).partition(b"\r\n\r\n")[2] == expected


def test_slow_readers_hold_no_thread(files, tls):
    def app(environ, start_response):
        start_response("200 OK", [])
        return [BLOCK if environ["PATH_INFO"] == "/large" else b"little"]

    with serving(app, tls) as server:
        slow = [secure(server, files) for _ in range(12)]
        for client in slow:
            client.sendall(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
        assert exchange(server, files, LAST).endswith(b"little")
        for client in slow:
            assert bodies(client, 1, len(BLOCK)) == [BLOCK]
            client.sendall(GET)
            assert bodies(client, 1, 6) == [b"little"]
            client.close()


def test_a_file_that_becomes_shorter_is_cut(files, tls, tmp_path, caplog):
    name = tmp_path / "file"
    name.write_bytes(BLOCK)

    def app(environ, start_response):
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](name.open("rb"))

    with serving(app, tls) as server, secure(server, files) as client:
        client.sendall(GET)
        client.recv(10)
        os.truncate(name, 10)
        assert len(everything(client)) < len(BLOCK)


def test_the_end_is_told(files, tls):
    with serving(path, tls) as server:
        with secure(server, files) as client:
            client.suppress_ragged_eofs = False  # an end without close_notify would be an error
            client.sendall(LAST)
            while client.recv(1000):
                pass
        with secure(server, files) as client:
            client.suppress_ragged_eofs = False
            client.sendall(b"odd\r\n\r\n" + b"x" * 100_000)  # refused, and read to the end
            assert client.recv(12) == b"HTTP/1.1 400"
            while client.recv(1000):
                pass


def test_a_body_that_breaks_off_without_framing_has_no_end(files, tls, caplog):
    caplog.set_level(logging.INFO)

    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"part one "
        yield b"part two "
        raise LookupError("broken off")

    with serving(app, tls) as server, secure(server, files) as client:
        client.suppress_ragged_eofs = False  # an end without close_notify is an error
        client.sendall(LAST)
        with pytest.raises((ConnectionResetError, ssl.SSLEOFError)):
            everything(client)
        until(lambda: not server._loop.sockets.connections)
    failed, logged = caplog.records
    assert failed.exc_info[0] is LookupError
    assert logged.name == "wsgikit.access"


def test_a_client_that_tells_its_end_is_answered(files, tls):
    with serving(path, tls) as server, secure(server, files) as client:
        client.sendall(GET)
        raw = client.unwrap() if bodies(client, 1, 1) == [b"/"] else None
        assert raw.recv(10) == b""
        raw.close()


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_client_that_leaves_is_no_error(files, tls, reset, caplog):
    with serving(lambda environ, start: [start("200 OK", []), [BLOCK]][1], tls) as server:
        for data in (
            b"",
            GET[:10],
            GET,
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx",
        ):
            with secure(server, files) as client:
                client.sendall(data)
                if reset:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        until(lambda: not server._loop.sockets.connections)
    assert not caplog.records


def test_a_damaged_record_ends_the_connection(files, tls, caplog):
    with serving(path, tls) as server, dial(server) as raw:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = files.client().wrap_bio(incoming, outgoing, server_hostname="localhost")
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                raw.sendall(outgoing.read())
                incoming.write(raw.recv(65536))
        client.write(GET)
        data = bytearray(outgoing.read())
        data[-1] ^= 1
        raw.sendall(data)
        assert b"HTTP" not in everything(raw)
    assert not caplog.records


def test_plain_http_is_told_what_it_should_be(files, tls):
    with serving(path, tls) as server, dial(server) as client:
        client.sendall(GET)
        answer = everything(client)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b"\r\n\r\nBad Request\nHere is HTTPS: the address begins with https.\n")


@pytest.mark.parametrize("data", [b"", b"\x16\x03", b"SSH-2.0-x\r\n", b"\0" * 100])
def test_what_is_no_handshake(files, tls, data, caplog):
    with serving(path, tls) as server, dial(server) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        assert b"HTTP" not in everything(client)
    assert not caplog.records


def test_who_is_slow_in_the_handshake_is_left(tls):
    with serving(path, tls, limits=Limits(head_time=0.05)) as server, dial(server) as client:
        client.sendall(b"\x16\x03\x01")
        assert everything(client) == b""


def test_handshakes_that_stand_still_stop_nobody(files, tls):
    hello = ssl.MemoryBIO()
    client = files.client().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    data = hello.read()
    with serving(path, tls) as server:
        half = []
        for number in range(400):
            half.append(dial(server))
            half[-1].sendall([b"", data[:3], data[:-1], data][number % 4])
        until(lambda: len(server._loop.sockets.openings) == 400)
        for _ in range(10):
            assert exchange(server, files, LAST).endswith(b"\r\n\r\n/")
        with secure(server, files) as held:
            for _ in range(10):
                held.sendall(GET)
                assert bodies(held, 1, 1) == [b"/"]
        for client in half:
            client.close()


def fill(raw):
    """Send as much as the system holds; how much that is."""
    sent = 0
    try:
        while True:
            sent += raw.send(b"x" * 65536)
    except BlockingIOError:
        return sent


def test_a_client_that_takes_no_handshake_is_waited_for(files, tls):
    raw, other = socket.socketpair()
    with serving(path, tls) as server:
        raw.setblocking(False)
        other.settimeout(20)
        sent = fill(raw)  # the handshake has to wait until this has been read
        steps = tls.open(raw, ("192.0.2.1", 1), server.base_environ | {}, Limits(), b"")
        server._loop.sockets.openings.add(Opening(raw, time.monotonic() + 20, steps))
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = files.client().wrap_bio(incoming, outgoing, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        other.sendall(outgoing.read())
        server._loop.sockets.waker.wake()
        until(lambda: any(o.writing for o in server._loop.sockets.openings._openings.values()))
        while sent:
            sent -= len(other.recv(sent))
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                incoming.write(other.recv(65536))
        client.write(LAST)
        other.sendall(outgoing.read())
        incoming.write(everything(other))
        assert client.read(100_000).endswith(b"\r\n\r\n/")
    other.close()


def test_an_error_in_an_opening_ends_one_connection(tls, caplog):
    class Broken(TLS):
        def open(self, *options):
            raise LookupError("broken")
            yield

    tls.__class__ = Broken
    with serving(path, tls) as server, dial(server) as client:
        assert everything(client) == b""
        with dial(server) as another:
            assert everything(another) == b""
    assert "LookupError: broken" in caplog.text


def test_a_stop_lets_the_running_request_complete(files, tls):
    called, release = Event(), Event()

    def app(environ, start_response):
        called.set()
        assert release.wait(10)
        return path(environ, start_response)

    with serving(app, tls) as server, secure(server, files) as client:
        client.sendall(GET)
        assert called.wait(10)
        server.begin_shutdown()
        until(lambda: all(each.last for each in server._loop.sockets.connections.values()))
        release.set()
        answer = everything(client)
    assert answer.endswith(b"\r\n\r\n/")
    assert b"\r\nConnection: close\r\n" in answer


def test_a_stop_cuts_what_outlives_its_patience(files, tls):
    called, release = Event(), Event()

    def app(environ, start_response):
        called.set()
        assert release.wait(10)
        return path(environ, start_response)

    with serving(app, tls) as server, secure(server, files) as client:
        server.stop_timeout = 0.05
        client.sendall(GET)
        assert called.wait(10)
        server.stop()
        assert b"200 OK" not in everything(client)
        release.set()


def test_early_hints_and_what_a_client_waits_for(files, tls):
    def app(environ, start_response):
        environ["wsgi.early_hints"]([("Link", "</a.css>; rel=preload")])
        return echo(environ, start_response)

    head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    with serving(app, tls) as server, secure(server, files) as client:
        client.sendall(head)
        interim = b""
        while interim.count(b"\r\n\r\n") < 2:
            interim += client.recv(100)
        assert interim.startswith(b"HTTP/1.1 103 Early Hints\r\n")
        assert interim.endswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        client.sendall(b"ok")
        assert bodies(client, 1, 2) == [b"ok"]


def test_tls_follows_a_proxy_header(files, tls):
    app = telling("REMOTE_ADDR", "REMOTE_PORT", "wsgikit.peer", "wsgi.url_scheme")
    with serving(app, tls, proxy_protocol=["127.0.0.1"]) as server:
        for together in (False, True):
            with dial(server) as raw:
                if together:
                    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
                    context = files.client()
                    client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
                    with pytest.raises(ssl.SSLWantReadError):
                        client.do_handshake()
                    raw.sendall(V1 + outgoing.read())
                    while True:
                        try:
                            client.do_handshake()
                            break
                        except ssl.SSLWantReadError:
                            incoming.write(raw.recv(65536))
                    client.write(LAST)
                    raw.sendall(outgoing.read())
                    incoming.write(everything(raw))
                    answer = client.read(10_000)
                else:
                    raw.sendall(V1)
                    with files.client().wrap_socket(raw, server_hostname="localhost") as client:
                        client.sendall(LAST)
                        answer = everything(client)
            assert answer.endswith(b"\r\n\r\n192.0.2.1 56324 127.0.0.1 https")


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets")
def test_tls_on_a_unix_socket(files, tls, tmp_path):
    name = str(tmp_path / "s")
    app = telling("SERVER_NAME", "SERVER_PORT", "REMOTE_ADDR", "wsgi.url_scheme")
    with serving(app, tls, bind=[f"unix:{name}"]), socket.socket(socket.AF_UNIX) as raw:
        raw.connect(name)
        with files.client().wrap_socket(raw, server_hostname="localhost") as client:
            client.sendall(LAST)
            assert everything(client).endswith(b"\r\n\r\nlocalhost 443  https")


# Certificates of clients.


def test_a_client_without_a_certificate_is_refused_where_one_is_asked_for(files):
    with serving(path, TLS(files.cert, files.key, client_ca=files.ca)) as server:
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"):
            exchange(server, files, LAST)
        stranger = trustme.CA().issue_cert("eve@example.org")
        with pytest.raises(ssl.SSLError, match=r"UNKNOWN_CA|DECRYPT"):
            exchange(server, files, LAST, certificate=stranger)


def test_the_certificate_of_a_client_is_told(files):
    certificate = files.authority.issue_cert(
        "ada@example.org",
        "ada.example",
        common_name="Ada, Lovelace",
        organization_name="Zürich",
        organization_unit_name="+ ",
    )
    asked = {}

    def app(environ, start_response):
        asked.update(environ)
        return path(environ, start_response)

    with serving(app, TLS(files.cert, files.key, client_ca=files.ca)) as server:
        assert exchange(server, files, LAST, certificate=certificate).endswith(b"/")
    organization = "Zürich".encode().decode("latin-1")
    assert asked["SSL_CLIENT_VERIFY"] == "SUCCESS"
    assert asked["SSL_CLIENT_S_DN"] == rf"CN=Ada\, Lovelace,OU=\+\ ,O={organization}"
    assert asked["SSL_CLIENT_S_DN_CN"] == "Ada, Lovelace"
    assert asked["SSL_CLIENT_S_DN_O"] == organization
    assert "trustme" in asked["SSL_CLIENT_I_DN"]
    assert asked["SSL_CLIENT_SAN_Email_0"] == "ada@example.org"
    assert asked["SSL_CLIENT_SAN_DNS_0"] == "ada.example"
    assert asked["SSL_CLIENT_V_END"].endswith(" GMT")
    assert int(asked["SSL_CLIENT_M_SERIAL"], 16)
    pem = certificate.cert_chain_pems[0].bytes().decode()
    assert asked["SSL_CLIENT_CERT"].split() == pem.split()


def test_a_context_of_ones_own_may_ask_and_not_insist(files):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.cert, files.key)
    context.load_verify_locations(files.ca)
    context.verify_mode = ssl.CERT_OPTIONAL
    with serving(telling("SSL_CLIENT_VERIFY", "SSL_CLIENT_S_DN_O"), TLS(context=context)) as server:
        assert exchange(server, files, LAST).endswith(b"NONE -")
        known = files.authority.issue_cert("ada@example.org", organization_name="Here")
        assert exchange(server, files, LAST, certificate=known).endswith(b"SUCCESS Here")


# Reloading.


def names(server, files):
    with secure(server, files, check_hostname=False) as client:
        return [name for _, name in client.getpeercert()["subjectAltName"]]


def test_certificates_are_read_anew(tmp_path, caplog):
    files = Files(tmp_path)
    with serving(path, TLS(files.cert, files.key)) as server, secure(server, files) as old:
        assert names(server, files) == ["localhost", "127.0.0.1"]
        files.issue("new.example")
        assert names(server, files) == ["localhost", "127.0.0.1"]
        server.reload_certificates()
        assert names(server, files) == ["new.example"]
        old.sendall(GET)
        assert bodies(old, 1, 1) == [b"/"]
        assert not caplog.records
        with open(files.key, "w") as key:
            key.write("broken")
        server.reload_certificates()
        os.unlink(files.cert)
        server.reload_certificates()
        assert names(server, files) == ["new.example"]
    assert len(caplog.messages) == 2
    assert all("The certificates are the old ones still: " in line for line in caplog.messages)
    assert files.cert in caplog.messages[1]


def test_sighup_has_certificates_read_anew(tmp_path):
    files = Files(tmp_path)
    seen = []

    def visit(url):
        address = ("127.0.0.1", int(url.rpartition(":")[2]))

        def name():
            with socket.create_connection(address, timeout=10) as raw:
                context = files.client(check_hostname=False)
                with context.wrap_socket(raw, server_hostname="localhost") as client:
                    return client.getpeercert()["subjectAltName"][0][1]

        seen.append(name())
        files.issue("new.example")
        os.kill(os.getpid(), signal.SIGHUP)
        until(lambda: name() == "new.example")
        seen.append(name())
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGHUP)
    tls = TLS(files.cert, files.key)
    serve(path, port=0, tls=tls, ready=lambda url: Thread(target=visit, args=(url,)).start())
    assert seen == ["localhost", "new.example"]
    assert signal.getsignal(signal.SIGHUP) is before


WORKERS = """
import sys
from wsgikit.server import TLS, serve
def app(environ, start_response):
    start_response("200 OK", [])
    return [environ["wsgi.url_scheme"].encode()]
serve(app, port=0, tls=TLS(*sys.argv[1:]), workers=2)
"""


def test_sighup_gives_workers_the_certificates_of_now(tmp_path):
    files = Files(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", WORKERS, files.cert, files.key],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            port = int(process.stdout.readline().split()[2].rpartition(":")[2])

            def name():
                with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
                    context = files.client(check_hostname=False)
                    with context.wrap_socket(raw, server_hostname="localhost") as client:
                        client.sendall(LAST)
                        assert everything(client).endswith(b"https")
                        return client.getpeercert()["subjectAltName"][0][1]

            assert name() == "localhost"
            files.issue("new.example")
            process.send_signal(signal.SIGHUP)
            until(lambda: [name() for _ in range(5)] == ["new.example"] * 5)
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


# Strangers.


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_curl(files, tls):
    with serving(echo, tls, proxy_protocol=["192.0.2.1"]) as server:
        command = ["curl", "-sS", "--cacert", files.ca, "-d", "hello", f"{server.url}/"]
        assert subprocess.run(command, capture_output=True, check=True).stdout == b"hello"
    with serving(telling("wsgi.url_scheme"), tls, proxy_protocol=["127.0.0.1"]) as server:
        command = ["curl", "-sS", "-k", "--haproxy-protocol", f"{server.url}/"]
        assert subprocess.run(command, capture_output=True, check=True).stdout == b"https"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
def test_openssl(files, tls):
    with serving(path, tls) as server:
        connect = ["openssl", "s_client", "-connect", f"{server.host}:{server.port}", "-quiet"]
        command = [*connect, "-ign_eof", "-verify_return_error", "-CAfile", files.ca]
        ran = subprocess.run(command, input=LAST, capture_output=True, timeout=20)
        assert ran.stdout.endswith(b"\r\n\r\n/")


def test_a_context_of_ones_own_is_not_read_anew(files):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.cert, files.key)
    tls = TLS(context=context)
    with serving(path, tls) as server:
        server.reload_certificates()
        assert tls.context is context
        assert exchange(server, files, LAST).endswith(b"/")


def test_a_server_without_certificates_has_none_to_read():
    with make_server("127.0.0.1", 0, path) as server:
        server.reload_certificates()


# Options.


def test_what_goes_into_tls(files, tmp_path):
    empty = tmp_path / "empty"
    empty.write_text("")
    other = Files(tmp_path)
    for options, reason in (
        ({}, "TLS takes either cert or context"),
        ({"cert": files.cert, "context": ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)}, "either"),
        ({"key": files.key, "context": ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)}, "with cert"),
        ({"context": "x"}, "context takes an ssl.SSLContext of a server"),
        ({"context": ssl.create_default_context()}, "context takes an ssl.SSLContext of a server"),
        ({"cert": files.cert}, "cert '.*' are no certificate and its key"),
        ({"cert": files.cert, "key": other.key}, "cert '.*' and key '.*' are no certificate"),
        ({"cert": str(empty), "key": files.key}, "are no certificate and its key"),
        ({"cert": files.cert, "key": files.key, "client_ca": str(empty)}, "client_ca '.*' has no"),
    ):
        with pytest.raises(ValueError, match=reason):
            TLS(**options)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        TLS(files.cert, "nowhere")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
def test_a_key_that_is_encrypted_asks_nobody(files, tmp_path):
    key = tmp_path / "key"
    command = ["openssl", "rsa", "-aes256", "-passout", "pass:secret", "-in", files.key]
    made = subprocess.run([*command, "-out", str(key)], capture_output=True)
    if made.returncode:  # an elliptic key, as trustme makes it
        command[1] = "ec"
        subprocess.run([*command, "-out", str(key)], capture_output=True, check=True)
    with pytest.raises(ValueError, match="the key is encrypted"):
        TLS(files.cert, str(key))


def test_key_and_certificate_may_share_a_file(files, tmp_path):
    both = tmp_path / "both"
    with open(files.cert) as cert, open(files.key) as key:
        both.write_text(key.read() + cert.read())
    with serving(path, TLS(str(both))) as server:
        assert exchange(server, files, LAST).endswith(b"/")


def test_handlers_that_read_for_themselves_know_no_tls(tls):
    with pytest.raises(TypeError, match=r"tls and proxy_protocol go with wsgikit\.server"):
        Server(("127.0.0.1", 0), BaseRequestHandler, tls=tls)
