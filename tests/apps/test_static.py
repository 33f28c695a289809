from __future__ import annotations

import gzip
import json
import os
import sys
import zipfile
from importlib import resources
from io import BytesIO
from urllib.parse import quote_from_bytes
from urllib.request import urlopen
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import Router, describe
from wsgikit.apps import static
from wsgikit.assets.digest import MANIFEST
from wsgikit.testing import serving

CANARY = b"canary"
TEXT = b"body { color: red }\n" * 100


def make_tree(base):
    root = base / "root"
    for folder in ("docs/deep", ".git", "empty", "beside"):
        (root / folder).mkdir(parents=True)
    for name, content in {
        "a.txt": "text",
        "index.html": "<h1>Top</h1>",
        "docs/index.html": "<h1>Docs</h1>",
        "docs/deep/page.html": "<p>deep",
        ".git/config": "hidden",
        ".env": "hidden",
        "données.txt": "é",
        "100%.txt": "percent",
    }.items():
        (root / name).write_text(content, encoding="utf-8")
    with open(os.fsencode(root) + b"/caf\xe9.txt", "wb") as file:
        file.write(b"octets")
    os.utime(root / "a.txt", (1_700_000_000, 1_700_000_000))
    (base / "canary.txt").write_bytes(CANARY)
    (base / "outside").mkdir()
    (base / "outside" / "canary.txt").write_bytes(CANARY)
    (base / "root2").mkdir()
    (base / "root2" / "canary.txt").write_bytes(CANARY)
    (root / "out").symlink_to("../outside")
    (root / "out.txt").symlink_to("../canary.txt")
    (root / "up").symlink_to("..")
    (root / "inside").symlink_to("docs")
    (root / "loop").symlink_to("loop")
    (root / "dangling").symlink_to("nothing")
    os.mkfifo(root / "fifo")
    # Names that a file may have here and that mean something else on Windows.
    for name in (
        "a:b",
        "C:",
        "back\\slash",
        "NUL",
        "con.txt",
        "dot.",
        "space ",
        "new\nline",
        "G~1",
    ):
        (root / name).write_bytes(CANARY)
    return root


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_tree(tmp_path_factory.mktemp("static"))


@pytest.fixture
def app(root):
    return TestApp(validator(static(root)))


def call(app, path, method="GET", **environ):
    """The answer to a path that no client library would send: status, headers, body."""
    setup_testing_defaults(environ)
    environ.update(PATH_INFO=path, REQUEST_METHOD=method)
    started = []
    body = app(environ, lambda status, headers, exc_info=None: started.append((status, headers)))
    try:
        content = b"".join(body)
    finally:
        getattr(body, "close", lambda: None)()
    ((status, headers),) = started
    return int(status[:3]), dict(headers), content


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/a.txt", "text/plain; charset=utf-8"),
        ("/docs/deep/page.html", "text/html; charset=utf-8"),
        ("/donn%C3%A9es.txt", "text/plain; charset=utf-8"),
        ("/100%25.txt", "text/plain; charset=utf-8"),
        ("/caf%E9.txt", "text/plain; charset=utf-8"),
    ],
)
def test_a_file(app, path, content_type):
    response = app.get(path)
    assert response.headers["Content-Type"] == content_type
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.content_length == len(response.body) > 0


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.css", "text/css; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.svg", "image/svg+xml; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.wasm", "application/wasm"),
        ("a.png", "image/png"),
        ("a.PNG", "image/png"),
        ("a.tar.gz", "application/gzip"),
        ("a", "application/octet-stream"),
        ("a.none", "application/octet-stream"),
    ],
)
def test_types(tmp_path, name, content_type):
    (tmp_path / name).write_bytes(b"x")
    response = TestApp(static(tmp_path)).get(f"/{name}")
    assert response.headers["Content-Type"] == content_type
    assert "Content-Encoding" not in response.headers


def test_head(app):
    response = app.head("/a.txt")
    assert (response.status_int, response.body) == (200, b"")
    assert response.content_length == 4
    assert response.headers["Last-Modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"


def test_a_file_that_did_not_change(app):
    etag = app.get("/a.txt").headers["ETag"]
    for headers in (
        {"If-None-Match": etag},
        {"If-Modified-Since": "Tue, 14 Nov 2023 22:13:20 GMT"},
    ):
        response = app.get("/a.txt", headers=headers, status=304)
        assert response.headers["ETag"] == etag
        assert "Content-Type" not in response.headers
    app.get("/a.txt", headers={"If-Match": '"other"'}, status=412)


def test_a_range(app):
    response = app.get("/a.txt", headers={"Range": "bytes=1-2"}, status=206)
    assert response.body == b"ex"
    assert response.headers["Content-Range"] == "bytes 1-2/4"
    app.get("/a.txt", headers={"Range": "bytes=4-"}, status=416)


def test_a_server_sends_the_file_itself(root):
    environ = {"wsgi.file_wrapper": FileWrapper, "PATH_INFO": "/a.txt", "REQUEST_METHOD": "GET"}
    setup_testing_defaults(environ)
    body = static(root, memory=0)(environ, lambda *_: None)
    assert isinstance(body, FileWrapper)
    assert list(body) == [b"text"]
    body.close()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get"])
@pytest.mark.parametrize("path", ["/a.txt", "/none", "/docs", "/../.."])
def test_other_methods(root, method, path):
    status, headers, _ = call(static(root), path, method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("path", "body"), [("/", b"Top"), ("/docs/", b"Docs"), ("/inside/", b"Docs")]
)
def test_index_files(app, path, body):
    response = app.get(path)
    assert body in response.body
    assert response.content_type == "text/html"


@pytest.mark.parametrize(
    "path", ["/empty/", "/empty", "/docs/deep", "/docs/deep/", "/none", "/none/"]
)
def test_what_has_no_index(app, path):
    app.get(path, status=404)


def test_an_index_of_another_name(root):
    app = TestApp(static(root, index="page.html"))
    assert app.get("/docs/deep/").body == b"<p>deep"
    app.get("/docs/", status=404)


def test_no_index_at_all(root):
    app = TestApp(static(root, index=None))
    app.get("/docs/", status=404)
    app.get("/docs", status=404)
    app.get("/docs/index.html")


@pytest.mark.parametrize("index", ["", "a/b", "..", "a:b", "NUL"])
def test_an_index_that_is_no_name(root, index):
    with pytest.raises(ValueError, match="index takes the name of a file"):
        static(root, index=index)


def test_an_index_that_is_a_directory(root):
    TestApp(static(root, index="deep")).get("/docs/", status=404)


def test_a_root_that_is_none(root):
    with pytest.raises(ValueError, match="root takes a directory"):
        static(root / "a.txt")


def test_a_directory_is_redirected_to_its_slash(app):
    response = app.get("/docs?a=b&c=%20", status=308)
    assert response.headers["Location"] == "/docs/?a=b&c=%20"
    assert response.body == b""
    assert app.head("/docs", status=308).headers["Location"] == "/docs/"


@pytest.mark.parametrize(
    ("script_name", "path", "query", "location"),
    [
        ("", "/docs", "", "/docs/"),
        ("/mounted", "/docs", "", "/mounted/docs/"),
        ("/mounted", "", "", "/mounted/"),
        ("/gr\xc3\xbc\xc3\x9fe", "/docs", "", "/gr%C3%BC%C3%9Fe/docs/"),
        ("/a b\\\r\n\xff", "/docs", "", "/a%20b%5C%0D%0A%FF/docs/"),
        ("", "/docs", 'q=\\"\r\n\xe9%41#', "/docs/?q=%5C%22%0D%0A%E9%41%23"),
        ("", "/docs", "next=//evil.com/", "/docs/?next=//evil.com/"),
    ],
)
def test_where_a_redirect_leads(root, script_name, path, query, location):
    _, headers, _ = call(static(root), path, SCRIPT_NAME=script_name, QUERY_STRING=query)
    assert headers["Location"] == location


@pytest.mark.parametrize(
    ("script_name", "path"),
    [
        ("", "//evil.com/.."),
        ("", "//evil.com/../docs"),
        ("", "//docs"),
        ("", "///docs"),
        ("", "/\\docs"),
        ("", "/\\evil.com/%2e%2e"),
        ("", "\\docs"),
        ("", "docs"),
        ("//evil.com", "/docs"),
        ("//evil.com", ""),
        ("https://evil.com", "/docs"),
    ],
)
def test_no_redirect_leads_away(root, script_name, path):
    status, headers, _ = call(static(root), path, SCRIPT_NAME=script_name)
    assert status in (400, 404)
    assert "Location" not in headers


def test_the_top_without_any_slash(root):
    status, _, body = call(static(root), "", SCRIPT_NAME="")
    assert (status, body) == (200, b"<h1>Top</h1>")


def test_a_file_is_no_directory(app):
    app.get("/a.txt/", status=404)
    app.get("/a.txt/b", status=404)


@pytest.mark.parametrize(
    "path",
    [
        "/.env",
        "/.git/config",
        "/.git",
        "/.git/",
        "/docs/../.env",
        "/\xe2\x80\x8c.env",
        "/..",
        "/.well-known",
    ],
)
def test_hidden_files(root, path):
    assert call(static(root), path)[0] == 404


def test_hidden_files_when_asked_for(root):
    app = TestApp(static(root, hidden=True))
    assert app.get("/.env").body == b"hidden"
    assert app.get("/.git/config").body == b"hidden"
    for path in ("/.", "/..", "/docs/../a.txt", "/../canary.txt"):
        assert call(static(root, hidden=True), path)[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../canary.txt",
        "/docs/../../canary.txt",
        "/..\\canary.txt",
        "/..%5ccanary.txt",
        "/%2e%2e/canary.txt",
        "/../root2/canary.txt",
        "/out/canary.txt",
        "/out",
        "/out/",
        "/out.txt",
        "/up/canary.txt",
        "/loop",
        "/dangling",
        "/fifo",
        "/a:b",
        "/a.txt::$DATA",
        "/C:",
        "/C:\\Windows\\win.ini",
        "/C:/Windows/win.ini",
        "/\\\\host\\share\\file",
        "//host/share/file",
        "/back\\slash",
        "/NUL",
        "/con.txt",
        "/dot.",
        "/a.txt.",
        "/a.txt ",
        "/space ",
        "/new\nline",
        "/a.txt\n",
        "/a.txt\x00",
        "/a.txt\x00.png",
        "/\x00",
        "/G~1",
        "/" + "a" * 300,
        "/" + "a/" * 3000,
        "/" + "a" * 100_000,
        "/\xff\xfe",
        "/\ud800",
        "/etc/passwd",
        "/~root/",
    ],
)
def test_nothing_else_is_served(root, path):
    status, headers, body = call(static(root), path)
    assert status == 404
    assert body == b"404 Not Found\n"
    assert "ETag" not in headers


segments = st.sampled_from(
    ["..", ".", "", "canary.txt", "root", "root2", "out", "up", "inside", "docs", "outside", "fifo"]
    + [
        "..\\",
        "\\..",
        "C:",
        "a:b",
        "NUL",
        "new\nline",
        "%2e%2e",
        "\xc0\xae\xc0\xae",
        ".. ",
        "..\x00",
    ]
) | st.text(st.characters(max_codepoint=255), max_size=4)


@given(
    st.lists(segments, max_size=6).map("/".join),
    st.sampled_from(["GET", "HEAD"]),
    st.booleans(),
    st.sampled_from([{}, {"HTTP_RANGE": "bytes=0-2"}, {"HTTP_IF_NONE_MATCH": "*"}]),
)
def test_the_canary_beside_the_root_is_never_served(root, path, method, hidden, fields):
    status, headers, body = call(static(root, hidden=hidden), f"/{path}", method, **fields)
    assert status in (200, 206, 304, 308, 404)
    assert CANARY[:3] not in body
    location = headers.get("Location", "/")
    assert location[0] == "/"
    assert location[1:2] not in ("/", "\\")


@given(st.text(), st.text())
def test_no_request_fails(root, script_name, path):
    assert call(static(root), path, SCRIPT_NAME=script_name)[0] in (200, 308, 400, 404)


def test_mounted_in_a_router(root):
    router = Router()
    router.mount("/static", static(root))
    app = TestApp(validator(router))
    assert app.get("/static/a.txt").body == b"text"
    assert app.get("/static/docs", status=308).location == "/static/docs/"
    assert app.get("/static", status=308).location == "/static/"
    assert app.get("/static/").body == b"<h1>Top</h1>"


def test_over_a_connection(root):
    with serving(static(root)) as server:
        base = server.url.rstrip("/")
        name = quote_from_bytes(b"caf\xe9.txt")
        for url, body in ((f"{base}/docs", b"<h1>Docs</h1>"), (f"{base}/{name}", b"octets")):
            with urlopen(url) as response:
                assert response.read() == body


def test_a_request_body_is_left_alone(root):
    unread = BytesIO(b"body")
    call(static(root), "/a.txt", "POST", **{"wsgi.input": unread, "CONTENT_LENGTH": "4"})
    assert unread.tell() == 0


def test_described(root):
    assert str(describe(static(root))) == f"static(root={str(root)!r})"
    app = static(str(root), index=None, hidden=True)
    assert describe(app).options == {"root": str(root), "index": None, "hidden": True}
    several = static(root, root / "docs", codings=["gzip"], cache={"*": "no-store"})
    assert describe(several).options == {
        "root": str(root),
        "more": [str(root / "docs")],
        "codings": ["gzip"],
        "cache": {"*": "no-store"},
    }


# --- what else can be asked for


@pytest.fixture
def site(tmp_path):
    root = tmp_path / "root"
    (root / "assets").mkdir(parents=True)
    for name, content in {
        "index.html": b"<h1>Site</h1>",
        "404.html": b"<h1>Lost</h1>",
        "app.css": TEXT,
        "app.css.gz": gzip.compress(TEXT),
        "app.3f2a1b9c.css": TEXT,
        "manifest.json": json.dumps({"app.css": "app.3f2a1b9c.css"}).encode(),
        "assets/report.pdf": b"%PDF",
        "assets/data.foo": b"foo",
    }.items():
        (root / name).write_bytes(content)
    return root


@pytest.mark.parametrize("frozen", [False, True], ids=["live", "frozen"])
def test_options(site, frozen):
    app = static(
        site,
        frozen=frozen,
        fallback="index.html",
        not_found="404.html",
        types={".foo": "text/x-foo"},
        cache={"assets/*": "max-age=60"},
        headers={"*": {"Access-Control-Allow-Origin": "*"}},
        download=["*.pdf"],
        memory=1000,
    )
    status, headers, body = call(app, "/app.css")
    assert (status, body) == (200, TEXT)
    assert headers["Cache-Control"] == "no-cache"
    assert headers["Vary"] == "Accept-Encoding"
    assert headers["Access-Control-Allow-Origin"] == "*"
    status, headers, body = call(app, "/app.css", HTTP_ACCEPT_ENCODING="gzip, deflate, br")
    assert (headers["Content-Encoding"], gzip.decompress(body)) == ("gzip", TEXT)
    assert headers["Vary"] == "Accept-Encoding"
    _, headers, _ = call(app, "/app.3f2a1b9c.css")
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    _, headers, _ = call(app, "/assets/report.pdf")
    assert headers["Content-Disposition"] == "attachment; filename=report.pdf"
    assert headers["Cache-Control"] == "max-age=60"
    _, headers, _ = call(app, "/assets/data.foo")
    assert headers["Content-Type"] == "text/x-foo; charset=utf-8"
    assert call(app, "/users", HTTP_ACCEPT="text/html")[2] == b"<h1>Site</h1>"
    assert call(app, "/users", HTTP_ACCEPT="*/*")[::2] == (404, b"<h1>Lost</h1>")


def test_a_304_keeps_what_concerns_the_response(site):
    app = static(site, headers={"*": {"Access-Control-Allow-Origin": "*"}})
    _, headers, _ = call(app, "/app.css")
    status, fields, _ = call(app, "/app.css", HTTP_IF_NONE_MATCH=headers["ETag"])
    assert (status, set(fields)) == (
        304,
        {"ETag", "Vary", "Cache-Control", "Access-Control-Allow-Origin"},
    )


def test_one_tag_for_two_codings_is_none(site):
    app = static(site)
    tags = {
        coding: call(app, "/app.css", HTTP_ACCEPT_ENCODING=coding)[1]["ETag"]
        for coding in ("gzip", "identity")
    }
    assert tags["gzip"] != tags["identity"]
    for asked, told, status in (
        ("gzip", "gzip", 304),
        ("identity", "identity", 304),
        ("gzip", "identity", 200),
        ("identity", "gzip", 200),
    ):
        fields = {"HTTP_ACCEPT_ENCODING": asked, "HTTP_IF_NONE_MATCH": tags[told]}
        assert call(app, "/app.css", **fields)[0] == status


def test_a_sibling_has_a_path_of_its_own(site):
    for coding in ("gzip", "identity"):
        _, headers, body = call(static(site), "/app.css.gz", HTTP_ACCEPT_ENCODING=coding)
        assert headers["Content-Type"] == "application/gzip"
        assert "Content-Encoding" not in headers
        assert gzip.decompress(body) == TEXT


def test_without_codings(site):
    _, headers, body = call(static(site, codings=[]), "/app.css", HTTP_ACCEPT_ENCODING="gzip")
    assert body == TEXT
    assert "Vary" not in headers
    assert call(static(site, codings=[]), "/app.css", HTTP_ACCEPT_ENCODING="*;q=0")[0] == 200


@pytest.mark.parametrize("frozen", [False, True], ids=["live", "frozen"])
def test_links_out_when_asked_for(root, frozen):
    app = static(root, links=True, frozen=frozen)
    for path in ("/out/canary.txt", "/out.txt", "/inside/index.html", "/a.txt"):
        assert call(app, path)[0] == 200
    for path in ("/loop", "/dangling", "/fifo", "/../canary.txt", "/out/../canary.txt", "/a:b"):
        assert call(app, path)[0] == 404


@pytest.mark.parametrize("frozen", [False, True], ids=["live", "frozen"])
def test_several_roots(site, root, frozen):
    app = static(site, root, frozen=frozen)
    assert call(app, "/")[2] == b"<h1>Site</h1>"
    assert call(app, "/a.txt")[2] == b"text"
    assert call(app, "/docs/")[2] == b"<h1>Docs</h1>"
    assert call(app, "/docs")[0] == 308


@pytest.mark.parametrize("frozen", [False, True], ids=["live", "frozen"])
def test_roots_in_packages_and_zips(site, tmp_path, monkeypatch, frozen):
    package = tmp_path / "shop_for_static"
    package.mkdir()
    (package / "__init__.py").write_bytes(b"")
    os.rename(site, package / "static")
    with zipfile.ZipFile(tmp_path / "site.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(package.rglob("*")):
            archive.write(path, path.relative_to(tmp_path))
        archive.writestr("secret.txt", CANARY)
    for place in (tmp_path, tmp_path / "site.zip"):
        monkeypatch.syspath_prepend(place)
        app = static(resources.files("shop_for_static") / "static", frozen=frozen)
        status, headers, body = call(app, "/app.css")
        assert (status, body) == (200, TEXT)
        assert call(app, "/app.css", HTTP_IF_NONE_MATCH=headers["ETag"])[0] == 304
        zipped = call(app, "/app.css", HTTP_ACCEPT_ENCODING="gzip")
        assert gzip.decompress(zipped[2]) == TEXT
        assert call(app, "/app.css", HTTP_RANGE="bytes=0-0")[::2] == (206, TEXT[:1])
        assert call(app, "/assets")[0] == 404
        assert call(app, "/")[2] == b"<h1>Site</h1>"
        for path in ("/../secret.txt", "/../__init__.py", "/..", "/none", "/app.css/x"):
            assert call(app, path)[0] == 404
        assert app.url("app.css") == "app.3f2a1b9c.css"
        del sys.modules["shop_for_static"]


def test_the_url_of_a_file(site):
    assert static.__kwdefaults__["manifest"] == MANIFEST
    app = static(site, base_url="/static/")
    assert app.url("app.css") == "/static/app.3f2a1b9c.css"
    assert app.url("index.html") == "/static/index.html"


@pytest.mark.parametrize("option", [{"memory": -1}, {"memory": 1.5}, {"memory": True}], ids=str)
def test_a_memory_that_is_none(root, option):
    with pytest.raises(ValueError, match="memory takes a number of bytes"):
        static(root, **option)


@pytest.mark.parametrize("codings", [["deflate"], "gzip", ["identity"], ["gzip", "GZIP"]])
def test_codings_that_are_none(root, codings):
    with pytest.raises(ValueError, match="codings takes a list of 'zstd', 'br', 'gzip'"):
        static(root, codings=codings)


@pytest.mark.parametrize("manifest", ["", "a/b", "..", "NUL"])
def test_a_manifest_that_is_no_name(root, manifest):
    with pytest.raises(ValueError, match="manifest takes the name of a file"):
        static(root, manifest=manifest)


@pytest.mark.parametrize("root", [None, 1, ["a"], b"a"], ids=repr)
def test_a_root_that_is_no_path(root):
    with pytest.raises(TypeError, match="root takes a path"):
        static(root)


@given(
    st.lists(segments, max_size=6).map("/".join),
    st.sampled_from(["GET", "HEAD"]),
    st.sampled_from([{}, {"frozen": True}, {"not_found": "index.html"}, {"memory": 0}]),
)
def test_the_canary_is_never_served_in_any_mode(root, path, method, options):
    app = static(root, hidden=True, **options)
    for _ in range(2):
        status, _, body = call(app, f"/{path}", method)
        assert status in (200, 308, 404)
        assert CANARY[:3] not in body
