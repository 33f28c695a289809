from __future__ import annotations

import sys
from argparse import ArgumentTypeError

import pytest

from wsgikit.commands.command import Command, Trouble, number, printed, program, size


@pytest.fixture
def command():
    command = Command(prog="wsgikit")
    command.value("max-upload", size, "1G", "how much, 5 % at least")
    command.value("jobs", number(1, 9), None, "how many")
    command.switch("quiet", "say nothing")
    command.values("sizes", size, "each of them")
    return command


def completed(command, *argv):
    options = command.parse_args(argv)
    command.complete(options)
    return options.max_upload, options.jobs, options.quiet


def test_defaults(command):
    assert completed(command) == (10**9, None, False)


def test_what_is_typed(command):
    assert completed(command, "--max-upload", "5k", "--jobs", "2", "--quiet") == (5000, 2, True)


def test_an_option_that_is_given_several_times(command, monkeypatch):
    def sizes(*argv):
        options = command.parse_args(argv)
        command.complete(options)
        return options.sizes

    assert sizes() == []
    monkeypatch.setenv("WSGIKIT_SIZES", " 1K  2K ")
    assert sizes() == [1000, 2000]
    assert sizes("--sizes", "3", "--sizes", "4") == [3, 4]
    monkeypatch.setenv("WSGIKIT_SIZES", "1K none")
    with pytest.raises(Trouble, match="WSGIKIT_SIZES in the environment: a size is"):
        sizes()


def test_variables(command, monkeypatch):
    monkeypatch.setenv("WSGIKIT_MAX_UPLOAD", "7M")
    monkeypatch.setenv("WSGIKIT_JOBS", "3")
    monkeypatch.setenv("WSGIKIT_QUIET", "yes")
    assert completed(command) == (7_000_000, 3, True)
    assert completed(command, "--max-upload", "5", "--jobs", "2", "--no-quiet") == (5, 2, False)


def test_an_empty_variable_is_none(command, monkeypatch):
    monkeypatch.setenv("WSGIKIT_JOBS", "")
    assert completed(command) == (10**9, None, False)


def test_a_variable_that_cannot_be_read(command, monkeypatch):
    monkeypatch.setenv("WSGIKIT_JOBS", "many")
    with pytest.raises(Trouble, match="WSGIKIT_JOBS in the environment: a number from 1 to 9"):
        completed(command)


def test_the_help(command, capsys):
    with pytest.raises(SystemExit):
        command.parse_args(["--help"])
    out = " ".join(capsys.readouterr().out.split())
    assert "--max-upload UPLOAD how much, 5 % at least [WSGIKIT_MAX_UPLOAD; default: 1G]" in out
    assert "--jobs JOBS how many [WSGIKIT_JOBS]" in out
    assert "--quiet, --no-quiet say nothing [WSGIKIT_QUIET=1]" in out


@pytest.mark.parametrize("argv", [["--nothing"], ["--jobs"], ["--jobs", "0"], ["--qui"], ["more"]])
def test_errors_are_one_line(command, argv):
    with pytest.raises(Trouble) as trouble:
        command.parse_args(argv)
    assert trouble.value.status == 2
    assert str(trouble.value).endswith("; see wsgikit --help")


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("500", 500), ("2k", 2000), ("20M", 20_000_000), ("3G", 3 * 10**9), ("1t", 10**12)],
)
def test_sizes(text, value):
    assert size(text) == value


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "M", "1MB", "1MM", "²", "1" * 20, "5 "])
def test_what_is_no_size(text):
    with pytest.raises(ArgumentTypeError, match="a size is a number of bytes"):
        size(text)


@pytest.mark.parametrize("text", ["", "0", "10", "-1", "²", "1.5", "1" * 20])
def test_what_is_no_number(text):
    with pytest.raises(ArgumentTypeError, match="a number from 1 to 9, not"):
        number(1, 9)(text)


@pytest.mark.parametrize(
    ("path", "name"),
    [("/x/__main__.py", "python3 -m wsgikit"), ("/x/wsgikit", "wsgikit"), ("", "wsgikit")],
)
def test_the_name_of_the_program(monkeypatch, path, name):
    monkeypatch.setattr(sys, "argv", [path])
    assert program() == name


def test_what_a_terminal_cannot_show(monkeypatch, tmp_path):
    with open(tmp_path / "out", "w", encoding="ascii") as file:
        monkeypatch.setattr(sys, "stdout", file)
        monkeypatch.setattr(sys, "stderr", file)
        printed("é")
        printed("ö", error=True)
    assert (tmp_path / "out").read_text() == "?\n?\n"
