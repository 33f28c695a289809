"""What the client says of a part: the base of :class:`Upload` and :class:`StreamedPart`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.http.media import MediaType
    from wsgikit.http.parts import Part

__all__ = ["Described"]


class Described:
    """Something that came with the head of a part."""

    __slots__ = ("part",)

    #: The head.
    part: Part

    def __init__(self, part: Part) -> None:
        self.part = part

    @property
    def name(self) -> str:
        """The name of the field."""
        return self.part.name

    @property
    def content_type(self) -> str:
        """The media type that the client claims; empty where it claims none."""
        return self.part.content_type

    @property
    def media_type(self) -> MediaType | None:
        """The media type that the client claims, read; None where it is absent or malformed."""
        return self.part.media_type
