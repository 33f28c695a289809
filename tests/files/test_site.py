"""What answers where nothing is: fallback and 404 file."""

from __future__ import annotations

import gzip
import os
from time import time
from wsgiref.validate import validator

import pytest
from webtest import TestApp, TestRequest

import wsgikit.files.describer
import wsgikit.files.site
from wsgikit.files.publish import publish
from wsgikit.files.rules import Rules
from wsgikit.files.versions import Changed
from wsgikit.middleware import errors
from wsgikit.trees.tree import Tree

PAGE = b"<h1>App</h1>" * 50
LOST = b"<h1>Lost</h1>" * 50
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}

MODES = pytest.mark.parametrize("frozen", [False, True], ids=["live", "frozen"])


@pytest.fixture(autouse=True)
def later(monkeypatch):
    """It is a minute later: what was written just now has settled, and is trusted."""
    monkeypatch.setattr(wsgikit.files.describer, "time", lambda: time() + 60)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "index.html").write_bytes(PAGE)
    (tmp_path / "app.js").write_bytes(b"app()")
    (tmp_path / "errors").mkdir()
    (tmp_path / "errors" / "404.html").write_bytes(LOST)
    return tmp_path


def site(folder, **options):
    given = {"index": "index.html", "hidden": False, "rules": Rules(vary=["Accept-Encoding"])}
    return TestApp(validator(publish(Tree(folder), codings=["gzip"], **(given | options))))


@MODES
def test_a_fallback_answers_for_pages(folder, frozen):
    app = site(folder, fallback="index.html", frozen=frozen)
    for path in ("/users/42", "/users/", "/users/john.doe", "/errors", "/errors/", "/.well-known"):
        for _ in range(2):
            response = app.get(path, headers=BROWSER)
            assert response.body == PAGE
            assert response.headers["Vary"] == "Accept, Accept-Encoding"
            assert response.headers["Cache-Control"] == "no-cache"
    assert app.get("/", headers=BROWSER).headers["Vary"] == "Accept-Encoding"
    assert app.get("/app.js", headers=BROWSER).body == b"app()"
    assert app.head("/users/42", headers=BROWSER).content_length == len(PAGE)


@MODES
@pytest.mark.parametrize("accept", ["*/*", "image/png", "application/json", "text/html;q=0", ""])
def test_a_fallback_is_for_pages_alone(folder, frozen, accept):
    app = site(folder, fallback="index.html", frozen=frozen)
    for path in ("/assets/app.js", "/users/42"):
        assert "Accept" in app.get(path, headers={"Accept": accept}, status=404).headers["Vary"]
    app.get("/users/42", status=404)


def test_a_fallback_is_a_file_like_others(folder):
    app = site(folder, fallback="index.html")
    etag = app.get("/users", headers=BROWSER).headers["ETag"]
    app.get("/users", headers=BROWSER | {"If-None-Match": etag}, status=304)
    assert app.get("/users", headers=BROWSER | {"Range": "bytes=1-2"}, status=206).body == b"h1"
    assert app.post("/users", headers=BROWSER, status=405).headers["Allow"] == "GET, HEAD"
    (folder / "index.html").write_bytes(b"new")
    assert app.get("/users", headers=BROWSER).body == b"new"


@MODES
def test_a_404_has_the_content_of_a_file(folder, frozen):
    app = site(folder, not_found="errors/404.html", frozen=frozen)
    for path in ("/none", "/errors/", "/app.js/", "/../x", "/.git/config"):
        for _ in range(2):
            response = app.get(path, status=404)
            assert response.body == LOST
            assert response.content_type == "text/html"
            for name in ("ETag", "Last-Modified", "Accept-Ranges"):
                assert name not in response.headers
    head = app.head("/none", status=404)
    assert (head.body, head.content_length) == (b"", len(LOST))
    assert app.get("/errors/404.html").body == LOST


@MODES
def test_no_condition_and_no_range_is_for_a_404(folder, frozen):
    app = site(folder, not_found="errors/404.html", frozen=frozen)
    for asked in ({"Range": "bytes=0-1"}, {"If-None-Match": "*"}, {"If-Match": '"a"'}):
        assert app.get("/none", headers=asked, status=404).body == LOST


@MODES
@pytest.mark.parametrize("memory", [0, 10_000], ids=["disk", "memory"])
def test_a_404_is_not_cached_as_its_file_is(folder, frozen, memory):
    caching = "public, max-age=31536000, immutable"
    given = {"not_found": "errors/404.html", "frozen": frozen, "memory": memory}
    app = site(folder, **given, rules=Rules(cache={"*": caching}))
    for method in (app.get, app.head):
        assert method("/none", status=404).headers.getall("Cache-Control") == ["no-cache"]
        assert method("/errors/404.html").headers["Cache-Control"] == caching
    tag = app.get("/errors/404.html").headers["ETag"]
    for asked in ({"If-None-Match": tag}, {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}):
        assert app.get("/none", headers=asked, status=404).body == LOST


def test_a_404_has_siblings_too(folder):
    (folder / "errors" / "404.html.gz").write_bytes(gzip.compress(LOST))
    app = site(folder, not_found="errors/404.html")
    environ = TestRequest.blank("/none", headers={"Accept-Encoding": "gzip"}).environ
    started = {}
    body = app.app(environ, lambda status, headers, exc_info=None: started.update(headers))
    assert started["Content-Encoding"] == "gzip"
    assert gzip.decompress(b"".join(body)) == LOST
    body.close()
    refused = app.get("/none", headers={"Accept-Encoding": "br, identity;q=0"}, status=406)
    assert "Accept-Encoding" in refused.headers["Vary"]


def test_a_404_from_the_disk(folder):
    app = site(folder, not_found="errors/404.html", memory=0)
    assert app.get("/none", status=404).body == LOST


@MODES
def test_both(folder, frozen):
    app = site(folder, fallback="index.html", not_found="errors/404.html", frozen=frozen)
    assert app.get("/users", headers=BROWSER).body == PAGE
    response = app.get("/app.css", status=404)
    assert response.body == LOST
    assert response.headers["Vary"] == "Accept, Accept-Encoding"


def test_what_is_not_there_cannot_answer(folder):
    app = site(folder, fallback="none.html", not_found="none/404.html")
    assert app.get("/users", headers=BROWSER, status=404).body != PAGE
    (folder / "none.html").write_bytes(PAGE)
    assert app.get("/users", headers=BROWSER).body == PAGE


def test_the_errors_layer_draws_what_no_file_is_for(folder):
    app = errors(publish(Tree(folder), index=None, hidden=False))
    assert TestApp(app).get("/none", status=404).content_type == "text/plain"


def test_a_file_that_is_written_to_all_the_time(folder, monkeypatch):
    def changed(shown, *args):
        raise Changed

    monkeypatch.setattr(wsgikit.files.site, "send_as", changed)
    app = site(folder, not_found="errors/404.html")
    assert app.get("/none", status=503).headers["Retry-After"] == "1"


@pytest.mark.parametrize("option", ["fallback", "not_found"])
@pytest.mark.parametrize("path", ["", "/index.html", "../index.html", "a//b", "a\\b", "NUL"])
def test_what_is_no_path_below_the_root(folder, option, path):
    with pytest.raises(ValueError, match=f"{option} takes the path of a file"):
        site(folder, **{option: path})


@pytest.mark.parametrize("option", ["fallback", "not_found"])
@pytest.mark.parametrize("path", ["none.html", "errors"])
def test_a_frozen_site_needs_its_files_at_once(folder, option, path):
    with pytest.raises(ValueError, match=f"{option} takes a file .* there is no {path}"):
        site(folder, frozen=True, **{option: path})


def test_hidden_files_may_be_given(folder):
    os.rename(folder / "errors", folder / ".errors")
    app = site(folder, not_found=".errors/404.html", frozen=True)
    assert app.get("/.errors/404.html", status=404).body == LOST
