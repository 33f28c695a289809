"""Authorization and WWW-Authenticate: credentials read, challenges written.

RFC 9110, section 11 (the framework); RFC 7617 (Basic); RFC 6750 (Bearer).
"""

from __future__ import annotations

from binascii import a2b_base64

from wsgikit.http.grammar import CONTROLS, is_token

#: The most characters of an Authorization field that are read: more than tokens have.
MAX_LENGTH = 16384

# b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=" (RFC 6750 §2.1)
_B64TOKEN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/")


def scheme_of(field: str) -> str:
    """The scheme that an Authorization field is of, in lower case; empty where there is none."""
    return field.partition(" ")[0].lower()


def parse_basic(field: str) -> tuple[str, str] | None:
    """The name and the password of an Authorization field.

    :param field: its value; the scheme may be in any case.
    :returns: both as text; None where the field is of another scheme, or malformed: no base64, not
        UTF-8, without a colon, or with a control.

    RFC 7617, section 2. A name has no colon; a password may.
    """
    scheme, _, encoded = field.partition(" ")
    if scheme.lower() != "basic" or len(field) > MAX_LENGTH:
        return None
    try:
        text = a2b_base64(encoded.strip(" "), strict_mode=True).decode()
    except ValueError:  # of base64 as of UTF-8
        return None
    name, colon, password = text.partition(":")
    return (name, password) if colon and CONTROLS.isdisjoint(text) and "\t" not in text else None


def parse_bearer(field: str) -> str | None:
    """The token of an Authorization field; None where it is of another scheme, or malformed.

    RFC 6750, section 2.1.
    """
    scheme, _, token = field.partition(" ")
    if scheme.lower() != "bearer" or len(field) > MAX_LENGTH:
        return None
    token = token.strip(" ")
    bare = token.rstrip("=")
    return token if bare and _B64TOKEN.issuperset(bare) else None


def format_challenge(scheme: str, **parameters: str) -> str:
    """The value of a WWW-Authenticate field; every parameter is quoted, as a realm has to be.

    :param scheme: such as ``"Basic"``.
    :param parameters: such as ``realm="This site"``, of printable ASCII.
    :raises TypeError: for a parameter that is no ``str``.
    :raises ValueError: for one that is not of printable ASCII, and a scheme that is no token.

    RFC 9110, sections 11.3 and 11.6.1.
    """
    if not is_token(scheme):
        raise ValueError(f"a scheme is a token, not {scheme!a}")
    items = []
    for name, value in parameters.items():
        if not isinstance(value, str):
            raise TypeError(f"{name} takes a str, not {value!r}")
        if not value.isascii() or not value.isprintable():
            raise ValueError(f"{name} takes printable ASCII, not {value!a}")
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        items.append(f'{name}="{escaped}"')
    return f"{scheme} {', '.join(items)}" if items else scheme
