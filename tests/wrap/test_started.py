from __future__ import annotations

import pytest

from tests.wrap.doubles import Body, nothing
from wsgikit.wrap import without_body


@pytest.mark.parametrize("error", [LookupError("late"), KeyboardInterrupt()], ids=repr)
def test_an_error_before_a_late_start_closes_the_body(error):
    inner = Body(error)
    with pytest.raises(type(error)):
        without_body(lambda environ, start_response: inner)({}, nothing)
    assert inner.closed == 1


@pytest.mark.parametrize("blocks", [(), (b"a",)], ids=["empty", "one block"])
def test_an_application_that_never_starts_is_named(blocks):
    inner = Body(*blocks)

    def forgetful(environ, start_response):
        return inner

    with pytest.raises(RuntimeError, match=r"forgetful.*did not call start_response"):
        without_body(forgetful)({}, nothing)
    assert inner.closed == 1
