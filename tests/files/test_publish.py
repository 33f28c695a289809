"""What is answered from what is known, and that it is known right: live and frozen."""

from __future__ import annotations

import gzip
import os
import threading
import zipfile
from time import time
from wsgiref.util import FileWrapper, setup_testing_defaults

import pytest

import wsgikit.files.catalog
import wsgikit.files.describer
import wsgikit.files.publish
from wsgikit.files.memory import Memory
from wsgikit.files.publish import publish
from wsgikit.files.representation import Stored
from wsgikit.files.rules import Rules
from wsgikit.files.versions import Changed
from wsgikit.trees.package import PackageTree
from wsgikit.trees.tree import LinkedTree, Tree

TEXT = b"body { color: red }\n" * 100
LARGE = os.urandom(200_000)


@pytest.fixture
def later(monkeypatch):
    """It is a minute later: what was written just now has settled, and is trusted."""
    monkeypatch.setattr(wsgikit.files.describer, "time", lambda: time() + 60)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "root"
    (folder / "docs").mkdir(parents=True)
    for name, content in {
        "app.css": TEXT,
        "large": LARGE,
        "index.html": b"top",
        "docs/index.html": b"docs",
    }.items():
        (folder / name).write_bytes(content)
    return folder


class Answer:
    def __init__(self, app, path="/app.css", method="GET", **asked):
        environ = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path}
        setup_testing_defaults(environ)
        environ.update({name.replace("__", "."): value for name, value in asked.items()})
        result = app(environ, self.start)
        self.result = result
        try:
            self.body = b"".join(result)
        finally:
            getattr(result, "close", lambda: None)()

    def start(self, status, headers, exc_info=None):
        self.status = int(status[:3])
        self.headers = dict(headers)


def live(*folders, **options):
    trees = [Tree(folder) for folder in folders]
    return publish(*trees, **({"index": "index.html", "hidden": False} | options))


def frozen(*folders, **options):
    return live(*folders, frozen=True, **options)


MODES = pytest.mark.parametrize("mode", [live, frozen])


@MODES
@pytest.mark.parametrize(
    ("path", "body"),
    [("/app.css", TEXT), ("/large", LARGE), ("/", b"top"), ("/docs/", b"docs")],
)
def test_an_answer_is_the_same_each_time(mode, folder, path, body, later):
    app = mode(folder)
    answers = [Answer(app, path) for _ in range(3)]
    assert all((answer.status, answer.body) == (200, body) for answer in answers)
    assert answers[0].headers == answers[1].headers == answers[2].headers
    head = Answer(app, path, "HEAD")
    assert (head.body, head.headers) == (b"", answers[0].headers)


@MODES
def test_headers_are_the_clients_own(mode, folder, later):
    app = mode(folder)
    given = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/app.css"}
    for asked in ({}, {"HTTP_IF_NONE_MATCH": "*"}, {"REQUEST_METHOD": "HEAD"}):
        for _ in range(2):
            app(environ | asked, lambda status, headers, exc_info=None: given.append(headers))
            given[-1].append(("X-Layer", "a"))
            assert given[-1].count(("X-Layer", "a")) == 1


@MODES
def test_small_files_come_from_memory(mode, folder, later):
    app = mode(folder)
    Answer(app)
    assert Answer(app, wsgi__file_wrapper=FileWrapper).result == (TEXT,)
    assert isinstance(Answer(app, "/large", wsgi__file_wrapper=FileWrapper).result, FileWrapper)


@MODES
def test_large_files_are_given_to_the_server(mode, folder, later):
    app = mode(folder, memory=0)
    for path, content in (("/app.css", TEXT), ("/large", LARGE)):
        answer = Answer(app, path, wsgi__file_wrapper=FileWrapper)
        assert isinstance(answer.result, FileWrapper)
        assert isinstance(answer.result.filelike.name, int)  # a file of the system
        assert answer.result.filelike.closed
        assert answer.body == content


@MODES
@pytest.mark.parametrize("asked", [{}, {"HTTP_RANGE": "bytes=1-"}], ids=str)
def test_a_content_that_is_dropped_meanwhile_is_sent(mode, folder, asked, later, monkeypatch):
    kept = []
    keep = Memory.keep
    monkeypatch.setattr(Memory, "keep", lambda *args: kept.append(args[:2]) or keep(*args))
    app = mode(folder)
    Answer(app)

    def start(status, headers, exc_info=None):
        for memory, shown in kept:
            memory.drop(shown)

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/app.css"} | asked
    body = app(environ, start)
    assert b"".join(body) == (TEXT[1:] if asked else TEXT)


# --- live: every change is seen by the next request


def write(folder):
    (folder / "app.css").write_bytes(b"new")


def replace(folder):
    (folder / "new").write_bytes(b"new")
    os.replace(folder / "new", folder / "app.css")


def rewrite_at_the_same_time(folder):
    """Same size, same time of the content: as a build does that is the same everywhere."""
    status = os.stat(folder / "app.css")
    (folder / "app.css").write_bytes(b"new" + TEXT[3:])
    os.utime(folder / "app.css", ns=(status.st_atime_ns, status.st_mtime_ns))


def link(folder):
    (folder / "other").write_bytes(b"new")
    (folder / "app.css").unlink()
    (folder / "app.css").symlink_to("other")


@pytest.mark.parametrize("change", [write, replace, rewrite_at_the_same_time, link])
@pytest.mark.parametrize("memory", [0, 100_000])
def test_a_change_is_seen_at_once(folder, change, memory):
    app = live(folder, memory=memory)
    before = Answer(app)
    for _ in range(5):
        assert Answer(app).body == TEXT
    change(folder)
    after = Answer(app, HTTP_IF_NONE_MATCH=before.headers["ETag"])
    assert after.status == 200
    assert after.body[:3] == b"new"
    assert after.headers["ETag"] != before.headers["ETag"]
    assert after.headers["Content-Length"] == str(len(after.body))


@pytest.mark.parametrize("size", [10, 200_000])
def test_a_change_within_a_tick_of_the_clock_is_seen(tmp_path, size):
    # Nothing tells these versions apart but their content.
    app = live(tmp_path)
    for number in range(30):
        content = bytes([number]) * size
        (tmp_path / "app.css").write_bytes(content)
        os.utime(tmp_path / "app.css", (1, 1))
        assert Answer(app).body == content


def test_a_new_file_is_seen_at_once(folder, later):
    app = live(folder)
    for path, name in (("/new.css", "new.css"), ("/a/b/c", "a/b/c"), ("/a/b/", "a/b/index.html")):
        assert Answer(app, path).status == 404
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"new")
        assert Answer(app, path).body == b"new"


@pytest.mark.parametrize("memory", [0, 100_000])
def test_a_file_that_is_gone_is_gone_at_once(folder, memory, later):
    app = live(folder, memory=memory)
    tag = Answer(app).headers["ETag"]
    (folder / "app.css").unlink()
    for asked in ({}, {"HTTP_IF_NONE_MATCH": tag}, {"HTTP_RANGE": "bytes=0-1"}):
        assert Answer(app, **asked).status == 404
    assert Answer(app, method="HEAD").status == 404


def test_another_root_is_seen_at_once(folder, tmp_path, later):
    (tmp_path / "current").symlink_to("root")
    (tmp_path / "next").mkdir()
    (tmp_path / "next" / "app.css").write_bytes(b"next")
    app = live(tmp_path / "current")
    assert Answer(app).body == TEXT
    (tmp_path / "current").unlink()
    (tmp_path / "current").symlink_to("next")
    assert Answer(app).body == b"next"


def test_a_file_that_becomes_a_link_out_is_refused(folder, tmp_path, later):
    (tmp_path / "secret").write_bytes(b"canary")
    app = live(folder)
    assert Answer(app, "/docs/index.html").status == 200
    (folder / "docs" / "index.html").unlink()
    (folder / "docs" / "index.html").symlink_to("../../secret")
    for path in ("/docs/index.html", "/docs/"):
        assert Answer(app, path).status == 404


def test_a_folder_that_becomes_a_link_out_is_refused_within_a_second(
    folder, tmp_path, later, monkeypatch
):
    app = live(folder)
    assert Answer(app, "/docs/index.html").status == 200
    os.rename(folder / "docs", tmp_path / "docs")
    (folder / "docs").symlink_to("../docs")
    # It is still the very file that was found below the root, and unchanged.
    assert Answer(app, "/docs/index.html").body == b"docs"
    now = wsgikit.files.resource.monotonic()
    monkeypatch.setattr(wsgikit.files.resource, "monotonic", lambda: now + 1.1)
    assert Answer(app, "/docs/index.html").status == 404


def test_nothing_is_read_again_while_nothing_changes(folder, later, monkeypatch):
    app = live(folder, codings=["gzip"])
    (folder / "app.css.gz").write_bytes(gzip.compress(TEXT))
    for path in ("/app.css", "/large", "/"):
        Answer(app, path)
    now = wsgikit.files.resource.monotonic()
    clock = iter(range(1000))
    monkeypatch.setattr(wsgikit.files.resource, "monotonic", lambda: now + next(clock))
    monkeypatch.setattr(wsgikit.files.describer, "read", None)  # not called
    for _ in range(3):
        for path in ("/app.css", "/large", "/"):
            assert Answer(app, path, HTTP_ACCEPT_ENCODING="gzip").status == 200


def test_what_an_earlier_root_gets_is_seen_at_once(folder, tmp_path, later):
    (tmp_path / "theme").mkdir()
    app = live(tmp_path / "theme", folder)
    assert Answer(app).body == TEXT
    (tmp_path / "theme" / "app.css").write_bytes(b"theme")
    assert Answer(app).body == b"theme"
    (tmp_path / "theme" / "app.css").unlink()
    assert Answer(app).body == TEXT
    assert Answer(app, "/none").status == 404
    (folder / "none").write_bytes(b"now")
    assert Answer(app, "/none").body == b"now"


def test_a_new_sibling_is_used_within_a_second(folder, later, monkeypatch):
    app = live(folder, codings=["gzip"])
    asked = {"HTTP_ACCEPT_ENCODING": "gzip"}
    assert "Content-Encoding" not in Answer(app, **asked).headers
    (folder / "app.css.gz").write_bytes(gzip.compress(TEXT))
    now = wsgikit.files.resource.monotonic()
    monkeypatch.setattr(wsgikit.files.resource, "monotonic", lambda: now + 1.1)
    answer = Answer(app, **asked)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.body) == TEXT
    assert "Content-Encoding" not in Answer(app).headers


def test_the_sibling_of_an_earlier_version_is_not_used(folder, later):
    app = live(folder, codings=["gzip"])
    (folder / "app.css.gz").write_bytes(gzip.compress(TEXT))
    asked = {"HTTP_ACCEPT_ENCODING": "gzip"}
    assert "Content-Encoding" in Answer(app, **asked).headers
    (folder / "app.css").write_bytes(b"new" + TEXT)
    answer = Answer(app, **asked)
    assert answer.body == b"new" + TEXT


def test_not_more_is_known_than_memory_is_for(tmp_path, later, monkeypatch):
    monkeypatch.setattr(wsgikit.files.catalog, "_MOST", 5)
    app = live(tmp_path, memory=50)
    for number in range(20):
        (tmp_path / str(number)).write_bytes(b"x" * 20)
    for number in [*range(20), *range(20)]:
        assert Answer(app, f"/{number}").body == b"x" * 20


def test_many_threads(folder, later):
    app = live(folder, codings=["gzip"], memory=3000)
    (folder / "app.css.gz").write_bytes(gzip.compress(TEXT))
    wrong = []

    def ask():
        for number in range(60):
            path = ("/app.css", "/", "/docs/", "/large")[number % 4]
            answer = Answer(app, path, HTTP_ACCEPT_ENCODING="gzip")
            if answer.headers["Content-Length"] != str(len(answer.body)):
                wrong.append(path)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(20):
        (folder / "index.html").write_bytes(b"x" * number)
    for thread in threads:
        thread.join()
    assert wrong == []


# --- frozen: what was there is what there is


def test_frozen_files_are_not_looked_at(folder):
    app = frozen(folder)
    (folder / "app.css").write_bytes(b"new")
    (folder / "docs" / "index.html").unlink()
    (folder / "new").write_bytes(b"new")
    assert Answer(app).body == TEXT
    assert Answer(app, "/docs/").body == b"docs"
    assert Answer(app, "/new").status == 404


def test_a_frozen_file_that_changed_is_never_sent_under_the_old_tag(folder):
    app = frozen(folder)
    before = Answer(app, "/large")
    (folder / "large").write_bytes(b"new")
    after = Answer(app, "/large", HTTP_IF_MATCH="*")
    assert after.body == b"new"
    assert after.headers["ETag"] != before.headers["ETag"]
    (folder / "large").unlink()
    # What is known is answered; what would have to be sent is not there.
    assert Answer(app, "/large", HTTP_IF_NONE_MATCH=after.headers["ETag"]).status == 304


def test_a_frozen_file_that_is_gone(folder):
    app = frozen(folder, memory=0)
    (folder / "app.css").unlink()
    assert Answer(app).status == 404


@MODES
@pytest.mark.parametrize(
    ("path", "script_name", "status", "location"),
    [
        ("/docs", "", 308, "/docs/"),
        ("", "/static", 308, "/static/"),
        ("", "", 200, None),
        ("/docs/", "", 200, None),
        ("/app.css/", "", 404, None),
        ("/empty", "", 404, None),
        ("/empty/", "", 404, None),
        ("/none", "", 404, None),
        ("//", "", 404, None),
        ("/.hidden", "", 404, None),
        ("/docs/../app.css", "", 404, None),
        ("/a\x00", "", 404, None),
        ("/\xff", "", 404, None),
        ("none", "", 404, None),
    ],
)
def test_paths(mode, folder, path, script_name, status, location):
    (folder / "empty").mkdir()
    (folder / ".hidden").write_bytes(b"")
    app = mode(folder)
    for _ in range(2):
        answer = Answer(app, path, SCRIPT_NAME=script_name)
        assert answer.status == status
        assert answer.headers.get("Location") == location


@MODES
def test_a_path_may_be_missing(mode, folder):
    environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": ""}
    started = []
    body = mode(folder)(environ, lambda status, headers, exc_info=None: started.append(status))
    assert (started, list(body)) == (["200 OK"], [b"top"])


@MODES
@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS", "get"])
@pytest.mark.parametrize("path", ["/app.css", "/none", "/docs", "/.hidden"])
def test_other_methods(mode, folder, method, path):
    app = mode(folder)
    Answer(app, "/app.css")
    answer = Answer(app, path, method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


@MODES
def test_no_coding_is_acceptable(mode, folder, later):
    app = mode(folder, codings=["gzip"], rules=Rules(vary=["Accept-Encoding"]))
    for _ in range(2):
        answer = Answer(app, HTTP_ACCEPT_ENCODING="identity;q=0")
        assert answer.status == 406
        assert answer.headers["Vary"] == "Accept, Accept-Encoding"
    assert Answer(app, HTTP_ACCEPT_ENCODING="").status == 200


@MODES
def test_roots_in_a_zip(mode, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("app.css", TEXT)
        archive.writestr("docs/index.html", b"docs")
        archive.writestr("large", LARGE)
        trees = [PackageTree(zipfile.Path(archive))]
        app = publish(*trees, index="index.html", hidden=False, frozen=mode is frozen)
        for _ in range(2):
            assert Answer(app).body == TEXT
            assert Answer(app, "/docs/").body == b"docs"
            assert Answer(app, "/docs").status == 308
            for path in ("/none", "/app.css/", "/app.css/none"):
                assert Answer(app, path).status == 404
            assert Answer(app, "/large", HTTP_RANGE="bytes=9-10").body == LARGE[9:11]
            several = Answer(app, "/large", HTTP_RANGE="bytes=150000-150009,9-10")
            assert several.body.index(LARGE[9:11]) < several.body.index(LARGE[150000:150010])
            assert isinstance(
                Answer(app, "/large", wsgi__file_wrapper=FileWrapper).result, FileWrapper
            )


# --- folders that have an application


def test_folders_are_answered_by_what_is_given(folder):
    (folder / "empty").mkdir()

    def of(names):
        def answer(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [repr(names).encode()]

        return answer

    app = live(folder, folder=of)
    assert Answer(app, "/empty/").body == b"['empty']"
    assert Answer(app, "/empty").headers["Location"] == "/empty/"
    assert Answer(app, "/docs/").body == b"docs"
    assert Answer(live(folder, folder=of, index=None), "/docs/").body == b"['docs']"
    assert Answer(app, "/none/").status == 404


# --- files that change while one looks


class Busy:
    """Lets so many looks at a file fail, as if it were written to each time."""

    def __init__(self, monkeypatch, times):
        self.left = times
        self.open = Stored.open
        monkeypatch.setattr(Stored, "open", lambda shown: self(shown))

    def __call__(self, shown):
        self.left -= 1
        if self.left >= 0:
            raise Changed
        return self.open(shown)


@MODES
@pytest.mark.parametrize(("times", "status"), [(0, 200), (1, 200), (2, 200), (9, 503)])
def test_a_file_that_changes_between_the_look_and_the_answer(
    mode, folder, times, status, later, monkeypatch
):
    app = mode(folder, memory=0)
    Answer(app)
    Busy(monkeypatch, times)
    answer = Answer(app)
    assert answer.status == status
    assert answer.headers.get("Retry-After") == (None if status == 200 else "1")


@MODES
def test_trouble_of_the_server_is_no_404(mode, folder, later, monkeypatch):
    app = mode(folder, memory=0)
    Answer(app)

    def fail(path, flags):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("wsgikit.files.representation.os.open", fail)
    with pytest.raises(OSError, match="Too many"):
        Answer(app)


# --- elsewhere


def test_systems_with_other_paths_are_not_asked_in_advance(folder, monkeypatch):
    monkeypatch.setattr(wsgikit.files.publish.os, "sep", "\\")
    app = live(folder)
    monkeypatch.undo()

    def refuse(path, mode):
        raise AssertionError

    monkeypatch.setattr(wsgikit.files.publish.os, "access", refuse)
    assert Answer(app, "/none").status == 404


@pytest.mark.parametrize("index", ["", "a/b", "..", "a:b", "NUL"])
def test_an_index_that_is_no_name(folder, index):
    with pytest.raises(ValueError, match="index takes the name of a file"):
        live(folder, index=index)


# --- files that are added to


@pytest.fixture
def log(folder, monkeypatch):
    """A file that grows by a line each time that it is about to be read."""
    path = folder / "server.log"
    path.write_bytes(LARGE)
    read = wsgikit.files.describer.read

    def grown(file, status, wanted, *, stored):
        if os.path.samestat(os.stat(path), status):
            with open(path, "ab") as log:
                log.write(b"one more line\n")
        return read(file, status, wanted, stored=stored)

    monkeypatch.setattr(wsgikit.files.describer, "read", grown)
    return path


@MODES
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_log_is_sent_as_long_as_it_was(mode, folder, log, method):
    app = mode(folder, rules=Rules(types={".log": "application/x-log"}, vary=["Accept-Encoding"]))
    for _ in range(3):
        answer = Answer(app, "/server.log", method, wsgi__file_wrapper=FileWrapper)
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "application/x-log"
        assert answer.headers["Vary"] == "Accept-Encoding"
        size = int(answer.headers["Content-Length"])
        assert len(LARGE) <= size <= log.stat().st_size
        if method == "GET":
            assert answer.headers["ETag"].startswith("W/")
            assert answer.body == log.read_bytes()[:size]


@MODES
def test_parts_of_a_log(mode, folder, log):
    app = mode(folder)
    answer = Answer(app, "/server.log", HTTP_RANGE="bytes=10-19")
    assert (answer.status, answer.body) == (206, LARGE[10:20])
    tail = Answer(app, "/server.log", HTTP_RANGE=f"bytes={len(LARGE)}-")
    assert (tail.status, tail.body[:9]) == (206, b"one more ")
    assert Answer(app, "/server.log", HTTP_RANGE="bytes=10000000-").status == 416


@MODES
def test_a_log_as_an_index(mode, folder, log):
    app = mode(folder, index="server.log")
    assert Answer(app, "/").body[: len(LARGE)] == LARGE


def test_a_small_file_that_grows_each_time_that_it_is_read(folder, log):
    log.write_bytes(b"small\n")
    answer = Answer(live(folder), "/server.log")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


@MODES
def test_a_log_that_is_written_as_it_is_sent(mode, tmp_path):
    (tmp_path / "log").write_bytes(LARGE * 20)
    over = threading.Event()

    def write():
        with open(tmp_path / "log", "ab", buffering=0) as log:
            while not over.is_set():
                log.write(b"one more line\n")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        app = mode(tmp_path)
        answers = [Answer(app, "/log") for _ in range(5)]
    finally:
        over.set()
        writer.join()
    content = (tmp_path / "log").read_bytes()
    for answer in answers:
        assert answer.status == 200
        assert answer.body == content[: int(answer.headers["Content-Length"])]


def test_a_file_that_is_written_over_all_the_time(folder, monkeypatch):
    read = wsgikit.files.describer.read
    path = folder / "large"

    def written(file, status, wanted, *, stored):
        os.utime(path, (1, 1))
        return read(file, status, wanted, stored=stored)

    monkeypatch.setattr(wsgikit.files.describer, "read", written)
    answer = Answer(live(folder), "/large")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


@MODES
def test_a_log_is_no_page_of_a_404(mode, folder, log):
    assert Answer(mode(folder, not_found="server.log"), "/none").status == 503


@pytest.mark.parametrize("kind", [Tree, LinkedTree])
@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/c", 308, b""),
        ("/a/to-b/b.txt", 200, b"in b"),
        ("/a/to-b/to-c/", 200, b"in c"),
        ("/a/to-b/to-c", 308, b""),
        ("/a/to-b/to-c/to-a/to-b/to-c/to-a/to-b/b.txt", 200, b"in b"),
        ("/a/to-b/up/a/to-b/b.txt", 200, b"in b"),
        ("/a/to-b/up/none", 404, None),
        ("/a/to-b/to-none/b.txt", 404, None),
        ("/a/to-b/upper", 404, None),
    ],
)
def test_frozen_and_live_follow_the_same_links(tmp_path, kind, path, status, body):
    for name, links in {"a": ["b"], "b": ["c"], "c": ["a"]}.items():
        (tmp_path / name).mkdir()
        for link in links:
            (tmp_path / name / f"to-{link}").symlink_to(f"../{link}")
    (tmp_path / "b" / "up").symlink_to("..")
    (tmp_path / "b" / "b.txt").write_bytes(b"in b")
    (tmp_path / "c" / "index.html").write_bytes(b"in c")
    for frozen in (False, True):
        app = publish(kind(tmp_path), index="index.html", hidden=False, frozen=frozen)
        for _ in range(2):
            answer = Answer(app, path)
            assert answer.status == status
            assert body is None or answer.body == body
