from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.problem import HTTPError, MissingField


def test_the_title_is_the_phrase_of_the_status() -> None:
    error = HTTPError(404)
    assert (error.status, error.title, error.detail) == (404, "Not Found", "")
    assert (error.type, error.headers, error.extensions) == ("about:blank", [], {})


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (HTTPError(404), "404 Not Found"),
        (HTTPError(404, "no such page"), "404 Not Found: no such page"),
        (HTTPError(403, "balance 30", title="Out of credit"), "403 Out of credit: balance 30"),
        (HTTPError(499), "499 Client Error"),
    ],
    ids=["status", "detail", "title", "unregistered"],
)
def test_str_is_the_status_and_the_detail(error: HTTPError, text: str) -> None:
    assert str(error) == text


def test_the_problem_has_the_members_of_rfc_9457() -> None:
    error = HTTPError(
        403,
        "Your balance is 30, but that costs 50.",
        title="You do not have enough credit.",
        type="https://example.com/probs/out-of-credit",
        extensions={"balance": 30, "instance": "/account/12345/msgs/abc"},
    )
    assert error.problem() == {
        "type": "https://example.com/probs/out-of-credit",
        "title": "You do not have enough credit.",
        "status": 403,
        "detail": "Your balance is 30, but that costs 50.",
        "balance": 30,
        "instance": "/account/12345/msgs/abc",
    }


def test_extensions_never_override_the_members() -> None:
    members = HTTPError(400, "no", extensions={"status": 200, "title": "OK", "x": 1}).problem()
    assert members == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "no",
        "x": 1,
    }
    assert list(members) == ["type", "title", "status", "detail", "x"]


@pytest.mark.parametrize("headers", [{"Allow": "GET"}, [("Allow", "GET")], (("Allow", "GET"),)])
def test_headers_are_pairs_or_a_mapping(headers: Any) -> None:
    assert HTTPError(405, headers=headers).headers == [("Allow", "GET")]


def test_what_is_given_is_copied() -> None:
    headers, extensions = [("Allow", "GET")], {"a": 1}
    error = HTTPError(405, headers=headers, extensions=extensions)
    headers.clear()
    extensions.clear()
    assert (error.headers, error.extensions) == ([("Allow", "GET")], {"a": 1})


@pytest.mark.parametrize(
    ("status", "options", "kind", "words"),
    [
        (200, {}, ValueError, "status of an HTTPError is from 400 to 599"),
        (399, {}, ValueError, "status of an HTTPError is from 400 to 599"),
        (600, {}, ValueError, "status is an int"),
        (True, {}, ValueError, "status is an int"),
        ("404", {}, ValueError, "status is an int"),
        (404, {"detail": b"bytes"}, TypeError, "detail is a str"),
        (404, {"title": 5}, TypeError, "title is a str or None"),
        (404, {"type": None}, TypeError, "type is a str"),
        (404, {"extensions": {1: 2}}, TypeError, "names in extensions are str"),
        (404, {"headers": [("a b", "c")]}, ValueError, "field name"),
        (404, {"headers": {"Location": "/\r\nSet-Cookie: a=b"}}, ValueError, "Location"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_does_not_fit_is_refused_where_it_is_written(
    status: Any, options: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        HTTPError(status, **options)


class Unpaid(HTTPError):
    def __init__(self, status: int = 402, detail: str = "pay") -> None:
        super().__init__(status, detail, headers=[("Retry-After", "5")])


@pytest.mark.parametrize("again", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
@pytest.mark.parametrize(
    "error",
    [
        HTTPError(404),
        HTTPError(
            429, "slow", headers=[("Retry-After", "5")], title="t", type="u", extensions={"a": [1]}
        ),
        Unpaid(),
        MissingField(400, "The field 'q' is missing."),
    ],
    ids=["bare", "full", "subclass", "missing-field"],
)
def test_survives_copying_and_pickling(error: HTTPError, again: Any) -> None:
    twin = again(error)
    assert type(twin) is type(error)
    assert (twin.problem(), twin.headers, str(twin)) == (
        error.problem(),
        error.headers,
        str(error),
    )


@given(
    st.integers(400, 599),
    st.text(),
    st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()),
)
def test_every_problem_is_json(status: int, detail: str, extensions: dict[str, object]) -> None:
    problem = HTTPError(status, detail, extensions=extensions).problem()
    assert json.loads(json.dumps(problem)) == problem
    assert problem["status"] == status
    assert extensions.keys() <= problem.keys()
