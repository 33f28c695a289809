from __future__ import annotations

from io import BytesIO
from itertools import islice
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest

from tests.wrap.doubles import (
    TEXT,
    Body,
    CountingFile,
    Server,
    answering,
    failing,
    late,
    nothing,
    replacing,
    started_then_failing,
    written,
)
from wsgikit.wrap import no_content, observe, on_close


class Watch(list):
    """What observe() told, as a layer; ``seen`` is the only one there should be."""

    def __call__(self, app):
        def outer(environ, start_response):
            return observe(app, environ, start_response, self.note, ("fact", 2))

        return outer

    def note(self, observed, facts):
        assert facts == ("fact", 2)
        self.append(observed)

    @property
    def seen(self):
        (observed,) = self
        return observed


TWO = [b"a", b"bc"]


WHOLE = {
    "list": (answering(TWO), 3),
    "empty list": (answering([]), 0),
    "tuple": (answering((b"abc",)), 3),
    "iterator": (answering(iter(TWO)), 3),
    "iterable": (answering(Body(*TWO)), 3),
    "late": (late(TWO), 3),
    "write": (written, 17),
    "no content": (answering(no_content()), 0),
}


@pytest.mark.parametrize(("app", "length"), WHOLE.values(), ids=WHOLE)
def test_observe_tells_status_fields_and_length_of_a_whole_response(app, length):
    watch = Watch()
    answer = Server().serve(validator(watch(validator(app))))
    assert answer.line == "Status: 200 OK"
    seen = watch.seen
    assert (seen.status, seen.code, seen.outcome) == ("200 OK", 200, "complete")
    assert ("Content-Type", "text/plain") in seen.headers
    assert seen.sent == len(answer.sent) == length
    assert 0 < seen.took < 60 * 10**9
    assert seen.began > 0


def test_observe_closes_the_body_first_and_tells_once():
    inner, calls = Body(b"a"), []
    app = answering(inner)
    note = lambda observed, facts: calls.append(inner.closed)  # noqa: E731
    body = observe(app, {"REQUEST_METHOD": "GET"}, nothing, note, None)
    assert list(body) == [b"a"]
    assert calls == []
    body.close()
    body.close()
    assert calls == [1]


def test_observe_tells_the_end_of_a_list_once():
    watch = Watch()
    body = watch(answering([b"a"]))({"REQUEST_METHOD": "GET"}, nothing)
    list(body)
    body.close()
    body.close()
    assert watch.seen.sent == 1


@pytest.mark.parametrize("body", [[b"text"], (b"text",)], ids=["list", "tuple"])
def test_observe_lets_the_server_see_that_there_is_one_block(body):
    answer = Server().serve(Watch()(answering(body)))
    assert dict(answer.fields)["Content-Length"] == "4"


def test_observe_asks_for_no_block_before_the_server_does():
    taken = []
    blocks = (taken.append(text) or text for text in (b"a", b"b"))
    body = Watch()(answering(blocks))({"REQUEST_METHOD": "GET"}, nothing)
    assert taken == []
    next(iter(body))
    assert taken == [b"a"]


@pytest.mark.parametrize(
    ("fields", "length"),
    [([("content-length", "4")], 4), ([("Content-Length", "all")], None), ([], None)],
    ids=["announced", "malformed", "unknown"],
)
def test_observe_leaves_a_file_to_the_server(fields, length):
    def app(environ, start_response):
        start_response("200 OK", TEXT + fields)
        return environ["wsgi.file_wrapper"](file)

    file, watch = CountingFile(b"file"), Watch()
    taken = []

    def start_response(status, headers, exc_info=None):
        taken.append(status)

    environ = {"REQUEST_METHOD": "GET", "wsgi.file_wrapper": FileWrapper}
    body = watch(app)(environ, start_response)
    assert type(body) is FileWrapper
    assert watch == []
    body.close()
    assert (watch.seen.sent, watch.seen.outcome) == (length, "complete")
    assert file.closings == 1


def test_observe_leaves_a_file_recognisable():
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        return environ["wsgi.file_wrapper"](CountingFile(b"file"))

    watch = Watch()
    assert Server().serve(watch(app)).saw_file
    assert watch.seen.outcome == "complete"


def test_observe_tells_that_nothing_is_sent_for_head():
    watch = Watch()
    Server("HEAD").serve(watch(answering([b"text"])))
    assert (watch.seen.sent, watch.seen.outcome) == (0, "complete")


def ask(app, *, blocks=None, error=None, method="GET"):
    """Take so many blocks, or all, and close; while an error is handled, if there is one."""

    def start_response(status, headers, exc_info=None):
        return [].append

    body = app({"REQUEST_METHOD": method}, start_response)
    try:
        for _ in islice(body, blocks):
            pass
        if error is not None:
            raise error
    except BrokenPipeError:
        body.close()
    except BaseException:
        body.close()
        raise
    else:
        body.close()


@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "304 Not Modified"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_server_need_not_take_content_that_it_will_not_send(status, method):
    watch = Watch()
    ask(watch(answering(Body(b"", b""), status)), blocks=1, method=method)
    bodiless = method == "HEAD" or status != "200 OK"
    assert watch.seen.outcome == ("complete" if bodiless else "aborted")


@pytest.mark.parametrize("make", [list, Body, iter], ids=["list", "iterable", "iterator"])
def test_a_server_may_stop_at_the_announced_length(make):
    watch = Watch()
    fields = [*TEXT, ("Content-Length", "3")]
    body = Body(*TWO, b"") if make is Body else make([*TWO, b""])
    ask(watch(answering(body, headers=fields)), blocks=2)
    assert (watch.seen.sent, watch.seen.outcome) == (3, "complete")


@pytest.mark.parametrize("blocks", [0, 1])
@pytest.mark.parametrize("make", [list, tuple, iter])
def test_a_body_that_was_broken_off_is_told(make, blocks):
    watch = Watch()
    ask(watch(answering(make(TWO))), blocks=blocks)
    assert (watch.seen.sent, watch.seen.outcome) == (blocks, "aborted")


def test_a_body_that_nobody_iterates_is_told():
    watch = Watch()
    watch(answering(TWO))({"REQUEST_METHOD": "GET"}, nothing).close()
    assert (watch.seen.sent, watch.seen.outcome) == (0, "aborted")


@pytest.mark.parametrize("make", [list, iter])
def test_a_server_that_cannot_send_closes_while_it_handles_the_error(make):
    watch = Watch()
    ask(watch(answering(make(TWO))), error=BrokenPipeError())
    assert watch.seen.outcome == "aborted"


def test_a_file_that_cannot_be_sent_is_told():
    watch = Watch()
    environ = {"REQUEST_METHOD": "GET", "wsgi.file_wrapper": FileWrapper}
    app = answering(FileWrapper(BytesIO(b"file")), headers=[*TEXT, ("Content-Length", "4")])
    body = watch(app)(environ, nothing)
    try:
        raise BrokenPipeError
    except BrokenPipeError:
        body.close()
    assert watch.seen.outcome == "aborted"


def test_a_client_that_goes_away_is_told_under_the_stock_server():
    class Cut(BytesIO):
        def write(self, data):
            if b"second" in data:
                raise BrokenPipeError
            return super().write(data)

    watch, server = Watch(), Server()
    server.stdout = Cut()
    server.run(watch(answering([b"first", b"second", b"third"])))
    assert (watch.seen.sent, watch.seen.outcome) == (11, "aborted")


FAILING = {
    "call": (failing(LookupError()), 500),
    "call, after start_response": (started_then_failing, 500),
    "before a late start": (lambda environ, start_response: Body(LookupError()), 500),
    "first block": (answering(Body(LookupError())), 500),
    "after an empty block": (answering(Body(b"", LookupError())), 500),
    "after a block": (answering(Body(b"a", LookupError())), 200),
    "no exception": (failing(KeyboardInterrupt()), 500),
    "no exception, iterated": (answering(Body(KeyboardInterrupt())), 500),
}


@pytest.mark.parametrize(("app", "code"), FAILING.values(), ids=FAILING)
def test_a_failure_of_the_application_is_told_and_passes(app, code):
    watch = Watch()
    with pytest.raises((LookupError, KeyboardInterrupt)):
        ask(watch(app))
    assert (watch.seen.code, watch.seen.outcome) == (code, "failed")


def test_a_failure_after_write_has_the_status_that_was_sent():
    def app(environ, start_response):
        start_response("200 OK", TEXT)(b"sent")
        raise LookupError

    watch = Watch()
    with pytest.raises(LookupError):
        ask(watch(app))
    assert (watch.seen.code, watch.seen.sent) == (200, 4)


@pytest.mark.parametrize("blocks", [(), (b"sent",)], ids=["before", "after"])
def test_observe_sees_the_status_that_the_client_gets(blocks):
    watch = Watch()
    Server().serve(watch(replacing(blocks)))
    assert watch.seen.status == ("200 OK" if blocks else "503 Service Unavailable")


def test_a_status_that_is_none_has_no_code():
    watch = Watch()
    ask(watch(answering([], status="all is well")))
    assert watch.seen.code == 0


def test_a_generator_that_is_left_alone_tells_nothing_bad():
    watch = Watch()
    body = watch(answering(iter(TWO)))({"REQUEST_METHOD": "GET"}, nothing)
    blocks = iter(body)
    next(blocks)
    blocks.close()
    body.close()
    assert watch.seen.outcome == "aborted"


def test_a_status_of_any_text_has_its_code():
    for number in range(700):
        watch = Watch()
        ask(watch(answering([], status=f"{200 + number % 3} because {number}")))
        assert watch.seen.code == 200 + number % 3
    watch = Watch()
    ask(watch(answering([], status="404 " + "a" * 10**6)))
    assert watch.seen.code == 404


@pytest.mark.parametrize("blocks", [None, 0, 1, 2])
@pytest.mark.parametrize("make", [list, tuple, iter])
def test_observers_stand_in_each_other(make, blocks):
    inner, outer = Watch(), Watch()
    body = outer(inner(answering(make(TWO))))({"REQUEST_METHOD": "GET"}, nothing)
    for _ in islice(body, blocks):
        assert inner == outer == []
    body.close()
    body.close()
    assert (inner.seen.sent, inner.seen.outcome) == (outer.seen.sent, outer.seen.outcome)
    assert inner.seen.sent == (3 if blocks is None else (0, 1, 3)[blocks])
    assert inner.seen.status == outer.seen.status == "200 OK"
    assert inner.seen.took <= outer.seen.took


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_observers_know_the_method_as_it_came(method):
    def changing(environ, start_response):
        environ["REQUEST_METHOD"] = "PUT"
        return inner(answering([b"a"]))(environ, start_response)

    inner, outer = Watch(), Watch()
    ask(outer(changing), method=method)
    assert (outer.seen.method, inner.seen.method) == (method, "PUT")
    assert (outer.seen.sent, inner.seen.sent) == (0 if method == "HEAD" else 1, 1)


def test_observers_see_what_layers_between_them_make_of_the_response():
    def between(environ, start_response):
        def start(status, headers, exc_info=None):
            return start_response("404 Not Found", [*headers, ("Content-Length", "1")], exc_info)

        return inner(answering([b"a", b"b"]))(environ, start)

    inner, outer = Watch(), Watch()
    ask(outer(between), blocks=1)
    assert (inner.seen.code, inner.seen.outcome) == (200, "aborted")
    assert (outer.seen.code, outer.seen.outcome) == (404, "complete")


def test_observers_in_each_other_count_what_is_written_once():
    inner, outer = Watch(), Watch()
    assert Server().serve(validator(outer(inner(validator(written))))).sent == b"written, returned"
    assert inner.seen.sent == outer.seen.sent == 17


def test_a_list_stays_one_behind_two_observers():
    answer = Server().serve(Watch()(Watch()(answering([b"text"]))))
    assert dict(answer.fields)["Content-Length"] == "4"


def test_an_inner_observer_that_fails_hides_nothing_from_the_outer_one():
    def fail(seen, fact):
        raise LookupError

    def inner(environ, start_response):
        return observe(answering([b"a"]), environ, start_response, fail, None)

    outer = Watch()
    body = outer(inner)({"REQUEST_METHOD": "GET"}, nothing)
    list(body)
    with pytest.raises(LookupError):
        body.close()
    assert outer.seen.sent == 1


def test_hooks_of_an_observed_list_come_after_its_end():
    watch, calls = Watch(), []
    body = watch(answering([b"a"]))({"REQUEST_METHOD": "GET"}, nothing)
    for number in range(2):
        note = lambda number=number: calls.append((number, len(watch)))  # noqa: E731
        assert on_close(body, note, {}, note) is body
    assert list(body) == [b"a"]
    body.close()
    body.close()
    assert calls == [(1, 0), (0, 0), (0, 1), (1, 1)]
    assert watch.seen.outcome == "complete"
