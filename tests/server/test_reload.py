from __future__ import annotations

import os
import signal
import time
from threading import Thread

import pytest

from wsgikit.server import serve
from wsgikit.server.reload import INTERVAL, Files
from wsgikit.server.reloaded import loaded_files

PROGRAM = """
import os, sys, time
import words
from wsgikit.server import reload, reloaded, serve

for name, seconds in eval(sys.argv[2]).items():
    setattr(reload, name, seconds)
    setattr(reloaded, name, seconds)

def say(line):
    os.write(1, (line + "\\n").encode())

def app(environ, start_response):
    if environ["PATH_INFO"] == "/later":
        import later
    if environ["PATH_INFO"] == "/slow":
        say("called")
        while not os.path.exists("go"):
            time.sleep(0.01)
    start_response("200 OK", [])
    return [words.word.encode()]

say(f"start {os.getpid()}")
serve(app, port=0, reload=True, ready=lambda url: say("ready"), **eval(sys.argv[1]))
say("returned")
"""


def write(path, text):
    """Write at once, as editors do, with a time of its own."""
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    os.replace(draft, path)


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "hello.py", PROGRAM)
    write(tmp_path / "words.py", "word = 'one'")
    write(tmp_path / "later.py", "")
    return tmp_path


@pytest.fixture
def start(python, folder):
    """Starts the program, with other seconds than usual."""
    return lambda **seconds: python("hello.py", "{}", repr(seconds), cwd=folder).listening()


@pytest.fixture
def running(start):
    return start()


def test_a_change_is_served_by_a_new_process_on_the_same_socket(running, folder):
    assert running.get() == "one"
    for word in ("two", "three"):
        write(folder / "words.py", f"word = {word!r}")
        running.line("words.py has changed: starting anew")
        running.line("Serving on")
        assert running.get() == word
    assert len(running.printed("^ready$")) == 1
    assert len({found[0] for found in running.printed("Serving on .*")}) == 1


def test_what_is_loaded_later_is_looked_at_as_well(running, folder):
    assert running.get("/later") == "one"
    deadline = time.monotonic() + 60
    number = 0
    while not running.printed("later.py has changed"):
        assert time.monotonic() < deadline
        number += 1
        write(folder / "later.py", f"number = {number}")
        time.sleep(0.2)
    assert running.get() == "one"


@pytest.mark.parametrize("text", ["word = (", "import missing", "word = 1 / 0"])
def test_what_is_broken_is_shown_and_waited_out(running, folder, text):
    write(folder / "words.py", text)
    running.line("^(SyntaxError|ModuleNotFoundError|ZeroDivisionError)")
    running.line("The program has failed: waiting for a change")
    write(folder / "words.py", "import missing; word = 'two'")
    running.line("has changed: starting anew")
    running.line("The program has failed: waiting for a change")
    asked = []
    client = Thread(target=lambda: asked.append(running.get()))
    client.start()
    write(folder / "missing.py", "")  # nobody knew of it
    write(folder / "words.py", "word = 'two'")
    client.join()
    assert asked == ["two"]


def test_a_request_that_does_not_end_is_cut(running, folder):
    client = running.connect()
    client.request("GET", "/slow")
    running.line("^called")
    write(folder / "words.py", "word = 'two'")
    with pytest.raises(ConnectionError):
        client.getresponse()
    client.close()
    assert running.get() == "two"  # it waits
    assert running.printed("Stopped with 1 requests unfinished")


@pytest.mark.parametrize("group", [False, True], ids=["parent", "group"])
def test_a_signal_lets_the_running_request_complete(start, folder, group):
    running = start(STOP=0, GRACE=60)  # how long a change would wait
    idle, busy = running.connect(), running.connect()
    idle.connect()
    busy.request("GET", "/slow")
    running.line("^called")
    os.killpg(running.pid, signal.SIGTERM) if group else running.signal(signal.SIGTERM)
    assert idle.sock.recv(1) == b""  # it has arrived
    idle.close()
    (folder / "go").touch()
    assert busy.getresponse().read() == b"one"
    busy.close()
    assert running.ended() == 0


@pytest.mark.parametrize("change", [False, True], ids=["stop", "change"])
def test_the_second_signal_ends_all_at_once(start, folder, change):
    running = start(STOP=600)
    idle, busy = running.connect(), running.connect()
    idle.connect()
    busy.request("GET", "/slow")
    running.line("^called")
    if change:
        write(folder / "words.py", "word = 'two'")
    else:
        running.signal(signal.SIGHUP)
    assert idle.sock.recv(1) == b""  # the child has begun to stop
    idle.close()
    running.signal(signal.SIGTERM)
    running.signal(signal.SIGINT)
    with pytest.raises(ConnectionError):
        busy.getresponse()
    busy.close()
    assert running.ended() == 0


def test_a_program_that_does_not_come_to_its_end_is_killed(start, folder):
    running = start(STOP=0, GRACE=0)
    write(folder / "words.py", "import time; print('hangs', flush=True); time.sleep(600)")
    running.line("^hangs")
    write(folder / "words.py", "word = 'two'")
    running.line("The program does not come to its end: killed")
    assert running.get() == "two"


@pytest.mark.parametrize("group", [False, True], ids=["parent", "group"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_both(running, number, group):
    os.killpg(running.pid, number) if group else running.signal(number)
    assert running.ended() == 0
    assert len(running.printed("^returned$")) == 2


def test_a_signal_ends_the_wait_for_a_change(running, folder):
    write(folder / "words.py", "word = (")
    running.line("The program has failed: waiting for a change")
    time.sleep(3 * INTERVAL)  # it looks again and again
    running.signal(signal.SIGTERM)
    assert running.ended() == 0


def test_the_child_does_not_outlive_a_parent_that_is_killed(running):
    running.signal(signal.SIGKILL)
    running.ended()
    with pytest.raises(ConnectionRefusedError):
        running.get()


@pytest.mark.parametrize("before", ["pass", "server.begin_shutdown()"], ids=["serves", "stops"])
def test_the_child_notices_the_end_of_a_parent_that_had_not_read_everything(program, before):
    running = program(f"""
import os, socket, threading
from wsgikit.server import make_server, reload, reloaded
reloaded.STOP = reloaded.GRACE = 0
ours, theirs = socket.socketpair()
os.environ[reload.VARIABLE] = str(theirs.detach())
child = reloaded.Reloaded()
with make_server("127.0.0.1", 0, print) as server:
    child.serves(server)
    {before}
    ours.close()
    threading.Event().wait()
""")
    assert running.ended() == 1


def test_a_program_that_ends_by_itself_is_not_started_again(running):
    pid = int(running.printed(r"^start (\d+)")[-1][1])
    os.kill(pid, signal.SIGTERM)
    assert running.ended() == 0
    assert len(running.printed("^returned$")) == 2


def test_reload_goes_without_workers():
    with pytest.raises(ValueError, match="reload goes without workers"):
        serve(print, port=0, reload=True, workers=2)


def test_reload_is_for_the_main_thread():
    told = []

    def run():
        with pytest.raises(RuntimeError, match="starts programs in the main thread only"):
            serve(print, port=0, reload=True)
        told.append(None)

    thread = Thread(target=run)
    thread.start()
    thread.join()
    assert told == [None]


def test_files_that_change_come_and_go(tmp_path):
    path = tmp_path / "a.py"
    files = Files()
    files.add([str(path)])
    assert files.changed() is None
    path.write_text("1")
    assert files.changed() == str(path)
    files.know()
    assert files.changed() is None
    path.unlink()
    assert files.changed() == str(path)
    files.know()
    files.add([str(tmp_path / "gone" / "b.py")])
    path.write_text("1")
    (tmp_path / "c.py").write_text("")
    files.know()
    files.add_neighbours()
    assert files.changed() is None
    (tmp_path / "c.py").write_text("2")
    assert files.changed() == str(tmp_path / "c.py")


def test_a_file_that_may_have_changed_since_it_was_read_has_changed_once(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("1")
    files = Files()
    files.add([str(path)], since=path.stat().st_mtime_ns - 1)
    assert files.changed() == str(path)
    files.know()
    files.add([str(path)], since=0)
    assert files.changed() is None


def test_the_files_of_modules_are_known(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "no module", 7)
    assert os.path.abspath(pytest.__file__) in loaded_files()
