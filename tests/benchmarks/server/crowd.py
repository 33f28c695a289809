"""Slow, silent or vanishing clients: ``python -m tests.benchmarks.server.crowd KIND COUNT PORT``.

Says "ready" when all are connected, then goes on until its input ends.
"""

from __future__ import annotations

import select
import socket
import struct
import sys
import time

KIND, COUNT, PORT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

FIRST = {
    "idle": b"",
    "heads": b"GET / HTTP/1.1\r\nHost: h\r\nX: ",
    "bodies": b"POST /post HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n",
    "readers": b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n",
}


def connect() -> socket.socket:
    client = socket.socket()
    if KIND == "readers":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", PORT))
    return client


def ended() -> bool:
    return bool(select.select([sys.stdin], [], [], 0)[0])


def vanish() -> None:
    """COUNT connections a second that send a request and are reset."""
    print("ready", flush=True)
    while not ended():
        client = connect()
        client.send(b"GET /hello HTTP/1.1\r\nHost: h\r\n\r\n")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        time.sleep(1 / COUNT)


def stay() -> None:
    """COUNT connections that each do a byte a second."""
    clients = []
    for _ in range(COUNT):
        client = connect()
        client.sendall(FIRST[KIND])
        clients.append(client)
    print("ready", flush=True)
    while not ended():
        for number, client in enumerate(clients):
            try:
                if KIND == "readers":
                    client.recv(1)
                elif KIND != "idle":
                    client.send(b"x")
            except OSError:
                pass
            if number % 50 == 0:
                time.sleep(50 / COUNT)


vanish() if KIND == "vanish" else stay()
