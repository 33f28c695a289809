from __future__ import annotations

from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import Request, Response, Router, describe, stack
from wsgikit.middleware import errors, fallback

router = Router()


@router.get("/new")
def new(request: Request) -> str:
    return "new"


def test_what_is_not_there_the_other_one_answers():
    app = TestApp(validator(stack(fallback(to=validator(Response("old"))), validator(router))))
    assert app.get("/new").text == "new"
    assert app.get("/other").text == "old"
    assert app.post("/new", status=405)


def test_other_statuses():
    app = TestApp(stack(fallback(to=Response("old"), statuses=(404, 405)), router))
    assert app.post("/new").text == "old"


def raising():
    raise LookupError("lost")
    yield b"rows"


@pytest.mark.parametrize("content", [raising, lambda: iter((b"", b"rows"))], ids=["fails", "not"])
def test_what_fails_before_its_first_block_the_other_one_answers(content):
    @Request.application
    def view(request):
        return Response.stream(content())

    layers = fallback(to=validator(Response("old")), statuses=[500]), errors()
    answer = TestApp(validator(stack(*layers, validator(view)))).get("/")
    assert answer.text == ("old" if content is raising else "rows")


def test_both_are_shown():
    shown = str(describe(stack(fallback(to=Response("old")), router)))
    assert "fallback" in shown
    assert "Response" in shown


def test_options_are_checked():
    with pytest.raises(TypeError, match="to takes"):
        fallback(to="old")(router)
    with pytest.raises(ValueError, match="statuses"):
        fallback(to=Response(""), statuses=[99])(router)
