from __future__ import annotations

import os
import socket
import stat

import pytest

from wsgikit import keys
from wsgikit.server import make_server
from wsgikit.server.unix_listener import remove_stale

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets")


def hello(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]


def listening(path, app=hello, **options):
    return make_server("", 0, app, bind=[f"unix:{path}"], **options)


def get(path, requests=1):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(path))
        client.sendall(
            b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * (requests - 1) + b"GET / HTTP/1.0\r\n\r\n"
        )
        with client.makefile("rb") as stream:
            return stream.read()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "app.sock"


def leave_stale(path):
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(path))


def test_requests_over_a_unix_socket(path):
    with listening(path).start():
        assert get(path, 3).count(b"\r\n\r\nhello") == 3
    assert not path.exists()


def test_who_connects_is_told(path):
    seen = {}

    def app(environ, start_response):
        seen.update(environ)
        return hello(environ, start_response)

    with listening(path, app).start():
        get(path)
    assert (seen["SERVER_NAME"], seen["SERVER_PORT"]) == ("localhost", "80")
    assert seen["REMOTE_ADDR"] == ""
    assert "REMOTE_PORT" not in seen
    if hasattr(socket, "SO_PEERCRED"):
        credentials = seen[keys.PEER_CREDENTIALS]
        assert credentials == (os.getpid(), os.getuid(), os.getgid())
        assert credentials.uid == os.getuid()


def test_where_the_system_does_not_tell_who_connects(path, monkeypatch):
    monkeypatch.delattr(socket, "SO_PEERCRED", raising=False)

    def app(environ, start_response):
        assert keys.PEER_CREDENTIALS not in environ
        return hello(environ, start_response)

    with listening(path, app).start():
        assert get(path).endswith(b"hello")


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
def test_the_permissions(path, mode):
    before = os.umask(0o027)
    try:
        with listening(path, unix_mode=mode):
            assert stat.S_IMODE(path.stat().st_mode) == mode
    finally:
        os.umask(before)


def test_only_the_owner_connects_unless_more_is_asked_for(path):
    with listening(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_file_of_a_server_that_is_gone_is_replaced(path):
    leave_stale(path)
    with listening(path).start():
        assert get(path).endswith(b"hello")
    assert not path.exists()


def test_a_server_that_listens_is_left_alone(path):
    with listening(path).start():
        with pytest.raises(OSError, match=r" on unix:.*: another server listens"):
            listening(path)
        assert get(path).endswith(b"hello")


def test_a_server_whose_queue_is_full_is_left_alone(path):
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind(str(path))
        busy.listen(0)
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(str(path))
            with pytest.raises(OSError, match="another server listens there"):
                listening(path)
        assert path.exists()


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_socket_is_left_alone(path, kind):
    if kind == "file":
        path.write_text("precious")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(path.with_name("nowhere"))
    with pytest.raises(OSError, match="there is a file that is no socket"):
        listening(path)
    assert os.path.lexists(path)


def test_a_folder_that_is_not_there(path):
    with pytest.raises(OSError, match=r"cannot listen on unix:.*: No such file or directory"):
        listening(path.parent / "none" / "s")


def test_a_path_that_is_too_long(path):
    with pytest.raises(OSError, match=r"cannot listen on unix:.*: AF_UNIX path too long"):
        listening(str(path) + "x" * 200)


def test_what_took_its_place_is_not_removed(path):
    with listening(path).start():
        path.unlink()
        leave_stale(path)
    assert path.exists()


def test_a_file_that_somebody_removed(path):
    with listening(path).start():
        path.unlink()
    assert not path.exists()


def test_a_process_that_was_forked_leaves_the_file(path):
    with listening(path) as server:
        child = os.fork()
        if not child:
            try:
                server.server_close()
            finally:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert path.exists()


def test_a_stale_file_that_was_replaced_while_it_was_looked_at_is_kept(path, monkeypatch):
    leave_stale(path)

    class Late(socket.socket):
        def connect(self, address):
            try:
                super().connect(address)
            finally:
                path.unlink()
                leave_stale(path)  # the other one binds, and does not listen yet

    monkeypatch.setattr(socket, "socket", Late)
    remove_stale(str(path))
    assert path.exists()


def test_a_relative_path_is_removed_from_another_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with listening("s").start():
        monkeypatch.chdir("/")
    assert not (tmp_path / "s").exists()
