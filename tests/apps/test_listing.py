from __future__ import annotations

import os
from urllib.parse import urljoin
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import Router, describe
from wsgikit.apps import listing


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    (root / "docs" / "deep").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / "a.txt").write_bytes(b"text")
    (root / "b.bin").write_bytes(b"12345678")
    (root / ".hidden").write_bytes(b"hidden")
    (root / "it's 100% <b>.txt").write_bytes(b"odd")
    with open(os.fsencode(root) + b"/caf\xe9.txt", "wb") as file:
        file.write(b"octets")
    (root / "docs" / "index.html").write_bytes(b"<h1>Docs")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    (root / "out").symlink_to("..")
    (root / "to-docs").symlink_to("docs")
    os.mkfifo(root / "fifo")
    return root


@pytest.fixture
def app(root):
    return TestApp(validator(listing(root)))


def links(response):
    return [link["href"] for link in response.html.tbody.select("a")]


def test_a_directory(app):
    response = app.get("/")
    assert response.content_type == "text/html"
    assert response.html.h1.get_text() == "Files"
    assert response.headers["Vary"] == "Accept"
    assert response.headers["Cache-Control"] == "no-cache"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert links(response) == [
        "./docs/",
        "./empty/",
        "./to-docs/",
        "./a.txt",
        "./b.bin",
        "./caf%E9.txt",
        "./it%27s%20100%25%20%3Cb%3E.txt",
    ]
    assert ".hidden" not in response
    assert [row.get_text() for row in response.html.select("span.entry bdi")] == ["fifo", "out"]


def test_every_link_works(app):
    seen, paths = set(), {"/"}
    while paths:
        path = paths.pop()
        seen.add(path)
        response = app.get(path)
        if response.content_type == "text/html" and path.partition("?")[0].endswith("/"):
            paths |= {urljoin(path, link["href"]) for link in response.html.select("a")} - seen
    assert {"/docs/deep/", "/to-docs/index.html", "/caf%E9.txt"} <= seen
    assert {"/?sort=size&order=asc", "/docs/deep/?sort=modified&order=desc"} <= seen


def test_sorted(app):
    assert links(app.get("/?sort=size"))[3:5] == ["./b.bin", "./caf%E9.txt"]
    assert links(app.get("/?sort=name&order=desc"))[:2] == [
        "./to-docs/?sort=name&order=desc",
        "./empty/?sort=name&order=desc",
    ]


def test_too_many_fields(app):
    app.get("/?" + "&" * 2000, status=400)


def test_head(app):
    length = app.get("/").content_length
    response = app.head("/")
    assert (response.body, response.content_length) == (b"", length)


def test_as_json(app):
    response = app.get("/docs/", headers={"Accept": "application/json"})
    assert response.headers["Vary"] == "Accept"
    assert response.json["path"] == "/docs/"
    assert [entry["name"] for entry in response.json["entries"]] == ["deep", "index.html"]
    assert response.json["entries"][1]["size"] == 8


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("*/*", "text/html"),
        ("application/json, */*;q=0.1", "application/json"),
        ("text/html;q=0.5, application/json", "application/json"),
        ("image/png", "text/html"),
    ],
)
def test_negotiation(app, accept, content_type):
    assert app.get("/", headers={"Accept": accept}).content_type == content_type


def test_files_are_sent_as_static_does(app):
    response = app.get("/b.bin", headers={"Range": "bytes=2-4"}, status=206)
    assert response.body == b"345"
    etag = app.get("/a.txt").headers["ETag"]
    app.get("/a.txt", headers={"If-None-Match": etag}, status=304)
    assert app.get("/a.txt").headers["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "path", ["/.hidden", "/out/", "/out/secret.txt", "/fifo", "/none/", "/a.txt/"]
)
def test_what_is_not_served(app, path):
    app.get(path, status=404)


def test_other_methods(app):
    assert app.post("/", status=405).headers["Allow"] == "GET, HEAD"


def test_a_directory_without_its_slash(app):
    response = app.get("/docs?sort=size", status=308)
    assert response.location == "/docs/?sort=size"


def test_a_title(root):
    response = TestApp(listing(root, title="<Mine>")).get("/docs/")
    assert response.html.title.get_text() == "docs – <Mine>"


def test_hidden_names_when_asked_for(root):
    app = TestApp(listing(root, hidden=True))
    assert "./.hidden" in links(app.get("/"))
    assert app.get("/.hidden").body == b"hidden"


def test_an_index_instead(root):
    app = TestApp(listing(root, index="index.html"))
    assert app.get("/docs/").body == b"<h1>Docs"
    assert app.get("/empty/").html.h1.get_text() == "empty"
    assert app.get("/docs", status=308).location == "/docs/"


def test_mounted(root):
    router = Router()
    router.mount("/files", listing(root))
    app = TestApp(validator(router))
    assert app.get("/files", status=308).location == "/files/"
    assert app.get("/files/docs/").click("Parent folder").request.path == "/files/"


@pytest.mark.parametrize("options", [{"index": ".."}, {"index": ""}])
def test_options_that_are_none(root, options):
    with pytest.raises(ValueError, match="index takes"):
        listing(root, **options)


def test_a_root_that_is_none(root):
    with pytest.raises(ValueError, match="root takes a directory"):
        listing(root / "none")


def test_described(root):
    assert str(describe(listing(root))) == f"listing(root={str(root)!r})"
    app = listing(str(root), title="Mine", index="index.html", hidden=True)
    assert describe(app).options == {
        "root": str(root),
        "title": "Mine",
        "index": "index.html",
        "hidden": True,
    }
