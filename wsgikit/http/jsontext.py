"""JSON as the standard has it: no NaN or Infinity, and every bad text answered by a 400.

RFC 8259; RFC 7493, section 2.1 (no unpaired surrogates).
"""

from __future__ import annotations

from json import JSONDecodeError, JSONDecoder, JSONEncoder

from wsgikit.http.problem import HTTPError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgikit.types import JSONValue

#: How deep arrays and objects may stand in each other, unless :func:`loads` is told otherwise.
MAX_DEPTH = 200

_INFINITY = float("inf")


def _float(text: str) -> float:
    """A number with a point or an exponent; not 1e999, an infinity that JSON cannot say."""
    number = float(text)
    if abs(number) == _INFINITY:
        raise HTTPError(400, "Not JSON: a number is too large.")
    return number


def _refuse(constant: str) -> float:
    raise HTTPError(400, f"Not JSON: {constant} is no number.")


def _unique(members: list[tuple[str, JSONValue]]) -> dict[str, JSONValue]:
    """An object, from its members."""
    names = dict(members)
    if len(names) < len(members):
        raise HTTPError(400, "JSON with two members of one name in an object.")
    return names


_encode_text = JSONEncoder(ensure_ascii=False).encode
_decode = JSONDecoder(parse_float=_float, parse_constant=_refuse).decode
_decode_unique = JSONDecoder(
    parse_float=_float, parse_constant=_refuse, object_pairs_hook=_unique
).decode


#: ``dumps(value) -> str``: a value as compact JSON in plain ASCII, which is safe in whatever
#: encoding it is sent (RFC 8259). The value is None, a bool, int, float or str, or a list, tuple or
#: dict of these. Raises :class:`TypeError` for what JSON does not have, :class:`ValueError` for NaN
#: and infinities, :class:`RecursionError` for what contains itself. (The encoder's own method, as a
#: function around it costs 0.1 µs a response; and the encoder's bookkeeping against cycles 0.15 µs,
#: where the recursion limit finds them too.)
dumps: Callable[[object], str] = JSONEncoder(
    separators=(",", ":"), allow_nan=False, check_circular=False
).encode


def loads(
    text: str | bytes, *, max_depth: int = MAX_DEPTH, unique_names: bool = False
) -> JSONValue:
    """The value that a JSON text says.

    :param text: the text, or its bytes in UTF-8; a byte order mark before it is passed over.
    :param max_depth: how deep arrays and objects may stand in each other.
    :param unique_names: whether an object must not have two members of one name. Else the last one
        counts.
    :returns: None, bool, int, float, str, list or dict.
    :raises HTTPError: 400, with the reason and, for bad syntax, the place: when the text is no JSON
        or not UTF-8, is nested too deep, has a number that is too large (an integer of more digits
        than :func:`sys.set_int_max_str_digits` allows, a float beyond 1e308), NaN, Infinity, or an
        unpaired surrogate; or a name twice where that is not taken.

    RFC 8259, sections 4 to 9; RFC 7493, sections 2.1 and 2.3.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        elif not text.isascii():
            text.encode("utf-8")  # for a surrogate in it
        decode = _decode_unique if unique_names else _decode
        value: JSONValue = decode(text.removeprefix("\ufeff"))
        if "\\ud" in text or "\\uD" in text:  # escapes that make surrogates, paired or not
            _encode_text(value).encode("utf-8")
    except JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise HTTPError(400, f"Not JSON: {error.msg} ({place}).") from None
    except UnicodeDecodeError as error:
        raise HTTPError(400, f"Not JSON: no UTF-8 at byte {error.start}.") from None
    except UnicodeEncodeError:
        raise HTTPError(400, "Not JSON: an unpaired surrogate.") from None
    except ValueError:  # from int(); the limit of digits keeps it from quadratic time
        raise HTTPError(400, "Not JSON: a number has too many digits.") from None
    except RecursionError:
        raise HTTPError(400, "Not JSON: nested too deep.") from None
    if text.count("[") + text.count("{") > max_depth and _is_deeper(value, max_depth):
        raise HTTPError(400, f"JSON nested deeper than max_depth={max_depth}.")
    return value


def _is_deeper(value: JSONValue, depth: int) -> bool:
    """Whether arrays and objects stand in each other more than ``depth`` deep."""
    level = [value] if isinstance(value, (dict, list)) else []
    while level and depth:
        depth -= 1
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if type(child) is dict or type(child) is list
        ]
    return bool(level)
