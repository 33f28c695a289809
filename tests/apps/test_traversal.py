"""Nobody gets out of a root: over connections, under both servers, and while the tree changes."""

from __future__ import annotations

import os
import re
import socket
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import product
from threading import Event
from urllib.parse import urlsplit

import pytest

from tests.apps.test_static import call
from tests.server.test_stock import stock
from wsgikit.apps import listing, static
from wsgikit.testing import serving

# Its length is another than that of all else that is sent: also a HEAD would give it away.
CANARY = b"canary of all canaries " * 331


@contextmanager
def ours(app):
    with serving(app) as server:
        yield urlsplit(server.url).port


SERVERS = {"ours": ours, "stock": stock}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    base = tmp_path_factory.mktemp("base")
    root = base / "root"
    (root / "docs").mkdir(parents=True)
    for name in ("a.txt", "index.html", "docs/index.html"):
        (root / name).write_text("public")
    for name in ("canary.txt", "root2.txt", "root/.env", "root/con.txt", "root/a.txt."):
        (base / name).write_bytes(CANARY)
    (root / "out").symlink_to("..")
    (root / "out.txt").symlink_to("../canary.txt")
    with zipfile.ZipFile(base / "files.zip", "w") as archive:
        archive.writestr("root/a.txt", "public")
        for name in ("canary.txt", "root/../up.txt", "/absolute.txt", "root/.env"):
            archive.writestr(name, CANARY)
    return base


APPS = {
    "live": lambda base: static(base / "root"),
    "frozen": lambda base: static(base / "root", frozen=True),
    "with a fallback": lambda base: static(base / "root", fallback="index.html"),
    "two roots": lambda base: static(base / "root" / "docs", base / "root"),
    "in a zip": lambda base: static(zipfile.Path(base / "files.zip", "root/")),
    "listing": lambda base: listing(base / "root", upload=True, overwrite=True),
}

UP = """
    .. %2e%2e .%2E %2e. %252e%252e ..%00 ..; ..%20 ... .%0d. ..%e2%80%8b out %u002e%u002e
    %c0%ae%c0%ae %e0%80%ae%e0%80%ae %ef%bc%8e%ef%bc%8e
""".split()
SLASH = "/ // /./ %2f %252f \\ %5c %255c %c0%af %e0%80%af %c1%9c %ef%bc%8f".split()
NAMES = """
    canary.txt%00 canary.txt%00.html %00canary.txt out.txt out/canary.txt out%2fcanary.txt
    con.txt CON.txt con.txt%20 a.txt. a.txt%2e a.txt%20 a.txt::$DATA a.txt%3a%3a$DATA
    a.txt:canary.txt C:/canary.txt C:canary.txt c%3a%5ccanary.txt \\\\?\\C:\\canary.txt
    //host/share/canary.txt %5c%5chost%5cshare%5ccanary.txt \\\\.\\pipe\\canary CANARY~1.TXT
    .env %2eenv %e2%80%8c.env docs/../.env root2.txt ../root2.txt etc/passwd %2fetc%2fpasswd
    proc/self/environ dev/stdin NUL aux COM1.txt LPT%c2%b9 file:///etc/passwd CANARY~1 CON.
    http://h/../canary.txt
    up.txt ../up.txt /absolute.txt %ff%fe %f0%28%8c%28 a.txt%ff %ed%a0%80 %% %zz %0acanary.txt
""".split()


def targets(base):
    for up, slash in product(UP, SLASH):
        yield f"/{up}{slash}canary.txt"
        yield f"/docs{slash}{up}{slash}{up}{slash}canary.txt"
        yield f"{slash}{up}{slash}root{slash}..{slash}canary.txt"
    for name in NAMES:
        yield f"/{name}"
        yield f"/docs/../{name}"
        yield name
    yield os.fspath(base / "canary.txt")
    yield f"/{base / 'canary.txt'}"
    yield "/" + "../" * 1000 + "canary.txt"
    yield "/" + "a/../" * 1000 + "../canary.txt"


def exchange(port, request):
    """What a server sends for these octets, to the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        answer = bytearray()
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while block := connection.recv(65536):
                answer += block
        except ConnectionError:  # a target that is too long is not read to its end
            pass
        return bytes(answer)


def assert_nothing_came_out(answer):
    assert b"canary of" not in answer
    assert re.search(rb"(?i)^content-length: %d\r$" % len(CANARY), answer, re.MULTILINE) is None
    # 501 is said of methods, 505 of versions: none of them is asked for here.
    assert re.match(rb"HTTP/1\.[01] (20[01]|30[1-8]|40[0-9]|41[0-9]|431) ", answer), answer[:200]


@pytest.mark.parametrize("kind", APPS)
@pytest.mark.parametrize("server", SERVERS)
def test_no_target_leads_out(base, server, kind):
    with SERVERS[server](APPS[kind](base)) as port:
        for number, target in enumerate(targets(base)):
            method = ("GET", "HEAD")[number % 2]
            head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            head += "Accept: text/html\r\nAccept-Encoding: gzip\r\n\r\n"
            answer = exchange(port, head.encode())
            assert_nothing_came_out(answer)
        whole = exchange(port, b"GET /a.txt HTTP/1.0\r\n\r\n")  # the door is not just locked
        assert whole.endswith(b"\r\n\r\npublic")


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", ["../canary.txt", "..\\canary.txt", "/etc/x", "out/x", "a.txt:x"])
def test_no_upload_leads_out(tmp_path, server, name):
    root = tmp_path / "root"
    (root / "in").mkdir(parents=True)
    (tmp_path / "canary.txt").write_bytes(CANARY)
    (root / "in" / "out").symlink_to("../..")
    body = (
        '--b\r\nContent-Disposition: form-data; name="existing"\r\n\r\nreplace\r\n'
        f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\nnew\r\n'
        "--b--\r\n"
    )
    fields = f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {len(body)}\r\n"
    with SERVERS[server](listing(root, upload=True, overwrite=True)) as port:
        for target in ("/in/", "/in/out/", "/../", "/in/%2e%2e/%2e%2e/", "/in/..%2f"):
            head = f"POST {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{fields}\r\n"
            assert_nothing_came_out(exchange(port, (head + body).encode()))
    assert (tmp_path / "canary.txt").read_bytes() == CANARY
    assert sorted(path.name for path in tmp_path.iterdir()) == ["canary.txt", "root"]
    assert [path.name for path in root.iterdir()] == ["in"]


# --- while somebody changes the tree


@pytest.mark.parametrize("app", ["live", "nothing in memory", "listing"])
def test_a_link_out_that_comes_and_goes_is_never_followed(tmp_path, app):
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root / "good", outside):
        folder.mkdir(parents=True)
    (root / "good" / "a.txt").write_text("public")
    (outside / "a.txt").write_bytes(CANARY)
    (root / "file.txt").write_text("public")
    made = {
        "live": lambda: static(root),
        "nothing in memory": lambda: static(root, memory=0),
        "listing": lambda: listing(root),
    }[app]()
    paths = ["/file.txt", "/folder/a.txt", "/folder/", "/folder/?download=zip"]
    done = Event()

    def change():
        """A file and a link to the canary take each other's place, each in one step, and so do a
        link to a folder inside and one to the folder outside.
        """
        turn = 0
        while not done.is_set():
            turn += 1
            (root / ".new").write_text("public")
            os.replace(root / ".new", root / "file.txt")
            (root / ".new").symlink_to("../outside/a.txt")
            os.replace(root / ".new", root / "file.txt")
            (root / ".new").symlink_to("good" if turn % 2 else "../outside")
            os.replace(root / ".new", root / "folder")

    def ask(path):
        path, _, query = path.partition("?")
        return call(made, path, QUERY_STRING=query)

    with ThreadPoolExecutor(5) as threads:
        changing = threads.submit(change)
        try:
            answers = [*threads.map(ask, paths * 200)]
        finally:
            done.set()
        changing.result()
    seen = {status for status, _, _ in answers}
    assert seen <= {200, 308, 404, 503}
    assert {200, 404} <= seen
    for _, headers, body in answers:
        assert b"canary of" not in body
        assert headers.get("Content-Length") != str(len(CANARY))


@pytest.mark.parametrize("size", [100, 300_000], ids=["in memory", "from the disk"])
def test_versions_are_never_mixed_while_a_file_is_replaced(tmp_path, size):
    """Its tag, its length and each of its octets are of one version."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"0" * size)
    app = static(tmp_path)
    done = Event()

    def change():
        turn = 0
        while not done.is_set():
            turn += 1
            digit = b"%d" % (turn % 10)
            (tmp_path / ".new").write_bytes(digit * (size + turn % 10))
            os.replace(tmp_path / ".new", path)

    def ask(number):
        fields = {"HTTP_RANGE": "bytes=10-"} if number % 3 == 0 else {}
        return call(app, "/a.bin", **fields)

    with ThreadPoolExecutor(5) as threads:
        changing = threads.submit(change)
        try:
            answers = [*threads.map(ask, range(200))]
        finally:
            done.set()
        changing.result()
    tags = {}
    for status, headers, body in answers:
        assert status in (200, 206, 503)
        if status == 503:
            continue
        assert len(set(body)) == 1
        digit = body[0] - ord("0")
        whole = size + digit
        assert (
            len(body) == (whole if status == 200 else whole - 10) == int(headers["Content-Length"])
        )
        assert tags.setdefault(headers["ETag"], digit) == digit
    assert len(tags) > 1


# --- what is asked for is read in one go

HOSTILE = {
    "ranges": ("RANGE", "bytes=" + "0-0," * 250_000),
    "a long number": ("RANGE", "bytes=" + "9" * 1_000_000 + "-"),
    "spaces in a range": ("RANGE", "bytes=" + " " * 1_000_000 + "0-0"),
    "tags": ("IF_NONE_MATCH", '"a",' * 250_000),
    "quotes": ("IF_NONE_MATCH", '"' * 1_000_000),
    "commas": ("IF_MATCH", "," * 1_000_000),
    "weak tags without an end": ("IF_MATCH", 'W/"' * 300_000),
    "a long date": ("IF_MODIFIED_SINCE", "Sun, " * 200_000),
    "another long date": ("IF_UNMODIFIED_SINCE", "0" * 1_000_000),
    "a long tag": ("IF_RANGE", '"' + "a" * 1_000_000),
    "codings": ("ACCEPT_ENCODING", "gzip;q=0.5," * 100_000),
    "weights": ("ACCEPT_ENCODING", "gzip" + ";q=1" * 250_000),
    "a long weight": ("ACCEPT_ENCODING", "gzip;q=0." + "0" * 1_000_000),
    "types": ("ACCEPT", "text/html;q=0.1," * 60_000),
}


@pytest.mark.parametrize(("name", "value"), HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("kind", ["live", "frozen", "listing", "with a fallback"])
def test_a_field_of_a_megabyte_is_read_in_linear_time(base, kind, name, value):
    """What is not linear would take minutes; a server would not even pass on so long a field."""
    app = APPS[kind](base)
    asked = {f"HTTP_{name}": value} | ({"HTTP_RANGE": "bytes=0-1"} if name == "IF_RANGE" else {})
    for path in ("/a.txt", "/", "/none"):
        before = os.times()
        status, _, _ = call(app, path, **asked)
        after = os.times()
        assert status in (200, 206, 304, 404, 406, 412, 416)
        assert after.user + after.system - before.user - before.system < 10
