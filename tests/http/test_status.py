from __future__ import annotations

from http import HTTPStatus

import pytest

from wsgikit.http.status import PHRASES, status_line


@pytest.mark.parametrize("code", PHRASES)
def test_a_registered_code_has_its_phrase(code: int) -> None:
    assert status_line(code) == f"{code} {PHRASES[code]}"


# Phrases that RFC 9110 changed after the standard library took them up, and a joke.
CHANGED = {413, 414, 416, 418, 422}


@pytest.mark.parametrize("status", [each for each in HTTPStatus if each not in CHANGED])
def test_agrees_with_the_standard_library(status: HTTPStatus) -> None:
    assert status_line(status.value) == f"{status.value} {status.phrase}"


def test_takes_a_member_of_the_standard_enumeration() -> None:
    assert status_line(HTTPStatus.NOT_FOUND) == "404 Not Found"


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (199, "199 Informational"),
        (299, "299 Successful"),
        (399, "399 Redirection"),
        (499, "499 Client Error"),
        (599, "599 Server Error"),
    ],
)
def test_an_unknown_code_has_the_name_of_its_class(code: int, line: str) -> None:
    assert status_line(code) == line


@pytest.mark.parametrize(
    "code",
    [99, 600, 0, -404, True, False, 200.0, "200", "404 Not Found", None, [], 10**400],
    ids=lambda code: repr(code)[:20],
)
def test_anything_else_is_refused(code: object) -> None:
    with pytest.raises(ValueError, match="a status is an int from 100 to 599"):
        status_line(code)  # type: ignore[arg-type]
