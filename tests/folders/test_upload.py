from __future__ import annotations

import errno
import io
import os
import stat
from threading import Barrier, Thread
from wsgiref.util import setup_testing_defaults

import pytest

from wsgikit import HTTPError
from wsgikit.folders.upload import Receipt, check_origin, receive
from wsgikit.trees.draft import Draft
from wsgikit.trees.tree import PathTree, Tree

BOUNDARY = "----x"


def part(name, content, filename=None):
    file = "" if filename is None else f'; filename="{filename}"'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def file(filename, content=b"content"):
    return part("file", content, filename)


def form(*parts):
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def environ_of(body, **fields):
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": f"multipart/form-data; boundary={BOUNDARY}",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **fields,
    }
    setup_testing_defaults(environ)
    return environ


@pytest.fixture(params=[Tree, PathTree])
def tree(request, tmp_path):
    return request.param(tmp_path)


def send(tree, *parts, names=(), max_upload=10**6, **options):
    environ = environ_of(form(*parts))
    return receive(environ, tree, list(names), max_upload=max_upload, **options)


def everything(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


# Storing


def test_files_are_stored(tree, tmp_path):
    (tmp_path / "docs").mkdir()
    receipt = send(tree, file("a.txt", b"a"), file("b.bin", bytes(300_000)), names=["docs"])
    assert receipt.stored == ["a.txt", "b.bin"]
    assert (receipt.refused, receipt.status) == ([], 201)
    assert everything(tmp_path) == {"docs/a.txt": b"a", "docs/b.bin": bytes(300_000)}


def test_a_file_has_no_more_rights_than_the_umask_lets_it(tree, tmp_path):
    before = os.umask(0o027)
    try:
        send(tree, file("a.sh"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.sh").stat().st_mode) == 0o640


def test_a_file_is_there_when_it_is_complete(tmp_path):
    seen = []

    class Watched(io.BytesIO):
        def read(self, size=-1):
            seen.append([name for name in os.listdir(tmp_path) if not name.startswith(".")])
            return super().read(size)

    body = form(file("a.bin", bytes(600_000)), file("b.bin"))
    environ = environ_of(body, **{"wsgi.input": Watched(body)})
    receive(environ, Tree(tmp_path), [], max_upload=10**6)
    assert [] in seen
    assert sorted(everything(tmp_path)) == ["a.bin", "b.bin"]
    assert (tmp_path / "a.bin").stat().st_size == 600_000


def test_other_fields_and_no_chosen_file_are_passed_over(tree, tmp_path):
    receipt = send(tree, part("note", b"x"), file("", b""), file("a.txt"))
    assert receipt.stored == ["a.txt"]
    assert send(tree, file("", b"")).stored == []


def test_a_file_in_the_place_of_the_field_is_a_file(tree, tmp_path):
    assert send(tree, part("existing", b"x", "a.txt")).stored == ["a.txt"]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("../../a.txt", "a.txt"),
        ("C:\\\\dir\\\\a.txt", "a.txt"),
        (".bashrc", "bashrc"),
        ("a:b?.txt", "a_b_.txt"),
        ("nul.txt", "_nul.txt"),
        ("a.txt. ", "a.txt"),
        ("é.txt", "é.txt"),
    ],
)
def test_names_become_plain(tree, tmp_path, given, stored):
    assert send(tree, file(given)).stored == [stored]
    assert list(everything(tmp_path)) == [stored]


@pytest.mark.parametrize("name", ["..", "/", "git~1", ". ."])
def test_names_that_nothing_is_left_of_are_refused(tree, tmp_path, name):
    receipt = send(tree, file(name), file("a.txt"))
    assert receipt.stored == ["a.txt"]
    assert receipt.refused == [(name, 400, "the name is not safe on every system")]
    assert receipt.status == 400


@pytest.mark.parametrize("name", ["\u200c.git", "\u200c\ufeff.a", ".\u200c.git"], ids=ascii)
def test_what_would_be_hidden_is_refused(tree, tmp_path, name):
    receipt = send(tree, file(name), file("a.txt"))
    assert receipt.stored == ["a.txt"]
    ((_, status, reason),) = receipt.refused
    assert (status, reason) == (400, "the name is not safe on every system")
    assert set(everything(tmp_path)) == {"a.txt"}


def test_a_name_that_the_system_does_not_take(tree, tmp_path, monkeypatch):
    def place(self, name):
        raise OSError(errno.ENAMETOOLONG, "File name too long")

    monkeypatch.setattr(Draft, "place", place)
    receipt = send(tree, file("a.txt"))
    assert receipt.refused == [("a.txt", 400, "the name is too long, or none")]
    assert everything(tmp_path) == {}


# Names that are taken


def test_nothing_is_overwritten(tree, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"old")
    receipt = send(tree, file("a.txt", b"new"), file("b.txt", b"b"))
    assert receipt.stored == ["b.txt"]
    assert receipt.refused == [("a.txt", 409, "there is something of that name")]
    assert everything(tmp_path) == {"a.txt": b"old", "b.txt": b"b"}


def test_two_of_one_name(tree, tmp_path):
    receipt = send(tree, file("a.txt", b"1"), file("a.txt", b"2"))
    assert (receipt.stored, receipt.status) == (["a.txt"], 409)
    assert everything(tmp_path) == {"a.txt": b"1"}


def test_a_name_that_is_taken_meanwhile(tree, tmp_path, monkeypatch):
    monkeypatch.setattr(Draft, "is_taken", lambda draft, name: False)
    (tmp_path / "a.txt").write_bytes(b"old")
    assert send(tree, file("a.txt", b"new")).status == 409
    assert everything(tmp_path) == {"a.txt": b"old"}


@pytest.mark.parametrize("target", ["nowhere", "b.txt"])
def test_links_are_not_followed(tree, tmp_path, target):
    (tmp_path / "b.txt").write_bytes(b"old")
    (tmp_path / "a.txt").symlink_to(target)
    assert send(tree, file("a.txt", b"new")).status == 409
    assert send(tree, part("existing", b"replace"), file("a.txt", b"new"), overwrite=True).stored
    assert everything(tmp_path) == {"a.txt": b"new", "b.txt": b"old"}


def test_numbers(tree, tmp_path):
    for expected in ("a.tar.gz", "a.tar (2).gz", "a.tar (3).gz"):
        assert send(tree, part("existing", b"number"), file("a.tar.gz")).stored == [expected]
    assert len(everything(tmp_path)) == 3


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("a" * 251 + ".txt", "a" * 247 + " (2).txt"),
        ("a" * 255, "a" * 251 + " (2)"),
        ("é" * 127, "é" * 125 + " (2)"),
        ("a." + "b" * 253, "a." + "b" * 249 + " (2)"),
    ],
    ids=["an extension", "none", "characters", "a long extension"],
)
def test_numbers_for_the_longest_names(tree, tmp_path, name, second):
    for expected in (name, second):
        assert send(tree, part("existing", b"number"), file(name)).stored == [expected]
    assert len(everything(tmp_path)) == 2


def test_there_are_not_numbers_without_end(tree, tmp_path, monkeypatch):
    monkeypatch.setattr("wsgikit.folders.upload._MOST_NAMES", 2)
    for expected in (["a"], ["a (2)"], []):
        assert send(tree, part("existing", b"number"), file("a")).stored == expected


def test_replacing_where_it_is_allowed(tree, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"old")
    receipt = send(tree, part("existing", b"replace"), file("a.txt", b"new"), overwrite=True)
    assert (receipt.stored, receipt.refused) == (["a.txt"], [])
    assert everything(tmp_path) == {"a.txt": b"new"}


def test_a_folder_is_not_replaced(tree, tmp_path):
    (tmp_path / "a").mkdir()
    receipt = send(tree, part("existing", b"replace"), file("a"), overwrite=True)
    assert receipt.refused == [("a", 409, "there is a folder of that name")]
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize(
    ("choice", "overwrite", "takes"),
    [
        (b"replace", False, "refuse or number here"),
        (b"delete", True, "refuse or number or replace here"),
        (b"", True, "refuse or number or replace here"),
    ],
)
def test_what_else_cannot_be_done(tree, tmp_path, choice, overwrite, takes):
    (tmp_path / "a.txt").write_bytes(b"old")
    with pytest.raises(HTTPError, match=f"400 .*existing takes {takes}"):
        send(tree, part("existing", choice), file("a.txt", b"new"), overwrite=overwrite)
    assert everything(tmp_path) == {"a.txt": b"old"}


def test_of_many_at_once_one_gets_the_name(tree, tmp_path):
    barrier, receipts = Barrier(8), []

    def upload(number):
        barrier.wait(30)
        receipts.append(send(tree, file("a.txt", b"%d" % number * 1000)))

    threads = [Thread(target=upload, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(receipt.status for receipt in receipts) == [201] + [409] * 7
    ((_, content),) = everything(tmp_path).items()
    assert content in [b"%d" % number * 1000 for number in range(8)]


# Limits and troubles


def test_a_form_that_is_announced_to_be_too_large(tree, tmp_path):
    body = form(file("a.txt"))
    environ = environ_of(body, **{"wsgi.input": None})  # it is not read
    with pytest.raises(HTTPError, match=rf"413 .*most {len(body) - 1} bytes .*\(max_upload\)"):
        receive(environ, tree, [], max_upload=len(body) - 1)


def test_a_form_that_turns_out_to_be_too_large(tree, tmp_path):
    body = form(file("a.txt"), file("b.bin", bytes(600_000)))
    environ = environ_of(body, CONTENT_LENGTH="", **{"wsgi.input_terminated": True})
    with pytest.raises(HTTPError, match=r"413 .*\(max_upload\)"):
        receive(environ, tree, [], max_upload=300_000)
    assert set(everything(tmp_path)) <= {"a.txt"}


@pytest.mark.parametrize("cut", [1, 10, 60, 200])
def test_a_form_that_breaks_off_leaves_no_half_file(tree, tmp_path, cut):
    body = form(file("a.txt", b"x" * 300))
    environ = environ_of(body, **{"wsgi.input": io.BytesIO(body[:-cut])})
    with pytest.raises(HTTPError, match="400"):
        receive(environ, tree, [], max_upload=10**6)
    assert all(content == b"x" * 300 for content in everything(tmp_path).values())
    assert not any(name.startswith(".") for name in os.listdir(tmp_path))


def test_what_is_no_form(tree):
    environ = environ_of(b"a=b", CONTENT_TYPE="application/x-www-form-urlencoded")
    with pytest.raises(HTTPError, match="415"):
        receive(environ, tree, [], max_upload=100)


@pytest.mark.parametrize("names", [["none"], ["file"], ["out"]])
def test_what_is_no_folder_of_the_tree(tree, tmp_path, names):
    (tmp_path / "file").write_text("")
    (tmp_path / "out").symlink_to(tmp_path.parent)
    with pytest.raises(HTTPError, match="404"):
        send(tree, file("a.txt"), names=names)


def failing(monkeypatch, number):
    """Let the disk fail with this error number when a file is made durable."""

    def fsync(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.parametrize(
    ("number", "status"),
    [(errno.ENOSPC, 507), (errno.EDQUOT, 507), (errno.EROFS, 403), (errno.EACCES, 403)],
)
def test_what_the_system_does_not_allow(tree, tmp_path, monkeypatch, number, status):
    failing(monkeypatch, number)
    with pytest.raises(HTTPError, match=str(status)):
        send(tree, file("a.txt"))
    assert os.listdir(tmp_path) == []


def test_a_failing_disk_is_no_matter_of_the_client(tree, tmp_path, monkeypatch):
    failing(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        send(tree, file("a.txt"))
    assert os.listdir(tmp_path) == []


def test_no_descriptor_stays_open(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    send(Tree(tmp_path), file("a.txt"), file("b.txt"))
    with pytest.raises(HTTPError):
        send(Tree(tmp_path), part("existing", b"x"))
    assert len(os.listdir("/proc/self/fd")) == before


# Who may send


@pytest.mark.parametrize(
    ("fields", "allowed"),
    [
        ({}, True),  # curl, and browsers of before 2020 within one site
        ({"HTTP_SEC_FETCH_SITE": "same-origin"}, True),
        ({"HTTP_SEC_FETCH_SITE": "none"}, True),
        ({"HTTP_SEC_FETCH_SITE": "same-site"}, False),
        ({"HTTP_SEC_FETCH_SITE": "cross-site"}, False),
        ({"HTTP_SEC_FETCH_SITE": ""}, False),
        ({"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_ORIGIN": "http://here:8000"}, False),
        ({"HTTP_ORIGIN": "http://here:8000"}, True),
        ({"HTTP_ORIGIN": "http://HERE:8000"}, True),
        ({"HTTP_ORIGIN": "https://here:8000"}, True),  # behind a proxy that ends TLS
        ({"HTTP_ORIGIN": "http://here"}, False),
        ({"HTTP_ORIGIN": "http://evil.example"}, False),
        ({"HTTP_ORIGIN": "null"}, False),
        ({"HTTP_ORIGIN": ""}, False),
    ],
)
def test_pages_of_other_sites_send_nothing(fields, allowed):
    environ = environ_of(b"", HTTP_HOST="here:8000", **fields)
    if allowed:
        check_origin(environ)
    else:
        with pytest.raises(HTTPError, match="403"):
            check_origin(environ)


def test_the_origin_is_looked_at_first(tree, tmp_path):
    environ = environ_of(form(file("a.txt")), HTTP_SEC_FETCH_SITE="cross-site")
    with pytest.raises(HTTPError, match="403"):
        receive(environ, tree, ["none"], max_upload=1)
    assert everything(tmp_path) == {}


# The receipt


def test_a_receipt_for_programs():
    receipt = Receipt()
    receipt.stored += ["a b.txt"]
    response = receipt.response()
    assert response.status == 201
    body = b"".join(response({"REQUEST_METHOD": "GET"}, lambda status, headers: None))
    assert body == b'{"stored":[{"name":"a b.txt","href":"./a%20b.txt"}],"refused":[]}'


def test_a_receipt_of_what_was_refused():
    receipt = Receipt()
    receipt.stored += ["a.txt"]
    receipt.refused += [("b.txt", 409, "taken"), ("c.txt", 400, "bad")]
    with pytest.raises(HTTPError) as raised:
        receipt.response()
    assert (raised.value.status, raised.value.detail) == (409, "b.txt: taken.")
    assert raised.value.extensions == {
        "stored": [{"name": "a.txt", "href": "./a.txt"}],
        "refused": [{"name": "b.txt", "reason": "taken"}, {"name": "c.txt", "reason": "bad"}],
    }
