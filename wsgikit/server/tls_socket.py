"""TLS over a socket that does not block: behaves as the socket, for the loop and for workers.

OpenSSL reads from memory and writes to memory, so it never waits, and what it has read ahead is
known here. One read of the socket gives all that has arrived, and a response is one send, as it is
without TLS.
"""

from __future__ import annotations

import socket
import ssl

from wsgikit.http.problem import HTTPError
from wsgikit.server.preamble import refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

#: What a socket is asked for in one read.
READ_SIZE = 65536
#: Bytes of a record, at most: RFC 8446, section 5.1.
RECORD = 16384
#: Bytes that are encrypted before they are sent.
BATCH = 131072
#: Bytes of answers to the protocol itself that may wait for a client that does not read.
UNREAD = 65536


class TLSSocket:
    """A client's socket, encrypted.

    :param client: the socket, which does not block.
    :param context: with the certificate.
    :param received: what has been read from the socket already.
    """

    __slots__ = (
        "_cipher", "_ended", "_incoming", "_outgoing", "_over", "_owed", "_plain", "_socket", "tls",
    )  # fmt: skip

    def __init__(self, client: socket.socket, context: ssl.SSLContext, received: bytes) -> None:
        self._socket = client
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._incoming.write(received)
        #: What knows the certificate of the client and the cipher.
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        # Encrypted, and not sent; and how many of the bytes to be sent are in it that were not
        # counted as sent.
        self._cipher = b""
        self._owed = 0
        # Decrypted, and not given out.
        self._plain = b""
        # The client has ended its side, and we have ended ours.
        self._ended = self._over = False

    def fileno(self) -> int:
        return self._socket.fileno()

    def handshake(self) -> Generator[bool, None, None]:
        """Agree with the client on keys: yields whether it waits to write, or else to read.

        :raises OSError: that fails; the client has been told why.
        """
        done = False
        while not done:
            try:
                self.tls.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as error:
                self._explain(error)
                raise
            while not self._flush():
                yield True
            if not done:
                yield from self._more()

    def _more(self) -> Generator[bool, None, None]:
        while True:
            try:
                data = self._socket.recv(READ_SIZE)
                break
            except BlockingIOError:
                yield False
        if not data:
            raise ConnectionAbortedError("the client left in the middle of the handshake")
        self._incoming.write(data)

    def _explain(self, error: ssl.SSLError) -> None:
        """Tell a client what it did wrong; one that does not speak TLS, in its own words."""
        if error.reason == "HTTP_REQUEST":
            self._outgoing.read()
            self._cipher = refusal(
                HTTPError(400, "Here is HTTPS: the address begins with https."), ""
            )
        self._flush()

    @property
    def pending(self) -> bool:
        """Something has arrived of which the system will not tell."""
        return bool(self._plain or self._incoming.pending or self.tls.pending())

    def recv(self, size: int) -> bytes:
        """Up to ``size`` bytes: fewer where no more has arrived, none at the end.

        :raises BlockingIOError: nothing has arrived.
        :raises OSError: the client is gone, or what it sends is damaged.
        """
        if self._over:
            return self._socket.recv(size)  # to no purpose but that it is read
        data = self._plain
        if len(data) < size and not self._ended:
            data += self._decrypt(size - len(data))
        self._plain = data[size:]
        if data or self._ended:
            return data[:size]
        raise BlockingIOError

    def _decrypt(self, wanted: int) -> bytes:
        parts = []
        all_read = False
        while wanted > 0:
            if not self._incoming.pending and not self.tls.pending():
                if all_read:
                    break
                try:
                    data = self._socket.recv(READ_SIZE)
                except BlockingIOError:
                    break
                all_read = len(data) < READ_SIZE
                if not data:
                    self._ended = True
                    break
                self._incoming.write(data)
            try:
                part = self.tls.read(READ_SIZE)
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError:
                self._flush()  # says why
                raise
            if not part:  # close_notify
                self._ended = True
                break
            parts.append(part)
            wanted -= len(part)
        if self._outgoing.pending and not self._flush() and len(self._cipher) > UNREAD:
            raise ConnectionAbortedError("the client reads nothing")
        return b"".join(parts)

    def send(self, data: bytes | memoryview, flags: int = 0) -> int:
        """Send what the socket takes; ``flags`` are of no meaning. As :meth:`sendmsg`."""
        return self.sendmsg((data,))

    def sendmsg(self, blocks: Sequence[bytes | memoryview]) -> int:
        """Send what the socket takes, and return how many bytes of ``blocks`` that was.

        Ahead of the socket no more than :data:`BATCH` and a record are encrypted. The last record
        is not counted until the socket has taken all that is encrypted. Its bytes have to be sent
        again, as all that were not sent: then what is left of it is.

        :raises BlockingIOError: it takes nothing.
        """
        if not self._flush():
            raise BlockingIOError
        if self._owed:
            sent = min(self._owed, len(blocks[0]))
            self._owed -= sent
            return sent
        if len(blocks) > 1 and sum(map(len, blocks)) <= RECORD:
            blocks = (b"".join(blocks),)
        sent = record = 0
        for block in blocks:
            rest = memoryview(block)
            while rest:
                # Memory takes all that it is given: it must not be given more than is to be sent.
                record = self.tls.write(rest[:RECORD])
                sent += record
                rest = rest[record:]
                if self._outgoing.pending >= BATCH and not self._flush():
                    return self._hold(record, sent)
        return sent if self._flush() else self._hold(record, sent)

    def _hold(self, record: int, sent: int) -> int:
        self._owed = record
        if sent == record:
            raise BlockingIOError
        return sent - record

    def _flush(self) -> bool:
        """Send what is encrypted; whether the socket took all."""
        if self._outgoing.pending:
            self._cipher += self._outgoing.read()
        while self._cipher:
            try:
                sent = self._socket.send(self._cipher)
            except BlockingIOError:
                return False
            self._cipher = self._cipher[sent:]
        return True

    def shutdown(self, how: int) -> None:
        """End a direction; before that of writing is ended alone, the client is told.

        With both it only wakes whoever uses the socket, and may be called from another thread.
        """
        if how == socket.SHUT_WR:
            self._say_the_end()
        self._socket.shutdown(how)

    def setsockopt(self, level: int, option: int, value: bytes) -> None:
        self._socket.setsockopt(level, option, value)

    def abort(self) -> None:
        """Have :meth:`close` end it without a word: the client would take that for the whole."""
        self._over = True

    def close(self) -> None:
        self._say_the_end()
        self._socket.close()

    def _say_the_end(self) -> None:
        """Send close_notify, so that the client knows that nothing was cut off."""
        if self._over:
            return
        self._over = True
        try:
            if not self._cipher:
                self.tls.unwrap()
        except OSError:
            pass  # it waits for the client to do the same, which need not be
        try:
            self._flush()
        except OSError:
            pass  # the client was quicker
