from __future__ import annotations

import json
import socket
from argparse import Namespace
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from wsgikit.commands.serving import is_local
from wsgikit.server.run import make_server

PAGE = "text/html,*/*;q=0.8"


@pytest.fixture
def entries(get):
    def names(url):
        listed = json.loads(get(url, Accept="application/json"))["entries"]
        return [entry["name"] for entry in listed]

    return names


def status(url, **headers):
    try:
        with urlopen(Request(url, headers=headers), timeout=10) as response:
            return response.status
    except HTTPError as error:
        error.close()
        return error.code


def post(url, name):
    """Upload a file; the status."""
    body = (
        f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        "content\r\n--x--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    try:
        with urlopen(Request(url, body.encode(), headers), timeout=10) as response:
            return response.status
    except HTTPError as error:
        error.close()
        return error.code


def test_the_current_directory(served, folder, entries):
    (folder / "a.txt").write_text("")
    (folder / ".hidden").write_text("")
    assert served(["files", "--port", "0"], entries) == ["a.txt"]
    assert served(["files", "--port", "0", "--hidden"], entries) == [".hidden", "a.txt"]


def test_the_page_is_titled_by_the_directory(served, folder, get):
    (folder / "a & b").mkdir()
    argv = ["files", "a & b", "--port", "0"]
    assert "<title>a &amp; b</title>" in served(argv, lambda url: get(url, Accept=PAGE))


def test_an_index_is_sent_unless_told_to_list(served, folder, get, entries):
    (folder / "index.html").write_text("the index")
    assert served(["files", ".", "--port", "0"], get) == "the index"
    assert served(["files", ".", "--port", "0", "--list"], entries) == ["index.html"]


def test_nothing_is_taken_unless_told_to(served, folder):
    assert served(["files", "--port", "0"], lambda url: post(f"{url}/", "a.txt")) == 405


def test_uploads(served, folder):
    (folder / "index.html").write_text("the index")

    def visit(url):
        return [post(f"{url}/", "a.txt"), post(f"{url}/", "a.txt"), status(url, Accept=PAGE)]

    assert served(["files", "--port", "0", "--upload"], visit) == [201, 409, 200]
    assert (folder / "a.txt").read_text() == "content"
    assert served.err.count("Whoever can reach") == 0


def test_how_much_is_taken(served, folder):
    argv = ["files", "--port", "0", "--upload", "--max-upload", "50"]
    assert served(argv, lambda url: post(f"{url}/", "a.txt")) == 413


def expecting(url, length):
    """The first line of what is said to a form of so many bytes that asks before it is sent."""
    port = int(url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(
            f"POST / HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Length: {length}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n"
            "Expect: 100-continue\r\n\r\n".encode()
        )
        with client.makefile("rb") as stream:
            return stream.readline()


def test_uploads_of_gigabytes(served, folder):
    def visit(url):
        lengths = (2_000_000_000, 5_000_000_000, 5_000_000_001)
        return [expecting(url, length).split()[1] for length in lengths]

    argv = ["files", "--port", "0", "--upload", "--max-upload", "5G"]
    assert served(argv, visit) == [b"100", b"100", b"413"]


def test_replacing_is_offered_when_told_to(served, get):
    argv = ["files", "--port", "0", "--upload", "--overwrite"]
    assert 'value="replace"' in served(argv, lambda url: get(url, Accept=PAGE))
    assert 'value="replace"' not in served(argv[:-1], lambda url: get(url, Accept=PAGE))


def test_an_application_in_the_browser(served, folder, get):
    (folder / "index.html").write_text("the index")
    (folder / "app.js").write_text("script")

    def visit(url):
        found = [get(f"{url}/{path}", Accept=PAGE) for path in ("", "deep/route", "app.js")]
        return [*found, status(f"{url}/none.js", Accept="*/*")]

    argv = ["files", "--port", "0", "--spa"]
    assert served(argv, visit) == ["the index", "the index", "script", 404]


def test_pages_of_other_sites_may_read(served, folder):
    def visit(url):
        headers = {"Origin": "https://app.example"}
        with urlopen(Request(url, headers=headers), timeout=10) as response:
            return response.headers["Access-Control-Allow-Origin"]

    assert served(["files", "--port", "0", "--cors"], visit) == "*"
    assert served(["files", "--port", "0"], visit) is None


def test_on_this_machine_no_other_name_is_answered(served):
    def visit(url):
        return [status(url, Host=host) for host in ("evil.example", "localhost", "my.example")]

    assert served(["files", "--port", "0"], visit) == [421, 200, 421]
    assert served(["files", "--port", "0", "--host", "::1"], visit) == [421, 200, 421]
    assert served(["files", "--port", "0", "--hosts", "my.example"], visit) == [421, 200, 200]


def test_for_others_any_name_is_answered_unless_told_which(served):
    def visit(url):
        return [status(url, Host=host) for host in ("a.example", "my.example")]

    argv = ["files", "--port", "0", "--host", "0.0.0.0"]
    assert served(argv, visit) == [200, 200]
    assert served([*argv, "--hosts", "*.my.example, my.example"], visit) == [421, 200]


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1:0", True),
        ("[::1]:0", True),
        ("localhost:0", True),
        ("0.0.0.0:0", False),
        ("unix:s", True),
        ("fd:3", False),
    ],
)
def test_whether_an_address_is_for_this_machine_alone(address, local):
    assert is_local(Namespace(bind=["127.0.0.1:0", address])) is local


def test_uploads_for_others_are_told(served, get):
    argv = ["files", "--port", "0", "--upload", "--host", "0.0.0.0"]
    served(argv, get)
    assert served.err.startswith("Whoever can reach this address can add files.\n")


def test_a_port_that_is_taken(refused):
    with make_server("127.0.0.1", 0, print) as server:
        line = refused("files", "--port", str(server.port), status=1)
    assert line.startswith("cannot listen on 127.0.0.1:")
