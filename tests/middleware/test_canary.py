from __future__ import annotations

from random import Random
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import Response, stack
from wsgikit.middleware import canary


def site(share, number=0.5, **options):
    layer = canary(to=validator(Response("new")), share=share, draw=lambda: number, **options)
    return TestApp(validator(stack(layer, validator(Response("old")))))


def test_a_visitor_gets_the_same_one_each_time():
    for number, text in ((0.1, "new"), (0.9, "old")):
        app = site(0.5, number)
        first = app.get("/")
        assert first.text == text
        assert first.headers["Set-Cookie"].startswith(f"canary={text}-0.5; Max-Age=2592000; Path=/")
        assert "HttpOnly" in first.headers["Set-Cookie"]
        assert (first.headers["Vary"], first.headers["Cache-Control"]) == ("Cookie", "private")
        again = app.get("/")
        assert (again.text, again.headers["Vary"]) == (text, "Cookie")
        assert not {"Set-Cookie", "Cache-Control"} & {*again.headers}


def test_nobody_and_everybody():
    assert site(0, 0.0).get("/").text == "old"
    assert site(1, 0.999).get("/").text == "new"


@pytest.mark.parametrize(
    "cookie", ["new", "old-x", "new-2", "new-nan", "x-0.5", "", "new--1", "new-inf", "new-0.6"]
)
def test_a_cookie_that_is_none_is_drawn_anew(cookie):
    answer = site(0.5, 0.9).get("/", headers={"Cookie": f"canary={cookie}"})
    assert answer.text == "old"
    assert "Set-Cookie" in answer.headers


def test_when_the_share_grows_as_many_have_the_new_one():
    random = Random(7)
    visitors = ["" for _ in range(4000)]
    for share in (0.1, 0.3, 0.3, 0.75, 0.2):
        app = canary(Response("old"), to=Response("new"), share=share, draw=random.random)
        new = 0
        for number, cookie in enumerate(visitors):
            started = []
            body = app(
                {"REQUEST_METHOD": "GET", "HTTP_COOKIE": cookie},
                lambda *start, to=started: to.append(dict(start[1])),
            )
            if share in (0.3, 0.75) and "new" in cookie:
                assert list(body) == [b"new"]  # who has it keeps it
            new += list(body) == [b"new"]
            told = started[0].get("Set-Cookie")
            visitors[number] = cookie if told is None else told.partition(";")[0]
        assert abs(new / len(visitors) - share) < 0.03


def test_a_response_keeps_its_own_cache_control():
    page = Response("page", headers={"Cache-Control": "no-store", "Vary": "Accept"})
    headers = TestApp(stack(canary(to=page, share=1), Response(""))).get("/").headers
    assert (headers["Cache-Control"], headers["Vary"]) == ("no-store", "Accept, Cookie")


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("to", "new", TypeError),
        ("share", 1.1, ValueError),
        ("share", True, ValueError),
        ("share", "1", ValueError),
        ("share", float("nan"), ValueError),
        ("max_age", -1, ValueError),
        ("cookie", "a b", ValueError),
    ],
)
def test_options_are_checked(option, value, error):
    options = {"to": Response(""), "share": 0.5, option: value}
    with pytest.raises(error):
        canary(**options)(Response(""))
