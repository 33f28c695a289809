"""The stores that the contract is tried on, a Redis to try it with, and programs in processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import pytest
import redis

from wsgikit.stores import MemoryStore, RedisStore, SQLiteStore, Store

CHECKOUT = Path(__file__).parents[2]


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Kept:
    """A store under test: how to let time pass in it, and how to reach it once more."""

    def __init__(
        self, store: Store, advance: Callable[[float], None], again: Callable[[], Store]
    ) -> None:
        self.store = store
        self.advance = advance
        self.again = again


class Redis:
    """A ``redis-server`` of the tests' own, on a Unix socket in a directory of its own."""

    def __init__(self, directory: str) -> None:
        self.socket = os.path.join(directory, "redis.sock")
        self._command = ["redis-server", "--port", "0", "--unixsocket", self.socket]
        self._command += ["--save", "", "--appendonly", "no", "--dir", directory]
        self._process: subprocess.Popen[bytes] | None = None

    def client(self, **options: object) -> redis.Redis:
        return redis.Redis(unix_socket_path=self.socket, **options)

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        deadline = monotonic() + 20
        with self.client() as client:
            while True:
                with suppress(redis.ConnectionError):
                    client.ping()
                    return
                assert self._process.poll() is None, "redis-server did not start"
                assert monotonic() < deadline, "redis-server does not answer"
                sleep(0.01)

    def stop(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Within it the server answers nobody."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@contextmanager
def serving() -> Iterator[Redis]:
    if shutil.which("redis-server") is None and not os.environ.get("CI"):
        pytest.skip("needs redis-server (Debian package redis-server)")
    with tempfile.TemporaryDirectory(prefix="redis-") as directory:  # sockets need a short path
        server = Redis(directory)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    with serving() as server:
        yield server


@pytest.fixture
def redis_of_its_own() -> Iterator[Redis]:
    """For a test that stops it."""
    with serving() as server:
        yield server


@pytest.fixture
def redis_client(redis_server: Redis) -> Iterator[redis.Redis]:
    """A client of an empty Redis."""
    with redis_server.client() as client:
        client.flushall()
        yield client


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "sqlite", "redis"])
def kept(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Kept]:
    def advance(seconds: float) -> None:
        clock.now += seconds

    if request.param == "memory":
        memory = MemoryStore(clock=clock)
        yield Kept(memory, advance, lambda: memory)
    elif request.param == "sqlite":
        opened = [SQLiteStore(tmp_path / "store", clock=clock)]

        def again() -> Store:
            opened.append(SQLiteStore(tmp_path / "store", clock=clock))
            return opened[-1]

        yield Kept(opened[0], advance, again)
        for store in opened:
            store.close()
    else:
        client = request.getfixturevalue("redis_client")
        server = request.getfixturevalue("redis_server")
        others: list[redis.Redis] = []

        def advance_redis(seconds: float) -> None:
            # The server's own clock goes on: what it has is given that much less time to live.
            for name in client.scan_iter():
                left = client.pttl(name)
                if left >= 0:
                    client.pexpire(name, left - int(seconds * 1000))

        def another() -> Store:
            others.append(server.client())
            return RedisStore(others[-1])

        yield Kept(RedisStore(client), advance_redis, another)
        for each in others:
            each.close()


@pytest.fixture
def python() -> Callable[..., str]:
    """Runs a program in a new interpreter, strictly, and returns what it printed."""

    def run(program: str, *arguments: object, forks: bool = False) -> str:
        # Python 3.12 warns of every fork that is made while there are threads: that is the test.
        allowed = ["-W", "ignore:This process:DeprecationWarning"] if forks else []
        command = [sys.executable, "-X", "dev", "-W", "error", *allowed, "-c", program]
        done = subprocess.run(
            [*command, *map(str, arguments)],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done.stdout

    return run
