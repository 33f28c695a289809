"""Which stored response is for which request: the fields that ``Vary`` names (RFC 9111 §4.1)."""

from __future__ import annotations

from hashlib import blake2b

from wsgikit.http.grammar import OWS, split_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: Items of one field that are told apart; more of them stand as they are.
MAX_ITEMS = 100

# Lists of preferences: order, case and spaces have no meaning, nor has a weight of 1.
_PREFERENCES = frozenset(["accept", "accept-charset", "accept-encoding", "accept-language"])


def selector(names: Iterable[str], find: Callable[[str], str | None]) -> str:
    """A digest of the values that a request has of these fields, each as :func:`normalized`.

    :param names: field names in lower case, in a fixed order.
    :param find: gives the value of a field by its name, None where the request has none. That is
        another value than an empty one.
    """
    told = []
    for name in names:
        value = find(name)
        told.append(name if value is None else f"{name}:{normalized(name, value)}")
    return blake2b("\n".join(told).encode("utf-8", "replace"), digest_size=16).hexdigest()


def normalized(name: str, value: str) -> str:
    """The value of a request field, written as all values that mean the same are.

    That is known of the preferences Accept, Accept-Charset, Accept-Encoding and Accept-Language.
    Of all other fields, only the space around the value goes.
    """
    value = value.strip(OWS)
    if name not in _PREFERENCES or '"' in value:
        return value
    items = split_list(value)
    if len(items) > MAX_ITEMS:
        return value
    return ",".join(sorted({_preference(item) for item in items}))


def _preference(item: str) -> str:
    item = item.lower().replace(" ", "").replace("\t", "")
    value, separator, weight = item.rpartition(";q=")
    if not separator:
        return item
    if "." in weight:
        weight = weight.rstrip("0").rstrip(".") or "0"
    return value if weight == "1" else f"{value};q={weight}"
