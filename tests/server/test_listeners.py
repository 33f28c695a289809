"""Several addresses, each kind of them, over real sockets."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection
from threading import Thread
from wsgiref.validate import validator

import pytest

from wsgikit.server import Limits, RequestHandler, Server, make_server, serve
from wsgikit.server.poller import LevelPoller


def place(environ, start_response):
    """Tells what the environ says of both ends."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    keys = ("SERVER_NAME", "SERVER_PORT", "REMOTE_ADDR")
    return [" ".join(environ[key] for key in keys).encode()]


place = validator(place)


def get(address, family=socket.AF_INET):
    with socket.socket(family) as client:
        client.settimeout(10)
        client.connect(address)
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        with client.makefile("rb") as stream:
            return stream.read().partition(b"\r\n\r\n")[2].decode()


def bound(family=socket.AF_INET, address=("127.0.0.1", 0), kind=socket.SOCK_STREAM):
    listening = socket.socket(family, kind)
    listening.bind(address)
    return listening


def test_several_addresses_are_one_server(tmp_path):
    path = str(tmp_path / "s")
    binds = ["127.0.0.1:0", "[::1]:0", f"unix:{path}", "127.0.0.2:0"]
    with make_server("", 0, place, bind=binds).start() as server:
        four, six, _, other = server.listeners
        assert get(("127.0.0.1", four.port)) == f"127.0.0.1 {four.port} 127.0.0.1"
        assert get(("::1", six.port), socket.AF_INET6) == f"::1 {six.port} ::1"
        assert get(path, socket.AF_UNIX) == "localhost 80 "
        assert get(("127.0.0.2", other.port)) == f"127.0.0.2 {other.port} 127.0.0.1"
        assert [each.url for each in server.listeners] == [
            f"http://127.0.0.1:{four.port}",
            f"http://[::1]:{six.port}",
            f"unix:{path}",
            f"http://127.0.0.2:{other.port}",
        ]
        assert (server.host, server.port, server.url) == ("127.0.0.1", four.port, four.url)
    for address in (("127.0.0.1", four.port), ("127.0.0.2", other.port)):
        with pytest.raises(ConnectionRefusedError):
            get(address)
    assert not os.path.exists(path)


def test_a_slot_that_is_free_again_goes_to_any_address():
    limits = Limits(connections=1)
    binds = ["127.0.0.1:0", "127.0.0.2:0"]
    with make_server("", 0, place, bind=binds, limits=limits).start() as server:
        with socket.create_connection((server.host, server.port)):
            one, two = ((each.host, each.port) for each in server.listeners)
            answers = []
            waiting = [Thread(target=lambda at=at: answers.append(get(at))) for at in (one, two)]
            for thread in waiting:
                thread.start()
        for thread in waiting:
            thread.join(10)
        assert len(answers) == 2


def test_the_same_port_for_both_versions():
    with make_server("0.0.0.0", 0, place) as server:
        port = server.port
    with make_server("", 0, place, bind=[f"[::]:{port}", f":{port}"]).start():
        assert get(("::1", port), socket.AF_INET6).endswith(" ::1")
        assert get(("127.0.0.1", port)) == f"0.0.0.0 {port} 127.0.0.1"


def test_one_address_that_is_taken_leaves_none_behind(tmp_path):
    path = str(tmp_path / "s")
    with make_server("127.0.0.1", 0, place) as server:
        binds = [f"unix:{path}", f"127.0.0.1:{server.port}"]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{server.port}: .* in use"):
            make_server("", 0, place, bind=binds)
    assert not os.path.exists(path)


def test_one_name_that_is_unknown_leaves_none_open():
    binds = ["127.0.0.1:0", "nowhere.invalid:0"]
    with pytest.raises(OSError, match=r"cannot listen on nowhere\.invalid:0: "):
        make_server("", 0, place, bind=binds)  # a socket that is left open would be a warning


def test_what_cannot_be_listened_on(monkeypatch):
    def fail(self, backlog):
        raise OSError(98, "Address already in use")

    # Where another one listens with SO_REUSEADDR, this is the first that tells.
    monkeypatch.setattr(socket.socket, "listen", fail)
    with pytest.raises(OSError, match=r"cannot listen on 127\.0\.0\.1:0: Address already in use"):
        make_server("127.0.0.1", 0, place)


@pytest.mark.parametrize("listens", [False, True], ids=["bound", "listening"])
@pytest.mark.parametrize("poller", [Server.new_poller, LevelPoller], ids=["edge", "level"])
def test_an_inherited_socket(listens, poller, monkeypatch):
    monkeypatch.setattr(Server, "new_poller", staticmethod(poller))
    listening = bound()
    if listens:
        listening.listen(5)
    address = listening.getsockname()
    fd = listening.detach()
    with make_server("", 0, place, bind=[f"fd:{fd}"]).start() as server:
        assert server.url == f"http://127.0.0.1:{address[1]}"
        assert get(address) == f"127.0.0.1 {address[1]} 127.0.0.1"
        assert not os.get_inheritable(fd)
        assert server.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_inherited_unix_socket_is_left_where_it_is(tmp_path):
    path = str(tmp_path / "s")
    fd = bound(socket.AF_UNIX, path).detach()
    with make_server("", 0, place, bind=[f"fd:{fd}"]).start() as server:
        assert server.url == f"unix:{path}"
        assert get(path, socket.AF_UNIX) == "localhost 80 "
    assert os.path.exists(path)


@pytest.mark.skipif(sys.platform != "linux", reason="abstract names are of Linux")
def test_an_inherited_unix_socket_without_a_file():
    fd = bound(socket.AF_UNIX, "\0wsgikit-test").detach()
    with make_server("", 0, place, bind=[f"fd:{fd}"]).start() as server:
        assert server.url == f"fd:{fd}"
        assert get("\0wsgikit-test", socket.AF_UNIX) == "localhost 80 "


def test_a_descriptor_of_another_kind_is_left_open():
    with bound(kind=socket.SOCK_DGRAM) as datagrams, open(os.devnull) as file:
        for fd, reason in ((datagrams.fileno(), "of another kind"), (file.fileno(), "")):
            with pytest.raises(OSError, match=f"cannot listen on fd:{fd}: .*{reason}"):
                make_server("", 0, place, bind=[f"fd:{fd}"])
            os.fstat(fd)


def test_a_system_without_unix_sockets(monkeypatch):
    monkeypatch.setattr("wsgikit.server.listeners._UNIX", None)
    with pytest.raises(OSError, match="cannot listen on unix:/a: this system has no Unix sockets"):
        make_server("", 0, place, bind=["unix:/a"])


@pytest.mark.parametrize("mode", [-1, 0o1000, "600", True])
def test_the_permissions_are_checked(mode):
    with pytest.raises(ValueError, match="unix_mode takes permissions such as 0o660"):
        make_server("", 0, place, bind=["unix:/a"], unix_mode=mode)


def test_a_class_of_somebody_else_is_made_as_the_stock_one():
    class Old(Server):
        def __init__(self, address, handler):
            super().__init__(address, handler)

    with make_server("127.0.0.1", 0, place, Old).start() as server:
        assert get((server.host, server.port))


def test_an_address_is_not_taken_again_where_the_class_says_so():
    class Once(Server):
        allow_reuse_address = False

    with make_server("127.0.0.1", 0, place, Once) as server:
        assert not server.socket.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)


def test_news_of_a_socket_that_is_closed_already():
    with make_server("127.0.0.1", 0, place).start() as server:
        server._loop.sockets.serve_other(10**6)
        assert get((server.host, server.port))


def test_binding_by_hand():
    server = Server(("127.0.0.1", 0), RequestHandler, bind_and_activate=False)
    server.set_app(place)
    server.server_bind()
    server.server_activate()
    with server.start():
        assert get((server.host, server.port))


def test_all_addresses_are_printed(tmp_path, capsys):
    path = str(tmp_path / "s")
    told = []

    def client(url):
        told.append((url, get(path, socket.AF_UNIX)))
        os.kill(os.getpid(), signal.SIGINT)

    binds = ["127.0.0.1:0", f"unix:{path}"]
    serve(place, bind=binds, ready=lambda url: Thread(target=client, args=(url,)).start())
    ((url, answer),) = told
    assert answer == "localhost 80 "
    assert capsys.readouterr().out == f"Serving on {url} and unix:{path} (Ctrl+C stops)\n"


SYSTEMD = """
import os, socket, sys
fds = [os.dup(int(fd)) for fd in sys.argv[1:]]  # as systemd does it, in front of exec
for number, fd in enumerate(fds):
    os.dup2(fd, 3 + number)
os.environ["LISTEN_PID"], os.environ["LISTEN_FDS"] = str(os.getpid()), str(len(fds))
from wsgikit.demo import app
from wsgikit.server import serve
serve(app, bind=["systemd"])
"""


def test_sockets_that_systemd_passes():
    first, second = bound(), bound()
    names = [listening.getsockname() for listening in (first, second)]
    for listening in (first, second):
        listening.listen(5)
    # Placed high, so that 3 and 4 are free for the copies.
    fds = [40, 41]
    for fd, listening in zip(fds, (first, second), strict=True):
        os.dup2(listening.fileno(), fd)
        listening.close()
    with subprocess.Popen(
        [sys.executable, "-c", SYSTEMD, *map(str, fds)],
        pass_fds=fds,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        for fd in fds:
            os.close(fd)
        urls = [f"http://127.0.0.1:{port}" for _, port in names]
        assert process.stdout.readline() == f"Serving on {' and '.join(urls)} (Ctrl+C stops)\n"
        for address in names:
            client = HTTPConnection(*address, timeout=10)
            client.request("GET", "/")
            assert client.getresponse().status == 200
            client.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def is_let_in(address, family=socket.AF_INET):
    with socket.socket(family) as client:
        client.settimeout(0.1)
        try:
            client.connect(address)
        except (TimeoutError, FileNotFoundError):
            return False
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it can't be done")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_who_is_shut_out_leaves_no_connection_behind(host):
    with make_server(host, 0, place) as server:
        address, family = server.socket.getsockname(), server.socket.family
        assert is_let_in(address, family)
        server.listener.shut_out()
        assert not is_let_in(address, family)
        server.socket.accept()[0].close()  # the first one
        server.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.socket.accept()
    server.listener.shut_out()  # of no use and harmless after the end


def test_a_unix_socket_shuts_out_by_removing_its_file(tmp_path):
    path = str(tmp_path / "s")
    with make_server("", 0, place, bind=[f"unix:{path}"]) as server:
        assert is_let_in(path, socket.AF_UNIX)
        server.listener.shut_out()
        assert not is_let_in(path, socket.AF_UNIX)
        server.socket.accept()[0].close()


def test_nobody_is_shut_out_of_a_socket_that_others_go_on_with():
    listening = bound()
    listening.listen(5)
    with make_server("", 0, place, bind=[f"fd:{listening.fileno()}"]) as server:
        server.listener.shut_out()
        assert is_let_in(listening.getsockname())
    listening.detach()
    with make_server("127.0.0.1", 0, place) as server:
        child = os.fork()
        if not child:  # a worker
            try:
                server.listener.shut_out()
            finally:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert is_let_in(server.socket.getsockname())
