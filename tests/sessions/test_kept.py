from __future__ import annotations

import pytest

from wsgikit.sessions.kept import Life, decoded


@pytest.mark.parametrize(
    ("idle", "absolute", "kind", "message"),
    [
        (0, 10, ValueError, "idle takes seconds from 1"),
        (10, -1, ValueError, "absolute takes seconds from 1"),
        (10, float("nan"), ValueError, "absolute"),
        (10, float("inf"), ValueError, "absolute"),
        ("10", 10, TypeError, "idle takes a number of seconds"),
        (True, 10, TypeError, "idle"),
    ],
)
def test_bad_times_are_refused(idle, absolute, kind, message):
    with pytest.raises(kind, match=message):
        Life(idle, absolute)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", "[" * 100_000, '{"a":}'])
def test_what_is_no_object_is_no_session(text):
    assert decoded(text) is None
