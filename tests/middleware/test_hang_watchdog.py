from __future__ import annotations

import logging
import subprocess
import sys
from io import BytesIO
from threading import Event, Thread
from time import monotonic
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest
from webtest import TestApp

from wsgikit import stack
from wsgikit.middleware import hang_watchdog, request_id
from wsgikit.middleware.hang_watchdog import Watched, Watcher
from wsgikit.middleware.request_id import RequestIdFilter

TEXT = [("Content-Type", "text/plain")]
SOON = 0.02
LATER = 0.3  # what comes back at once has come back by then


class Told(logging.Handler):
    """Keeps what is logged; ``wait(n)`` waits for the n-th record, so that no test guesses."""

    def __init__(self):
        super().__init__()
        self.records, self.more = [], Event()
        self.addFilter(RequestIdFilter())

    def emit(self, record):
        self.records.append(record)
        self.more.set()

    def wait(self, count=1):
        end = monotonic() + 30
        while len(self.records) < count:
            assert self.more.wait(end - monotonic()), "nothing was told"
            self.more.clear()

    @property
    def messages(self):
        return [record.getMessage() for record in self.records]


@pytest.fixture
def told():
    handler, log = Told(), logging.getLogger("wsgikit.hangs")
    log.addHandler(handler)
    yield handler
    log.removeHandler(handler)


def hello(environ, start_response):
    start_response("200 OK", TEXT)
    return [b"hello"]


def nothing(status, headers, exc_info=None):
    """A start_response that nobody looks at."""


def hanging(told, count=1):
    """Comes back when so much has been told."""

    def app(environ, start_response):
        told.wait(count)
        return hello(environ, start_response)

    return app


def checked(*parts):
    *layers, app = parts
    return TestApp(validator(stack(*layers, validator(app))))


def test_a_request_that_hangs_is_told_once_with_its_stack_and_its_end(told):
    assert checked(hang_watchdog(seconds=SOON), hanging(told)).get("/a?token=1").text == "hello"
    stack, end = told.records
    assert stack.getMessage().startswith(
        "GET /a has been running for 0.02 seconds. Its stack:\n  File "
    )
    assert "told.wait(count)" in stack.getMessage()
    assert stack.levelname == end.levelname == "WARNING"
    assert end.getMessage().startswith("GET /a has come to its end after ")


def test_a_body_that_hangs_is_told(told):
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        yield b"a"
        told.wait()
        yield b"b"

    assert checked(hang_watchdog(seconds=SOON), app).get("/").text == "ab"
    assert "told.wait()" in told.messages[0]


def test_who_is_quick_is_not_told(told):
    app = checked(hang_watchdog(seconds=LATER), hello)
    for _ in range(20):
        assert app.get("/quick").text == "hello"
    checked(hang_watchdog(seconds=LATER), hanging(told)).get("/slow")
    assert ["/slow" in message for message in told.messages] == [True, True]


@pytest.mark.parametrize("kind", ["list", "tuple", "file"])
def test_sending_is_not_what_is_watched(kind, told):
    body = {"list": [b"a"], "tuple": (b"a",), "file": FileWrapper(BytesIO(b"a"))}[kind]
    environ = {"wsgi.file_wrapper": FileWrapper, "PATH_INFO": "/sent"}
    sent = hang_watchdog(lambda environ, start_response: body, seconds=LATER)(environ, nothing)
    assert sent is body
    checked(hang_watchdog(seconds=LATER), hanging(told)).get("/slow")
    assert ["/slow" in message for message in told.messages] == [True, True]


@pytest.mark.parametrize("error", [LookupError, KeyboardInterrupt])
def test_who_fails_is_not_watched_any_more(error, told):
    def app(environ, start_response):
        raise error

    with pytest.raises(error):
        hang_watchdog(app, seconds=LATER)({"PATH_INFO": "/failed"}, nothing)
    checked(hang_watchdog(seconds=LATER), hanging(told)).get("/slow")
    assert ["/slow" in message for message in told.messages] == [True, True]


def test_several_hang_at_once_under_several_limits(told):
    def app(environ, start_response):
        told.wait(3)
        return hello(environ, start_response)

    def ask(path, seconds):
        TestApp(hang_watchdog(app, seconds=seconds)).get(path)

    threads = [
        Thread(target=ask, args=(f"/{number}", seconds))
        for number, seconds in enumerate([600, 0.06, 0.03, 0.03])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stacks = [message for message in told.messages if "stack" in message]
    assert sorted(message[5] for message in stacks) == ["1", "2", "3"]


def test_filters_find_the_ids_of_the_request(told):
    checked(request_id(make=lambda: "it"), hang_watchdog(seconds=SOON), hanging(told)).get("/")
    assert [record.request_id for record in told.records] == ["it", "it"]


def test_a_failure_to_tell_ends_nothing(told):
    environ = {"PATH_INFO": "/odd", "SCRIPT_NAME": None}  # as no server has it
    watched = Watched(environ, SOON)
    watcher = Watcher()
    watcher.watch(watched)
    told.wait()
    watcher.watch(Watched({"PATH_INFO": "/next"}, SOON))
    told.wait(2)
    assert told.messages[0] == "A request that hangs could not be told"
    assert told.messages[1].startswith("- /next has been running")


def test_who_came_to_the_end_meanwhile_has_no_stack_to_tell(told):
    watched = Watched({}, SOON)
    watched.over = True
    watched.tell_stack()
    assert told.records == []


def test_a_thread_that_is_gone_is_told_as_such(told):
    def work():
        kept.append(Watched({}, 7))

    kept = []
    thread = Thread(target=work)
    thread.start()
    thread.join()
    kept[0].tell_stack()
    assert told.messages == ["- / has been running for 7 seconds. Its stack:\n(its thread is gone)"]


def test_the_thread_sleeps_while_there_is_nothing(told):
    watcher = Watcher()
    assert watcher._thread is None
    watched = Watched({}, SOON)
    watcher.watch(watched)
    told.wait()
    watcher.release(watched)
    watcher.release(watched)
    thread, end = watcher._thread, monotonic() + 30
    while watcher._wakes != float("inf"):  # until it has looked
        assert monotonic() < end
    watcher.watch(Watched({"PATH_INFO": "/next"}, SOON))
    told.wait(4)
    assert watcher._thread is thread
    assert thread.daemon
    assert "/next" in told.messages[3]


def test_where_no_thread_can_be_started_requests_are_answered(monkeypatch, told):
    class Refused(Thread):
        def start(self):
            raise RuntimeError("can't start new thread")

    watcher = Watcher()
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["wsgikit.middleware.hang_watchdog"], "Thread", Refused)
        watcher.watch(Watched({}, SOON))
    assert watcher._thread is None
    watcher.watch(Watched({}, SOON))
    told.wait(2)


FORKING = """
import logging, os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads: it is the point
from threading import Event
from wsgikit.middleware import hang_watchdog
logging.basicConfig(format="%(message).40s", stream=sys.stdout)
told = Event()
class Seen(logging.Handler):
    def emit(self, record): told.set()
logging.getLogger().addHandler(Seen())
def app(environ, start_response):
    if environ["PATH_INFO"] == "/fork":
        forked = os.fork()
        environ["forked"].append(forked)
        if forked:
            return []
    told.wait(30)
    return []
watched = hang_watchdog(app, seconds=0.3)
def ask(path):
    told.clear()
    forked = []
    watched({"REQUEST_METHOD": "GET", "PATH_INFO": path, "forked": forked}, lambda *response: None)
    sys.stdout.flush()
    return forked
ask("/parent")
(child,) = ask("/fork")   # the child goes on with the request; nobody watches that one any more
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_child_process_has_a_watchdog_of_its_own():
    program = FORKING.replace("told.wait(30)", 'told.wait(1 if environ["forked"] else 30)')
    program += 'ask("/child")\n'
    run = subprocess.run(
        [sys.executable, "-X", "dev", "-c", program], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    told = [line for line in run.stdout.splitlines() if "has been running" in line]
    assert [line.split()[1] for line in told] == ["/parent", "/child"]


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), "1", None])
def test_the_option_is_checked(seconds):
    with pytest.raises(ValueError, match="seconds takes a positive number of seconds"):
        hang_watchdog(hello, seconds=seconds)


def test_only_a_child_process_begins_anew():
    watcher = Watcher()
    watched = Watched({}, 600)
    watcher._running[600] = {watched: None}  # without a thread, which a child would not have
    watcher.before_fork()
    watcher.after_fork()
    assert watcher._running == {600: {watched: None}}
    watcher._process = -1  # what it would be in a child
    watcher.after_fork()
    assert (watcher._running, watcher._thread) == ({}, None)
    watcher.release(watched)  # a request in which the application forked ends in both
