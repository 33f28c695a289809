"""Clients that count what becomes of each request: ``python -m tests.server.callers HOST:PORT``.

Some keep their connection, some make a new one for each request, some post bodies that do not fit
into the server's buffer. The server is to send back the query and the body.
"""

from __future__ import annotations

import argparse
import select
import socket
import time
from collections import Counter
from threading import Event, Thread
from typing import IO

from tests.server.wire import Closed, Cut, read_answer

#: What may become of a request. All but the first two are losses.
OUTCOMES = {
    "answered": "whole and right",
    "refused": "there was no connection",
    "reset": "the connection was reset before the answer began",
    "closed": "the connection was closed before the answer began",
    "cut": "the answer is not all there",
    "wrong": "the answer is another one, or an error",
    "late": "no answer in time",
}
LOSSES = tuple(OUTCOMES)[2:]


class Caller(Thread):
    """Asks again and again, until it is told to end, or is refused."""

    def __init__(
        self,
        address: tuple[str, int],
        number: int,
        *,
        kept: bool,
        body: int = 0,
        pause: float = 0.0,
        stubborn: bool = False,
    ) -> None:
        super().__init__()
        self.address, self.number = address, number
        self.kept, self.body, self.pause, self.stubborn = kept, body, pause, stubborn
        self.outcomes: Counter[str] = Counter()
        self.end = Event()
        self._client: socket.socket | None = None
        self._stream: IO[bytes] | None = None

    def run(self) -> None:
        while not self.end.is_set():
            outcome = self._ask()
            self.outcomes[outcome] += 1
            if outcome != "answered" or not self.kept:
                self._hang_up()
            if outcome == "refused":
                if not self.stubborn:
                    break
                self.end.wait(0.01)
            if self.pause:
                self.end.wait(self.pause)
        self._hang_up()

    def _ask(self) -> str:
        count = self.outcomes.total()
        slow = count % 20 == self.number % 20
        path = f"/{'slow' if slow else 'quick'}?{self.number}-{count}"
        body = b"x" * self.body
        fields = f"Host: h\r\nContent-Length: {len(body)}\r\n"
        if not self.kept:
            fields += "Connection: close\r\n"
        try:
            client, stream = self._dial()
        except (ConnectionRefusedError, ConnectionResetError):
            return "refused"
        except TimeoutError:
            return "late"
        try:
            client.sendall(f"POST {path} HTTP/1.1\r\n{fields}\r\n".encode() + body)
        except TimeoutError:
            return "late"
        except OSError:
            pass  # it may have answered before it hung up
        try:
            answer = read_answer(stream)
        except Closed:
            return "closed"
        except TimeoutError:
            return "late"
        except Cut:
            return "cut"
        except OSError:
            return "reset"
        if answer.fields.get("connection") == "close":
            self._hang_up()
        expected = path.partition("?")[2].encode() + body
        return "answered" if (answer.status, answer.body) == (200, expected) else "wrong"

    def _dial(self) -> tuple[socket.socket, IO[bytes]]:
        """The connection that there is, unless the server has ended it in the meantime."""
        if self._client is not None and select.select([self._client], [], [], 0)[0]:
            self._hang_up()
        if self._client is None or self._stream is None:
            self._client = socket.create_connection(self.address, timeout=20)
            self._stream = self._client.makefile("rb")
        return self._client, self._stream

    def _hang_up(self) -> None:
        if self._client is not None and self._stream is not None:
            self._stream.close()
            self._client.close()
            self._client = self._stream = None


class Callers:
    """Twelve of them: kept connections, new ones, and large bodies."""

    def __init__(
        self, address: tuple[str, int], *, pause: float = 0.0, stubborn: bool = False
    ) -> None:
        self._callers = [
            Caller(
                address,
                number,
                kept=number % 3 != 1,
                body=100_000 if number % 4 == 3 else 0,
                pause=pause,
                stubborn=stubborn,
            )
            for number in range(12)
        ]
        for caller in self._callers:
            caller.start()

    def end(self) -> None:
        """Tell them to end."""
        for caller in self._callers:
            caller.end.set()

    def outcomes(self) -> Counter[str]:
        """What became of all their requests, when they have ended."""
        total: Counter[str] = Counter()
        for caller in self._callers:
            caller.join(60)
            if caller.is_alive():
                raise RuntimeError(f"caller {caller.number} hangs")
            total += caller.outcomes
        return total


def losses(outcomes: Counter[str]) -> dict[str, int]:
    """Requests that came to nothing though there was a connection."""
    return {name: outcomes[name] for name in LOSSES if outcomes[name]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.server.callers", description=__doc__)
    parser.add_argument("address", metavar="HOST:PORT")
    parser.add_argument("--seconds", type=float, default=10, help="how long (default: 10)")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between two requests")
    given = parser.parse_args()
    host, _, port = given.address.rpartition(":")
    callers = Callers((host, int(port)), pause=given.pause, stubborn=True)
    time.sleep(given.seconds)
    callers.end()
    counted = callers.outcomes()
    for name, meaning in OUTCOMES.items():
        print(f"{name:10}{counted[name]:8}  {meaning}")
