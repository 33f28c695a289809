from __future__ import annotations

import io
import os
import tarfile
import zipfile
from base64 import b64encode
from hashlib import sha256
from urllib.parse import urljoin
from wsgiref.validate import validator

import pytest
from webtest import TestApp, Upload

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
    options = {
        "title": "Mine",
        "index": "index.html",
        "hidden": True,
        "archives": False,
        "upload": True,
        "max_upload": 5,
        "overwrite": True,
    }
    assert describe(listing(str(root), **options)).options == {"root": str(root), **options}


# Archives


@pytest.mark.parametrize("path", ["/", "/docs/", "/to-docs/"])
def test_each_folder_can_be_downloaded(app, path):
    response = app.get(path).click("zip")
    assert response.content_type == "application/zip"
    assert response.headers["Cache-Control"] == "no-cache"
    name = path.strip("/") or "Files"
    assert response.headers["Content-Disposition"] == f"attachment; filename={name}.zip"
    archive = zipfile.ZipFile(io.BytesIO(response.body))
    assert archive.testzip() is None
    expected = {"/": "Files/a.txt", "/docs/": "docs/index.html", "/to-docs/": "to-docs/index.html"}
    assert expected[path] in archive.namelist()
    assert not [name for name in archive.namelist() if "secret" in name or "hidden" in name]


def test_an_archive_for_tar(app):
    response = app.get("/").click("tar.gz")
    assert response.content_type == "application/gzip"
    with tarfile.open(fileobj=io.BytesIO(response.body)) as archive:
        assert "Files/a.txt" in archive.getnames()


def test_hidden_files_are_in_the_archive_where_they_are_listed(root):
    response = TestApp(listing(root, hidden=True)).get("/?download=zip")
    assert "Files/.hidden" in zipfile.ZipFile(io.BytesIO(response.body)).namelist()


@pytest.mark.parametrize("query", ["download=rar", "download=", "download"])
def test_an_archive_that_there_is_not(app, query):
    assert app.get(f"/?{query}").content_type == "text/html"


def test_without_archives(root):
    app = TestApp(listing(root, archives=False))
    assert not app.get("/").html.select("#listed > p a")
    assert app.get("/?download=zip").content_type == "text/html"


def test_a_head_of_an_archive(app):
    response = app.head("/?download=zip")
    assert (response.body, response.content_type) == (b"", "application/zip")


# Uploads


@pytest.fixture
def taking(root):
    return TestApp(validator(listing(root, upload=True)))


def everything(root):
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_symlink()}


HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Sec-Fetch-Site": "same-origin"}


def test_the_form_works_without_a_script(taking, root):
    form = taking.get("/docs/?sort=size&order=asc").forms[0]
    form["file"] = [Upload("é 1.txt", b"one"), Upload("two.txt", b"two")]
    response = form.submit(headers=HTML)
    assert response.status_int == 303
    assert response.location == "?sort=size&order=asc&stored=2"
    assert (root / "docs" / "é 1.txt").read_bytes() == b"one"
    page = taking.get("/docs/?sort=size&order=asc&stored=2")
    assert page.html.select_one("p[role=status]").get_text() == "2 files were stored."
    assert "./two.txt" in links(page)


def test_a_form_without_a_file(taking):
    response = taking.post("/", {}, HTML, upload_files=[("file", "", b"")])
    assert response.location == "?stored=0"
    assert not taking.get("/?stored=0").html.select(".notice")


def test_a_taken_name_is_told_on_the_page(taking, root):
    response = taking.post(
        "/",
        {"existing": "refuse"},
        HTML,
        upload_files=[("file", "a.txt", b"new"), ("file", "c.txt", b"c")],
        status=409,
    )
    assert response.html.select_one("[role=status]").get_text() == "1 file was stored."
    alert = response.html.select_one("[role=alert]")
    assert alert.li.get_text() == "a.txt: there is something of that name"
    assert (root / "a.txt").read_bytes() == b"text"
    assert "./c.txt" in links(response)


def test_the_form_numbers_unless_told_otherwise(taking, root):
    form = taking.get("/").forms[0]
    assert form["existing"].options == [
        ("number", False, "keep both"),
        ("refuse", False, "keep the old one"),
    ]
    form["file"] = [Upload("a.txt", b"new")]
    form.submit(headers=HTML, status=303)
    assert (root / "a (2).txt").read_bytes() == b"new"


def test_programs_get_json(taking, root):
    response = taking.post("/docs/", upload_files=[("file", "c.txt", b"c")], status=201)
    assert response.headers["Vary"] == "Accept"
    assert response.json == {"stored": [{"name": "c.txt", "href": "./c.txt"}], "refused": []}
    headers = {"Accept": "application/json"}
    response = taking.post(
        "/docs/", {}, headers, upload_files=[("file", "c.txt", b"c")], status=409
    )
    assert response.content_type == "application/problem+json"
    assert response.json["refused"] == [
        {"name": "c.txt", "reason": "there is something of that name"}
    ]


def test_overwriting_where_it_is_allowed(root):
    app = TestApp(listing(root, upload=True, overwrite=True))
    form = app.get("/").forms[0]
    form["existing"] = "replace"
    form["file"] = [Upload("a.txt", b"new")]
    form.submit(headers=HTML, status=303)
    assert app.get("/a.txt").body == b"new"


def test_a_form_that_is_too_large(root):
    app = TestApp(listing(root, upload=True, max_upload=100))
    response = app.post("/", upload_files=[("file", "c.txt", bytes(100))], status=413)
    assert "At most 100 bytes are taken at once (max_upload)." in response
    assert "At most 100\xa0B at once." in app.get("/").html.form.get_text()


def test_a_page_of_another_site_stores_nothing(taking, root):
    before = everything(root)
    headers = HTML | {"Sec-Fetch-Site": "cross-site"}
    taking.post("/", {}, headers, upload_files=[("file", "c.txt", b"c")], status=403)
    assert everything(root) == before


@pytest.mark.parametrize("path", ["/none/", "/out/", "/.git/", "/../", "/a.txt/"])
def test_where_nothing_is_stored(taking, root, path):
    (root / ".git").mkdir()
    before = everything(root)
    taking.post(path, upload_files=[("file", "c.txt", b"c")], status=404)
    assert everything(root) == before


def test_a_file_takes_nothing(taking):
    response = taking.post("/a.txt", upload_files=[("file", "c.txt", b"c")], status=405)
    assert response.headers["Allow"] == "GET, HEAD"


def test_other_methods_where_files_are_taken(taking):
    assert taking.put("/", status=405).headers["Allow"] == "GET, HEAD, POST"
    assert taking.options("/", status=405).headers["Allow"] == "GET, HEAD, POST"


def test_hidden_folders_take_files_where_they_are_listed(root):
    (root / ".git").mkdir()
    app = TestApp(listing(root, upload=True, hidden=True))
    app.post("/.git/", upload_files=[("file", "c.txt", b"c")], status=201)


def test_the_page_may_run_its_own_script_only(taking):
    page = taking.get("/")
    (policy,) = page.headers.getall("Content-Security-Policy")
    digest = b64encode(sha256(page.html.script.string.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'; connect-src 'self'" in policy
    assert "default-src 'none'" in policy


@pytest.mark.parametrize("name", ["page.html", "image.svg", "page.xhtml", "data.xml", "feed.atom"])
def test_no_script_runs_in_what_was_stored(taking, root, name):
    (root / name).write_text("<script>alert(1)</script>")
    assert taking.get(f"/{name}").headers["Content-Security-Policy"] == "sandbox"
    assert "Content-Security-Policy" not in TestApp(listing(root)).get(f"/{name}").headers


def test_other_types_are_sent_as_ever(taking):
    assert "Content-Security-Policy" not in taking.get("/a.txt").headers
    etag = taking.get("/a.txt").headers["ETag"]
    taking.get("/a.txt", headers={"If-None-Match": etag}, status=304)


def test_uploads_below_a_mount(root):
    router = Router()
    router.mount("/files", listing(root, upload=True))
    app = TestApp(validator(router))
    form = app.get("/files/docs/").forms[0]
    form["file"] = [Upload("c.txt", b"c")]
    assert form.submit(headers=HTML).follow().request.path == "/files/docs/"
    assert app.get("/files/docs/c.txt").body == b"c"


def test_the_top_of_a_mount_without_a_slash(root):
    app = listing(root, upload=True)
    response = TestApp(app).post(
        "/", extra_environ={"SCRIPT_NAME": "/files", "PATH_INFO": ""}, status="*"
    )
    assert response.status_int in (405, 415)


@pytest.mark.parametrize("size", [0, -1, 1.5, "1", True])
def test_a_limit_that_is_none(root, size):
    with pytest.raises(ValueError, match="max_upload takes a number of bytes"):
        listing(root, max_upload=size)
