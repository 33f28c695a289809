"""Step 1: HTTP by hand, over a socket."""

import os
import socket
from email.utils import formatdate

LIMIT = 16 * 1024  # bytes of a request's head


def read_head(client: socket.socket) -> bytes | None:
    """The bytes before the empty line; None where the client stops short or goes on too long."""
    received = b""
    while b"\r\n\r\n" not in received:
        block = client.recv(4096)  # what has arrived: part of a line, or several requests
        received += block
        if not block or len(received) > LIMIT:
            return None
    return received.partition(b"\r\n\r\n")[0]


def answer(head: bytes) -> bytes:
    """The bytes of a whole response to the request with this head."""
    request_line, *fields = head.split(b"\r\n")
    method, _, version = (request_line.split(b" ") + [b"", b""])[:3]
    hosts = [field for field in fields if field.lower().startswith(b"host:")]
    kind, more = b"text/plain", []
    if version not in (b"HTTP/1.0", b"HTTP/1.1"):
        status, body = b"400 Bad Request", b"This is not HTTP/1.1.\n"
    elif version == b"HTTP/1.1" and len(hosts) != 1:
        status, body = b"400 Bad Request", b"A request names one Host.\n"
    elif method not in (b"GET", b"HEAD"):
        status, body = b"405 Method Not Allowed", b"There is only GET here.\n"
        more = [b"Allow: GET, HEAD"]
    else:
        status, kind, body = b"200 OK", b"text/html; charset=utf-8", b"<h1>Hello, web!</h1>"
    lines = [
        b"HTTP/1.1 " + status,
        b"Date: " + formatdate(usegmt=True).encode(),
        b"Content-Type: " + kind,
        b"Content-Length: %d" % len(body),  # bytes, not characters
        b"Connection: close",
        *more,
    ]
    start = b"\r\n".join(lines) + b"\r\n\r\n"
    return start if method == b"HEAD" else start + body


def handle(client: socket.socket) -> None:
    """Answer one request and close; a client that is silent for five seconds is left."""
    with client:
        client.settimeout(5)
        try:
            head = read_head(client)
            if head is not None:
                client.sendall(answer(head))
                client.shutdown(socket.SHUT_WR)
                # A close with bytes unread resets the connection, and the answer may be lost.
                for _ in range(100):
                    if not client.recv(4096):
                        break
        except OSError as error:  # gone, or too slow: the next client must not suffer
            print(f"A client was lost: {error}", flush=True)


def main() -> None:
    port = int(os.environ.get("PORT", "8000"))
    with socket.create_server(("127.0.0.1", port)) as listener:
        print(f"Listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        while True:
            client, _ = listener.accept()
            handle(client)


if __name__ == "__main__":
    main()
