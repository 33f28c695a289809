from __future__ import annotations

import logging
import os
import pstats
import re
import sys
from cProfile import Profile
from io import BytesIO
from threading import Event, Thread
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import Request, Router, stack
from wsgikit.debug.profiles import keep_profile, kept_profiles
from wsgikit.middleware import errors, profile

TEXT = [("Content-Type", "text/plain")]
HERE = {"REMOTE_ADDR": "127.0.0.1"}
AWAY = {"REMOTE_ADDR": "192.0.2.7"}


class Closing(list):
    """Blocks, and something to do at the end of them."""

    def __init__(self, blocks, close):
        super().__init__(blocks)
        self.close = close


def slow_work():
    return sum(range(1000))


def told(environ, start_response):
    """Answers with its query."""
    slow_work()
    start_response("200 OK", TEXT)
    return [environ["QUERY_STRING"].encode() or b"none"]


def checked(*parts):
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))), extra_environ=HERE)


def functions(folder, number=0):
    """The names of the functions in the profile that was kept last, or before that."""
    name = kept_profiles(folder)[number][0]
    return {function for _, _, function in pstats.Stats(os.path.join(folder, name)).stats}


def test_a_request_is_profiled_when_asked_for(tmp_path):
    folder = tmp_path / "profiles"
    app = checked(profile(directory=folder), told)
    assert app.get("/a?b=1").text == "b=1"
    assert not folder.exists()
    assert app.get("/a/b?b=1&_profile&c=2").text == "b=1&c=2"
    assert "slow_work" in functions(folder)
    (kept,) = kept_profiles(folder)
    assert kept.groups()[2:] == ("200", "GET", "~a~b")
    assert os.stat(folder).st_mode & 0o77 == 0
    assert os.listdir(folder) == [kept[0]]


@pytest.mark.parametrize("query", ["_profile", "_profile=1", "a=1&_profile=", "_profile&_profile"])
def test_the_application_does_not_see_the_mark(query, tmp_path):
    answer = checked(profile(directory=tmp_path), told).get(f"/?{query}")
    assert answer.text == ("a=1" if "a=1" in query else "none")
    assert len(kept_profiles(tmp_path)) == 1


@pytest.mark.parametrize("query", ["a_profile=1", "x=_profile", "_profiles"])
def test_what_looks_like_the_mark_is_none(query, tmp_path):
    assert checked(profile(directory=tmp_path), told).get(f"/?{query}").text == query
    assert kept_profiles(tmp_path) == []


def test_a_field_asks_as_well(tmp_path):
    app = checked(profile(directory=tmp_path), told)
    assert app.post("/form?a=1", headers={"X-Profile": "1"}).text == "a=1"
    (kept,) = kept_profiles(tmp_path)
    assert kept[4] == "POST"


def test_blocks_and_close_are_measured(tmp_path):
    class Body:
        def __iter__(self):
            yield b"a"
            self.in_a_block()
            yield b"b"

        def in_a_block(self):
            pass

        def in_close(self):
            pass

        def close(self):
            closed.append(1)
            self.in_close()

    def app(environ, start_response):
        start_response("200 OK", TEXT)
        return Body()

    closed = []
    assert checked(profile(directory=tmp_path), app).get("/?_profile").text == "ab"
    assert functions(tmp_path) >= {"app", "in_a_block", "in_close"}
    assert closed == [1]


def test_a_file_stays_recognisable(tmp_path):
    file = FileWrapper(BytesIO(b"file"))
    environ = {
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": "_profile",
        "HTTP_HOST": "localhost",
        "wsgi.file_wrapper": FileWrapper,
        **HERE,
    }
    app = profile(lambda environ, start_response: file, directory=tmp_path)
    assert app(environ, lambda status, headers, exc_info=None: None) is file
    file.close()
    assert len(kept_profiles(tmp_path)) == 1


def test_the_next_request_waits_its_turn(tmp_path):
    # A client may have the whole response before the server closes it.
    def close():
        assert asked.wait(30)  # the other one is on its way

    def app(environ, start_response):
        start_response("200 OK", TEXT)
        return Closing([b"text"], close)

    def ask():
        asked.set()
        answers.append(checked(layered).get("/second?_profile").text)

    asked, answers = Event(), []
    layered = profile(app, directory=tmp_path)
    thread = Thread(target=ask)
    body = layered(
        {"REQUEST_METHOD": "GET", "QUERY_STRING": "_profile", "HTTP_HOST": "localhost", **HERE},
        lambda status, headers, exc_info=None: None,
    )
    assert list(body) == [b"text"]
    thread.start()
    body.close()
    thread.join()
    assert answers == ["text"]
    assert len(kept_profiles(tmp_path)) == 2


@pytest.mark.parametrize("late", [False, True])
def test_a_request_that_fails_is_kept_too(late, tmp_path):
    def app(environ, start_response):
        slow_work()
        if not late:
            raise LookupError
        return iter(blocks(start_response))

    def blocks(start_response):
        start_response("200 OK", TEXT)
        yield b""
        raise LookupError

    logging.getLogger("wsgikit.errors").disabled = True
    try:
        answer = checked(errors(), profile(directory=tmp_path), app).get("/?_profile", status=500)
    finally:
        logging.getLogger("wsgikit.errors").disabled = False
    assert answer.status_code == 500
    assert "slow_work" in functions(tmp_path)
    (kept,) = kept_profiles(tmp_path)
    assert kept[3] == "500"


def test_one_request_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["wsgikit.middleware.profile"], "PATIENCE", 0.01)

    def app(environ, start_response):
        if environ["PATH_INFO"] == "/outer":
            answers.append(checked(layered).get("/inner?_profile", status=503))
        return told(environ, start_response)

    answers = []
    layered = profile(app, directory=tmp_path)
    checked(layered).get("/outer?_profile")
    assert "Another request is being profiled" in answers[0].text
    assert checked(layered).get("/?_profile").text == "none"
    assert len(kept_profiles(tmp_path)) == 2


def test_another_profiler_is_not_disturbed(tmp_path):
    # Before CPython 3.12 they do not see each other.
    status = 503 if sys.version_info >= (3, 12) else 200
    other = Profile()
    other.enable()
    try:
        checked(profile(directory=tmp_path), told).get("/?_profile", status=status)
    finally:
        other.disable()
    assert checked(profile(directory=tmp_path), told).get("/?_profile").text == "none"


def test_a_profiler_that_cannot_start_is_told(monkeypatch, tmp_path):
    class Taken(Profile):
        def enable(self, *options):
            raise ValueError("Another profiling tool is already active")

    app = checked(profile(directory=tmp_path), told)
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["wsgikit.middleware.profile"], "Profile", Taken)
        app.get("/?_profile", status=503)
    assert app.get("/?_profile").text == "none"


def test_the_number_of_profiles_is_bounded(tmp_path):
    (tmp_path / "notes.txt").write_text("stays")
    app = checked(profile(directory=tmp_path, keep=3), told)
    for number in range(5):
        app.get(f"/{number}?_profile")
    assert sorted(kept[5] for kept in kept_profiles(tmp_path)) == ["~2", "~3", "~4"]
    assert (tmp_path / "notes.txt").exists()


def test_a_folder_that_cannot_be_written_is_told_in_the_log(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    app = checked(profile(directory=tmp_path / "file"), told)
    assert app.get("/?_profile").text == "none"
    assert "profile() could not keep a profile" in caplog.text
    assert app.get("/?_profile").text == "none"


# Names


@pytest.mark.parametrize(
    ("method", "path", "parts"),
    [
        ("GET", "/", ("GET", "~")),
        ("PROPFIND", "/a b~", ("PROPFIND", "~a_b_")),
        ("get", "", ("OTHER", "")),
        ("", "/../../etc", ("OTHER", "~..~..~etc")),
        ("GET\x00", "/\xe9\ud800", ("OTHER", "~_")),
        ("G" * 50, "/" + "a" * 500, ("G" * 20, "~" + "a" * 59)),
    ],
)
def test_a_name_is_a_name_whatever_was_asked_for(method, path, parts, tmp_path):
    profiler = Profile()
    profiler.runcall(slow_work)
    keep_profile(tmp_path, profiler, method=method, path=path, status=0, took=7, keep=9)
    (kept,) = kept_profiles(tmp_path)
    assert kept.groups()[1:] == ("7", "0", *parts)


def test_another_process_may_remove_the_same_one(tmp_path, monkeypatch):
    profiler = Profile()
    profiler.runcall(slow_work)
    for _ in range(2):
        keep_profile(tmp_path, profiler, method="GET", path="/", status=200, took=7, keep=9)

    def quicker(path):
        unlink(path)
        unlink(path)

    unlink = os.unlink
    monkeypatch.setattr(os, "unlink", quicker)
    keep_profile(tmp_path, profiler, method="GET", path="/", status=200, took=7, keep=1)
    assert len(kept_profiles(tmp_path)) == 1


# The pages


def test_the_list_when_there_is_nothing(tmp_path):
    page = checked(profile(directory=tmp_path / "none"), told).get("/_profile")
    assert "There is none yet." in page
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert page.headers["Cache-Control"] == "no-store"


def test_the_list_leads_to_each_profile_and_that_to_its_file(tmp_path):
    app = checked(profile(directory=tmp_path), told)
    app.get("/a?_profile")
    app.get("/<b>?_profile")
    listed = app.get("/_profile")
    assert re.findall(r"<code>(/\w*)</code></a>", listed.text) == ["/_b_", "/a"]
    shown = listed.click("/a")
    assert "<h1>GET /a</h1>" in shown
    assert "slow_work" in shown
    assert re.search(r"test_profile\.py:\d+</code>", shown.text)
    for label in ("Itself", "Calls"):
        again = shown.click(label)
        assert f'aria-sort="descending">{label} ▼' in again
    raw = shown.click("Download")
    assert raw.headers["Content-Disposition"].startswith("attachment")
    kept = tmp_path / kept_profiles(tmp_path)[1][0]
    assert raw.body == kept.read_bytes()
    assert shown.click("All profiles").text == listed.text


def test_a_profile_of_nothing_can_be_looked_at(tmp_path):
    profiler = Profile()
    profiler.enable()
    profiler.disable()
    keep_profile(tmp_path, profiler, method="GET", path="/", status=200, took=0, keep=9)
    page = checked(profile(directory=tmp_path), told).get("/_profile").click("/<")
    assert "<h1>GET /</h1>" in page


@pytest.mark.parametrize(
    "query",
    [
        "file=nothing",
        "file=../notes",
        "file=notes.txt&raw=1",
        "file={name}&sort=odd",
        "file=&raw=1",
    ],
)
def test_what_is_no_profile_is_not_found(query, tmp_path):
    folder = tmp_path / "profiles"
    (tmp_path / "notes").write_text("private")
    app = checked(profile(directory=folder), told)
    app.get("/?_profile")
    (folder / "notes.txt").write_text("private")
    name = kept_profiles(folder)[0][0]
    app.get(f"/_profile?{query.format(name=name)}", status=404)


def test_a_profile_that_was_removed_meanwhile(tmp_path):
    app = checked(profile(directory=tmp_path), told)
    app.get("/?_profile")
    name = kept_profiles(tmp_path)[0][0]
    (tmp_path / name).unlink()
    app.get(f"/_profile?file={name}", status=404)


def test_a_query_of_too_many_fields(tmp_path):
    app = checked(profile(directory=tmp_path), told)
    app.get("/_profile?" + "a=1&" * 2000, status=400)


def test_another_page(tmp_path):
    app = checked(profile(directory=tmp_path, page="/pröf"), told)
    assert "Profiles" in app.get("/pr%C3%B6f")
    assert app.get("/_profile").text == "none"


# Strangers


@pytest.mark.parametrize(
    "stranger",
    [AWAY, {"HTTP_HOST": "evil.example"}, {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}],
    ids=["peer", "rebound name", "proxy"],
)
def test_for_strangers_there_is_neither_page_nor_profile(stranger, tmp_path):
    app = checked(profile(directory=tmp_path), told)
    app.get("/?_profile")
    assert app.get("/?_profile", extra_environ=stranger).text == "_profile"
    assert app.get("/_profile", extra_environ=stranger).text == "none"
    app.get("/", headers={"X-Profile": "1"}, extra_environ=stranger)
    assert len(kept_profiles(tmp_path)) == 1


def test_a_view_behind_a_router(tmp_path):
    router = Router()

    @router.get("/items/{id:int}")
    def view(request: Request, id: int) -> str:
        slow_work()
        return f"{id}"

    assert checked(profile(directory=tmp_path), router).get("/items/3?_profile").text == "3"
    assert {"view", "slow_work"} <= functions(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keep": 0}, "keep takes a number of files"),
        ({"keep": "3"}, "keep takes a number of files"),
        ({"page": "profile"}, "page takes a path"),
    ],
    ids=str,
)
def test_options_are_checked(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        profile(told, directory=tmp_path, **options)
