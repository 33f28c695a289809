"""Certificates for tests of TLS."""

from __future__ import annotations

import ssl

import trustme


class Files:
    """An authority, and a certificate of it in files."""

    def __init__(self, folder):
        self.authority = trustme.CA()
        self.cert, self.key = str(folder / "cert.pem"), str(folder / "key.pem")
        self.ca = str(folder / "ca.pem")
        self.authority.cert_pem.write_to_path(self.ca)
        self.issue("localhost", "127.0.0.1")

    def issue(self, *names):
        issued = self.authority.issue_cert(*names)
        issued.private_key_pem.write_to_path(self.key)
        for number, blob in enumerate(issued.cert_chain_pems):
            blob.write_to_path(self.cert, append=number > 0)

    def client(self, certificate=None, **options):
        context = ssl.create_default_context(cafile=self.ca)
        if certificate is not None:
            certificate.configure_cert(context)
        for name, value in options.items():
            setattr(context, name, value)
        return context
