"""What an environ tells of a connection by TLS, in the words of Apache's mod_ssl.

=========================  =========================================================================
``HTTPS``                  ``on``; and ``wsgi.url_scheme`` is ``https``
``SSL_PROTOCOL``           ``TLSv1.3``
``SSL_CIPHER``             its name, and ``SSL_CIPHER_USEKEYSIZE`` the bits of its key
``SSL_CLIENT_VERIFY``      ``SUCCESS`` where the client has shown a certificate of an authority that
                           is trusted, else ``NONE``
``SSL_CLIENT_S_DN``        whose it is: ``CN=Ada,O=Example,C=GB`` (RFC 4514); its parts are in
                           ``SSL_CLIENT_S_DN_CN`` and so on, the first of each kind
``SSL_CLIENT_I_DN``        the authority, likewise
``SSL_CLIENT_SAN_DNS_0``   its other names, numbered, and ``SSL_CLIENT_SAN_Email_0``
``SSL_CLIENT_M_SERIAL``    its number, hexadecimal
``SSL_CLIENT_V_START``     from when it is valid, and until when: ``SSL_CLIENT_V_END``
``SSL_CLIENT_CERT``        all of it (PEM)
=========================  =========================================================================
"""

from __future__ import annotations

import re
import ssl

from wsgikit import keys
from wsgikit.environ import native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, TypeAlias

    #: A distinguished name as :meth:`ssl.SSLSocket.getpeercert` has it.
    Name: TypeAlias = Iterable[Iterable[tuple[str, str]]]

# RFC 4514, section 3, and what mod_ssl knows beyond.
_SHORT = {
    "commonName": "CN",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "countryName": "C",
    "streetAddress": "STREET",
    "domainComponent": "DC",
    "userId": "UID",
    "givenName": "GN",
    "surname": "SN",
    "title": "T",
}
# In the keys of the parts.
_PART = _SHORT | {"emailAddress": "Email", "givenName": "G", "surname": "S"}
# RFC 4514, section 2.4.
_SPECIAL = re.compile(r'[",+;<>\\]|^[ #]| $')
_CONTROL = re.compile(r"[\0-\x1f\x7f]")


def tls_environ(connection: ssl.SSLObject) -> dict[str, str]:
    """What the environs of a connection have beside those without TLS."""
    name, protocol, bits = connection.cipher() or ("", "", 0)
    environ = {
        "wsgi.url_scheme": "https",
        keys.HTTPS: "on",
        "SSL_PROTOCOL": connection.version() or protocol,
        "SSL_CIPHER": name,
        "SSL_CIPHER_USEKEYSIZE": str(bits),
        "SSL_CLIENT_VERIFY": "NONE",
    }
    certificate = connection.getpeercert()
    data = connection.getpeercert(True)
    if certificate and data:
        environ |= client_environ(certificate)
        environ["SSL_CLIENT_CERT"] = ssl.DER_cert_to_PEM_cert(data)
    return environ


def client_environ(certificate: Mapping[str, Any]) -> dict[str, str]:
    """What is told of a client's certificate.

    :param certificate: as :meth:`ssl.SSLSocket.getpeercert` has it.
    """
    environ = {
        "SSL_CLIENT_VERIFY": "SUCCESS",
        "SSL_CLIENT_M_SERIAL": certificate["serialNumber"],
        "SSL_CLIENT_V_START": certificate["notBefore"],
        "SSL_CLIENT_V_END": certificate["notAfter"],
    }
    for key, field in (("SSL_CLIENT_S_DN", "subject"), ("SSL_CLIENT_I_DN", "issuer")):
        name = certificate[field]
        environ[key] = distinguished_name(name)
        for part in name:
            for kind, value in part:
                environ.setdefault(f"{key}_{_PART.get(kind, kind)}", value)
    counted = {"DNS": 0, "email": 0}
    for kind, value in certificate.get("subjectAltName", ()):
        if kind in counted:
            shown = "Email" if kind == "email" else kind
            environ[f"SSL_CLIENT_SAN_{shown}_{counted[kind]}"] = value
            counted[kind] += 1
    return {key: native(value) for key, value in environ.items()}


def distinguished_name(name: Name) -> str:
    """A name as text, the smallest part first: RFC 4514."""
    parts = ["+".join(map(_attribute, part)) for part in name]
    return ",".join(reversed(parts))


def _attribute(attribute: tuple[str, str]) -> str:
    kind, value = attribute
    value = _SPECIAL.sub(lambda found: "\\" + found[0], value)
    value = _CONTROL.sub(lambda found: f"\\{ord(found[0]):02X}", value)
    return f"{_SHORT.get(kind, kind)}={value}"
