from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.server.addresses import Descriptor, TcpAddress, UnixAddress, parse_binds

PATHS = st.text(min_size=1).filter(lambda path: "\0" not in path)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8000", TcpAddress("127.0.0.1", 8000)),
        ("localhost:0", TcpAddress("localhost", 0)),
        (":80", TcpAddress("", 80)),
        ("[::1]:65535", TcpAddress("::1", 65535)),
        ("[fe80::1%eth0]:80", TcpAddress("fe80::1%eth0", 80)),
        ("unix:/run/app.sock", UnixAddress("/run/app.sock")),
        ("unix:a b:c", UnixAddress("a b:c")),
        ("fd:3", Descriptor(3)),
    ],
)
def test_an_address_is_what_its_text_says(text, address):
    assert parse_binds([text]) == (address,)
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8000",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:٣",
        "::1:80",
        "[127.0.0.1]:80",
        "[::1]",
        "http://127.0.0.1:80",
        "user@host:80",
        "a b:80",
        "a:80\n",
        "unix:",
        "unix:/a\0b",
        "fd:",
        "fd:-1",
        "fd:x",
        "fd:1234567890",
    ],
)
def test_what_is_no_address(text):
    with pytest.raises(ValueError, match="bind takes addresses such as ") as raised:
        parse_binds([text])
    assert str(raised.value).endswith(f"not {text!r}")


def test_one_text_is_no_list():
    with pytest.raises(TypeError, match="bind takes a list of addresses, not ':80'"):
        parse_binds(":80")


def test_an_address_comes_once_but_for_free_ports():
    assert len(parse_binds([":0", ":0", ":80"])) == 3
    with pytest.raises(ValueError, match="bind has 'unix:/a' twice"):
        parse_binds(["unix:/a", ":80", "unix:/a"])


@given(st.text())
def test_any_text_is_an_address_or_refused(text):
    try:
        (address,) = parse_binds([text], {})
    except ValueError:
        return
    assert parse_binds([str(address)]) == (address,)


@given(PATHS)
def test_any_path_is_kept(path):
    assert parse_binds([f"unix:{path}"]) == (UnixAddress(path),)


def test_systemd_passes_several():
    environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2"}
    assert parse_binds(["systemd", ":80"], environ) == (
        Descriptor(3),
        Descriptor(4),
        TcpAddress("", 80),
    )
    with pytest.raises(ValueError, match="bind has 'fd:4' twice"):
        parse_binds(["fd:4", "systemd"], environ)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_FDS": "1"},
        {"LISTEN_FDS": "1", "LISTEN_PID": "1"},
        {"LISTEN_FDS": "0", "LISTEN_PID": str(os.getpid())},
        {"LISTEN_FDS": "99999", "LISTEN_PID": str(os.getpid())},
        {"LISTEN_FDS": "x", "LISTEN_PID": str(os.getpid())},
    ],
    ids=["nothing", "nobody", "somebody else", "none", "too many", "no number"],
)
def test_what_systemd_passed_to_nobody(environ):
    with pytest.raises(ValueError, match="nothing was passed to this process"):
        parse_binds(["systemd"], environ)
