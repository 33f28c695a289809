from __future__ import annotations

import os
import re
import runpy
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest

import wsgikit
from wsgikit.cli import main

ROOT = Path(wsgikit.__file__).parent.parent
COMMANDS = ["serve", "files", "compress", "digest", "show", "check", "demo"]
HELLO = """
from wsgikit import Router
app = Router()
@app.get("/hello/{name}")
def hello(request, name):
    return f"Hello, {name}!"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A current directory with hello.py in it, and none of our variables in the environment."""
    (tmp_path / "hello.py").write_text(HELLO)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    for name in os.environ:
        if name.startswith("WSGIKIT_"):
            monkeypatch.delenv(name)
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(tmp_path) in str(getattr(module, "__file__", "")):
            del sys.modules[name]


def refused(capsys, *argv, status=2):
    """The one line on stderr of a command that fails."""
    assert main(argv) == status
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("wsgikit: error: ")
    return line.removeprefix("wsgikit: error: ")


# Commands and help


def test_help_names_the_commands_and_examples(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert (end.value.code, capsys.readouterr().out) == (0, out)
    for command in COMMANDS:
        assert re.search(rf"^    {command} +\w", out, re.MULTILINE)
    assert "serve hello:app" in out
    assert "WSGIKIT_PORT=9000" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_tells_its_variable(capsys, command):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    out = re.sub(r"\s+", " ", capsys.readouterr().out)
    options = {name for name in re.findall(r"--([a-z-]+)", out) if not name.startswith("no-")}
    assert ("port" in options) == (command in ("serve", "files", "demo"))
    for option in options - {"help"}:
        variable = "WSGIKIT_" + option.upper().replace("-", "_")
        assert re.search(rf"\[{variable}[=;\]]", out), option


def test_the_version(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"wsgikit {wsgikit.__version__}\n"


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["srve"], "invalid choice: 'srve'"),
        (["serve"], "the following arguments are required: APP; see wsgikit serve --help"),
        (["serve", "hello", "--colour"], "unrecognized arguments: --colour; see wsgikit --help"),
        (["demo", "--por", "1"], "unrecognized arguments: --por 1"),
        (["serve", "hello", "--port", "70000"], "a port is a number from 0 to 65535, not '70000'"),
        (["serve", "hello", "--port", "http"], "--port: a port is a number from 0 to 65535"),
        (["serve", "hello", "--port", "²"], "--port: a port is a number from 0 to 65535"),
        (["serve", "hello", "--port=-1"], "--port: a port is a number from 0 to 65535"),
        (["serve", "nope"], "there is no module 'nope'"),
        (["serve", "nope.py"], "there is no file nope.py"),
        (["serve", "hello:nope"], "hello has no 'nope'; it has app, hello"),
        (["show", "hello:__name__"], "hello:__name__ is no WSGI application but a str"),
        (["files", "nope"], f"nope: {os.strerror(2)}"),
        (["files", "hello.py"], f"hello.py: {os.strerror(20)}"),
        (["demo", "--host", "ü" * 70], "is no address and no name of a host"),
        (["compress"], "the following arguments are required: DIR"),
        (["compress", "nope"], f"nope: {os.strerror(2)}"),
        (["compress", ""], f"'': {os.strerror(2)}"),
        (["compress", ".", "--codings", "lzw"], "'lzw' is none of zstd, br, gzip"),
        (["compress", ".", "--saving", "100"], "a number from 0 to 99, not '100'"),
        (["compress", ".", "--jobs", "0"], "a number from 1 to 999, not '0'"),
        (["digest", "hello.py"], f"hello.py: {os.strerror(20)}"),
        (["digest", ".", "--manifest", "a/b"], "the name of a file, not 'a/b'"),
        (["digest", ".", "--manifest", ".names"], "the name of a file, not '.names'"),
        (["files", "--max-upload", "much"], "a number of bytes such as 500M or 2G, not 'much'"),
        (["files", "--max-upload", "0"], "a number of bytes such as 500M or 2G, not '0'"),
        (["files", "--hosts", "a.example,b:80"], "'b:80' is no name of a host"),
        (["files", "--overwrite"], "--overwrite goes with --upload"),
        (["files", "--spa"], ". has no index.html, which --spa is to send"),
        (["files", "--spa", "--list"], "--spa shows no lists"),
        (["files", "--spa", "--upload"], "--spa shows no lists"),
    ],
)
def test_what_was_typed_wrong_is_one_line(capsys, monkeypatch, argv, told):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/wsgikit"])
    assert told in refused(capsys, *argv)


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("WSGIKIT_PORT", "70000", "a port is a number from 0 to 65535, not '70000'"),
        ("WSGIKIT_OPEN", "perhaps", "this is 1 or 0, not 'perhaps'"),
    ],
)
def test_a_wrong_variable_is_named(capsys, monkeypatch, variable, value, told):
    monkeypatch.setenv(variable, value)
    assert refused(capsys, "demo") == f"{variable} in the environment: {told}"


# The program


def test_the_module_is_the_program(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["/somewhere/wsgikit/__main__.py"])
    with pytest.raises(SystemExit) as end:
        runpy.run_module("wsgikit", run_name="__main__", alter_sys=True)
    assert end.value.code == 0
    assert "usage: python3 -m wsgikit " in capsys.readouterr().out


def test_importing_it_runs_nothing(capsys):
    runpy.run_module("wsgikit.__main__", run_name="wsgikit.__main__")
    assert capsys.readouterr().out == ""


def program(*argv, path=ROOT):
    flags = ["-X", "dev", "-W", "error"]
    return subprocess.Popen(
        [sys.executable, *flags, "-m", "wsgikit", *argv],
        env={**os.environ, "PYTHONPATH": str(path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """The package in a zip file, with nothing else of the checkout beside it."""
    path = tmp_path_factory.mktemp("archive") / "wsgikit.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted((ROOT / "wsgikit").rglob("*.py")):
            archive.write(file, file.relative_to(ROOT))
    return path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("place", ["folder", "zip"])
def test_the_demo_as_a_program(number, place, archive):
    path = archive if place == "zip" else ROOT
    with program("demo", "--port", "0", path=path) as process:
        url = process.stdout.readline().split()[2]
        with urlopen(f"{url}/form/", timeout=10) as response:
            page = response.read().decode()
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert "wsgikit/demo/form.py, from line" in page
    assert '<span class="d">order</span>' in page
    assert (process.returncode, out) == (0, "")
    (line,) = err.splitlines()
    assert '"GET /form/ HTTP/1.1" 200' in line


def test_an_error_as_a_program(archive):
    with program("serve", "nope", path=archive) as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (2, "")
    assert err.startswith("wsgikit: error: there is no module 'nope'")
    assert err.count("\n") == 1


def test_the_files_of_the_demo_go_with_it(archive, tmp_path):
    with program("show", "wsgikit.demo:app") as process:
        out, err = process.communicate(timeout=30)
    assert err == ""
    (made,) = re.findall(r"listing\(root='(.*?)'", out)
    assert not os.path.exists(made)
