"""Parameters behind a value, ``form-data; name="a"``, and the file name of a download.

RFC 9110, section 5.6.6 (parameters); RFC 8187 (parameters in other than ASCII, ``filename*``);
RFC 6266 (``Content-Disposition``).
"""

from __future__ import annotations

from wsgikit.http.grammar import CONTROLS, OWS, is_token, quote, split_list, unquote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

#: How many parameters of one value are read; the rest is ignored.
MAX_PARAMS = 100

# attr-char (RFC 8187, section 3.2.1): a tchar but "*", "'" and "%"
_ATTR = frozenset("!#$&+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_VALUE = _ATTR | {"%"}

# A sender must use UTF-8 (RFC 8187, section 3.2.1); its forerunner RFC 5987 knew Latin-1 as well.
_CHARSETS = {"utf-8": "utf-8", "iso-8859-1": "latin-1"}

#: Characters that no file name needs, for ``str.translate`` to remove: the controls, line and
#: paragraph separators, and what changes the direction of writing, by which "gpj.exe" can be made
#: to look like "exe.jpg".
UNSAFE = dict.fromkeys(
    [*range(0x20), *range(0x7F, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A)]
)


def parse_params(text: str) -> tuple[str, dict[str, str]]:
    """The value and the parameters of ``value; name=token; name="quoted string"``.

    :param text: a field value such as that of ``Content-Type`` or ``Content-Disposition``.
    :returns: the value as it stands, without surrounding whitespace, and the parameters with names
        in lower case. Of parameters with one name the first counts; what is no parameter or has
        controls is skipped, and so is all beyond :data:`MAX_PARAMS`. An extended value such as
        ``filename*=utf-8''%e2%82%ac`` is found decoded under both ``filename*`` and ``filename``,
        whatever ``filename`` says itself; a malformed one is skipped.

    RFC 9110, section 5.6.6; RFC 8187, section 3.2; RFC 6266, section 4.3 (which value to prefer).
    """
    value, _, rest = text.partition(";")
    params: dict[str, str] = {}
    if rest:
        for param in split_list(rest, ";")[:MAX_PARAMS]:
            name, equals, raw = param.partition("=")
            if equals and is_token(name):
                decoded = _decode_extended(raw) if name[-1] == "*" else _decode(raw)
                if decoded is not None:
                    params.setdefault(name.lower(), decoded)
        for name in [name for name in params if name[-1] == "*" != name]:
            params[name[:-1]] = params[name]
    return value.strip(OWS), params


def format_params(value: str, params: Mapping[str, str]) -> str:
    """``value; name=param; ...``: :func:`parse_params` finds each parameter again by its name.

    :param value: what stands before the parameters.
    :param params: values by name. A token stays as it is, other ASCII becomes a quoted string, and
        what is not ASCII, or has a name that ends in ``*``, an extended value of RFC 8187, unless
        ``params`` has one of its own for that name.
    :returns: text for a header field.
    :raises ValueError: for a name that is no token, a control in ASCII text, a lone surrogate.

    RFC 9110, section 5.6.6; RFC 8187, section 3.2.
    """
    parts = [value]
    for name, param in params.items():
        if not is_token(name):
            raise ValueError(f"the name of a parameter takes a token, not {name!a}")
        if name[-1] == "*":
            parts.append(f"{name}={_encode_extended(param)}")
        elif param.isascii():
            parts.append(f"{name}={quote(param)}")
        elif f"{name}*" not in params:
            parts.append(f"{name}*={_encode_extended(param)}")
    return "; ".join(parts)


def content_disposition(disposition: str, filename: str) -> str:
    """The value of ``Content-Disposition`` that suggests a file name to whom saves the response.

    :param disposition: ``attachment`` (save it) or ``inline`` (show it).
    :param filename: any name. Only what follows the last slash or backslash is used, without
        control characters; when nothing is left, no name is suggested.
    :returns: ``attachment; filename="a b.txt"``. A name that needs more than plain ASCII is given
        twice: for old readers with ``_`` for what they may mistake, and exactly in ``filename*``.
    :raises ValueError: when ``disposition`` is no token.

    RFC 6266, sections 4.1 to 4.3 and appendix D.
    """
    if not is_token(disposition):
        raise ValueError(f"disposition takes a token such as 'attachment', not {disposition!a}")
    name = filename.replace("\\", "/").rpartition("/")[2].translate(UNSAFE)
    name = name.encode("utf-8", "ignore").decode().strip()  # lone surrogates have no UTF-8
    if not name.strip("."):
        return disposition
    # Some readers decode "%41" in a plain name or take the backslash of an escape for a path.
    plain = "".join([char if char.isascii() and char not in '%"\\' else "_" for char in name])
    if plain == name:
        return f"{disposition}; filename={quote(name)}"
    return f"{disposition}; filename={quote(plain)}; filename*={_encode_extended(name)}"


def _decode(text: str) -> str | None:
    """A token or quoted string, decoded; None when it is neither, nor close to a token."""
    plain = unquote(text)
    # Browsers and mailers leave more than tokens unquoted, such as "type=image/png".
    if plain is text and ('"' in text or text.lstrip(OWS) != text):
        return None
    return plain if CONTROLS.isdisjoint(plain) else None


def _decode_extended(text: str) -> str | None:
    """ext-value = charset "'" [ language ] "'" value-chars, decoded; None when it is malformed."""
    charset, _, rest = text.partition("'")
    _, apostrophe, encoded = rest.partition("'")
    codec = _CHARSETS.get(charset.lower())
    if codec is None or not apostrophe or not _VALUE.issuperset(encoded):
        return None
    first, *others = encoded.split("%")
    blocks = [first.encode("ascii")]
    try:
        for other in others:
            if len(other) < 2:
                return None
            blocks.append(bytes.fromhex(other[:2]) + other[2:].encode("ascii"))
        decoded = b"".join(blocks).decode(codec)
    except ValueError:  # no hexadecimal digits, or no UTF-8
        return None
    return decoded if CONTROLS.isdisjoint(decoded) else None


def _encode_extended(text: str) -> str:
    """``text`` as an ext-value in UTF-8; ValueError for a lone surrogate."""
    chars = map(chr, text.encode("utf-8"))
    return "UTF-8''" + "".join([c if c in _ATTR else f"%{ord(c):02X}" for c in chars])
