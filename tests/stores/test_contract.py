"""What every store does: one class of tests, run on each of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Barrier, Thread

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from wsgikit.stores import Store, StoreError, update

MOST = 2**53 - 1
NO_COUNTERS = [b"", b"-", b"x", b"1.0", b"1e3", b" 1", b"1\n", b"+1", b"0x10", b"--1", b"inf"]
NO_COUNTERS += [b"\xb2", b"9" * 16, b"-9007199254740992", b"0" * 17, b"1" * 400]


def at_once(count: int, work: Callable[[int], object]) -> None:
    """Call ``work`` in so many threads, which begin together; what one raises is raised."""
    barrier = Barrier(count)
    failures: list[BaseException] = []

    def run(number: int) -> None:
        barrier.wait()
        try:
            work(number)
        except BaseException as error:
            failures.append(error)

    threads = [Thread(target=run, args=(number,)) for number in range(count)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # in the middle of everything
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)
    for failure in failures:
        raise failure


@contextmanager
def refused(kind: type[Exception], message: str) -> Iterator[None]:
    with pytest.raises(kind, match=message):
        yield


class TestStore:
    @pytest.fixture(autouse=True)
    def given(self, kept) -> None:
        self.kept = kept
        self.store: Store = kept.store
        self.advance: Callable[[float], None] = kept.advance

    # Values

    def test_a_value_is_kept(self) -> None:
        assert self.store.get("key") is None
        self.store.set("key", b"value")
        assert self.store.get("key") == b"value"
        self.store.set("key", b"other")
        assert self.store.get("key") == b"other"

    @pytest.mark.parametrize(
        "value",
        [b"", b"\0", bytes(range(256)), b"=", b"12", b"x" * 2**20],
        ids=["empty", "nul", "all", "equals", "digits", "longest"],
    )
    def test_a_value_is_any_bytes(self, value: bytes) -> None:
        self.store.set("key", value)
        assert self.store.get("key") == value
        assert self.store.compare_and_set("key", value, value)
        assert self.store.get("key") == value

    def test_keys_are_told_apart(self) -> None:
        keys = [
            "a",
            "A",
            "a ",
            " a",
            "a\0",
            "a\0b",
            "\0",
            "ä",
            "a\u0308",
            "*",
            "?",
            "[a]",
            "%",
            "_",
        ]
        keys += ["a:", "a:b", "1", "01", "1.0", "x" * 250, "x" * 249, "\U0001f600", "\n", "'", '"']
        for number, key in enumerate(keys):
            self.store.set(key, b"%d" % number)
        for number, key in enumerate(keys):
            assert self.store.get(key) == b"%d" % number
        for key in keys:
            assert self.store.delete(key)

    def test_a_value_is_deleted_once(self) -> None:
        assert not self.store.delete("key")
        self.store.set("key", b"value")
        assert self.store.delete("key")
        assert not self.store.delete("key")
        assert self.store.get("key") is None

    # Time

    def test_a_value_expires(self) -> None:
        self.store.set("key", b"value", expires=1000)
        self.advance(900)
        assert self.store.get("key") == b"value"
        self.advance(100)
        assert self.store.get("key") is None
        assert not self.store.delete("key")

    def test_a_value_expires_after_a_part_of_a_second(self) -> None:
        self.store.set("key", b"value", expires=0.0001)
        self.advance(0.5)
        assert self.store.get("key") is None

    def test_a_value_may_be_there_for_long(self) -> None:
        self.store.set("key", b"value", expires=2**31)
        self.advance(2**31 - 1000)
        assert self.store.get("key") == b"value"

    def test_to_write_again_is_to_expire_anew(self) -> None:
        self.store.set("key", b"value", expires=1000)
        self.advance(900)
        self.store.set("key", b"value", expires=1000)
        self.advance(900)
        assert self.store.get("key") == b"value"
        self.store.set("key", b"value")
        self.advance(10_000)
        assert self.store.get("key") == b"value"

    # Counters

    def test_a_counter_counts(self) -> None:
        assert self.store.increment("key") == 1
        assert self.store.increment("key", 41) == 42
        assert self.store.get("key") == b"42"
        assert self.store.increment("key", -43) == -1
        assert self.store.get("key") == b"-1"
        assert self.store.increment("key", 0) == -1
        self.store.set("key", b"-0007")
        assert self.store.increment("key") == -6

    def test_a_counter_has_a_ceiling(self) -> None:
        counts = [self.store.increment("key", 2, ceiling=5) for _ in range(4)]
        assert counts == [2, 4, 6, 6]
        assert self.store.get("key") == b"4"
        assert self.store.increment("key", ceiling=5) == 5
        assert self.store.increment("other", 6, ceiling=5) == 6
        assert self.store.get("other") is None
        assert self.store.increment("key", -10, ceiling=-5) == -5

    def test_a_counter_has_a_floor(self) -> None:
        assert self.store.increment("key", 1, floor=10) == 11
        assert self.store.increment("key", 1, floor=10) == 12
        assert self.store.increment("key", 1, floor=100, ceiling=100) == 101
        assert self.store.get("key") == b"12"
        assert self.store.increment("key", -1, floor=13) == 12
        assert self.store.increment("gone", -1, floor=1) == 0

    def test_a_counter_expires_after_the_last_addition(self) -> None:
        self.store.increment("key", expires=1000)
        self.advance(900)
        assert self.store.increment("key", expires=1000) == 2
        self.advance(900)
        assert self.store.increment("key", expires=1000) == 3
        self.advance(1000)
        assert self.store.increment("key") == 1
        self.advance(10_000)
        assert self.store.get("key") == b"1"

    def test_a_counter_expires_after_the_first_addition(self) -> None:
        self.store.increment("key", expires=1000, renew=False)
        self.advance(900)
        assert self.store.increment("key", expires=1000, renew=False) == 2
        assert self.store.increment("key", renew=False) == 3
        self.advance(100)
        assert self.store.increment("key", renew=False) == 1
        self.advance(10_000)
        assert self.store.increment("key", expires=1000, renew=False) == 2
        self.advance(10_000)
        assert self.store.get("key") == b"2"

    def test_what_is_above_the_ceiling_renews_nothing(self) -> None:
        self.store.increment("key", ceiling=1, expires=1000)
        self.advance(900)
        assert self.store.increment("key", ceiling=1, expires=1000) == 2
        self.advance(100)
        assert self.store.get("key") is None

    @pytest.mark.parametrize("value", NO_COUNTERS, ids=ascii)
    def test_what_is_no_integer_is_no_counter(self, value: bytes) -> None:
        self.store.set("key", value)
        with pytest.raises(ValueError, match="'key' is no counter"):
            self.store.increment("key")
        assert self.store.get("key") == value

    def test_counters_are_exact_to_the_last(self) -> None:
        assert self.store.increment("key", MOST) == MOST
        assert self.store.increment("key", -1) == MOST - 1
        assert self.store.get("key") == b"%d" % (MOST - 1)
        assert self.store.increment("key", 1, ceiling=MOST) == MOST
        assert self.store.increment("key", 0, floor=MOST, ceiling=MOST - 1) == MOST
        for by, key in (1, "key"), (MOST, "key"):
            with pytest.raises(ValueError, match="is no counter"):
                self.store.increment(key, by)
        assert self.store.get("key") == b"%d" % MOST
        assert self.store.increment("low", -MOST) == -MOST
        with pytest.raises(ValueError, match="is no counter"):
            self.store.increment("low", -1)

    # Compare and set

    def test_a_value_is_set_if_it_is_what_was_expected(self) -> None:
        assert not self.store.compare_and_set("key", b"", b"x")
        assert not self.store.compare_and_set("key", b"old", b"x")
        assert self.store.compare_and_set("key", None, b"old")
        assert not self.store.compare_and_set("key", None, b"x")
        assert not self.store.compare_and_set("key", b"older", b"x")
        assert not self.store.compare_and_set("key", b"", b"x")
        assert self.store.get("key") == b"old"
        assert self.store.compare_and_set("key", b"old", b"new")
        assert self.store.get("key") == b"new"

    def test_a_value_is_deleted_if_it_is_what_was_expected(self) -> None:
        assert self.store.compare_and_set("key", None, None)
        self.store.set("key", b"")
        assert not self.store.compare_and_set("key", None, None)
        assert not self.store.compare_and_set("key", b"other", None)
        assert self.store.get("key") == b""
        assert self.store.compare_and_set("key", b"", None)
        assert self.store.get("key") is None

    def test_what_was_compared_and_set_expires(self) -> None:
        assert self.store.compare_and_set("key", None, b"1", expires=1000)
        self.advance(900)
        assert self.store.compare_and_set("key", b"1", b"2", expires=1000)
        self.advance(900)
        assert not self.store.compare_and_set("key", b"1", b"3", expires=1000)
        self.advance(100)
        assert not self.store.compare_and_set("key", b"2", b"3")
        assert self.store.compare_and_set("key", None, b"4", expires=1000)
        assert self.store.compare_and_set("key", b"4", b"5")
        self.advance(10_000)
        assert self.store.get("key") == b"5"

    # What is refused

    @pytest.mark.parametrize(
        ("key", "error", "message"),
        [
            ("", ValueError, "key takes 1 to 250 bytes, not 0"),
            ("x" * 251, ValueError, "key takes 1 to 250 bytes, not 251: hash"),
            ("ä" * 126, ValueError, "key takes 1 to 250 bytes, not 252: hash"),
            ("\ud800", ValueError, "key takes text without surrogates"),
            (b"key", TypeError, "key takes a str, not bytes"),
            (None, TypeError, "key takes a str, not NoneType"),
        ],
        ids=range(6),
    )
    def test_keys_are_checked(self, key, error, message) -> None:
        for ask in (
            lambda: self.store.get(key),
            lambda: self.store.set(key, b""),
            lambda: self.store.delete(key),
            lambda: self.store.increment(key),
            lambda: self.store.compare_and_set(key, None, b""),
        ):
            with refused(error, message):
                ask()

    @pytest.mark.parametrize(
        ("value", "error", "message"),
        [
            ("text", TypeError, "value takes bytes, not str"),
            (bytearray(b"x"), TypeError, "value takes bytes, not bytearray"),
            (1, TypeError, "value takes bytes, not int"),
            (bytes(2**20 + 1), ValueError, r"up to 1048576 bytes \(max_value\), not 1048577"),
        ],
        ids=range(4),
    )
    def test_values_are_checked(self, value, error, message) -> None:
        with refused(error, message):
            self.store.set("key", value)
        with refused(error, message):
            self.store.compare_and_set("key", None, value)
        assert self.store.get("key") is None

    def test_none_is_no_value_to_set(self) -> None:
        with refused(TypeError, "value takes bytes, not NoneType"):
            self.store.set("key", None)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("expires", "error"),
        [
            (0, ValueError),
            (-1, ValueError),
            (2**31 + 1, ValueError),
            (float("inf"), ValueError),
            (float("nan"), ValueError),
            ("1", TypeError),
            (True, TypeError),
        ],
        ids=repr,
    )
    def test_expires_is_checked(self, expires, error) -> None:
        for ask in (
            lambda: self.store.set("key", b"", expires=expires),
            lambda: self.store.increment("key", expires=expires),
            lambda: self.store.compare_and_set("key", None, b"", expires=expires),
        ):
            with refused(error, "expires takes"):
                ask()
        assert self.store.get("key") is None

    @pytest.mark.parametrize("name", ["by", "floor", "ceiling"])
    @pytest.mark.parametrize(
        ("count", "error"),
        [(1.0, TypeError), ("1", TypeError), (True, TypeError)]
        + [(MOST + 1, ValueError), (-MOST - 1, ValueError)],
        ids=repr,
    )
    def test_counts_are_checked(self, name, count, error) -> None:
        with refused(error, f"{name} takes an int"):
            self.store.increment("key", **{name: count})
        assert self.store.get("key") is None

    def test_an_addition_is_needed(self) -> None:
        with refused(TypeError, "by takes an int"):
            self.store.increment("key", None)  # type: ignore[arg-type]

    # All of it, against a dict

    def test_it_does_what_a_dict_would_do(self) -> None:
        machine = machine_for(self.kept)
        run_state_machine_as_test(machine, settings=settings(max_examples=30))

    # Many at once

    def test_another_one_sees_the_same(self) -> None:
        other = self.kept.again()
        self.store.set("key", b"1", expires=1000)
        assert other.increment("key") == 2
        assert self.store.compare_and_set("key", b"2", b"3")
        assert other.get("key") == b"3"
        assert other.delete("key")
        assert self.store.get("key") is None

    def test_no_increment_is_lost(self) -> None:
        stores = [self.store, self.kept.again()]
        at_once(8, lambda number: [stores[number % 2].increment("key") for _ in range(50)])
        assert self.store.get("key") == b"400"

    def test_a_ceiling_lets_through_exactly_what_it_says(self) -> None:
        stores = [self.store, self.kept.again()]
        through: list[int] = []

        def ask(number: int) -> None:
            counts = [stores[number % 2].increment("key", ceiling=100) for _ in range(40)]
            through.extend(count for count in counts if count <= 100)

        at_once(8, ask)
        assert sorted(through) == list(range(1, 101))
        assert self.store.get("key") == b"100"

    def test_a_rate_limit_lets_through_exactly_what_one_process_would(self) -> None:
        # GCRA: one each 10, with a burst of 5 more, asked 320 times at one moment.
        now, interval, burst = 1_700_000_000_000_000, 10, 50
        stores = [self.store, self.kept.again()]
        waits: list[int] = []

        def ask(number: int) -> None:
            for _ in range(40):
                latest = now + interval + burst
                due = stores[number % 2].increment("key", interval, floor=now, ceiling=latest)
                waits.append(max(0, due - latest))

        at_once(8, ask)
        assert waits.count(0) == 6
        assert set(waits) == {0, interval}
        # 25 later there is room for two more.
        now += 25
        waits.clear()
        at_once(8, ask)
        assert waits.count(0) == 2
        assert set(waits) == {0, interval - 5}

    def test_of_many_deletes_one_is_told(self) -> None:
        stores = [self.store, self.kept.again()]
        for key in range(50):
            self.store.set(f"{key}", b"good for one use")
        told: list[int] = []

        def use(number: int) -> None:
            for key in range(50):
                if stores[number % 2].delete(f"{key}"):
                    told.append(key)

        at_once(8, use)
        assert sorted(told) == list(range(50))

    def test_no_update_is_lost(self) -> None:
        stores = [self.store, self.kept.again()]

        def add(number: int) -> None:
            for turn in range(10):
                text = b"%d.%d " % (number, turn)
                update(stores[number % 2], "key", lambda found: (found or b"") + text)  # noqa: B023

        at_once(6, add)
        found = (self.store.get("key") or b"").split()
        assert len(found) == len(set(found)) == 60

    def test_an_update_may_delete_and_expire(self) -> None:
        assert update(self.store, "key", lambda found: b"1", expires=1000) == b"1"
        assert update(self.store, "key", lambda found: found and found + b"2") == b"12"
        self.advance(10_000)
        assert update(self.store, "key", lambda found: None) is None
        assert self.store.get("key") is None

    def test_an_update_that_never_gets_through_is_told(self) -> None:
        def change(found: bytes | None) -> bytes:
            self.store.increment("key")
            return b"0"

        with pytest.raises(StoreError, match="'key' is changed by others all the time"):
            update(self.store, "key", change)
        assert self.store.get("key") == b"1000"


KEYS = st.sampled_from(["a", "b", "c"])
VALUES = st.sampled_from([b"", b"=", b"x", b"1", b"-5", b"900719925474099", b"00"])
TIMES = st.sampled_from([None, 1000, 3000, 5000])
COUNTS = st.integers(-10, 10) | st.sampled_from([MOST, -MOST])
LIMITS = st.none() | COUNTS


def machine_for(kept) -> type[RuleBasedStateMachine]:
    """A machine that does the same on a store and on a dict. Time passes by 900 + 1000 n."""
    store: Store = kept.store

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.now = 0
            self.model: dict[str, tuple[bytes, float]] = {}
            for key in "abc":
                store.delete(key)

        def found(self, key: str) -> bytes | None:
            value, end = self.model.get(key, (None, float("inf")))
            return value if end > self.now else None

        def write(self, key: str, value: bytes, expires: int | None) -> None:
            self.model[key] = (value, float("inf") if expires is None else self.now + expires)

        @rule(seconds=st.sampled_from([900, 1900]))
        def advance(self, seconds: int) -> None:
            kept.advance(seconds)
            self.now += seconds

        @rule(key=KEYS)
        def get(self, key: str) -> None:
            assert store.get(key) == self.found(key)

        @rule(key=KEYS, value=VALUES, expires=TIMES)
        def set(self, key: str, value: bytes, expires: int | None) -> None:
            store.set(key, value, expires=expires)
            self.write(key, value, expires)

        @rule(key=KEYS)
        def delete(self, key: str) -> None:
            assert store.delete(key) is (self.found(key) is not None)
            self.model.pop(key, None)

        @rule(key=KEYS, expected=st.none() | VALUES, value=st.none() | VALUES, expires=TIMES)
        def compare(
            self, key: str, expected: bytes | None, value: bytes | None, expires: int | None
        ) -> None:
            same = self.found(key) == expected
            assert store.compare_and_set(key, expected, value, expires=expires) is same
            if same and value is None:
                self.model.pop(key, None)
            elif same and value is not None:
                self.write(key, value, expires)

        @rule(key=KEYS, by=COUNTS, floor=LIMITS, ceiling=LIMITS, expires=TIMES, renew=st.booleans())
        def increment(
            self,
            key: str,
            by: int,
            floor: int | None,
            ceiling: int | None,
            expires: int | None,
            renew: bool,
        ) -> None:
            def ask() -> int:
                return store.increment(
                    key, by, floor=floor, ceiling=ceiling, expires=expires, renew=renew
                )

            found = self.found(key)
            try:
                count = int(found) if found is not None else 0
            except ValueError:
                count = 2 * MOST
            wanted = (count if floor is None else max(count, floor)) + by
            if count > MOST or abs(wanted) > MOST:
                with pytest.raises(ValueError, match="is no counter"):
                    ask()
                return
            assert ask() == wanted
            if ceiling is None or wanted <= ceiling:
                end = self.model[key][1] if found is not None else 0
                self.write(key, b"%d" % wanted, expires)
                if found is not None and not renew:
                    self.model[key] = (b"%d" % wanted, end)

    return Machine
