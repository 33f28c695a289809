"""What is measured: requests, connections, and the goal of each against the best of the peers."""

from __future__ import annotations

from dataclasses import dataclass, field

BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-US,en;q=0.5",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Connection": "keep-alive",
    "Cookie": "session=0123456789abcdef; theme=dark",
    "Upgrade-Insecure-Requests": "1",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
}


@dataclass(frozen=True)
class Scenario:
    """A load for wrk, and the body that answers it."""

    path: str
    answer: int  # bytes of the body
    connections: int = 16
    method: str = "GET"
    body: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    other: str = ""
    every: int = 0
    goal: float = 1.0  # of the best peer
    limit: bool = False  # the bare loop can answer it


SCENARIOS = {
    "hello": Scenario("/hello", 13, headers=BROWSER, goal=5, limit=True),
    "hello-256": Scenario("/hello", 13, 256, headers=BROWSER, goal=4, limit=True),
    "connect": Scenario("/hello", 13, headers={"Connection": "close"}, goal=3, limit=True),
    "sleep": Scenario("/sleep", 13, 64, goal=1.1),
    "nap": Scenario("/nap", 13, 64),
    "mixed": Scenario("/hello", 13, other="/sleep", every=20, goal=3),
    "post": Scenario("/post", 7, method="POST", body=1 << 20),
    "large": Scenario("/large", 1 << 20),
    "chunked": Scenario("/chunked", 65536),
    "file": Scenario("/file", 1 << 20),
}
