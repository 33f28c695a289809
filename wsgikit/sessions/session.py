"""The session as a view sees it: a dict of what JSON can say, saved when the response starts."""

from __future__ import annotations

from wsgikit.http.jsontext import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    Values = dict[str, Any]
else:
    Values = dict

__all__ = ["Session"]

_FLASHES = "_flashes"


class Session(Values):
    """What is kept for one client: names, and values of the kinds that JSON has.

    What is changed is kept, also inside of its values (``session["cart"].append(7)``). Tuples come
    back as lists. One that has nothing left in it is over, and its cookie is removed.

    After the response has started it is saved, and a change raises :class:`RuntimeError`.
    """

    __slots__ = ("cleared", "created", "is_new", "renamed")

    #: Whether what was there was ended here: what is in it by now is another session.
    cleared: bool
    #: When it began or was last rotated, in seconds since 1970.
    created: float
    #: Whether this request is its first: no cookie came, or none that counts (any more).
    is_new: bool
    #: Whether it gets another id, and whether what was there is over.
    renamed: bool

    def rotate(self) -> None:
        """Go on under a new id, with what is in it; the old id is worth nothing from now on.

        To be called where somebody signs in, or gets other rights: an id that somebody else has
        known, or even planted, until then is not signed in. The time of ``absolute`` begins anew.

        What another request has ended meanwhile stays so where there is a store: nothing goes on.
        """
        self.renamed = True

    def clear(self) -> None:
        """End the session: sign out. What is put in it afterwards begins another one."""
        self.cleared = self.renamed = True
        super().clear()

    def flash(self, text: str, kind: str = "info") -> None:
        """Leave a message for the next page that shows messages, as a rule after a redirect.

        :param text: what is shown; escape it in the page as any other text.
        :param kind: a word for the page's style, such as ``"error"``.
        """
        self.setdefault(_FLASHES, []).append([text, kind])

    def flashes(self) -> list[tuple[str, str]]:
        """The messages that were left, ``(text, kind)``, the first left first; they are taken."""
        if _FLASHES not in self:  # what was saved already can be read on
            return []
        return [(text, kind) for text, kind in self.pop(_FLASHES)]

    def to_json(self) -> str:
        """All of it as JSON.

        :raises TypeError: for a name that is no ``str``, and a value that JSON does not have.
        :raises ValueError: for a number that JSON does not have, and for what contains itself.
        """
        for name, value in self.items():
            if not isinstance(name, str):
                raise TypeError(f"names in a session are str, not {name!r}")
            try:
                dumps(value)
            except (TypeError, ValueError, RecursionError) as error:
                kind = TypeError if isinstance(error, TypeError) else ValueError
                raise kind(f"the session cannot keep {name!r}, which is no JSON: {error}") from None
        return dumps(self)

    def seal(self) -> None:
        """Have every change raise an error from now on."""
        self.__class__ = _Saved

    def __repr__(self) -> str:
        # Values are secrets, or the names of people, and a repr goes into logs.
        return f"<Session with {', '.join(map(repr, self)) or 'nothing'}>"


class _Saved(Session):
    """A session that was saved: it can be read."""

    __slots__ = ()

    def _refuse(self, *args: object, **named: object) -> NoReturn:
        raise RuntimeError("the session was saved when the response started: change it before that")

    __setitem__ = __delitem__ = __ior__ = _refuse
    setdefault = update = pop = popitem = clear = rotate = flash = _refuse
