"""A store in Redis, or what speaks like it: shared by the processes of many machines."""

from __future__ import annotations

from math import ceil

from wsgikit.arguments import check_size
from wsgikit.stores.limits import (
    MAX_VALUE,
    check_counts,
    check_expires,
    check_value,
    key_bytes,
    no_counter,
)
from wsgikit.stores.protocol import Store, StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol, TypeVar

    Result = TypeVar("Result")

    class Client(Protocol):
        """What is asked of a client of redis-py, or of one made after it."""

        def get(self, name: Any) -> Any:
            """GET."""

        def set(self, name: Any, value: Any, *, px: int | None = None) -> Any:
            """SET."""

        def delete(self, *names: Any) -> Any:
            """DEL."""

        def register_script(self, script: Any) -> Callable[..., Any]:
            """A function that runs a script by EVALSHA."""


__all__ = ["RedisStore"]

# Redis runs a script as one: nothing else happens in between. Its numbers are exact up to 2^53.
# ARGV: by, floor or "", ceiling or "", milliseconds or "", "keep" to keep the time that is set.
_INCREMENT = """
local found = redis.call('GET', KEYS[1])
local count = 0
if found then
    local digits = string.match(found, '^%-?(%d+)$')
    if not digits or #digits > 16 then return false end
    count = tonumber(found)
    if math.abs(count) > 9007199254740991 then return false end
end
if ARGV[2] ~= '' then count = math.max(count, tonumber(ARGV[2])) end
count = count + tonumber(ARGV[1])
if math.abs(count) > 9007199254740991 then return false end
if ARGV[3] ~= '' and count > tonumber(ARGV[3]) then return count end
local text = string.format('%.0f', count)
if found and ARGV[5] == 'keep' then
    redis.call('SET', KEYS[1], text, 'KEEPTTL')
elseif ARGV[4] == '' then
    redis.call('SET', KEYS[1], text)
else
    redis.call('SET', KEYS[1], text, 'PX', ARGV[4])
end
return count
"""
# ARGV: the expected and the new value, each after a "=", or "" for none; milliseconds or "".
_COMPARE_AND_SET = """
local found = redis.call('GET', KEYS[1])
if (found and '=' .. found or '') ~= ARGV[1] then return 0 end
local value = string.sub(ARGV[2], 2)
if ARGV[2] == '' then
    redis.call('DEL', KEYS[1])
elseif ARGV[3] == '' then
    redis.call('SET', KEYS[1], value)
else
    redis.call('SET', KEYS[1], value, 'PX', ARGV[3])
end
return 1
"""


class RedisStore(Store):
    """Keeps everything in Redis 6 or later, by a client that you make and that this never closes.

    ``RedisStore(redis.Redis(host="..."))``: nothing is imported here. Each operation is one command
    or one script, atomic on the server, whose clock also tells what has expired. The client's
    connections are those of its pool, which is safe in threads and across forks; how long it waits
    and whether it tries again are options of it (``socket_timeout``, ``retry``). An increment that
    it tries again because the answer was lost may count twice.

    How much the server holds is its option ``maxmemory``; the ``maxmemory-policy`` that is like the
    other stores is ``volatile-ttl``.

    :param client: a :class:`redis.Redis` or :class:`redis.RedisCluster`, without
        ``decode_responses``: values are bytes.
    :param prefix: what the keys begin with, of those that others have on the same server.
    :param max_value: the most bytes of one value.
    :raises TypeError: when ``client`` is no such client, or an option is not of its type.
    :raises ValueError: when ``client`` decodes responses, or ``max_value`` is below 1.
    """

    def __init__(
        self, client: Client, *, prefix: str = "wsgikit:", max_value: int = MAX_VALUE
    ) -> None:
        if not hasattr(client, "register_script"):
            raise TypeError(f"client takes a redis.Redis, not {client!r}")
        encoder = getattr(client, "get_encoder", None)
        if encoder is not None and encoder().decode_responses:
            raise ValueError("client takes one with decode_responses=False: values are bytes")
        if not isinstance(prefix, str):
            raise TypeError(f"prefix takes a str, not {prefix!r}")
        check_size("max_value", max_value, 1)
        self._client = client
        self._prefix = prefix.encode()
        self._max_value = max_value
        self._increment = client.register_script(_INCREMENT)
        self._compare_and_set = client.register_script(_COMPARE_AND_SET)

    def get(self, key: str) -> bytes | None:
        name = self._prefix + key_bytes(key)
        found: bytes | None = _ask(lambda: self._client.get(name))
        return found

    def set(self, key: str, value: bytes, *, expires: float | None = None) -> None:
        name = self._prefix + key_bytes(key)
        check_value(value, self._max_value)
        check_expires(expires)
        _ask(lambda: self._client.set(name, value, px=_milliseconds(expires)))

    def delete(self, key: str) -> bool:
        name = self._prefix + key_bytes(key)
        return bool(_ask(lambda: self._client.delete(name)))

    def increment(
        self,
        key: str,
        by: int = 1,
        *,
        floor: int | None = None,
        ceiling: int | None = None,
        expires: float | None = None,
        renew: bool = True,
    ) -> int:
        name = self._prefix + key_bytes(key)
        check_counts(by, floor, ceiling)
        check_expires(expires)
        arguments = [
            by,
            "" if floor is None else floor,
            "" if ceiling is None else ceiling,
            _milliseconds(expires) or "",
            "" if renew else "keep",
        ]
        count: int | None = _ask(lambda: self._increment(keys=[name], args=arguments))
        if count is None:
            raise no_counter(key)
        return count

    def compare_and_set(
        self,
        key: str,
        expected: bytes | None,
        value: bytes | None,
        *,
        expires: float | None = None,
    ) -> bool:
        name = self._prefix + key_bytes(key)
        if value is not None:
            check_value(value, self._max_value)
        check_expires(expires)
        arguments = [_optional(expected), _optional(value), _milliseconds(expires) or ""]
        return bool(_ask(lambda: self._compare_and_set(keys=[name], args=arguments)))


def _milliseconds(expires: float | None) -> int | None:
    return None if expires is None else ceil(expires * 1000)


def _optional(value: bytes | None) -> bytes:
    return b"" if value is None else b"=" + value


def _ask(question: Callable[[], Result]) -> Result:
    try:
        return question()
    except Exception as error:  # the client's classes are not known here, and all mean the same
        raise StoreError(f"Redis: {error}") from error
