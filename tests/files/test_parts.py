from __future__ import annotations

import os
from email import message_from_bytes
from email.policy import HTTP
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsgikit.files.parts import GAP, Multipart, blocks_of
from wsgikit.files.representation import Representation
from wsgikit.files.versions import Changed, identity_of
from wsgikit.http.etags import ETag
from wsgikit.http.ranges import parse_range
from wsgikit.trees.opening import BLOCK_SIZE

DATA = os.urandom(1000)


def shown(fields=(("Content-Type", "image/png"),)):
    return Representation(list(fields), len(DATA), ETag("a"), None)


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 999)), min_size=1, max_size=8))
def test_other_parsers_read_the_parts(asked):
    text = ",".join(f"{min(pair)}-{max(pair)}" for pair in asked)
    ranges = parse_range(f"bytes={text}", len(DATA), GAP)
    several = Multipart(shown(), ranges)
    body = b"".join(several.blocks(BytesIO(DATA), None))
    assert len(body) == several.size
    head = f"Content-Type: {several.media}\r\nContent-Transfer-Encoding: binary\r\n\r\n".encode()
    message = message_from_bytes(head + body, policy=HTTP)
    assert len(message.get_payload()) == len(ranges)
    boundary = several.media.partition("boundary=")[2].encode()
    for (start, stop), part in zip(ranges, body.split(b"--" + boundary)[1:-1], strict=True):
        assert part.startswith(b"\r\nContent-Type: image/png\r\n")
        assert f"Content-Range: bytes {start}-{stop - 1}/1000\r\n\r\n".encode() in part
        assert part.removesuffix(b"\r\n").endswith(DATA[start:stop])


def test_the_head_of_a_part_is_not_shorter_than_the_gap():
    nameless = Representation([], 2, ETag("a"), None)
    blocks = list(Multipart(nameless, [(0, 1), (1, 2)]).blocks(BytesIO(b"ab"), None))
    assert len(blocks[2]) > GAP


def test_memory_does_not_grow_with_the_file(tmp_path):
    path = tmp_path / "large"
    with open(path, "wb") as file:
        file.truncate(10 * BLOCK_SIZE)
    with open(path, "rb") as file:
        sizes = [len(block) for block in blocks_of(file, None, 5, 10 * BLOCK_SIZE)]
    assert max(sizes) == BLOCK_SIZE
    assert sum(sizes) == 10 * BLOCK_SIZE - 5


def write_anew(path):
    path.write_bytes(b"x" * 3 * BLOCK_SIZE)


def shorten_a_little(path):
    os.truncate(path, 3 * BLOCK_SIZE - 1)


@pytest.mark.parametrize("change", [write_anew, shorten_a_little])
def test_a_change_meanwhile_breaks_off(tmp_path, change):
    path = tmp_path / "file"
    path.write_bytes(bytes(3 * BLOCK_SIZE))
    os.utime(path, (1, 1))
    with open(path, "rb") as file:
        blocks = blocks_of(file, identity_of(os.stat(path)), 0, 3 * BLOCK_SIZE)
        next(blocks)
        change(path)
        with pytest.raises(Changed):
            list(blocks)


def test_what_is_added_and_other_changes_of_the_inode_do_not(tmp_path):
    path = tmp_path / "file.log"
    path.write_bytes(bytes(3 * BLOCK_SIZE))
    with open(path, "rb") as file:
        blocks = blocks_of(file, identity_of(os.stat(path)), 0, 3 * BLOCK_SIZE)
        next(blocks)
        os.chmod(path, 0o600)
        os.rename(path, tmp_path / "file.log.1")
        with open(tmp_path / "file.log.1", "ab") as log:
            log.write(b"more")
        assert sum(map(len, blocks)) == 2 * BLOCK_SIZE
