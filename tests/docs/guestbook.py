"""The guestbook of docs/examples, made anew in a folder: as ``wsgikit serve`` would load it."""

from __future__ import annotations

import os
import struct
import sys
import zlib
from contextlib import contextmanager
from pathlib import Path

from wsgikit.load import load

FOLDER = Path(__file__).parents[2] / "docs" / "examples" / "guestbook"


@contextmanager
def guestbook(data):
    """The application, which keeps what it has in the folder ``data``."""
    before = {*sys.modules}, [*sys.path], os.environ.get("GUESTBOOK_DATA")
    os.environ["GUESTBOOK_DATA"] = str(data)
    try:
        yield load(str(FOLDER / "app.py"))
    finally:
        for name in {*sys.modules} - before[0]:
            if str(FOLDER) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]
        sys.path[:] = before[1]
        if before[2] is None:
            del os.environ["GUESTBOOK_DATA"]


def png(width=240, height=160, colour=(180, 83, 42)):
    """A picture of one colour, with a lighter band through it."""
    light = bytes(min(255, part + 60) for part in colour)
    rows = b"".join(
        b"\0" + (light if height // 3 < row < height // 2 else bytes(colour)) * width
        for row in range(height)
    )

    def chunk(kind, content):
        crc = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + crc

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
