from __future__ import annotations

import pytest

from wsgikit.server import response
from wsgikit.server.response import FieldLines, response_head


def test_a_head_is_what_goes_over_the_line():
    head = response_head("200 OK", [("X-A", " 1 "), ("content-length", "5"), ("X-B", "\xe9")])
    assert head.data == b"HTTP/1.1 200 OK\r\nX-A: 1\r\nX-B: \xe9\r\n"
    assert (head.length, head.code, head.bodiless, head.sets) == (5, "200", False, set())


def test_date_and_server_of_the_application_stay_where_they_are():
    head = response_head("304 Not Modified", [("dATE", "now"), ("A", "b"), ("Server", "mine")])
    assert head.data == b"HTTP/1.1 304 Not Modified\r\nDate: now\r\nA: b\r\nServer: mine\r\n"
    assert (head.sets, head.length, head.bodiless) == ({"date", "server"}, None, True)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([("Content-Length", "+5")], id="signed length"),
        pytest.param([("Content-Length", "-5")], id="negative length"),
        pytest.param([("Content-Length", "\xb2")], id="superscript length"),
        pytest.param([("Content-Length", "")], id="empty length"),
        pytest.param([("Content-Length", "5"), ("CONTENT-length", "5")], id="two lengths"),
        pytest.param([("Connection", "close")], id="hop by hop"),
        pytest.param([("transfer-encoding", "chunked")], id="coding"),
        pytest.param([("A b", "c")], id="name"),
        pytest.param([("", "c")], id="no name"),
        pytest.param([("A", "b\r\nC: d")], id="injection"),
        pytest.param([("Server", "b\nC: d")], id="injection by server"),
        pytest.param([("A", "\N{SNOWMAN}")], id="beyond Latin-1"),
    ],
)
def test_what_would_break_the_framing_is_refused_each_time(headers):
    for _ in range(2):
        with pytest.raises(ValueError, match=r"."):
            response_head("200 OK", headers)


@pytest.mark.parametrize("status", ["200", "200OK", "20 OK", "2\xb20 OK", "100 Continue", "600 X"])
def test_a_status_is_three_digits_of_a_final_response(status):
    with pytest.raises(ValueError, match="status"):
        response_head(status, [])


@pytest.mark.parametrize("value", [b"5", 5, None])
@pytest.mark.parametrize("name", ["Content-Length", "X-A", "Date"])
def test_what_is_no_text_is_a_type_error(name, value):
    with pytest.raises(TypeError):
        response_head("200 OK", [(name, value)])


def test_fields_are_tuples():
    with pytest.raises(TypeError, match="headers takes a list"):
        response_head("200 OK", [["A", "b"]])


def test_heads_are_made_once():
    headers = [("X-Once", "1")]
    assert response_head("200 OK", headers) is response_head("200 OK", [*headers])
    assert response_head("404 No", headers) is not response_head("200 OK", headers)


def test_what_applications_say_is_not_kept_for_ever():
    for number in range(2 * response.REMEMBERED):
        response_head("200 OK", [("X-Number", str(number))])
        assert len(response._heads) <= response.REMEMBERED
    long = [("X-Long", "x" * response.LONGEST)]
    assert response_head("200 OK", long) is not response_head("200 OK", long)


def test_lines_are_kept_within_bounds():
    lines = FieldLines()
    for number in range(2 * FieldLines.ROOM):
        assert lines["X", str(number)] == f"X: {number}\r\n".encode()
        assert len(lines) <= FieldLines.ROOM
    lines.clear()
    lines["X", "y" * (FieldLines.LONGEST + 1)]
    assert not lines
