from __future__ import annotations

import json
import os
import re
import runpy
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from threading import Event, Thread
from urllib.request import Request, urlopen

import pytest

import wsgikit
from wsgikit.cli import main
from wsgikit.server.run import make_server

ROOT = Path(wsgikit.__file__).parent.parent
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
    for command in ("serve", "files", "show", "demo"):
        assert re.search(rf"^    {command} +\w", out, re.MULTILINE)
    assert "serve hello:app" in out
    assert "WSGIKIT_PORT=9000" in out


@pytest.mark.parametrize("command", ["serve", "files", "show", "demo"])
def test_every_option_tells_its_variable(capsys, command):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    out = re.sub(r"\s+", " ", capsys.readouterr().out)
    options = set(re.findall(r"--([a-z]+)", out)) - {"help", "no"}
    assert ("port" in options) == (command != "show")
    for option in options:
        assert re.search(rf"\[WSGIKIT_{option.upper()}[=;]", out), option


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


# Applications


def test_an_application_that_fails_to_load(capsys, folder):
    (folder / "broken.py").write_text("import nowhere_else")
    line = refused(capsys, "serve", "broken", status=1)
    assert line == (
        "broken failed with ModuleNotFoundError: No module named 'nowhere_else'"
        " (broken.py, line 1); --traceback shows it all"
    )


@pytest.mark.parametrize("value", ["1", "true", "YES", "on"])
def test_the_traceback_of_what_fails_to_load(capsys, folder, monkeypatch, value):
    (folder / "broken.py").write_text("1 / 0")
    monkeypatch.setenv("WSGIKIT_TRACEBACK", value)
    assert main(["show", "broken"]) == 1
    first, *_, before, last = capsys.readouterr().err.splitlines()
    assert first == "Traceback (most recent call last):"
    assert before == "ZeroDivisionError: division by zero"
    assert last.endswith("division by zero (broken.py, line 1)")
    assert refused(capsys, "show", "broken", "--no-traceback", status=1)


def test_a_file_that_asks_for_input_and_is_interrupted(folder, capsys):
    (folder / "ask.py").write_text("raise KeyboardInterrupt")
    assert main(["show", "ask"]) == 130
    assert capsys.readouterr() == ("", "")


def test_show_prints_the_stack_and_the_routes(capsys):
    assert main(["show", "hello:app"]) == 0
    assert capsys.readouterr().out == "Router\n└─ GET /hello/{name}  hello\n"


def test_show_of_the_demo(capsys):
    assert main(["show", "wsgikit.demo:app"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["timing", "errors"]
    assert "├─ /routes/*         Router" in lines


def test_show_in_a_terminal_that_has_no_corners(monkeypatch, folder):
    with open(folder / "out", "w", encoding="ascii") as file:
        monkeypatch.setattr(sys, "stdout", file)
        assert main(["show", "hello"]) == 0
    assert (folder / "out").read_text() == "Router\n?? GET /hello/{name}  hello\n"


def test_a_pipe_that_nobody_reads_is_no_news(capsys, monkeypatch):
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdout", file)
        assert main(["show", "hello"]) == 1
    assert capsys.readouterr().err == ""


# Serving


class Served:
    """Runs ``main(argv)`` here, lets ``visit(url)`` look at it, and stops it by a signal."""

    def __init__(self, monkeypatch, capsys):
        self.opened, self._capsys = [], capsys
        monkeypatch.setattr("webbrowser.open", self._open)
        self._ready = Event()
        serve = wsgikit.server.run.serve

        def served(app, *, ready, **options):
            def visit(url):
                if ready is not None:
                    ready(url)
                Thread(target=self._look, args=(url,)).start()

            serve(app, ready=visit, **options)

        monkeypatch.setattr(wsgikit, "serve", served)

    def _open(self, url):
        self.opened.append(url)
        self._ready.set()

    def _look(self, url):
        try:
            self.url = url
            self.result = self.visit(url)
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    def __call__(self, argv, visit):
        self.visit = visit
        assert main(argv) == 0
        assert self._capsys.readouterr().out == f"Serving on {self.url} (Ctrl+C stops)\n"
        return self.result


@pytest.fixture
def served(monkeypatch, capsys):
    return Served(monkeypatch, capsys)


def get(url, **headers):
    with urlopen(Request(url, headers=headers), timeout=10) as response:
        return response.read().decode()


@pytest.mark.parametrize("target", ["hello", "hello:app", "hello.py", "./hello.py:app"])
def test_serve(served, target):
    argv = ["serve", target, "--port", "0"]
    assert served(argv, lambda url: get(f"{url}/hello/Ada")) == "Hello, Ada!"


def test_serve_a_factory(served, folder):
    (folder / "shop.py").write_text("from hello import app\ndef make_app():\n    return app")
    argv = ["serve", "shop:make_app", "--factory", "--port", "0"]
    assert served(argv, lambda url: get(f"{url}/hello/Ada")) == "Hello, Ada!"


def test_the_address_comes_from_the_environment(served, monkeypatch):
    monkeypatch.setenv("WSGIKIT_HOST", "127.0.0.2")
    monkeypatch.setenv("WSGIKIT_PORT", "0")
    served(["serve", "hello"], lambda url: get(f"{url}/hello/Ada"))
    assert served.url.startswith("http://127.0.0.2:")


def test_the_option_counts_where_both_are_given(served, monkeypatch):
    monkeypatch.setenv("WSGIKIT_HOST", "nowhere.invalid")
    monkeypatch.setenv("WSGIKIT_PORT", "70000")
    monkeypatch.setenv("WSGIKIT_OPEN", "1")
    argv = ["serve", "hello", "--host", "127.0.0.1", "--port", "0", "--no-open"]
    served(argv, lambda url: get(f"{url}/hello/Ada"))
    assert served.opened == []


def test_an_empty_variable_is_none(served, monkeypatch):
    monkeypatch.setenv("WSGIKIT_HOST", "")
    served(["serve", "hello", "--port", "0"], lambda url: get(f"{url}/hello/Ada"))
    assert served.url.startswith("http://127.0.0.1:")


def test_a_switch_may_be_off_in_the_environment(served, monkeypatch):
    monkeypatch.setenv("WSGIKIT_OPEN", "off")
    served(["serve", "hello", "--port", "0"], lambda url: get(f"{url}/hello/Ada"))
    assert served.opened == []


def test_the_browser_is_opened_once_it_listens(served):
    served(["serve", "hello", "--port", "0", "--open"], lambda url: served._ready.wait(10))
    assert served.opened == [served.url]


def test_a_port_that_is_taken(capsys):
    with make_server("127.0.0.1", 0, print) as server:
        line = refused(capsys, "serve", "hello", "--port", str(server.port), status=1)
    assert line.startswith(f"cannot listen on 127.0.0.1:{server.port}: Address already in use")


def test_a_host_that_is_unknown(capsys):
    line = refused(capsys, "serve", "hello", "--host", "nowhere.invalid", "--port", "0", status=1)
    assert line.startswith("cannot listen on nowhere.invalid:0: ")


def entries(url):
    return [entry["name"] for entry in json.loads(get(url, Accept="application/json"))["entries"]]


def test_files_lists_the_current_directory(served, folder):
    (folder / ".hidden").write_text("")
    assert served(["files", "--port", "0"], entries) == ["hello.py"]
    assert served(["files", "--port", "0", "--hidden"], entries) == [".hidden", "hello.py"]


def test_files_titles_the_page_by_the_directory(served, folder):
    (folder / "a & b").mkdir()
    argv = ["files", "a & b", "--port", "0"]
    assert "<title>a &amp; b</title>" in served(argv, lambda url: get(url, Accept="text/html"))


def test_files_sends_an_index_unless_told_to_list(served, folder):
    (folder / "index.html").write_text("the index")
    assert served(["files", ".", "--port", "0"], get) == "the index"
    assert served(["files", ".", "--port", "0", "--list"], entries) == ["hello.py", "index.html"]


def test_demo(served):
    assert "<h1>The stack</h1>" in served(["demo", "--port", "0"], get)


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
        page = get(f"{url}/form/")
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
