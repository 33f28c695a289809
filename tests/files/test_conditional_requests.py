"""RFC 9110, sections 13 and 14, row by row, over everything that answers with a file."""

from __future__ import annotations

import os
import zipfile
from time import time
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

import wsgikit.files.describer
import wsgikit.files.send
from wsgikit import Response
from wsgikit.apps import listing, static
from wsgikit.http.dates import format_date

DATA = bytes(range(256)) * 4
MODIFIED = 1_500_000_000
DATE, BEFORE, AFTER = (format_date(MODIFIED + step) for step in (0, -1, 1))


class Answer:
    def __init__(self, app, method="GET", *, wrapper=False, **asked):
        environ = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": "/file.png"}
        environ["QUERY_STRING"] = ""
        setup_testing_defaults(environ)
        if wrapper:
            environ["wsgi.file_wrapper"] = FileWrapper
        environ.update({f"HTTP_{name}": value for name, value in asked.items()})
        body = validator(app)(environ, self.start)
        try:
            self.body = b"".join(body)
        finally:
            body.close()

    def start(self, status, headers, exc_info=None):
        self.status = int(status[:3])
        assert len({name for name, _ in headers}) == len(headers)
        self.headers = dict(headers)


TARGETS = {
    "Response.file": lambda folder: Response.file(folder / "file.png"),
    "static": static,
    "static, nothing in memory": lambda folder: static(folder, memory=0),
    "static, frozen": lambda folder: static(folder, frozen=True),
    "static, frozen, nothing in memory": lambda folder: static(folder, frozen=True, memory=0),
    "listing": listing,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a file that was written a minute ago."""
    folder = tmp_path_factory.mktemp("folder")
    path = folder / "file.png"
    path.write_bytes(DATA)
    os.utime(path, (MODIFIED, MODIFIED))
    with pytest.MonkeyPatch.context() as patch:
        for module in (wsgikit.files.send, wsgikit.files.describer):
            patch.setattr(module, "time", lambda: time() + 60)
        yield folder


@pytest.fixture(scope="module", params=TARGETS)
def app(request, folder):
    return TARGETS[request.param](folder)


# What follows a clause is what that clause says. {etag} is the current one, {weak} its weak form.
ROWS = [
    ("13 without a condition", {}, 200),
    # If-Match: strong comparison, and * for anything that is there
    ("13.1.1 the current one", {"IF_MATCH": "{etag}"}, 200),
    ("13.1.1 among others", {"IF_MATCH": '"a", {etag}, "b"'}, 200),
    ("13.1.1 among others, no spaces", {"IF_MATCH": '"a",{etag},"b"'}, 200),
    ("13.1.1 another", {"IF_MATCH": '"a"'}, 412),
    ("13.1.1 the weak form", {"IF_MATCH": "{weak}"}, 412),
    ("13.1.1 anything", {"IF_MATCH": "*"}, 200),
    ("13.1.1 nothing at all", {"IF_MATCH": ""}, 412),
    ("13.1.1 without quotes", {"IF_MATCH": "a"}, 412),
    ("13.1.1 an asterisk in a list is none", {"IF_MATCH": '"a", *'}, 412),
    # If-None-Match: weak comparison
    ("13.1.2 the current one", {"IF_NONE_MATCH": "{etag}"}, 304),
    ("13.1.2 the weak form", {"IF_NONE_MATCH": "{weak}"}, 304),
    ("13.1.2 among others", {"IF_NONE_MATCH": '"a", W/"b", {etag}'}, 304),
    ("13.1.2 among others, with empty items", {"IF_NONE_MATCH": ',, "a" ,{etag},'}, 304),
    ("13.1.2 with a comma in another", {"IF_NONE_MATCH": '"a,b", {etag}'}, 304),
    ("13.1.2 another", {"IF_NONE_MATCH": '"a"'}, 200),
    ("13.1.2 anything", {"IF_NONE_MATCH": "*"}, 304),
    ("13.1.2 without quotes", {"IF_NONE_MATCH": "a"}, 200),
    ("13.1.2 nothing at all", {"IF_NONE_MATCH": ""}, 200),
    # If-Modified-Since
    ("13.1.3 the very date", {"IF_MODIFIED_SINCE": DATE}, 304),
    ("13.1.3 a later one", {"IF_MODIFIED_SINCE": AFTER}, 304),
    ("13.1.3 an earlier one", {"IF_MODIFIED_SINCE": BEFORE}, 200),
    ("13.1.3 in the form of RFC 850", {"IF_MODIFIED_SINCE": "Friday, 14-Jul-17 02:40:00 GMT"}, 304),
    ("13.1.3 in the form of asctime", {"IF_MODIFIED_SINCE": "Fri Jul 14 02:40:00 2017"}, 304),
    ("13.1.3 no date", {"IF_MODIFIED_SINCE": "yesterday"}, 200),
    ("13.1.3 two dates", {"IF_MODIFIED_SINCE": f"{DATE}, {AFTER}"}, 200),
    # If-Unmodified-Since
    ("13.1.4 the very date", {"IF_UNMODIFIED_SINCE": DATE}, 200),
    ("13.1.4 a later one", {"IF_UNMODIFIED_SINCE": AFTER}, 200),
    ("13.1.4 an earlier one", {"IF_UNMODIFIED_SINCE": BEFORE}, 412),
    ("13.1.4 no date", {"IF_UNMODIFIED_SINCE": "yesterday"}, 200),
    ("13.1.4 two dates", {"IF_UNMODIFIED_SINCE": f"{BEFORE}, {BEFORE}"}, 200),
    # Which of two counts
    (
        "13.1.4 not beside If-Match",
        {"IF_MATCH": "{etag}", "IF_UNMODIFIED_SINCE": BEFORE},
        200,
    ),
    (
        "13.1.3 not beside If-None-Match that fits",
        {"IF_NONE_MATCH": "{etag}", "IF_MODIFIED_SINCE": BEFORE},
        304,
    ),
    (
        "13.1.3 not beside If-None-Match that does not",
        {"IF_NONE_MATCH": '"a"', "IF_MODIFIED_SINCE": AFTER},
        200,
    ),
    ("13.2.2 step 1, then 3", {"IF_MATCH": "{etag}", "IF_NONE_MATCH": "{etag}"}, 304),
    ("13.2.2 step 1 before 3", {"IF_MATCH": '"a"', "IF_NONE_MATCH": "{etag}"}, 412),
    ("13.2.2 step 1, then 4", {"IF_MATCH": "{etag}", "IF_MODIFIED_SINCE": AFTER}, 304),
    ("13.2.2 step 2, then 3", {"IF_UNMODIFIED_SINCE": DATE, "IF_NONE_MATCH": "{etag}"}, 304),
    ("13.2.2 step 2 before 3", {"IF_UNMODIFIED_SINCE": BEFORE, "IF_NONE_MATCH": "{etag}"}, 412),
    ("13.2.2 step 2, then 4", {"IF_UNMODIFIED_SINCE": AFTER, "IF_MODIFIED_SINCE": AFTER}, 304),
    ("13.2.2 step 2 before 4", {"IF_UNMODIFIED_SINCE": BEFORE, "IF_MODIFIED_SINCE": AFTER}, 412),
]
RANGES = [
    ("14.2 a range", {"RANGE": "bytes=0-1"}, 206),
    ("14.1.2 the first byte", {"RANGE": "bytes=0-0"}, 206),
    ("14.1.2 open", {"RANGE": "bytes=1000-"}, 206),
    ("14.1.2 a suffix", {"RANGE": "bytes=-1"}, 206),
    ("14.1.2 a suffix longer than the file", {"RANGE": "bytes=-5000"}, 206),
    ("14.1.2 beyond the end", {"RANGE": "bytes=0-99999999999999999999999"}, 206),
    ("14.1.1 a unit in other letters", {"RANGE": "BYTES=0-1"}, 206),
    ("14.6 several", {"RANGE": "bytes=0-1,1000-1001"}, 206),
    ("14.2 one of several is there", {"RANGE": "bytes=0-1,5000-"}, 206),
    ("14.1.2 last before first", {"RANGE": "bytes=2-1"}, 200),
    ("14.1 another unit", {"RANGE": "lines=0-1"}, 200),
    ("14.2 malformed", {"RANGE": "bytes=a-b"}, 200),
    ("14.2 too many", {"RANGE": "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 200, 2))}, 200),
    ("15.5.17 from behind the end", {"RANGE": "bytes=1024-"}, 416),
    ("15.5.17 the last zero bytes", {"RANGE": "bytes=-0"}, 416),
    # If-Range
    ("13.1.5 the current tag", {"RANGE": "bytes=0-1", "IF_RANGE": "{etag}"}, 206),
    ("13.1.5 the weak form", {"RANGE": "bytes=0-1", "IF_RANGE": "{weak}"}, 200),
    ("13.1.5 another tag", {"RANGE": "bytes=0-1", "IF_RANGE": '"a"'}, 200),
    ("13.1.5 two tags", {"RANGE": "bytes=0-1", "IF_RANGE": '{etag}, "a"'}, 200),
    ("13.1.5 the very date", {"RANGE": "bytes=0-1", "IF_RANGE": DATE}, 206),
    ("13.1.5 a later date", {"RANGE": "bytes=0-1", "IF_RANGE": AFTER}, 200),
    ("13.1.5 an earlier date", {"RANGE": "bytes=0-1", "IF_RANGE": BEFORE}, 200),
    ("13.1.5 neither", {"RANGE": "bytes=0-1", "IF_RANGE": "a"}, 200),
    ("13.1.5 wrong, and the range too", {"RANGE": "bytes=5000-", "IF_RANGE": '"a"'}, 200),
    ("13.1.5 without a range", {"IF_RANGE": '"a"'}, 200),
    ("13.2.2 step 3 before 5", {"RANGE": "bytes=5000-", "IF_NONE_MATCH": "{etag}"}, 304),
    ("13.2.2 step 1 before 5", {"RANGE": "bytes=0-1", "IF_MATCH": '"a"'}, 412),
    ("13.2.2 step 1, then 5", {"RANGE": "bytes=0-1", "IF_MATCH": "{etag}"}, 206),
    ("13.2.2 step 2, then 5", {"RANGE": "bytes=0-1", "IF_UNMODIFIED_SINCE": DATE}, 206),
]


def rows(table):
    return pytest.mark.parametrize(
        ("asked", "status"), [pytest.param(*row[1:], id=row[0]) for row in table]
    )


def fields(app, asked):
    tag = Answer(app).headers["ETag"]
    return {
        name: value.replace("{etag}", tag).replace("{weak}", f"W/{tag}")
        for name, value in asked.items()
    }


def assert_right(app, method, answer, status):
    assert answer.status == status
    whole = Answer(app, method)
    if method == "HEAD" or status == 304:
        assert answer.body == b""
    if status == 200:
        assert answer.headers == whole.headers
        assert answer.body == (DATA if method == "GET" else b"")
    elif status == 206:
        # §15.3.7: what a 200 would have had to say, it says
        kept = {name: whole.headers[name] for name in ("ETag", "Last-Modified")}
        assert kept.items() <= answer.headers.items()
        assert whole.headers.get("Vary") == answer.headers.get("Vary")
        assert whole.headers.get("Cache-Control") == answer.headers.get("Cache-Control")
        assert answer.headers["Content-Length"] == str(len(answer.body))
        assert len(answer.body) <= len(DATA)
    elif status == 304:
        # §15.4.5: what it must have, and no metadata beside that
        must = {"ETag", "Vary", "Cache-Control", "Content-Location", "Expires"}
        assert answer.headers.keys() == whole.headers.keys() & must
        assert answer.headers.items() <= whole.headers.items()
    if status in (412, 416):
        # §12.5.5: which representation it is about was chosen by these, too
        chosen = whole.headers.get("Vary", "").split(", ")
        assert {*filter(None, chosen)} <= {*answer.headers["Vary"].split(", ")}
    if status == 412:
        assert not answer.headers.keys() & {"ETag", "Last-Modified", "Accept-Ranges"}
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    if status == 416:
        assert answer.headers["Content-Range"] == "bytes */1024"  # §15.5.17


@rows(ROWS + RANGES)
def test_get(app, asked, status):
    for wrapper in (False, True):
        answer = Answer(app, wrapper=wrapper, **fields(app, asked))
        assert_right(app, "GET", answer, status)


@rows(ROWS)
def test_head(app, asked, status):
    assert_right(app, "HEAD", Answer(app, "HEAD", **fields(app, asked)), status)


@rows(RANGES)
def test_head_knows_no_range(app, asked, status):
    # §14.2: a range is defined for GET alone; §9.3.2: the fields are those of the whole
    status = 200 if status in (206, 416) else status
    assert_right(app, "HEAD", Answer(app, "HEAD", **fields(app, asked)), status)


@rows(ROWS + RANGES)
def test_unsafe_methods(app, asked, status):
    """§13.2.1: no condition is looked at where the answer would be no success without it (405), nor
    by an application that has acted already: it has asked ``conditions.evaluate`` before.
    """
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = Answer(app, method, **fields(app, asked))
        if isinstance(app, Response):
            assert (answer.status, answer.body) == (200, DATA)
            assert not answer.headers.keys() & {"ETag", "Last-Modified", "Accept-Ranges"}
        else:
            assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


@rows(ROWS + RANGES)
def test_conditions_are_ignored_where_nothing_is(folder, tmp_path, asked, status):
    # §13.2.1: 404 without them, and so with them
    answer = Answer(static(tmp_path), **fields(static(folder), asked))
    assert answer.status == 404
    assert not answer.headers.keys() & {"ETag", "Content-Range"}


@rows([row for row in ROWS + RANGES if DATE not in "".join(row[1].values())])
def test_a_file_without_a_date(tmp_path, asked, status):
    """In a zip there is a tag alone. §13.1.3, §13.1.4: what has no date is not asked for one."""
    with zipfile.ZipFile(tmp_path / "files.zip", "w") as archive:
        archive.writestr("file.png", DATA)
    app = static(zipfile.Path(tmp_path / "files.zip"))
    if asked.keys() & {"IF_MODIFIED_SINCE", "IF_UNMODIFIED_SINCE"}:
        status = 304 if asked.get("IF_NONE_MATCH") == "{etag}" else 200
    answer = Answer(app, **fields(app, asked))
    assert answer.status == status
    assert "Last-Modified" not in answer.headers


@rows(ROWS + RANGES)
def test_a_file_with_a_weak_tag(folder, asked, status):
    """§8.8.3.2: a weak tag is equal in If-None-Match alone. §13.1.5: it joins no parts."""
    tag = 'W/"ours"'

    def app(environ, start_response):
        response = Response.file(folder / "file.png")
        response.headers["ETag"] = tag
        return response(environ, start_response)

    given = {
        name: value.replace("{etag}", tag).replace("{weak}", tag) for name, value in asked.items()
    }
    named = [name for name in ("IF_MATCH", "IF_RANGE") if tag in given.get(name, "")]
    if "IF_MATCH" in named:
        status = 412
    elif "IF_RANGE" in named:
        status = 200
    answer = Answer(app, **given)
    assert answer.status == status
    assert answer.headers.get("ETag", tag) == tag
