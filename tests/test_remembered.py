from __future__ import annotations

import pytest

from wsgikit.remembered import Remembered


def test_what_was_found_is_not_looked_for_again():
    asked = []
    lengths = Remembered(lambda text: asked.append(text) or len(text), 10)
    assert [lengths[text] for text in ("a", "bb", "a", "bb")] == [1, 2, 1, 2]
    assert asked == ["a", "bb"]


def test_no_more_than_there_is_room_for():
    squares = Remembered(lambda number: number**2, 10)
    for number in range(100):
        assert squares[number] == number**2
        assert len(squares) <= 10


def test_a_failure_is_not_remembered():
    numbers = Remembered(int, 10)
    for _ in range(2):
        with pytest.raises(ValueError, match="'x'"):
            numbers["x"]
    assert not numbers
