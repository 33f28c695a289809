from __future__ import annotations

import pytest

from wsgikit.server import Limits


def test_limits_do_not_change():
    with pytest.raises(AttributeError):
        Limits().fields = 5


@pytest.mark.parametrize(
    "option",
    [
        {"fields": 0},
        {"head_bytes": -1},
        {"queue": 1.5},
        {"requests": True},
        {"idle": 0},
        {"idle": "5"},
        {"body_rate": float("nan")},
        {"write_stall": float("inf")},
    ],
    ids=lambda option: next(iter(option)),
)
def test_a_limit_is_a_positive_number(option):
    with pytest.raises(ValueError, match=f"^{next(iter(option))} takes "):
        Limits(**option)
