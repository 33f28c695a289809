"""HTTPS: certificates, and the handshake."""

from __future__ import annotations

import logging
import ssl

from wsgikit.server.connection import Connection
from wsgikit.server.limits import Limits
from wsgikit.server.tls_connection import TLSConnection
from wsgikit.server.tls_environ import tls_environ
from wsgikit.server.tls_socket import TLSSocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Generator
    from typing import Any, NoReturn

log = logging.getLogger("wsgikit.server")


class TLS:
    """What a server needs to speak HTTPS: ``serve(app, tls=TLS("cert.pem", "key.pem"))``.

    :param cert: the file with the certificate, and those that lead from it to a known authority
        (PEM).
    :param key: the file with its private key, not encrypted; None: it is in ``cert`` too.
    :param client_ca: a file with authorities: each client has to have a certificate of one of them.
    :param context: instead, a context of your own, which is used as it is.
    :raises ValueError: for both ``cert`` and ``context`` or neither, and for files that are no
        certificate or no key of it; the message names them.
    :raises OSError: a file can't be read.

    Of its own it takes TLS 1.2 and 1.3. What else there is to decide, a context decides:
    ``verify_mode`` ``ssl.CERT_OPTIONAL``, say, asks for certificates and serves who has none, too.
    """

    def __init__(
        self,
        cert: str | None = None,
        key: str | None = None,
        *,
        client_ca: str | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        if (cert is None) == (context is None):
            raise ValueError("TLS takes either cert or context")
        if context is not None and (key or client_ca):
            raise ValueError("TLS takes key and client_ca with cert, not with context")
        self._cert, self._key, self._client_ca = cert, key, client_ca
        #: What new connections are opened with.
        self.context = self._load() if context is None else context
        try:
            self.context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
        except (AttributeError, ssl.SSLError):
            text = f"context takes an ssl.SSLContext of a server, not {context!r}"
            raise ValueError(text) from None

    def reload(self) -> None:
        """Read the files anew, for new connections; those that can't be used leave the old ones.

        That is an error in the log. A context of your own is yours to load:
        ``context.load_cert_chain`` has new connections use another certificate.
        """
        if self._cert is not None:
            try:
                self.context = self._load()
            except (OSError, ValueError) as error:
                log.error("The certificates are the old ones still: %s", error)

    def _load(self) -> ssl.SSLContext:
        cert, key, client_ca = self._cert, self._key, self._client_ca
        for path in filter(None, (cert, key, client_ca)):
            with open(path, "rb"):  # the error of what follows does not name it
                pass
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(str(cert), key, _no_password)
        except ssl.SSLError as error:
            names = f"cert {cert!r} and key {key!r}" if key else f"cert {cert!r}"
            raise ValueError(f"{names} are no certificate and its key: {error}") from None
        if client_ca is not None:
            try:
                context.load_verify_locations(client_ca)
            except ssl.SSLError as error:
                raise ValueError(f"client_ca {client_ca!r} has no certificate: {error}") from None
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def open(
        self,
        client: socket.socket,
        address: Any,
        base: dict[str, Any],
        limits: Limits,
        received: bytes,
    ) -> Generator[bool, None, Connection]:
        """The handshake: yields whether it waits to write, or else to read.

        :param received: what was read from ``client`` already.
        :raises OSError: it fails.
        """
        encrypted = TLSSocket(client, self.context, received)
        yield from encrypted.handshake()
        environ = base | tls_environ(encrypted.tls)
        return TLSConnection(encrypted, address, environ, limits)  # type: ignore[arg-type]


def _no_password() -> NoReturn:
    # OpenSSL would ask at the terminal, also at a reload that nobody watches.
    raise ValueError("the key is encrypted: a server has nobody to ask for its password")
