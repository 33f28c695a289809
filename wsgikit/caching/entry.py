"""A response as it is kept: as bytes in a store, and as what is asked of it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.http.caching import Terms
    from wsgikit.types import HeaderList

__all__ = ["Entry"]

# The first line: what this is, when it was new, and the terms.
_MARK = "R1"
_WITHOUT_CONTENT = ("204", "304")


class Entry:
    """A stored response.

    ``status`` is its status line, ``fields`` are its fields, ``body`` is its whole content.
    ``born`` is when its age was 0, in seconds since 1970; the rest is of its
    :class:`~wsgikit.http.caching.Terms`.
    """

    __slots__ = (
        "body",
        "born",
        "fields",
        "if_error",
        "lifetime",
        "may_be_stale",
        "status",
        "validates",
        "while_revalidate",
    )

    status: str
    fields: HeaderList
    body: bytes
    born: float
    lifetime: int
    validates: bool
    may_be_stale: bool
    while_revalidate: int
    if_error: int

    def age(self, now: float) -> int:
        """The current age in whole seconds (RFC 9111 §4.2.3)."""
        return max(0, int(now - self.born))

    def field(self, name: str) -> str | None:
        """The first value of a field, by its name in lower case."""
        for known, value in self.fields:
            if known.lower() == name:
                return value
        return None


def entry_of(status: str, terms: Terms, body: bytes, received: float) -> Entry:
    """The entry of a response that may be kept on these terms."""
    entry = Entry()
    entry.status = status
    fields = [field for field in terms.fields if field[0].lower() != "content-length"]
    if status[:3] not in _WITHOUT_CONTENT:
        fields.append(("Content-Length", str(len(body))))
    entry.fields = fields
    entry.body = body
    entry.born = received - terms.age
    entry.lifetime = terms.lifetime
    entry.validates = terms.validates
    entry.may_be_stale = terms.may_be_stale
    entry.while_revalidate = terms.while_revalidate
    entry.if_error = terms.if_error
    return entry


def pack(entry: Entry) -> bytes | None:
    """The entry as bytes; None where its fields are none that a message can have."""
    flags = f"{entry.validates:d}{entry.may_be_stale:d}"
    terms = f"{entry.lifetime} {entry.while_revalidate} {entry.if_error}"
    lines = [f"{_MARK} {entry.born:.3f} {terms} {flags}", entry.status]
    lines += [f"{name}: {value}" for name, value in entry.fields]
    head = "\n".join(lines)
    # A line end in a field would make two of it: PEP 3333 forbids it, not every server looks.
    if head.count("\n") != len(lines) - 1 or "\r" in head:
        return None
    try:
        return head.encode("latin-1") + b"\n\n" + entry.body
    except UnicodeEncodeError:
        return None


def unpack(packed: bytes) -> Entry | None:
    """The entry that the bytes are; None where they are none of ours."""
    end = packed.find(b"\n\n")
    lines = packed[: max(end, 0)].decode("latin-1").split("\n")
    entry = Entry()
    try:
        mark, born, lifetime, while_revalidate, if_error, flags = lines[0].split(" ")
        if mark != _MARK:
            return None
        entry.born = float(born)
        entry.lifetime = int(lifetime)
        entry.while_revalidate = int(while_revalidate)
        entry.if_error = int(if_error)
        entry.status = lines[1]
        fields = []
        for line in lines[2:]:
            name, value = line.split(": ", 1)
            fields.append((name, value))
    except (ValueError, IndexError):
        return None
    entry.validates = flags[0] == "1"
    entry.may_be_stale = flags[1:] == "1"
    entry.fields = fields
    entry.body = packed[end + 2 :]
    return entry
