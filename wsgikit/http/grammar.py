"""The grammar that header fields share: tokens, quoted strings, lists, and the one validator.

RFC 9110, sections 5.1 (field names), 5.5 (field values) and 5.6 (common rules).

Text is what an environ holds: a ``str`` whose characters are bytes decoded as Latin-1 (PEP 3333,
"native strings"). The parsers accept any other ``str`` as well.
"""

from __future__ import annotations

#: ``token = 1*tchar`` (RFC 9110, section 5.6.2)
TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

#: ``OWS = *( SP / HTAB )`` (RFC 9110, section 5.6.3)
OWS = " \t"

#: What no field value may hold: the controls but HTAB (RFC 9110, section 5.5). The bytes 80 to FF
#: are obs-text and allowed, and so are the C1 controls of Latin-1: bytes of some UTF-8 character.
CONTROLS = frozenset(map(chr, (*range(9), *range(10, 32), 127)))

# Most names that a response sets: one look-up (30 ns) where the grammar takes 170.
_USUAL = frozenset(
    """Accept-Ranges Age Allow Cache-Control Content-Disposition Content-Encoding Content-Language
    Content-Length Content-Location Content-Range Content-Security-Policy Content-Type Date ETag
    Expires Last-Modified Link Location Referrer-Policy Retry-After Server Set-Cookie
    Strict-Transport-Security Vary WWW-Authenticate X-Content-Type-Options X-Frame-Options
    X-Request-ID""".split()
)


def is_token(text: str) -> bool:
    """Whether ``text`` is a token: one or more letters, digits and ``!#$%&'*+-.^_`|~``.

    :param text: any text.
    :returns: True for a token; the empty text is none.

    RFC 9110, section 5.6.2.
    """
    return text != "" and TOKEN.issuperset(text)


def quote(text: str) -> str:
    """``text`` as the value of a parameter: a token as it is, all else as a quoted string.

    :param text: Latin-1 text without controls (a tab is allowed).
    :returns: a token or a quoted string; :func:`unquote` gives ``text`` back.
    :raises ValueError: for a control, or a character outside Latin-1.

    RFC 9110, sections 5.6.4 and 5.6.6.
    """
    if is_token(text):
        return text
    if not _is_field_text(text):
        raise ValueError(f"a quoted string takes Latin-1 text without controls, not {_shown(text)}")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquote(text: str) -> str:
    """The text that a quoted string stands for; whatever is no quoted string is returned unchanged.

    :param text: the value of a parameter, without surrounding whitespace.
    :returns: the text between the quotes, each ``\\x`` in it replaced by ``x``. Text with an open
        or a stray quote is no quoted string: it comes back as it is.

    RFC 9110, section 5.6.4.
    """
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    inner = text[1:-1]
    if "\\" not in inner:
        return text if '"' in inner else inner
    # Escaped backslashes separate the pieces: each backslash left in one escapes what follows it.
    pieces = inner.split("\\\\")
    if pieces[-1].endswith("\\") or any('"' in piece.replace('\\"', "") for piece in pieces):
        return text
    return "\\".join([piece.replace("\\", "") for piece in pieces])


def split_list(value: str, separator: str = ",") -> list[str]:
    """The items of a list, in order: quoted strings stay whole, empty items are dropped.

    :param value: a field value; join several lines of one field by ``,`` first (section 5.3).
    :param separator: the one character between two items: ``,``, or ``;`` between parameters.
    :returns: the items without the whitespace around them. After a quote that is never closed, all
        the rest is one item.

    RFC 9110, sections 5.6.1.2 (lists, as a recipient reads them) and 5.6.4.
    """
    if '"' not in value:
        return _not_empty(value.split(separator))
    items: list[str] = []
    item: list[str] = []  # what belongs to the item under way: joined once, so the whole is linear
    quoted = False
    for piece in value.split('"'):
        if quoted:
            item.append(piece)
            # A quote after an odd number of backslashes is escaped, and the string goes on.
            quoted = (len(piece) - len(piece.rstrip("\\"))) % 2 == 1
        else:
            first, *others = piece.split(separator)
            item.append(first)
            for other in others:
                items.append("".join(item))
                item = [other]
            quoted = True
        item.append('"')
    item.pop()  # a split gives one piece more than there are quotes
    items.append("".join(item))
    return _not_empty(items)


def check_name(name: str) -> str:
    """``name``, when it is a field name: the one validator that every name we send passes.

    :param name: the name of a header field, in any case.
    :returns: the same name.
    :raises ValueError: when it is no token.
    :raises TypeError: when it is no ``str``.

    RFC 9110, section 5.1.
    """
    if type(name) is not str:
        name = _plain(name, "a field name")
    if name not in _USUAL and not is_token(name):
        raise ValueError(
            f"a field name takes letters, digits and !#$%&'*+-.^_`|~, not {_shown(name)}"
        )
    return name


def check_value(value: str, name: str = "") -> str:
    """``value``, when it is a field value: the one validator that every value we send passes.

    No carriage return, line feed, NUL or other control can pass, so no value ends its line and
    begins another field, or the body. RFC 9110 allows a tab inside; PEP 3333 does not.

    :param value: Latin-1 text (for UTF-8, its bytes decoded as Latin-1), without a space at either
        end. It may be empty.
    :param name: the name of the field, for the error message.
    :returns: the same value, as a plain ``str``: PEP 3333 allows no subclass.
    :raises ValueError: when the value breaks these rules; it names the field and shows the value.
    :raises TypeError: when it is no ``str``.

    RFC 9110, section 5.5; PEP 3333, "The start_response() Callable".
    """
    if type(value) is not str:
        value = _plain(value, f"the value of {name or 'a field'}")
    # Three calls that decide nearly always: printable ASCII has no control.
    if value.isascii() and value.isprintable() and value.strip() == value:
        return value
    if not _is_field_text(value) or "\t" in value:
        raise ValueError(
            f"the value of {name or 'a field'} takes Latin-1 text without controls, "
            f"not {_shown(value)}"
        )
    if value.strip(" ") != value:
        raise ValueError(
            f"the value of {name or 'a field'} takes no whitespace around it, as in {_shown(value)}"
        )
    return value


def _not_empty(parts: list[str]) -> list[str]:
    return [item for part in parts if (item := part.strip(OWS))]


def _is_field_text(text: str) -> bool:
    """Whether ``text`` has only HTAB, SP, VCHAR and obs-text (RFC 9110, section 5.5)."""
    return (text.isascii() or max(text) <= "\xff") and CONTROLS.isdisjoint(text)


def _plain(text: object, what: str) -> str:
    """The plain ``str`` under a subclass of it, such as markup or the member of an enumeration."""
    if not isinstance(text, str):
        raise TypeError(f"{what} takes a str, not {type(text).__name__}")
    return str.__str__(text)  # what it holds, not how the subclass would print it


def _shown(text: str) -> str:
    """``text`` for an error message: escaped, and short also when it is long."""
    return ascii(text) if len(text) <= 60 else f"{text[:60]!a}..."
