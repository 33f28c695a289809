from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys

import pytest

from wsgikit.cli import main
from wsgikit.credentials import PasswordFile, TokenFile


@pytest.fixture
def typed(monkeypatch):
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_line_for_a_password(typed, capsys, folder):
    typed("correct horse\nand more\n")
    assert main(["password", "Zoe\u0308"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Zo\u00eb:$scrypt$ln=14,r=8,p=5$")
    assert err == ""
    (folder / "passwords").write_text(out, "utf-8")
    people = PasswordFile("passwords")
    assert people.verify("Zo\u00eb", "correct horse")
    assert not people.verify("Zo\u00eb", "correct horse\n")


def test_a_line_for_a_token(capsys, folder):
    assert main(["password", "build", "--token"]) == 0
    out, err = capsys.readouterr()
    token = re.fullmatch(r"The token of build, .*: ([A-Za-z0-9_-]{43})\n", err)[1]
    assert token not in out
    (folder / "tokens").write_text(out)
    assert TokenFile("tokens").verify(token) == "build"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a:b", "correct horse", "a name has 1 to 255 printable characters"),
        ("", "correct horse", "a name has"),
        ("ann", "short", "a password has at least 8 characters"),
        ("ann", "", "a password has at least 8 characters"),
        ("ann", "a" * 1025, "a password has up to 1024 characters"),
    ],
)
def test_what_does_not_do(name, text, message, typed, refused):
    typed(text)
    assert refused("password", name).startswith(message)


def in_a_pipe(name, password, encoding):
    """What the command prints where the input and the output are in that encoding."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-m", "wsgikit", "password", name],
        input=password,
        capture_output=True,
        timeout=60,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PYTHONIOENCODING": encoding,
            "PYTHONUTF8": "1",  # for the arguments
        },
    )
    return done.returncode, done.stdout, done.stderr.decode()


def test_a_password_that_is_not_in_the_encoding_of_the_input():
    status, out, err = in_a_pipe("ann", b"correct horse \xff", "utf-8:strict")
    assert (status, out) == (2, b"")
    assert err == "wsgikit: error: a password has up to 1024 characters of Unicode text\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16"])
def test_a_line_is_in_the_encoding_of_the_file(encoding, folder):
    password = "correct horse\n".encode(encoding)
    status, out, err = in_a_pipe("Zo\u00eb", password, encoding)
    assert (status, err) == (0, "")
    (folder / "passwords").write_bytes(out)
    assert PasswordFile("passwords").verify("Zo\u00eb", "correct horse")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("again", ["correct horse", "correct hearse"], ids=["same", "other"])
def test_what_is_typed_at_a_terminal(again, monkeypatch, capsys):
    answers = ["correct horse", again]
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("wsgikit.commands.password.getpass", lambda prompt, stream: answers.pop(0))
    assert main(["password", "ann"]) == (0 if again == "correct horse" else 2)
    assert answers == []


CTRL_D = "\x04"


def on_a_terminal(*answers):
    """What the command prints to a pipe, and on the terminal where it asks."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-m", "wsgikit", "password", "ann"],
        stdin=follower,
        stdout=subprocess.PIPE,
        stderr=follower,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    os.close(follower)
    shown = b""
    for answer in answers:
        asked = shown.count(b": ")
        while shown.count(b": ") == asked:
            shown += os.read(leader, 1000)
        os.write(leader, answer.encode() + (b"" if answer == CTRL_D else b"\n"))
    out = process.stdout.read().decode()
    process.stdout.close()
    status = process.wait(30)
    try:
        while more := os.read(leader, 1000):
            shown += more
    except OSError:
        pass
    os.close(leader)
    return status, out, shown.decode()


def test_a_terminal_is_asked_twice_and_shows_nothing():
    status, out, shown = on_a_terminal("correct horse", "correct horse")
    assert status == 0, shown
    assert out.startswith("ann:$scrypt$")
    assert "Password of ann: " in shown
    assert "Once more: " in shown
    assert "correct" not in shown


def test_two_that_differ_are_refused():
    status, out, shown = on_a_terminal("correct horse", "correct hearse")
    assert (status, out) == (2, "")
    assert "the two are not the same" in shown


@pytest.mark.parametrize("answers", [(CTRL_D,), ("correct horse", CTRL_D)], ids=["first", "second"])
def test_a_terminal_that_gives_none(answers):
    status, out, shown = on_a_terminal(*answers)
    assert (status, out) == (2, "")
    assert "wsgikit: error: no password was given" in shown
    assert "Traceback" not in shown
