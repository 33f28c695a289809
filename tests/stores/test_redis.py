from __future__ import annotations

import pytest
import redis

from wsgikit.stores import RedisStore, StoreError

ASKS = {
    "get": lambda store: store.get("key"),
    "set": lambda store: store.set("key", b""),
    "delete": lambda store: store.delete("key"),
    "increment": lambda store: store.increment("key"),
    "compare_and_set": lambda store: store.compare_and_set("key", None, b""),
}
every_ask = pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)


@every_ask
def test_a_server_that_is_not_there_is_a_store_error(ask, tmp_path) -> None:
    with redis.Redis(unix_socket_path=f"{tmp_path}/none", retry=None) as client:
        store = RedisStore(client)
        with pytest.raises(StoreError, match=r"Redis: .*none") as caught:
            ask(store)
    assert isinstance(caught.value.__cause__, redis.ConnectionError)


@every_ask
def test_a_server_that_stops_and_comes_back(ask, redis_of_its_own) -> None:
    with redis_of_its_own.client(retry=None) as client:
        store = RedisStore(client)
        ask(store)
        redis_of_its_own.stop()
        with pytest.raises(StoreError):
            ask(store)
        redis_of_its_own.start()
        ask(store)  # the scripts are loaded again


@every_ask
def test_an_answer_that_takes_too_long_is_a_store_error(ask, redis_of_its_own) -> None:
    with redis_of_its_own.client(socket_timeout=0.05, retry=None) as client:
        store = RedisStore(client)
        with redis_of_its_own.silent(), pytest.raises(StoreError, match="Redis: Timeout"):
            ask(store)


def test_what_others_have_is_left_alone(redis_client) -> None:
    redis_client.set("key", "others")
    store = RedisStore(redis_client)
    assert store.get("key") is None
    store.set("key", b"ours", expires=60)
    RedisStore(redis_client, prefix="é:").set("key", b"theirs")
    assert sorted(redis_client.keys()) == [b"key", b"wsgikit:key", "é:key".encode()]
    assert store.get("key") == b"ours"
    assert 59_000 < redis_client.pttl("wsgikit:key") <= 60_000


def test_a_value_of_another_type_is_a_store_error(redis_client) -> None:
    redis_client.rpush("wsgikit:key", "a list")
    store = RedisStore(redis_client)
    for ask in (ASKS["get"], ASKS["increment"], ASKS["compare_and_set"]):
        with pytest.raises(StoreError, match="WRONGTYPE"):
            ask(store)


def test_the_scripts_are_sent_again_when_the_server_has_forgotten_them(redis_client) -> None:
    store = RedisStore(redis_client)
    assert store.increment("key") == 1
    redis_client.script_flush()
    assert store.increment("key") == 2
    assert store.compare_and_set("key", b"2", b"3")


def test_each_operation_is_one_command(redis_client) -> None:
    store = RedisStore(redis_client)
    for ask in ASKS.values():
        ask(store)
    redis_client.config_resetstat()
    for ask in ASKS.values():
        ask(store)
    calls = {name: told["calls"] for name, told in redis_client.info("commandstats").items()}
    # Besides the scripts, what they call: increment GET and SET, compare_and_set GET.
    assert calls["cmdstat_evalsha"] == 2
    assert (calls["cmdstat_get"], calls["cmdstat_set"], calls["cmdstat_del"]) == (3, 2, 1)
    assert set(calls) - {"cmdstat_config|resetstat", "cmdstat_info"} == {
        "cmdstat_evalsha",
        "cmdstat_get",
        "cmdstat_set",
        "cmdstat_del",
    }


@pytest.mark.parametrize(
    ("client", "options", "error", "message"),
    [
        (redis.Redis(decode_responses=True), {}, ValueError, "decode_responses=False"),
        ("redis://localhost", {}, TypeError, "client takes a redis.Redis, not 'redis:"),
        (redis.Redis(), {"prefix": b"x"}, TypeError, "prefix takes a str, not b'x'"),
        (redis.Redis(), {"max_value": 0}, ValueError, "max_value takes at least 1 bytes"),
    ],
    ids=range(4),
)
def test_options_are_checked(client, options, error, message) -> None:
    with pytest.raises(error, match=message):
        RedisStore(client, **options)


def test_a_client_of_another_make_will_do() -> None:
    """What speaks like redis-py need not have all of it."""

    class Client:
        def register_script(self, script):
            return lambda keys, args: 7 if keys == [b"p:key"] else None

        def get(self, name):
            return name

    store = RedisStore(Client(), prefix="p:")  # type: ignore[arg-type]
    assert store.get("key") == b"p:key"
    assert store.increment("key") == 7
    assert store.compare_and_set("key", None, b"x", expires=0.5)
    assert store.compare_and_set("key", b"x", None)
    with pytest.raises(ValueError, match="'other' is no counter"):
        store.increment("other")


def test_processes_share_one_redis_exactly(python, redis_server, redis_client) -> None:
    assert (
        python(PROCESSES, redis_server.socket, forks=True) == "100 of 1600 through, 1600 counted\n"
    )
    assert redis_client.get("wsgikit:ceiling") == b"100"
    assert redis_client.get("wsgikit:counter") == b"1600"
    assert len(set(redis_client.get("wsgikit:list").split())) == 80


PROCESSES = """
import os, sys, threading
import redis
from wsgikit.stores import RedisStore, update

client = redis.Redis(unix_socket_path=sys.argv[1])
store = RedisStore(client)
store.get("ceiling")                          # connected before the fork
reader, writer = os.pipe()

def work(thread):
    for turn in range(200):
        if store.increment("ceiling", ceiling=100, expires=600) <= 100:
            os.write(writer, b".")
        store.increment("counter")
        if turn % 20 == 0:
            mark = b"%d.%d.%d " % (os.getpid(), thread, turn)
            update(store, "list", lambda found: (found or b"") + mark)

children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        os._exit(0)
    children.append(child)
for child in children:
    assert os.waitpid(child, 0)[1] == 0
os.close(writer)
print(len(os.read(reader, 10000)), "of 1600 through,", store.get("counter").decode(), "counted")
client.close()
"""
