from __future__ import annotations

import json
import os
from io import BytesIO
from pathlib import Path
from threading import Thread
from urllib.parse import urljoin, urlsplit
from wsgiref.handlers import SimpleHandler
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import HTTPError, Response
from wsgikit.keys import DRAW_ERROR
from wsgikit.response import to_application

OCTETS = "application/octet-stream"
TEXT = "text/plain; charset=utf-8"


def answer(app, method="GET", **environ):
    """A response, seen by wsgiref's validator and by WebTest's."""
    return TestApp(validator(app), environ).request("/", method=method, status="*")


def sent(app, method="GET"):
    """What the standard library's server sends: the status line, the fields, the body."""
    environ = {"REQUEST_METHOD": method, "QUERY_STRING": ""}
    setup_testing_defaults(environ)
    out = BytesIO()
    handler = SimpleHandler(BytesIO(), out, BytesIO(), environ)
    handler.run(validator(app))
    head, _, body = out.getvalue().partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    names = dict(field.split(": ", 1) for field in fields if ": " in field)
    for name in ("Date", "Server"):
        names.pop(name, None)
    return line.partition(" ")[2], names, body


class Blocks:
    """An iterable body that counts how often it is closed."""

    closed = 0

    def __init__(self, *blocks):
        self.blocks = blocks

    def __iter__(self):
        return iter(self.blocks)

    def close(self):
        self.closed += 1


class Start:
    """A ``start_response`` that keeps the list that it was given."""

    def __call__(self, status, headers, exc_info=None):
        self.headers = headers


# --- bodies


@pytest.mark.parametrize(
    ("body", "content_type", "content"),
    [
        pytest.param("Grüße", TEXT, "Grüße".encode(), id="str"),
        pytest.param("", TEXT, b"", id="empty str"),
        pytest.param("\ud800", TEXT, b"?", id="surrogate"),
        pytest.param(b"\x00\xff", OCTETS, b"\x00\xff", id="bytes"),
        pytest.param(b"", OCTETS, b"", id="empty bytes"),
        pytest.param(bytearray(b"ab"), OCTETS, b"ab", id="bytearray"),
        pytest.param(memoryview(b"abcd")[1:3], OCTETS, b"bc", id="memoryview"),
    ],
)
def test_a_body_of_known_length(body, content_type, content):
    response = answer(Response(body))
    assert response.status == "200 OK"
    assert response.body == content
    assert response.headers["Content-Type"] == content_type
    assert response.headers["Content-Length"] == str(len(content))


def test_no_body_is_an_empty_text():
    assert sent(Response()) == ("200 OK", {"Content-Type": TEXT, "Content-Length": "0"}, b"")


def test_what_changes_later_is_not_sent():
    body = bytearray(b"ab")
    response = Response(body)
    body[:] = b"cd"
    assert answer(response).body == b"ab"


@pytest.mark.parametrize("blocks", [(), (b"",), (b"a", b"", b"bc")], ids=repr)
def test_an_iterable_body(blocks):
    body = Blocks(*blocks)
    response = answer(Response(body))
    assert response.body == b"".join(blocks)
    assert response.headers["Content-Type"] == OCTETS
    assert body.closed == 1


@pytest.mark.parametrize("body", [None, 12, {"a": 1}, object()], ids=repr)
def test_a_body_of_another_kind(body):
    with pytest.raises(TypeError, match="body is str, bytes or an iterable of bytes, not"):
        Response(body)


def test_a_response_answers_many_requests_at_once():
    response = Response("x" * 1000, headers={"A": "1"})
    response.set_cookie("a", "b")
    wrong = []

    def ask():
        for _ in range(200):
            body = response({"REQUEST_METHOD": "GET"}, start := Start())
            if b"".join(body) != b"x" * 1000 or len(start.headers) != 4:
                wrong.append(start.headers)
            start.headers.append(("X-Added", "by a layer"))

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# --- HEAD, and statuses without content


def test_head_has_the_fields_of_get():
    status, fields, body = sent(Response("text"), "HEAD")
    assert (status, fields) == sent(Response("text"))[:2]
    assert fields["Content-Length"] == "4"
    assert body == b""


def test_head_of_an_unknown_length_does_not_claim_one():
    body = Blocks(b"abc")
    assert sent(Response(body), "HEAD") == ("200 OK", {"Content-Type": OCTETS}, b"")
    assert body.closed == 1


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (204, {"ETag": '"a"'}),
        (304, {"ETag": '"a"'}),
        (205, {"ETag": '"a"', "Content-Type": TEXT, "Content-Length": "0"}),
    ],
)
def test_a_status_without_content(status, fields, method):
    response = Response(status=status, headers={"ETag": '"a"'})
    line, names, body = sent(response, method)
    assert line.startswith(str(status))
    assert (names, body) == (fields, b"")


@pytest.mark.parametrize("status", [204, 205, 304])
@pytest.mark.parametrize("body", ["a", b"a", Blocks(b"a")], ids=["str", "bytes", "iterable"])
def test_a_body_for_a_status_without_content(status, body):
    with pytest.raises(ValueError, match=f"status {status} has no content, so no body"):
        Response(body, status)


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("name", ["content-type", "Content-Length"])
def test_a_field_about_content_for_a_status_without_content(status, name):
    with pytest.raises(ValueError, match=f"(?i)status {status} has no content, so no {name}"):
        Response(status=status, headers={name: "1"})


# --- status


@pytest.mark.parametrize("status", [100, 101, 199, 99, 600, -1, "200", 200.0, None, True], ids=repr)
def test_a_status_that_no_response_has(status):
    with pytest.raises(ValueError, match="status"):
        Response(status=status)
    with pytest.raises(ValueError, match="status"):
        Response().status = status


def test_the_status_may_be_changed():
    response = Response("gone")
    assert response.status == 200
    response.status = 410
    assert response.status == 410
    assert answer(response).status == "410 Gone"


@pytest.mark.parametrize(("before", "after"), [(200, 204), (200, 304), (204, 200), (205, 204)])
def test_the_status_may_not_change_what_has_content(before, after):
    response = Response(status=before)
    with pytest.raises(ValueError, match=f"status {before} cannot become {after}"):
        response.status = after
    response.status = before
    assert response.status == before


def test_repr():
    assert repr(Response("text", 404)) == "<Response 404 Not Found>"


# --- header fields


def test_headers_given_win():
    headers = {"content-type": "text/css", "X-A": "1"}
    response = answer(Response("a", headers=headers, content_type="text/html"))
    assert response.headers.getall("Content-Type") == ["text/css"]
    assert response.headers["X-A"] == "1"


@pytest.mark.parametrize(
    "headers", [[("A", "1"), ("A", "2")], iter([("A", "1"), ("A", "2")])], ids=["list", "iterator"]
)
def test_headers_as_pairs(headers):
    assert answer(Response(headers=headers)).headers.getall("A") == ["1", "2"]


def test_headers_may_be_changed():
    response = Response("a")
    response.headers["cache-control"] = "no-store"
    response.headers.add("Link", "<a>")
    response.headers.vary("Cookie")
    fields = answer(response).headers
    assert (fields["Cache-Control"], fields["Link"], fields["Vary"]) == (
        "no-store",
        "<a>",
        "Cookie",
    )


def test_the_length_may_be_said_again_but_not_otherwise():
    response = answer(Response("abc", headers={"Content-Length": "3"}))
    assert response.headers.getall("Content-Length") == ["3"]
    with pytest.raises(ValueError, match="Content-Length 4 of a body of 3 bytes"):
        Response("abc", headers={"content-length": "4"})


def test_the_length_of_an_iterable_may_be_said():
    response = answer(Response([b"abc"], headers={"Content-Length": "3"}))
    assert response.headers["Content-Length"] == "3"


@pytest.mark.parametrize("name", ["Content-Length", "Content-Type"])
@pytest.mark.parametrize("body", ["abc", Blocks(b"abc")], ids=["str", "iterable"])
def test_a_field_of_one_value_given_twice(body, name):
    with pytest.raises(ValueError, match=f"{name} is given 2 times"):
        Response(body, headers=[(name, "3"), (name.lower(), "3")])


INJECTED = pytest.mark.parametrize(
    "text", ["a\r\nX: b", "a\nb", "a\rb", "a\0b", "a\tb", "a\x7fb", "\u20ac", "a\n"], ids=ascii
)


@INJECTED
def test_no_value_ends_its_line(text):
    with pytest.raises(ValueError, match="X-Name"):
        Response(headers={"X-Name": text})
    with pytest.raises(ValueError, match="X-Name"):
        Response().headers["X-Name"] = text
    with pytest.raises(ValueError, match="field name"):
        Response(headers={text: "value"})
    with pytest.raises(ValueError, match="content_type"):
        Response("a", content_type=text)
    with pytest.raises(ValueError, match="content_type"):
        Response.json([], content_type=text)
    with pytest.raises(ValueError, match="content_type"):
        Response.stream([], content_type=text)
    with pytest.raises(ValueError, match="content_type"):
        Response.file(__file__, content_type=text)
    with pytest.raises(ValueError, match="cookie"):
        Response().set_cookie("name", text)
    with pytest.raises(ValueError, match="cookie"):
        Response().set_cookie(text, "value")
    with pytest.raises(ValueError, match="cookie"):
        Response().expire_cookie("name", path=f"/{text}")


@given(st.text())
def test_any_name_of_a_download_is_one_field(name):
    value = Response.file(__file__, download_as=name).headers["Content-Disposition"]
    assert value.startswith("attachment")
    assert value.isascii()
    assert value.isprintable()


# --- cookies


def test_set_cookie():
    response = Response()
    response.set_cookie("a", "1")
    response.set_cookie(
        "__Host-b", "2", max_age=60, expires=0.5, secure=True, same_site="None", partitioned=True
    )
    assert response.headers.get_all("Set-Cookie") == [
        "a=1; Path=/; HttpOnly; SameSite=Lax",
        "__Host-b=2; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60; Path=/; Secure; HttpOnly;"
        " SameSite=None; Partitioned",
    ]


def test_expire_cookie():
    response = Response()
    response.expire_cookie("a", path="/b", domain="example.com")
    response.expire_cookie("__Host-c", secure=True, same_site="None", partitioned=True)
    gone = "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0"
    assert response.headers.get_all("Set-Cookie") == [
        f"a=; {gone}; Domain=example.com; Path=/b; SameSite=Lax",
        f"__Host-c=; {gone}; Path=/; Secure; SameSite=None; Partitioned",
    ]


# --- html, json


def test_html():
    response = answer(Response.html("<p>ü", 404, {"A": "1"}))
    assert (response.status_int, response.headers["A"]) == (404, "1")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.body == "<p>ü".encode()


def test_json():
    response = answer(Response.json({"a": ["ü", None, 1.5]}, 201, {"A": "1"}))
    assert (response.status_int, response.headers["A"]) == (201, "1")
    assert response.headers["Content-Type"] == "application/json"
    assert response.body == b'{"a":["\\u00fc",null,1.5]}'


def test_json_of_another_type():
    response = answer(Response.json([], content_type="application/ld+json"))
    assert response.headers["Content-Type"] == "application/ld+json"


def test_json_of_a_surrogate_is_ascii():
    assert json.loads(answer(Response.json("\ud800")).body) == "\ud800"


def cyclic():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (float("nan"), ValueError),
        ([float("inf")], ValueError),
        ({"a": b"bytes"}, TypeError),
        ({("a", "b"): 1}, TypeError),
        ({1, 2}, TypeError),
        (cyclic(), RecursionError),
    ],
    ids=["NaN", "infinity", "bytes", "key", "set", "cyclic"],
)
def test_what_json_cannot_say(value, error):
    with pytest.raises(error):
        Response.json(value)


# --- redirect


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("/", "/"),
        ("/a/b?c=d&e#f", "/a/b?c=d&e#f"),
        ("relative/path", "relative/path"),
        ("../up", "../up"),
        ("?a=1", "?a=1"),
        ("?next=http://other/", "?next=http://other/"),
        ("#x:y", "#x:y"),
        ("./a:b", "./a:b"),
        ("/a:b", "/a:b"),
        ("/a//b", "/a//b"),
        ("/%2F%2Fevil", "/%2F%2Fevil"),
        ("%2F%2Fevil", "%2F%2Fevil"),
        (" //evil", "%20//evil"),
        ("/caf\xe9", "/caf%C3%A9"),
        ("/\u0645\u200c\U0001f469\u200d", "/%D9%85%E2%80%8C%F0%9F%91%A9%E2%80%8D"),
        ("\u2028//evil", "%E2%80%A8//evil"),
        ("/\uff0fevil", "/%EF%BC%8Fevil"),
        ("/\ud800", "/%EF%BF%BD"),
        ('/"<>^`{|}', "/%22%3C%3E%5E%60%7B%7C%7D"),
        ("@evil", "@evil"),
    ],
    ids=ascii,
)
def test_a_redirect_on_this_site(location, sent):
    response = answer(Response.redirect(location))
    assert response.status == "303 See Other"
    assert response.headers["Location"] == sent
    assert response.body == b""


LOCAL = "400 .*The address to go to"


@pytest.mark.parametrize(
    "location",
    [
        "",
        "//evil",
        "///evil",
        "//",
        "/\\evil",
        "\\\\evil",
        "\\/evil",
        "https:evil",
        "https://evil",
        "HTTPS://evil",
        "http:/evil",
        "javascript:alert(1)",
        "data:text/html,x",
        "a:b",
        "a+b.c-d:e",
        ":",
        "/\t/evil",
        "\t//evil",
        "\x0b//evil",
        "\x00//evil",
        "/\r\nSet-Cookie: a=b",
        "/\x7f",
        "java\nscript:alert(1)",
        "j\xe4vascript:x",
    ],
    ids=ascii,
)
def test_a_redirect_that_would_leave_this_site(location):
    with pytest.raises(HTTPError, match=LOCAL):
        Response.redirect(location)


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("http://example.com", "http://example.com"),
        ("HTTPS://example.com:8443/a?b#c", "HTTPS://example.com:8443/a?b#c"),
        ("http://[::1]:8000/", "http://[::1]:8000/"),
        ("http://b\xfccher.example/\xfc", "http://b%C3%BCcher.example/%C3%BC"),
        ("http://example.com/@a", "http://example.com/@a"),
        ("/local", "/local"),
    ],
    ids=ascii,
)
def test_a_redirect_to_anywhere(location, sent):
    response = Response.redirect(location, 302, external=True)
    assert (response.status, response.headers["Location"]) == (302, sent)


@pytest.mark.parametrize(
    "location",
    [
        "",
        "//evil",
        "https:evil",
        "https:/evil",
        "https:///evil",
        "https://?a",
        "https://#a",
        "https://user@evil",
        "https://user:password@evil/",
        "https://good\\@evil",
        "javascript://evil/%0aalert(1)",
        "javascript:alert(1)",
        "ftp://evil",
        "file:///etc/passwd",
        "http://a\r\nb",
        "http://\x0b",
    ],
    ids=ascii,
)
def test_a_redirect_to_what_is_no_url(location):
    with pytest.raises(HTTPError, match=LOCAL):
        Response.redirect(location, external=True)


@given(st.text(st.sampled_from("/\\:.@?#%2F \t\n\x0b[]aehtvilps") | st.characters()))
def test_no_redirect_leaves_this_site(location):
    try:
        target = Response.redirect(location).headers["Location"]
    except HTTPError:
        return
    assert target.isascii()
    assert target.isprintable()
    assert not urlsplit(target).scheme
    joined = urlsplit(urljoin("https://site.example/a/b?c", target))
    assert (joined.scheme, joined.netloc) == ("https", "site.example")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_statuses_of_redirects(status):
    assert Response.redirect("/", status).status == status


@pytest.mark.parametrize("status", [200, 300, 304, 400, "303"])
def test_a_status_that_no_redirect_has(status):
    with pytest.raises(ValueError, match="status of a redirect is"):
        Response.redirect("/", status)


# --- stream


def test_stream():
    response = answer(Response.stream(["Gr\xfc", "", b"\xc3\x9f", "e\ud800"], 201, {"A": "1"}))
    assert (response.status_int, response.headers["A"]) == (201, "1")
    assert response.headers["Content-Type"] == TEXT
    assert response.body == "Grüße?".encode()
    assert "Content-Length" not in Response.stream([]).headers


@pytest.mark.parametrize("blocks", ["text", b"bytes", bytearray(), memoryview(b"")], ids=repr)
def test_text_is_no_stream(blocks):
    with pytest.raises(TypeError, match="blocks is an iterable of str or bytes, not"):
        Response.stream(blocks)


def test_a_stream_of_what_is_no_iterable():
    with pytest.raises(TypeError, match="iterable"):
        Response.stream(12)


def counted(events):
    try:
        events.append("started")
        yield "a"
        yield "b"
    finally:
        events.append("ended")


@pytest.mark.parametrize(
    ("asked", "events"), [(0, []), (1, ["started", "ended"]), (3, ["started", "ended"])]
)
def test_a_generator_is_closed_however_much_of_it_was_sent(asked, events):
    happened = []
    body = Response.stream(counted(happened))({"REQUEST_METHOD": "GET"}, lambda *start: None)
    for _ in zip(range(asked), body, strict=False):
        pass
    body.close()
    assert happened == events


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_iterable_of_a_stream_is_closed_once(method):
    blocks = Blocks("a")
    answer(Response.stream(blocks), method)
    assert blocks.closed == 1


def test_a_stream_that_fails_is_closed():
    def failing():
        yield b"a"
        raise RuntimeError("no more")

    blocks = Blocks()
    blocks.__class__ = type("Failing", (Blocks,), {"__iter__": lambda self: failing()})
    body = validator(Response.stream(blocks))(wsgi_environ(), lambda *start: lambda block: None)
    with pytest.raises(RuntimeError, match="no more"):
        b"".join(body)
    body.close()
    assert blocks.closed == 1


def wsgi_environ(**more):
    environ = {"QUERY_STRING": ""}
    setup_testing_defaults(environ)
    return environ | more


# --- file


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "b\xfccher.html"
    path.write_bytes(b"<p>")
    return path


@pytest.mark.parametrize("kind", [Path, str, os.fsencode], ids=["Path", "str", "bytes"])
def test_file(path, kind):
    response = answer(Response.file(kind(path)))
    assert response.body == b"<p>"
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Length"] == "3"
    assert "Content-Disposition" not in response.headers


def test_file_with_options(path):
    file = Response.file(path, content_type="text/x-mine", download_as="f\xfcr dich.html")
    file.headers["Cache-Control"] = "no-cache"
    for _ in range(2):
        response = answer(file, HTTP_RANGE="bytes=1-")
        assert response.status == "206 Partial Content"
        assert response.body == b"p>"
        assert response.headers.getall("Content-Type") == ["text/x-mine"]
        assert response.headers["Cache-Control"] == "no-cache"
        assert response.headers["Content-Disposition"] == (
            "attachment; filename=\"f_r dich.html\"; filename*=UTF-8''f%C3%BCr%20dich.html"
        )
        assert response.headers.getall("ETag")


def test_head_of_a_file(path):
    status, fields, body = sent(Response.file(path), "HEAD")
    assert (status, fields["Content-Length"], body) == ("200 OK", "3", b"")


def test_a_file_that_has_not_changed(path):
    etag = answer(Response.file(path)).headers["ETag"]
    environ = wsgi_environ(HTTP_IF_NONE_MATCH=etag)
    out = BytesIO()
    SimpleHandler(BytesIO(), out, BytesIO(), environ).run(validator(Response.file(path)))
    assert b"304 Not Modified" in out.getvalue()
    assert b"Content-" not in out.getvalue().replace(b"X-Content-", b"")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.tar.gz", "application/gzip"),
        ("a.css.br", OCTETS),
        ("a.zst", "application/zstd"),
        ("a.png", "image/png"),
        ("a", OCTETS),
    ],
)
def test_the_type_of_a_file(tmp_path, name, kind):
    (tmp_path / name).write_bytes(b"")
    assert Response.file(tmp_path / name).headers["Content-Type"] == kind


def test_the_server_sends_whole_files_itself(path):
    environ = wsgi_environ(**{"wsgi.file_wrapper": FileWrapper})
    body = Response.file(path)(environ, lambda *start: None)
    assert isinstance(body, FileWrapper)
    body.close()


@pytest.mark.parametrize(
    "name", ["nothing", "nothing/file", "", "a\0b", "\ud800", "x" * 5000], ids=ascii
)
def test_a_file_that_is_not_there(tmp_path, name):
    with pytest.raises(OSError):  # noqa: PT011 - a name too long has an error of its own
        Response.file(tmp_path / name)


def test_what_is_no_regular_file(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo", os.devnull, tmp_path / "a\0b"):
        with pytest.raises(FileNotFoundError, match="not a regular file"):
            Response.file(path)


@pytest.mark.parametrize("path", [0, None, True], ids=repr)
def test_what_is_no_path(path):
    with pytest.raises(TypeError):
        Response.file(path)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_file_that_went_away(path, method):
    response = Response.file(path)
    path.unlink()
    assert answer(response, method).status == "404 Not Found"


def test_a_file_that_became_something_else(path):
    response = Response.file(path)
    path.unlink()
    os.mkfifo(path)
    assert answer(response).status == "404 Not Found"


def test_errors_of_a_file_are_drawn_as_all_others(path):
    def draw(error, environ, start_response):
        return Response(f"drawn {error.status}", error.status)(environ, start_response)

    response = answer(Response.file(path), HTTP_RANGE="bytes=9-", **{DRAW_ERROR: draw})
    assert response.text == "drawn 416"


def test_the_status_of_a_file_is_not_settable(path):
    response = Response.file(path)
    assert response.status == 200
    with pytest.raises(AttributeError, match="the status of a file"):
        response.status = 404


# --- what views return


def application(environ, start_response):
    start_response("202 Accepted", [("Content-Type", "text/plain"), ("Content-Length", "0")])
    return []


@pytest.mark.parametrize(
    ("result", "status", "content_type", "body"),
    [
        ("ü", 200, TEXT, "ü".encode()),
        (type("Markup", (str,), {})("<b>"), 200, TEXT, b"<b>"),
        (b"b", 200, OCTETS, b"b"),
        ({"a": 1}, 200, "application/json", b'{"a":1}'),
        ([1], 200, "application/json", b"[1]"),
        (None, 204, None, b""),
        (Response("r", 201), 201, TEXT, b"r"),
        (application, 202, "text/plain", b""),
    ],
    ids=["str", "markup", "bytes", "dict", "list", "None", "Response", "application"],
)
def test_to_application(result, status, content_type, body):
    response = answer(to_application(result))
    assert (response.status_int, response.body) == (status, body)
    assert response.headers.get("Content-Type") == content_type


@pytest.mark.parametrize("result", [12, True, (1, 2), {1}, iter([])], ids=repr)
def test_what_no_view_returns(result):
    with pytest.raises(TypeError, match=f"a view returns .* not {type(result).__name__}"):
        to_application(result)
