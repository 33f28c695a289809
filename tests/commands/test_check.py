from __future__ import annotations

import pytest

from wsgikit.cli import main

PROGRAM = """
from wsgikit import stack
from wsgikit.middleware import compress, errors, etag

def hello(environ, start_response):
    raise NotImplementedError

sound = stack(compress(), etag(), errors(), hello)
wrong = stack(etag(), compress(level=5), hello)
"""


@pytest.fixture(autouse=True)
def _program(folder):
    (folder / "hello.py").write_text(PROGRAM)


def test_a_sound_stack_is_shown(capsys):
    assert main(["check", "hello:sound"]) == 0
    assert capsys.readouterr() == ("compress\netag\nerrors\nhello\n", "")


def test_findings_are_printed_and_told_by_the_exit_status(capsys):
    assert main(["check", "hello:wrong"]) == 1
    out, err = capsys.readouterr()
    tree, finding = out.split("\n\n")
    assert tree == "etag\ncompress(level=5)\nhello"
    assert finding.startswith("etag() stands outside of compress(level=5): ")
    assert finding.endswith("; put compress(level=5) outside of etag()\n")
    assert err == "wsgikit: error: 1 to mend in hello:wrong\n"


def test_what_is_no_application_is_refused(refused):
    assert refused("check", "hello:nothing").startswith("hello has no 'nothing'")
