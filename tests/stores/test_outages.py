from __future__ import annotations

from wsgikit.stores.outages import QUIET, Outages
from wsgikit.stores.protocol import StoreError


def test_a_failure_is_told_once_a_minute(clock, caplog) -> None:
    clock.now = 0.0
    outages = Outages("rate_limit 'default'", True, "requests pass", clock)
    for _ in range(3):
        outages.tell(StoreError("no Redis"))
    clock.now += QUIET - 1
    outages.tell(StoreError("no Redis"))
    assert len(caplog.records) == 1
    clock.now += 1
    outages.tell(StoreError("still none"))
    assert [record.getMessage() for record in caplog.records] == [
        "rate_limit 'default': requests pass, as the store has failed: no Redis",
        "rate_limit 'default': requests pass, as the store has failed: still none",
    ]
    assert {record.name for record in caplog.records} == {"wsgikit.stores"}
