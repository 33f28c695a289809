"""What every store takes: how long keys, values and times may be, and how counters count."""

from __future__ import annotations

from hashlib import blake2b

from wsgikit.http.grammar import is_token

__all__ = ["MAX_COUNT", "MAX_EXPIRES", "MAX_KEY", "MAX_NAME", "MAX_VALUE"]

#: The most bytes of a key, in UTF-8.
MAX_KEY = 250
#: The most bytes of a value, unless a store's ``max_value`` says another number.
MAX_VALUE = 2**20
#: The most seconds until something expires: 68 years.
MAX_EXPIRES = 2**31
#: The highest count, and below 0 the lowest: so far the floating point of Redis is exact.
MAX_COUNT = 2**53 - 1
#: The longest ``name`` of a layer that has a store.
MAX_NAME = 60

# What leaves room for a prefix in a key.
_LONGEST = 150


def key_bytes(key: str) -> bytes:
    """The key as every store writes it, checked."""
    if not isinstance(key, str):
        raise TypeError(f"key takes a str, not {type(key).__name__}")
    try:
        name = key.encode()
    except UnicodeEncodeError:
        raise ValueError(f"key takes text without surrogates, not {key!a:.60}") from None
    if not 0 < len(name) <= MAX_KEY:
        raise ValueError(f"key takes 1 to {MAX_KEY} bytes, not {len(name)}: hash what is longer")
    return name


def key_for(prefix: str, text: str) -> str:
    """A key that begins with ``prefix`` and stands for ``text``, however long that is."""
    if len(text) <= _LONGEST and text.isascii():
        return prefix + text
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16)
    return f"{prefix}#{digest.hexdigest()}"


def check_value(value: object, max_value: int) -> None:
    """Refuse what is no value of a store whose ``max_value`` this is."""
    if not isinstance(value, bytes):
        raise TypeError(f"value takes bytes, not {type(value).__name__}")
    if len(value) > max_value:
        raise ValueError(f"value takes up to {max_value} bytes (max_value), not {len(value)}")


def check_expires(expires: object) -> None:
    """Refuse what is no time to live."""
    if expires is None:
        return
    if not isinstance(expires, int | float) or isinstance(expires, bool):
        raise TypeError(f"expires takes a number of seconds or None, not {expires!r}")
    if not 0 < expires <= MAX_EXPIRES:
        raise ValueError(f"expires takes seconds above 0, up to {MAX_EXPIRES}, not {expires!r}")


def check_counts(by: object, floor: object, ceiling: object) -> None:
    """Refuse what no counter can count."""
    for name, count in ("by", by), ("floor", floor), ("ceiling", ceiling):
        if count is None and name != "by":
            continue
        if not isinstance(count, int) or isinstance(count, bool):
            raise TypeError(f"{name} takes an int, not {count!r}")
        if not -MAX_COUNT <= count <= MAX_COUNT:
            raise ValueError(f"{name} takes an int from -2**53 + 1 to 2**53 - 1, not {count}")


def check_store(store: object) -> None:
    """Refuse what is no store, for the option ``store`` of a layer."""
    if not hasattr(store, "compare_and_set"):
        raise TypeError(f"store takes a store such as MemoryStore(), not {store!r}")


def check_name(name: object) -> None:
    """Refuse what cannot tell layers in one store apart: in a key, it ends at a colon."""
    if not isinstance(name, str) or not is_token(name) or len(name) > MAX_NAME:
        raise ValueError(f"name takes a token of up to {MAX_NAME} characters, not {name!r}")


def added(key: str, found: bytes | None, by: int, floor: int | None) -> int:
    """The counter's next count."""
    count = 0 if found is None else _count(key, found)
    if floor is not None and count < floor:
        count = floor
    count += by
    if not -MAX_COUNT <= count <= MAX_COUNT:
        raise no_counter(key)
    return count


def _count(key: str, found: bytes) -> int:
    digits = found.removeprefix(b"-")
    if not digits.isdigit() or len(digits) > len(str(MAX_COUNT)) or int(digits) > MAX_COUNT:
        raise no_counter(key)
    return int(found)


def no_counter(key: str) -> ValueError:
    """What is raised for a counter that is none."""
    return ValueError(f"{key!r} is no counter: its value is no integer of up to 53 bits")
