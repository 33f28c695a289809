from __future__ import annotations

import os
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import Response, check, stack
from wsgikit.middleware import cache, maintenance


@pytest.fixture
def file(tmp_path):
    return tmp_path / "closed"


def site(file, **options):
    now = [0.0]
    layer = maintenance(file=file, clock=lambda: now[0], **options)
    app = TestApp(validator(stack(layer, validator(Response("open")))))
    app.wait = lambda seconds: now.__setitem__(0, now[0] + seconds)
    return app


def test_a_site_is_closed_as_long_as_the_file_stands(file):
    app = site(file)
    assert app.get("/").text == "open"
    file.touch()
    app.wait(1)
    answer = app.get("/", status=503)
    assert answer.headers["Retry-After"] == "300"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "It will be back soon" in answer.text
    assert app.post("/", status=503)
    assert app.head("/", status=503).body == b""
    file.unlink()
    app.wait(1)
    assert app.get("/").text == "open"


def test_what_the_file_says_is_shown(file):
    file.write_text("Back at <14:00>.\n")
    app = site(file, retry_after=60)
    page = app.get("/", headers={"Accept": "text/html"}, status=503)
    assert "Back at &lt;14:00&gt;." in page.text
    assert page.headers["Retry-After"] == "60"
    assert app.get("/", headers={"Accept": "application/json"}, status=503).json["status"] == 503
    app.wait(1)
    app.get("/", status=503)
    file.write_text("At five.")
    app.wait(1)
    assert "At five." in app.get("/", status=503).text


def test_the_file_is_looked_for_so_often_and_no_more(file, monkeypatch):
    looks = []
    stat = os.stat
    monkeypatch.setattr(os, "stat", lambda name: looks.append(name) or stat(name))
    app = site(file, interval=2)
    for _ in range(3):
        app.get("/")
    assert looks == [os.fspath(file)]
    file.touch()
    app.wait(1.9)
    assert app.get("/").text == "open"
    app.wait(0.1)
    app.get("/", status=503)
    assert len(looks) == 2


def test_who_gets_through(file):
    file.touch()
    app = site(file, safelist=["203.0.113.7", "10.0.0.0/8"])
    for address, status in (("203.0.113.7", 200), ("10.1.2.3", 200), ("203.0.113.8", 503)):
        app.get("/", extra_environ={"REMOTE_ADDR": address}, status=status)
    app.get("/", extra_environ={"REMOTE_ADDR": ""}, status=503)


def test_what_stays_open(file):
    file.touch()
    app = site(file, paths=["/health", "/static/*", "/gesund/é", "/bücher/*"])
    for path, status in {
        "/health": 200,
        "/gesund/%C3%A9": 200,
        "/gesund/%E9": 503,
        "/b%C3%BCcher/1": 200,
        "/health/": 503,
        "/static/a.css": 200,
        "/static": 503,
        "/": 503,
    }.items():
        app.get(path, status=status)


def test_what_cannot_be_read_stands_all_the_same(tmp_path):
    assert "soon" in site(tmp_path).get("/", status=503).text  # a folder
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "soon" in site(pipe).get("/", status=503).text
    large = tmp_path / "large"
    large.write_bytes(b"\xff" * 10**6)
    assert len(site(large).get("/", status=503).text) < 10_000


def test_a_file_that_goes_before_it_is_read(file, monkeypatch):
    file.write_text("text")

    def gone(*arguments):
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", gone)
    assert "soon" in site(file).get("/", status=503).text


WRONG = {
    "retry_after": [(-1, ValueError), (1.5, TypeError), (True, TypeError)],
    "interval": [(-1, ValueError), ("1", TypeError), (True, TypeError)],
    "safelist": [(["x"], ValueError), ("10.0.0.1", TypeError)],
    "paths": [(["x"], ValueError), (["/*/a"], ValueError), ([""], ValueError), ("/a", TypeError)],
}


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [(option, *wrong) for option, all_wrong in WRONG.items() for wrong in all_wrong],
)
def test_options_are_checked(option, value, error):
    with pytest.raises(error, match=option):
        maintenance(file="closed", **{option: value})(Response(""))


def test_its_place(file):
    assert check(stack(maintenance(file=file), cache(), Response(""))) == []
    assert check(stack(cache(), maintenance(file=file), Response(""))) != []
