from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from threading import Event, Thread

import pytest

from wsgikit.server import make_server, serve
from wsgikit.server.signals import SignalQueue
from wsgikit.server.worker import Worker, Workers

# Each worker tells when it starts and when it stops. "state" is the name of a file that says how
# the next one fares.
PROGRAM = """
import atexit, json, os, re, signal, sys, time
from wsgikit.server import WorkerError, serve
from wsgikit.server.sockets import Sockets

state = sys.argv[1]
options = json.loads(sys.argv[2])

def say(*words):  # in one piece, whatever others say
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/slow":
        say("called", os.getpid())
        while not os.path.exists(state + ".go"):
            time.sleep(0.01)
    if path == "/stuck":
        say("stuck", os.getpid())
        re.match("(a+)+$", "a" * 60 + "b")  # for centuries, with the interpreter's lock held
    if path == "/loop":
        Sockets.wait = lambda self, seconds: time.sleep(600)
    start_response("200 OK", [])
    return [f"{os.getpid()} {version} {environ['wsgi.multiprocess']}".encode()]

def start(server):
    global version
    with open(state) as file:
        version = file.read()
    say("start", os.getpid(), version)
    if version == "crash":
        os._exit(7)
    if version == "raise":
        raise KeyError("of the hook\\nand more")
    if version == "long":
        raise ValueError("r" * 10_000)
    if version == "refuse":
        raise WorkerError("there is no database")
    if version == "exit":
        sys.exit("gone")
    if version == "wait":
        time.sleep(600)
    atexit.register(say, "atexit", os.getpid())

def stop(server):
    say("stop", os.getpid())

atexit.register(say, "atexit of the program")
try:
    serve(app, port=0, on_worker_start=start, on_worker_stop=stop, **options)
except WorkerError as error:
    say("WorkerError:", error)
except KeyboardInterrupt:
    say("KeyboardInterrupt")
say("returned")
"""


@pytest.fixture
def state(tmp_path):
    path = tmp_path / "state"
    path.write_text("one")
    return path


@pytest.fixture
def serving(program, state):
    """Starts the program, and waits until it serves."""

    def start(**options):
        return program(PROGRAM, str(state), json.dumps({"workers": 2, **options}))

    return start


def workers(running):
    """The processes that have started so far."""
    return [int(found[1]) for found in running.printed(r"^start (\d+)")]


class Asking(Thread):
    """A client that asks without a pause, each time on a new connection or always on the same."""

    def __init__(self, running, *, keep):
        super().__init__()
        self.running, self.keep = running, keep
        self.end, self.answers, self.error = Event(), [], None
        self.start()

    def run(self):
        client = self.running.connect()
        try:
            while not self.end.is_set():
                client.request("GET", "/")
                response = client.getresponse()
                self.answers.append(response.read().decode())
                if not self.keep or response.getheader("Connection") == "close":
                    client.close()
        except OSError as error:
            self.error = error
        finally:
            client.close()

    def joined(self):
        self.end.set()
        self.join(60)
        assert not self.is_alive()
        assert self.error is None
        return self.answers


def test_workers_answer_and_say_that_there_are_several(serving):
    running = serving(workers=3).listening()
    started = workers(running)
    assert len(started) == 3
    assert running.pid not in started
    pid, version, multiprocess = running.get().split()
    assert int(pid) in started
    assert (version, multiprocess) == ("one", "True")


def test_a_signal_ends_all_of_them_and_serve_returns(serving):
    running = serving().listening()
    running.signal(signal.SIGTERM)
    assert running.ended() == 0
    assert running.lines[-2] == "returned" or "returned" in running.lines
    for pid in workers(running):
        assert running.printed(f"^stop {pid}$")
        assert running.printed(f"^atexit {pid}$")  # what the worker has registered runs there
    assert len(running.printed("^atexit of the program$")) == 1
    assert not running.printed("Traceback|Warning")


@pytest.mark.parametrize("group", [False, True], ids=["supervisor", "group"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_running_request_completes_and_says_that_it_is_the_last(serving, state, number, group):
    running = serving().listening()
    idle, busy = running.connect(), running.connect()
    idle.connect()
    busy.request("GET", "/slow")
    worker = int(running.line(r"^called (\d+)")[1])
    if group:  # as terminals and service managers do
        os.killpg(running.pid, number)
    else:
        running.signal(number)
    assert idle.sock.recv(1) == b""
    running.refuses()
    os.kill(worker, signal.SIGTERM)  # once more is harmless
    (state.parent / "state.go").touch()
    response = busy.getresponse()
    assert response.getheader("Connection") == "close"
    assert response.read().decode().endswith("one True")
    idle.close()
    busy.close()
    assert running.ended() == 0
    assert "returned" in running.lines


def test_a_deadline_ends_the_rest(serving):
    running = serving(stop_timeout=0.2).listening()
    busy = running.connect()
    busy.request("GET", "/slow")
    running.line("^called")
    running.signal(signal.SIGTERM)
    with pytest.raises(ConnectionError):
        busy.getresponse()
    busy.close()
    assert running.ended() == 0
    assert running.printed(
        r"Stopped with 1 requests unfinished after [\d.]+ s \(stop_timeout is 0.2 s\)"
    )


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 0)]
)
def test_the_second_signal_ends_all_at_once(serving, number, status):
    running = serving().listening()
    busy = running.connect()
    busy.request("GET", "/slow")
    running.line("^called")
    running.signal(number)
    running.refuses()  # the first one has been understood
    running.signal(number)
    with pytest.raises(ConnectionError):
        busy.getresponse()
    busy.close()
    assert running.ended() == status
    assert bool(running.printed("^KeyboardInterrupt$")) == (number == signal.SIGINT)


def test_workers_do_not_outlive_a_supervisor_that_is_killed(serving, state):
    running = serving().listening()
    busy = running.connect()
    busy.request("GET", "/slow")
    running.line("^called")
    running.signal(signal.SIGKILL)
    running.line("The supervisor is gone: worker")
    (state.parent / "state.go").touch()
    assert busy.getresponse().read().decode().endswith("one True")
    busy.close()
    running.ended()  # all whom it has started have come to their end
    with pytest.raises(ConnectionRefusedError):
        running.get()


def test_a_worker_that_starts_ends_with_a_supervisor_that_is_killed(serving, state):
    state.write_text("wait")
    running = serving()
    running.line("^start")
    running.signal(signal.SIGKILL)
    running.ended()


def test_a_worker_that_is_killed_is_replaced(serving):
    running = serving(workers=1).listening()
    (pid,) = workers(running)
    os.kill(pid, signal.SIGKILL)
    running.line(f"Worker {pid} was killed by SIGKILL; another one is started$")
    other = int(running.get().split()[0])
    assert other != pid
    assert int(running.line(r"^start (\d+)")[1]) == other


def test_a_worker_that_is_told_to_end_loses_no_request_and_is_replaced(serving):
    running = serving().listening()
    clients = [Asking(running, keep=keep) for keep in (True, False)]
    for pid in workers(running):
        os.kill(pid, signal.SIGTERM)
        running.line(f"Worker {pid} ended with exit status 0; another one is started")
        running.line("^start")
    for client in clients:
        assert client.joined()


def test_workers_that_crash_again_and_again_are_replaced_ever_more_slowly(serving, state):
    running = serving(workers=1).listening()
    state.write_text("crash")
    os.kill(workers(running)[0], signal.SIGKILL)
    running.line("was killed by SIGKILL; another one is started$")
    running.line("ended with exit status 7; another one is started in 0.5 s")
    running.line("ended with exit status 7; another one is started in 1 s")
    state.write_text("two")
    assert running.get().split()[1] == "two"


def test_sighup_replaces_the_workers_and_loses_no_request(serving, state):
    running = serving().listening()
    clients = [Asking(running, keep=keep) for keep in (True, False)]
    for version in ("two", "three"):
        state.write_text(version)
        running.signal(signal.SIGHUP)
        for _ in range(2):
            running.line("^stop")
    for client in clients:
        running.until(lambda asking=client: asking.answers[-1].split()[1] == "three")
        assert client.joined()[0].split()[1] == "one"
    running.until(lambda: len(running.printed("Reloaded: 2 new workers")) == 2)


def test_a_new_worker_is_ready_before_the_old_one_is_stopped(serving, state):
    running = serving(workers=1).listening()
    state.write_text("wait")
    running.signal(signal.SIGHUP)
    running.line("^start .* wait$")
    assert running.get().split()[1] == "one"
    state.write_text("two")
    running.signal(signal.SIGHUP)  # begins anew
    running.line("^stop")
    assert running.get().split()[1] == "two"


def test_a_new_worker_steps_in_for_one_that_dies_before_its_time(serving, state):
    running = serving(workers=1).listening()
    (pid,) = workers(running)
    state.write_text("wait")
    running.signal(signal.SIGHUP)
    heir = int(running.line(r"^start (\d+) wait$")[1])
    os.kill(pid, signal.SIGKILL)
    running.line(f"Worker {pid} was killed by SIGKILL")
    state.write_text("two")
    os.kill(heir, signal.SIGKILL)
    running.line(f"Worker {heir} was killed by SIGKILL; another one is started")
    assert running.get().split()[1] == "two"
    running.until(lambda: len(workers(running)) == 3)


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("raise", "could not start: on_worker_start failed with KeyError: 'of the hook"),
        ("long", "could not start: on_worker_start failed with ValueError: r{1000}$"),
        ("refuse", "could not start: there is no database$"),
        ("exit", "could not start: on_worker_start failed with SystemExit: gone$"),
        ("crash", "ended with exit status 7$"),
    ],
)
def test_an_application_that_is_broken_leaves_the_old_workers_serving(
    serving, state, version, told
):
    running = serving().listening()
    state.write_text(version)
    running.signal(signal.SIGHUP)
    running.line(rf"Not reloaded, the workers before it go on: Worker \d+ {told}")
    assert running.get().split()[1] == "one"
    state.write_text("two")
    running.signal(signal.SIGHUP)
    for _ in range(2):
        running.line("^stop")
    assert running.get().split()[1] == "two"


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("raise", "on_worker_start failed with KeyError: 'of the hook"),
        ("refuse", "there is no database$"),
        ("crash", r"Worker \d+ ended with exit status 7$"),
    ],
)
def test_workers_that_cannot_begin_end_the_program(serving, state, version, told):
    state.write_text(version)
    running = serving(workers=3)
    assert running.ended() == 0
    assert running.printed(f"^WorkerError: {told}")
    assert len(workers(running)) == 1  # told once
    assert not running.printed("Serving on")


def test_a_signal_ends_workers_that_are_still_starting(serving, state):
    state.write_text("wait")
    running = serving()
    running.line("^start")
    running.signal(signal.SIGHUP)  # there is nothing to reload yet
    running.signal(signal.SIGTERM)
    assert running.ended() == 0
    assert "returned" in running.lines
    assert not running.printed("Serving on")


def test_a_sighup_that_comes_while_the_first_workers_start_is_obeyed(program):
    source = """
import os, signal
from wsgikit.server import serve, supervisor
heard, hear = os.pipe()
first = True
def obey(self, number, real=supervisor.Supervisor._obey):
    global first
    real(self, number)
    if number == signal.SIGHUP:
        first = False
        os.write(hear, b"x")
supervisor.Supervisor._obey = obey
def start(server):
    if first:
        os.kill(os.getppid(), signal.SIGHUP)
        os.read(heard, 1)
serve(print, port=0, workers=1, on_worker_start=start)
"""
    running = program(source).listening()
    running.line("Reloaded: 1 new workers")


@pytest.mark.parametrize("first", [False, True], ids=["reload", "start"])
def test_a_worker_that_is_never_ready_is_killed(program, first):
    source = f"""
import os, time
from wsgikit.server import serve, supervisor, WorkerError
first = {first}
def ready(url):
    global first
    first = True
    supervisor.STARTING = 0
if first:
    ready("")
def start(server):
    if first:
        time.sleep(600)
try:
    serve(print, port=0, workers=1, on_worker_start=start, ready=ready)
except WorkerError as error:
    print("WorkerError:", error)
"""
    running = program(source)
    if not first:
        running.listening().signal(signal.SIGHUP)
    running.line(r"Worker \d+ was not ready within 0 s \(0 times worker_timeout\): killed")
    if first:
        running.line(r"^WorkerError: Worker \d+ was killed by SIGKILL$")
    else:
        running.line(r"Not reloaded, .*: Worker \d+ was killed by SIGKILL$")
        running.signal(signal.SIGTERM)
    assert running.ended() == 0


def test_a_worker_is_replaced_after_its_share_of_requests(serving, state):
    running = serving(workers=1, worker_requests=5).listening()
    clients = [Asking(running, keep=keep) for keep in (True, False)]
    for _ in range(3):
        running.line("^stop")
    for client in clients:
        assert client.joined()
    assert len(workers(running)) >= 4
    assert not running.printed("another one is started")


def test_a_full_worker_serves_until_another_one_can_take_its_place(serving, state):
    running = serving(workers=1, worker_requests=1).listening()
    state.write_text("raise")
    first = running.get().split()[0]
    running.line("could not start: .*; another one is started$")
    running.line("could not start: .*; another one is started in 0.5 s$")
    assert running.get().split()[0] == first
    state.write_text("two")
    running.line("^stop")
    assert running.get().split()[1] == "two"


# Without the interpreter's lock, a call that never ends is no reason to kill a worker.
LOCKED = getattr(sys, "_is_gil_enabled", lambda: True)()


@pytest.mark.parametrize("how", ["stopped", "loop", *(["stuck"] if LOCKED else [])])
def test_a_worker_that_hangs_is_killed_and_replaced(serving, how):
    running = serving(workers=1, worker_timeout=3).listening()
    (pid,) = workers(running)
    client = running.connect()
    if how == "stuck":
        client.request("GET", "/stuck")
        running.line("^stuck")
    elif how == "loop":
        client.request("GET", "/loop")
    else:
        os.kill(pid, signal.SIGSTOP)
    running.line(rf"Worker {pid} gave no sign of life for 3 s \(worker_timeout\): killed")
    running.line(f"Worker {pid} was killed by SIGKILL; another one is started")
    assert running.get().split()[0] != str(pid)
    client.close()


# What a worker and its supervisor make of the time is one thing, how long this machine lets them
# wait is another: here nothing is killed that is held up for less than half a minute.
SIGNS = """
import os, threading
from wsgikit.server import serve, worker
worker.SIGNS = 300
def tell(self, news, real=worker.Worker._tell):
    os.write(1, b"told %b\\n" % news)
    real(self, news)
worker.Worker._tell = tell
go, end = os.pipe()
def app(environ, start_response):
    start_response("200 OK", [])
    if environ["PATH_INFO"] == "/slow":
        print("called", flush=True)
        os.read(go, 1)
    else:
        os.write(end, b"x")
    return [b"done"]
serve(app, port=0, workers=1)
"""


def test_workers_that_are_idle_or_slow_give_signs_of_life(program):
    running = program(SIGNS).listening()
    for _ in range(3):
        running.line(r"^told \.$")
    client = running.connect()
    client.request("GET", "/slow")
    running.line("^called")
    for _ in range(3):
        running.line(r"^told \.$")
    assert running.get("/go") == "done"
    assert client.getresponse().read() == b"done"
    client.close()


def test_workers_notice_the_end_of_a_supervisor_that_had_not_read_everything(program):
    running = program(SIGNS).listening()
    running.signal(signal.SIGSTOP)
    os.waitid(os.P_PID, running.pid, os.WSTOPPED)
    signs = len(running.printed("^told"))
    running.until(lambda: len(running.printed("^told")) > signs + 1)
    running.signal(signal.SIGKILL)
    running.line("The supervisor is gone: worker")
    running.ended()


def test_workers_are_not_taken_for_hung_when_all_have_stood_still(program):
    running = program("""
import signal, time
from wsgikit.server import process, serve, supervisor, worker
passed = 0
def stand(number, frame):
    global passed
    passed += 1000
supervisor.monotonic = process.monotonic = lambda: time.monotonic() + passed
signal.signal(signal.SIGUSR1, stand)
worker.SIGNS = 0.001  # the workers say nothing of themselves
serve(print, port=0, workers=2)
""").listening()
    running.signal(signal.SIGUSR1)  # in which more time has passed than a wait may last
    running.signal(signal.SIGHUP)
    running.line("Reloaded: 2 new workers")
    assert not running.printed("killed")


def test_a_worker_that_does_not_come_to_its_end_is_killed(program):
    source = """
import threading
from wsgikit.server import serve, worker
worker.GRACE = 0.2
from wsgikit.server import supervisor
supervisor.GRACE = 0.2
def start(server):
    threading.Thread(target=threading.Event().wait).start()  # Python waits for such threads
serve(print, port=0, workers=1, stop_timeout=0.2, on_worker_start=start)
print("returned")
"""
    running = program(source).listening()
    running.signal(signal.SIGTERM)
    running.line(r"Worker \d+ does not come to its end: killed")
    assert running.ended() == 0


def test_a_system_without_room_for_another_process(program):
    source = """
import errno, os
from wsgikit.server import serve
forks = 0
def fork(real=os.fork):
    global forks
    forks += 1
    if forks == 2:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return real()
os.fork = fork
serve(lambda environ, start_response: [start_response("200 OK", []) and b"" or b"hello"],
      port=0, workers=1)
"""
    running = program(source).listening()
    assert running.get() == "hello"
    (pid,) = children(running.pid)
    os.kill(pid, signal.SIGKILL)
    running.line("was killed by SIGKILL; another one is started$")
    running.line("Cannot start a worker: Resource temporarily unavailable; another one is .* 0.5 s")
    assert running.get() == "hello"


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(number) for number in file.read().split()]


def hello(environ, start_response):
    start_response("200 OK", [])
    return [str(environ["wsgi.multiprocess"]).encode()]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"workers": -1}, "workers takes a whole number from 0 on, not -1"),
        ({"workers": True}, "workers takes a whole number from 0 on, not True"),
        ({"worker_requests": 0}, "worker_requests takes a whole number from 1 on, not 0"),
        ({"worker_timeout": 0}, "worker_timeout takes a positive number of seconds, not 0"),
        ({"worker_timeout": "9"}, "worker_timeout takes a positive number of seconds, not '9'"),
    ],
)
def test_options_are_checked_before_listening(options, told):
    with pytest.raises(ValueError, match=told):
        serve(hello, port=0, **options)


@pytest.mark.parametrize("name", ["on_worker_start", "on_worker_stop"])
def test_hooks_are_checked_before_listening(name):
    with pytest.raises(TypeError, match=f"{name} takes a callable, not 'hook'"):
        serve(hello, port=0, **{name: "hook"})


def test_one_process_has_the_hooks_as_well(caplog):
    seen = []

    def start(server):
        seen.append(("start", server.port > 0))
        server.set_app(hello)

    def stop(server):
        seen.append("stop")
        raise RuntimeError("is only logged")

    def client(url):
        with socket.create_connection(url.removeprefix("http://").split(":")) as sock:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            seen.append(sock.makefile("rb").read().endswith(b"False"))
        os.kill(os.getpid(), signal.SIGTERM)

    serve(
        print,
        port=0,
        on_worker_start=start,
        on_worker_stop=stop,
        ready=lambda url: Thread(target=client, args=(url,)).start(),
    )
    assert seen == [("start", True), True, "stop"]
    assert "Error in on_worker_stop" in caplog.text


def test_where_there_is_no_fork_one_process_serves(monkeypatch, caplog):
    monkeypatch.delattr(os, "fork")

    def end(url):
        os.kill(os.getpid(), signal.SIGTERM)

    serve(hello, port=0, workers=4, ready=end)
    assert "This system cannot fork: one process serves, without workers" in caplog.text


def test_workers_are_started_from_the_main_thread_alone():
    errors = []

    def run():
        with pytest.raises(RuntimeError, match="starts workers in the main thread only"):
            serve(hello, port=0, workers=1)
        errors.append(None)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert errors == [None]


def test_a_worker_that_fails_says_so(program):
    source = """
import os, sys
from wsgikit.server import serve
def start(server):
    server.wait = lambda: 1 / 0
    sys.stdout = None  # some have no terminal
serve(print, port=0, workers=1, on_worker_start=start)
"""
    running = program(source).listening()
    running.line("Error in worker")
    running.line("^ZeroDivisionError")
    running.line("ended with exit status 1; another one is started")


def test_a_first_worker_that_ends_as_soon_as_it_is_ready_is_replaced(program, tmp_path):
    source = f"""
import os, pathlib, signal
from wsgikit.server import serve
first = pathlib.Path({str(tmp_path / "first")!r})
def start(server):
    if not first.exists():
        first.touch()
        os.kill(os.getppid(), signal.SIGSTOP)  # both news reach it at once
        server.wait = lambda: 1 / 0
serve(print, port=0, workers=1, on_worker_start=start)
"""
    running = program(source)
    worker = running.line(r"Error in worker (\d+)")[1]
    running.until(lambda: ") Z " in Path(f"/proc/{worker}/stat").read_text())
    running.signal(signal.SIGCONT)
    running.until(lambda: running.printed("ended with exit status 1; another one is started"))
    running.until(lambda: running.printed("Serving on"))


def test_a_program_that_reaps_the_workers_itself(program):
    source = """
import os, signal
from wsgikit.server import process
first = process.Process(lambda contact, blocked: 0, [signal.SIGTERM], lambda: None)
os.waitpid(first.pid, 0)
print(first.reap(), first.reap(wait=True))
"""
    running = program(source)
    assert running.ended() == 0
    assert running.lines == ["ended with exit status 0 ended with exit status 0", None]


def test_what_a_worker_says_of_its_failure_is_no_sign(program):
    source = """
from wsgikit.server import process
def run(contact, blocked):
    for news in (b".f.!", b"r" * 10_000, b"\\n."):
        contact.sendall(news)
    return 1
first = process.Process(run, [], lambda: None)
print(first.reap(wait=True), first.ready, first.full)
"""
    running = program(source)
    assert running.ended() == 0
    assert running.lines == [f"could not start: {'r' * 4096} False True", None]


def test_a_signal_queue_leaves_everything_as_it_was():
    before = signal.getsignal(signal.SIGTERM)
    with SignalQueue([signal.SIGTERM]) as queue:
        assert queue.pending() == b""
        signal.raise_signal(signal.SIGTERM)
        assert queue.pending() == bytes([signal.SIGTERM])
    assert signal.getsignal(signal.SIGTERM) == before
    assert signal.set_wakeup_fd(-1) == -1


def test_a_callback_that_fails_leaves_no_worker(program):
    running = program("""
from wsgikit.server import serve
serve(print, port=0, workers=2, ready=lambda url: 1 / 0)
""")
    assert running.ended() == 1
    assert running.printed("^ZeroDivisionError")


def test_a_worker_whose_supervisor_is_gone_tells_nobody():
    with make_server("127.0.0.1", 0, hello) as server:
        ours, theirs = socket.socketpair()
        theirs.close()
        Worker(server, Workers(), ours)._tell(b"news")
        ours.close()
