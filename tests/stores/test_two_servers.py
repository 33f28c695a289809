"""Two server processes that know nothing of each other share what is in one Redis, exactly."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from threading import Barrier, Thread

import pytest

from tests.stores.conftest import CHECKOUT

APP = """
import os
import redis
from wsgikit import Router, stack, when
from wsgikit.middleware import errors, rate_limit, sessions
from wsgikit.stores import RedisStore

store = RedisStore(redis.Redis(unix_socket_path=os.environ["REDIS"]))
router = Router()

@router.get("/count")
def count(request):
    counts = request.session.get("counts", 0) + 1
    request.session["counts"] = counts
    return f"{counts} {os.getpid()}"

@router.get("/name")
def name(request):
    return str(request.session.get("counts", 0))

@router.get("/limited")
def limited(request):
    return str(os.getpid())

app = stack(
    errors(),
    when(
        lambda environ: environ["PATH_INFO"] == "/limited",
        rate_limit(store=store, requests=50, seconds=3600),
    ),
    sessions(store=store),
    router,
)
"""


class Shop:
    """A server in a process of its own."""

    def __init__(self, path: Path, redis: str) -> None:
        command = [sys.executable, "-m", "wsgikit", "serve", str(path), "--port", "0"]
        environment = {**os.environ, "REDIS": redis, "PYTHONUNBUFFERED": "1"}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, cwd=CHECKOUT, env=environment, stdout=pipe, stderr=subprocess.STDOUT, text=True
        )
        assert self.process.stdout is not None
        printed = ""
        for line in self.process.stdout:
            printed += line
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                return
        raise AssertionError(printed)

    def get(self, path: str, cookie: str = "") -> tuple[int, str, str]:
        """Status, body, and the cookie that was set."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
            answer = connection.getresponse()
            body = answer.read().decode()
            return answer.status, body, answer.headers.get("Set-Cookie", "").partition(";")[0]
        finally:
            connection.close()

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=30)


@pytest.fixture
def shops(tmp_path, redis_server, redis_client) -> Iterator[list[Shop]]:
    (tmp_path / "shop.py").write_text(APP)
    shops = []
    try:
        for _ in range(2):
            shops.append(Shop(tmp_path / "shop.py", redis_server.socket))
        yield shops
    finally:
        for shop in shops:
            shop.stop()


def test_a_session_goes_on_in_the_other_process(shops) -> None:
    one, other = shops
    status, body, cookie = one.get("/count")
    assert (status, body.split()[0]) == (200, "1")
    assert cookie.startswith("session=")
    processes = {body.split()[1]}
    for turn in range(2, 12):
        _, body, _ = shops[turn % 2].get("/count", cookie)
        assert body.split()[0] == f"{turn}"
        processes.add(body.split()[1])
    assert len(processes) == 2
    assert one.get("/name", cookie)[1] == other.get("/name", cookie)[1] == "11"
    assert other.get("/name")[1] == "0"


def test_a_rate_limit_lets_through_exactly_what_one_process_would(shops) -> None:
    answers: list[tuple[int, str]] = []
    together = Barrier(8)

    def ask(number: int) -> None:
        together.wait()
        for _ in range(20):
            status, body, _ = shops[number % 2].get("/limited")
            answers.append((status, body if status == 200 else ""))

    threads = [Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = Counter(status for status, _ in answers)
    assert statuses == {200: 50, 429: 110}
    assert len({process for status, process in answers if status == 200}) == 2
