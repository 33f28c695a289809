from __future__ import annotations

import os
import signal
import socket
import ssl
import stat
from http.client import HTTPConnection
from urllib.request import urlopen

import pytest
import trustme

from wsgikit.cli import main
from wsgikit.server.run import make_server

HELLO = """
from wsgikit import Router
app = Router()
@app.get("/hello/{name}")
def hello(request, name):
    return f"Hello, {name}!"
"""


@pytest.fixture(autouse=True)
def hello(folder):
    (folder / "hello.py").write_text(HELLO)


@pytest.mark.parametrize("target", ["hello", "hello:app", "hello.py", "./hello.py:app"])
def test_serve(served, get, target):
    argv = ["serve", target, "--port", "0"]
    assert served(argv, lambda url: get(f"{url}/hello/Ada")) == "Hello, Ada!"


def test_serve_a_factory(served, get, folder):
    (folder / "shop.py").write_text("from hello import app\ndef make_app():\n    return app")
    argv = ["serve", "shop:make_app", "--factory", "--port", "0"]
    assert served(argv, lambda url: get(f"{url}/hello/Ada")) == "Hello, Ada!"


def test_the_address_comes_from_the_environment(served, get, monkeypatch):
    monkeypatch.setenv("WSGIKIT_HOST", "127.0.0.2")
    monkeypatch.setenv("WSGIKIT_PORT", "0")
    served(["serve", "hello"], lambda url: get(f"{url}/hello/Ada"))
    assert served.url.startswith("http://127.0.0.2:")


def test_the_option_counts_where_both_are_given(served, get, monkeypatch):
    monkeypatch.setenv("WSGIKIT_HOST", "nowhere.invalid")
    monkeypatch.setenv("WSGIKIT_PORT", "70000")
    monkeypatch.setenv("WSGIKIT_OPEN", "1")
    argv = ["serve", "hello", "--host", "127.0.0.1", "--port", "0", "--no-open"]
    served(argv, lambda url: get(f"{url}/hello/Ada"))
    assert served.opened == []


def test_an_empty_variable_is_none(served, get, monkeypatch):
    monkeypatch.setenv("WSGIKIT_HOST", "")
    served(["serve", "hello", "--port", "0"], lambda url: get(f"{url}/hello/Ada"))
    assert served.url.startswith("http://127.0.0.1:")


def test_a_switch_may_be_off_in_the_environment(served, get, monkeypatch):
    monkeypatch.setenv("WSGIKIT_OPEN", "off")
    served(["serve", "hello", "--port", "0"], lambda url: get(f"{url}/hello/Ada"))
    assert served.opened == []


def test_the_browser_is_opened_once_it_listens(served, get):
    served(["serve", "hello", "--port", "0", "--open"], lambda url: served.ready.wait(10))
    assert served.opened == [served.url]


def unix_get(path):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(path)
        client.sendall(b"GET /hello/Ada HTTP/1.0\r\n\r\n")
        with client.makefile("rb") as stream:
            return stream.read().partition(b"\r\n\r\n")[2].decode()


def test_a_unix_socket(served):
    def visit(url):
        assert stat.S_IMODE(os.stat("s").st_mode) == 0o660
        return unix_get("s")

    argv = ["serve", "hello", "--bind", "unix:s", "--unix-mode", "660"]
    assert served(argv, visit) == "Hello, Ada!"
    assert served.url == "unix:s"


def test_addresses_come_from_the_environment(served, get, monkeypatch):
    monkeypatch.setenv("WSGIKIT_BIND", "127.0.0.2:0")
    served(["serve", "hello"], lambda url: get(f"{url}/hello/Ada"))
    assert served.url.startswith("http://127.0.0.2:")


def test_no_browser_opens_a_unix_socket(capsys):
    assert main(["serve", "hello", "--bind", "unix:s", "--open"]) == 2
    assert "--open needs an address that a browser can open" in capsys.readouterr().err


def test_a_proxy_that_sends_a_header(served, folder):
    (folder / "who.py").write_text(
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [environ['REMOTE_ADDR'].encode()]\n"
    )

    def visit(url):
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as client:
            client.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.0\r\n\r\n")
            with client.makefile("rb") as stream:
                return stream.read().decode()

    argv = ["serve", "who", "--port", "0", "--proxy-protocol", "127.0.0.0/8"]
    assert served(argv, visit).endswith("192.0.2.1")


def test_https(served, folder):
    authority = trustme.CA()
    authority.cert_pem.write_to_path("ca")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path("cert")

    def visit(url):
        context = ssl.create_default_context(cafile="ca")
        with urlopen(f"{url}/hello/Ada", context=context, timeout=10) as response:
            return response.read().decode()

    argv = ["serve", "hello", "--port", "0", "--cert", "cert"]
    assert served(argv, visit) == "Hello, Ada!"
    assert served.url.startswith("https://127.0.0.1:")


def test_how_large_bodies_may_be(served, folder):
    (folder / "length.py").write_text(
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [environ['CONTENT_LENGTH'].encode()]\n"
    )

    def visit(url):
        told = []
        for length in (b"2000000000", b"2000000001"):
            with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as client:
                client.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %b\r\n" % length)
                client.sendall(b"Expect: 100-continue\r\n\r\n")
                with client.makefile("rb") as stream:
                    told.append(stream.readline().split()[1])
        return told

    argv = ["serve", "length", "--port", "0", "--limit", "fields=5", "--limit", "body_bytes=2G"]
    assert served(argv, visit) == [b"200", b"413"]


def test_limits_come_from_the_environment(served, monkeypatch):
    monkeypatch.setenv("WSGIKIT_LIMIT", "idle=7.5 requests=1")

    def visit(url):
        client = HTTPConnection(url.removeprefix("http://"), timeout=10)
        client.request("GET", "/hello/Ada")
        with client.getresponse() as response:
            return response.getheader("Connection")

    assert served(["serve", "hello", "--port", "0"], visit) == "close"


def test_the_timeout_is_several_limits(served):
    def visit(url):
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as client:
            client.sendall(b"GET / HTTP/1.1\r\n")
            with client.makefile("rb") as stream:
                return stream.read().decode()

    argv = ["serve", "hello", "--port", "0", "--timeout", "1", "--limit", "fields=5"]
    assert served(argv, visit).endswith("A request head takes at most 1 s (limits.head_time).\n")


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ("idle", "a limit is as in idle=60, of head_bytes, fields, body_bytes, "),
        ("size=3", "write_stall, not 'size=3'"),
        ("idle=0", "idle takes a positive number, not 0.0"),
        ("idle=nan", "idle takes a positive number, not nan"),
        ("idle=soon", "idle takes a positive number, not 'soon'"),
        ("fields=", "fields takes a whole number from 1 on, not ''"),
        ("fields=1.5", "fields takes a whole number from 1 on, not '1.5'"),
        ("body_bytes=-1", "a size is a number of bytes such as 500M or 2G, not '-1'"),
    ],
)
def test_limits_that_are_none(refused, limit, told):
    assert told in refused("serve", "hello", "--limit", limit)


def test_certificates_that_are_none(refused, folder):
    assert "--key and --client-ca go with --cert" in refused("serve", "hello", "--key", "key")
    (folder / "cert").write_text("")
    line = refused("serve", "hello", "--cert", "cert", status=1)
    assert line.startswith("cert 'cert' are no certificate and its key")
    line = refused("serve", "hello", "--cert", "none", status=1)
    assert line == "none: No such file or directory"


def test_a_network_that_is_none(refused):
    line = refused("serve", "hello", "--proxy-protocol", "here")
    assert "a network takes networks such as '10.0.0.0/8', or 'unix', not 'here'" in line


@pytest.mark.parametrize("text", ["8000", "unix:", ":70000"])
def test_what_cannot_be_bound(refused, text):
    line = refused("serve", "hello", "--bind", text)
    assert "bind takes addresses such as" in line


@pytest.mark.parametrize("text", ["0", "8", "rw", "1777", "-1"])
def test_permissions_that_are_none(refused, text):
    assert "permissions are octal" in refused("serve", "hello", f"--unix-mode={text}")


def test_a_port_that_is_taken(refused):
    with make_server("127.0.0.1", 0, print) as server:
        line = refused("serve", "hello", "--port", str(server.port), status=1)
    assert line.startswith(f"cannot listen on 127.0.0.1:{server.port}: Address already in use")


def test_a_host_that_is_unknown(refused):
    line = refused("serve", "hello", "--host", "nowhere.invalid", "--port", "0", status=1)
    assert line.startswith("cannot listen on nowhere.invalid:0: ")


@pytest.fixture
def command(python, folder):
    """Starts ``wsgikit serve hello --port 0 ...``."""
    return lambda *options: python("-m", "wsgikit", "serve", "hello", "--port", "0", *options)


def test_workers_load_the_application_themselves_and_anew_after_a_sighup(command, folder):
    running = command("--workers", "2").listening()
    assert running.get("/hello/Ada") == "Hello, Ada!"
    (folder / "hello.py").write_text(HELLO.replace("Hello,", "Good morning,"))
    running.signal(signal.SIGHUP)
    running.line("Reloaded: 2 new workers")
    running.until(lambda: running.get("/hello/Ada") == "Good morning, Ada!")
    (folder / "hello.py").write_text("app = (")
    running.signal(signal.SIGHUP)
    running.line(r"Not reloaded, .*: Worker \d+ could not start: hello failed with SyntaxError: ")
    assert running.get("/hello/Ada") == "Good morning, Ada!"
    running.signal(signal.SIGTERM)
    assert running.ended() == 0


def test_workers_that_cannot_load_the_application_end_it_with_one_line(command, folder):
    (folder / "hello.py").write_text("1 / 0")
    running = command("--workers", "2")
    assert running.ended() == 1
    told = "hello failed with ZeroDivisionError: division by zero (hello.py, line 1)"
    assert running.lines == [f"wsgikit: error: {told}; --traceback shows it all", None]


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--workers", "many", "a number from 0 to 1000, not 'many'"),
        ("--threads", "0", "a number from 1 to 1000, not '0'"),
        ("--worker-requests", "0", "a number from 1 to 999999999, not '0'"),
        ("--worker-timeout", "0", "a number from 1 to 86400, not '0'"),
        ("--stop-timeout", "-1", "a number from 1 to 86400, not '-1'"),
    ],
)
def test_numbers_of_processes_are_checked(refused, option, value, told):
    assert told in refused("serve", "hello", option, value)


def test_reload_shows_what_is_broken_and_waits_it_out(command, folder):
    (folder / "hello.py").write_text("app = (")
    running = command("--reload")
    running.line("^wsgikit: error: hello failed with SyntaxError: .*hello.py, line 1")
    running.line("The program has failed: waiting for a change")
    (folder / "hello.py").write_text(HELLO)
    running.listening()
    assert running.get("/hello/Ada") == "Hello, Ada!"


PASSING = """
import os, socket, sys
listening = socket.create_server(("127.0.0.1", 0))
os.dup2(os.dup(listening.fileno()), 3)
os.environ["LISTEN_PID"], os.environ["LISTEN_FDS"] = str(os.getpid()), "1"
command = "-m", "wsgikit", "serve", "hello", "--bind", "systemd", "--reload"
os.execv(sys.executable, [sys.executable, *command])
"""


def test_reload_on_a_socket_that_systemd_passes(program, folder):
    running = program(PASSING).listening()
    assert running.get("/hello/Ada") == "Hello, Ada!"


def test_reload_goes_without_workers(refused):
    line = refused("serve", "hello", "--reload", "--workers", "2")
    assert line == "--reload goes without --workers: SIGHUP replaces those"
