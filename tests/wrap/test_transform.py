from __future__ import annotations

import sys
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
    late,
    nothing,
    replaced_in_the_call,
    replacing,
    started_then_failing,
)
from wsgikit.wrap import Transformer, transform


class Marked(Transformer):
    """Whole content in angle brackets; blocks in square ones, and a full stop at the end."""

    def __init__(self, headers, waits=False, streams=True):
        self.headers, self.waits, self.streams = headers, waits, streams

    def whole(self, content):
        self.headers[:] = [field for field in self.headers if field[0] != "Content-Length"]
        self.headers += [("Content-Length", str(len(content) + 2)), ("X-Whole", "1")]
        return b"<%b>" % content

    def stream(self):
        if self.streams:
            self.headers[:] = [field for field in self.headers if field[0] != "Content-Length"]
            self.headers.append(("X-Stream", "1"))
        return self.streams

    def feed(self, block):
        assert block
        return b"[%b]" % block

    def finish(self):
        return b"."


class Kept(Transformer):
    """Leaves everything as it is."""

    def whole(self, content):
        return content


def marked(app, **options):
    """``app`` with all its responses transformed but those with an X-Plain."""

    def begin(status, headers):
        return None if ("X-Plain", "1") in headers else Marked(headers, **options)

    return lambda environ, start_response: transform(app, environ, start_response, begin)


def sized(length):
    return [*TEXT, ("Content-Length", str(length))]


def known(answer):
    return "X-Whole" in dict(answer.fields)


@pytest.mark.parametrize("body", [[b"ab"], (b"a", b"b"), [b"", b"ab"]], ids=repr)
@pytest.mark.parametrize("headers", [TEXT, sized(2)], ids=["", "length"])
def test_a_list_is_transformed_as_a_whole(body, headers):
    answer = Server().serve(validator(marked(answering(body, headers=headers))))
    assert (answer.sent, known(answer)) == (b"<ab>", True)
    assert dict(answer.fields)["Content-Length"] == "4"


def test_no_blocks_are_whole_too():
    assert Server().serve(marked(answering([]))).sent == b"<>"


@pytest.mark.parametrize("make", [answering, late])
def test_a_first_block_of_the_announced_length_is_the_whole(make):
    inner = Body(b"ab", b"")
    answer = Server().serve(validator(marked(validator(make(inner, headers=sized(2))))))
    assert (answer.sent, known(answer), inner.closed) == (b"<ab>", True, 1)
    assert dict(answer.fields)["Content-Length"] == "4"


@pytest.mark.parametrize("make", [answering, late])
@pytest.mark.parametrize("headers", [TEXT, sized(2)], ids=["", "length"])
def test_blocks_are_transformed_one_by_one(make, headers):
    inner = Body(b"a", b"", b"b")
    answer = Server().serve(validator(marked(validator(make(inner, headers=headers)))))
    assert (answer.sent, known(answer), inner.closed) == (b"[a][b].", False, 1)
    assert ("X-Stream", "1") in answer.fields
    assert "Content-Length" not in dict(answer.fields)


def test_a_block_comes_out_before_the_next_is_asked_for():
    asked = []

    def block(text):
        return lambda: asked.append(text) or text

    body = marked(answering(Body(block(b"a"), block(b""), block(b"b"))))({}, nothing)
    assert asked == []
    blocks = iter(body)
    assert (next(blocks), asked) == (b"[a]", [b"a"])
    assert (next(blocks), asked) == (b"", [b"a", b""])  # PEP 3333: a block for each block
    assert (next(blocks), next(blocks), asked) == (b"[b]", b".", [b"a", b"", b"b"])


def test_nothing_more_is_asked_for_before_the_whole_is_sent():
    after = []
    inner = Body(b"ab", lambda: after.append(1) or b"")
    blocks = iter(marked(answering(inner, headers=sized(2)))({}, nothing))
    assert (next(blocks), after) == (b"<ab>", [])
    assert (list(blocks), after) == ([b""], [1])


def test_a_transformer_that_waits_gets_the_whole():
    inner = Body(b"a", b"", b"b")
    app = marked(validator(answering(inner, headers=sized(2))), waits=True)
    answer = Server().serve(validator(app))
    assert (answer.sent, known(answer), inner.closed) == (b"<ab>", True, 1)


def test_a_transformer_that_waits_does_not_wait_for_a_stream():
    inner = Body(b"a", AssertionError("nobody asks for this"))
    blocks = iter(marked(answering(inner), waits=True)({}, nothing))
    assert next(blocks) == b"[a]"


NOT_CHANGED = {
    "list": lambda environ: [b"ab"],
    "blocks": lambda environ: Body(b"a", b"b"),
    "file": lambda environ: environ["wsgi.file_wrapper"](CountingFile(b"ab")),
}


@pytest.mark.parametrize("make", NOT_CHANGED.values(), ids=NOT_CHANGED)
@pytest.mark.parametrize("headers", [TEXT, sized(2)], ids=["", "length"])
def test_a_response_that_is_let_through_keeps_its_body(make, headers):
    environ = {"wsgi.file_wrapper": FileWrapper}
    body = make(environ)
    app = marked(answering(body, headers=[*headers, ("X-Plain", "1")]))
    assert app(environ, nothing) is body


@pytest.mark.parametrize("make", NOT_CHANGED.values(), ids=NOT_CHANGED)
def test_a_body_that_is_not_changed_is_kept(make):
    environ = {"wsgi.file_wrapper": FileWrapper}
    body = make(environ)
    kept = transform(answering(body), environ, nothing, lambda status, headers: Kept())
    assert kept is body


def test_content_that_is_not_changed_is_sent_as_it_came():
    inner = Body(b"a", b"b")
    app = marked(answering(inner, headers=sized(3)), streams=False, waits=True)
    body = app({}, nothing)
    assert list(body) == [b"a", b"b"]  # and too short, as the server will find
    body.close()
    assert inner.closed == 1


def test_a_file_is_transformed_in_blocks():
    file = CountingFile(b"file")
    app = marked(lambda environ, start: answering(environ["wsgi.file_wrapper"](file))(None, start))
    answer = Server().serve(app)
    assert (answer.sent, answer.saw_file, file.closings) == (b"[file].", False, 1)


def test_a_file_that_is_not_wrapped_is_not_cut_into_lines():
    file = CountingFile(b"a\nb\n")
    environ = {"wsgi.file_wrapper": lambda file, block_size=0: file}
    body = marked(answering(file))(environ, nothing)
    assert list(body) == [b"[a\nb\n]", b"."]
    body.close()
    assert file.closings == 1


def test_begin_gets_a_list_of_its_own():
    own = [*TEXT]
    seen = []

    def begin(status, headers):
        seen.append((status, [*headers]))
        headers.append(("X-Seen", "1"))

    given = []
    body = [b"ab"]
    app = answering(body, headers=own)
    assert transform(app, {}, lambda *response: given.append(response), begin) is body
    assert (seen, own) == ([("200 OK", TEXT)], TEXT)
    assert given == [("200 OK", [*TEXT, ("X-Seen", "1")])]


@pytest.mark.parametrize("headers", [TEXT, sized(5)], ids=["", "length"])
def test_what_is_written_is_transformed(headers):
    inner = Body(b"d", b"", b"e")

    def app(environ, start_response):
        write = start_response("200 OK", headers)
        for block in (b"", b"ab", b"", b"c"):
            write(block)
        return inner

    answer = Server().serve(validator(marked(app)))
    assert (answer.sent, inner.closed) == (b"[ab][c][d][e].", 1)
    assert answer.errors == []


@pytest.mark.parametrize(
    ("headers", "options"),
    [([*TEXT, ("X-Plain", "1")], {}), (TEXT, {"streams": False})],
    ids=["passed", "left alone"],
)
def test_what_is_written_and_not_transformed(headers, options):
    body = [b"c"]

    def app(environ, start_response):
        start_response("200 OK", headers)(b"ab")
        return body

    assert marked(app, **options)({}, lambda *response: nothing_written) is body
    assert Server().serve(marked(app, **options)).sent == b"abc"


def nothing_written(block):
    """A write() for those who look at the body only."""


ENDINGS = {
    "list, shorter": lambda: [b"a"],
    "list, longer": lambda: [b"abc"],
    "blocks, shorter": lambda: Body(b"a"),
    "blocks, longer": lambda: Body(b"a", b"bc"),
    "blocks, much longer": lambda: Body(b"abc"),
    "the whole and more": lambda: Body(b"ab", b"c"),
}


@pytest.mark.parametrize("waits", [False, True], ids=["", "waits"])
@pytest.mark.parametrize("make", ENDINGS.values(), ids=ENDINGS)
def test_content_of_another_length_does_not_come_out_as_complete(make, waits):
    answer = Server().serve(marked(answering(make(), headers=sized(2)), waits=waits))
    assert [str(error) for error in answer.errors] == [
        "the body is shorter or longer than its Content-Length"
    ]
    assert not answer.sent.endswith(b".")


@pytest.mark.parametrize("length", ["-1", "a", "\u0662", "", "9" * 5000], ids=ascii)
def test_a_length_that_is_none_says_nothing(length):
    app = marked(answering(Body(b"a"), headers=[("Content-Length", length)]))
    assert list(app({}, nothing)) == [b"[a]", b"."]


def test_a_held_response_may_be_replaced_in_the_call():
    app = marked(replaced_in_the_call("200 OK", "503 Service Unavailable"))
    answer = Server().serve(validator(app))
    assert (answer.line, answer.sent) == ("Status: 503 Service Unavailable", b"<replaced>")


def test_a_response_may_be_replaced_before_its_first_block():
    answer = Server().serve(validator(marked(replacing())))
    assert (answer.line, answer.sent) == ("Status: 503 Service Unavailable", b"[replaced].")


REPLACEMENTS = {
    "transformed": (TEXT, b"[replaced]."),
    "of a length": (sized(8), b"<replaced>"),
    "of a length, in blocks": (sized(9), b"[replaced]"),
    "let through": ([*TEXT, ("X-Plain", "1")], b"replaced"),
}


@pytest.mark.parametrize(("headers", "sent"), REPLACEMENTS.values(), ids=REPLACEMENTS)
@pytest.mark.parametrize("waits", [False, True], ids=["", "waits"])
def test_a_response_may_be_replaced_while_it_is_waited_for(headers, sent, waits):
    def blocks(start_response):
        try:
            raise LookupError
        except LookupError:
            start_response("503 Service Unavailable", headers, sys.exc_info())
        yield b"replaced"
        yield b""

    def app(environ, start_response):
        start_response("200 OK", sized(2))
        return blocks(start_response)

    answer = Server().serve(marked(app, waits=waits))
    assert (answer.line, answer.sent) == ("Status: 503 Service Unavailable", sent)
    assert bool(answer.errors) == (b"." not in sent and b"[" in sent)


def test_a_response_that_has_content_is_not_replaced_while_it_is_waited_for():
    def app(environ, start_response):
        start_response("200 OK", sized(3))
        return replacing([b"a"])(environ, lambda *given: len(given) == 3 and start_response(*given))

    answer = Server().serve(marked(app, waits=True))
    assert [str(error) for error in answer.errors] == ["lost"]


def test_a_started_response_is_replaced_as_it_is():
    # The application replaces its response where the server has not sent anything yet.
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        return replacing([b""])(environ, lambda *given: len(given) == 3 and start_response(*given))

    given = []
    body = marked(app)({}, lambda *response: given.append(response))
    assert list(body) == [b"", b"replaced"]
    assert [status for status, *_ in given] == ["200 OK", "503 Service Unavailable"]
    assert given[1][1] == TEXT
    assert isinstance(given[1][2][1], LookupError)


def test_an_error_after_transformed_content_breaks_the_response():
    answer = Server().serve(validator(marked(replacing([b"sent"]))))
    assert (answer.line, answer.sent) == ("Status: 200 OK", b"[sent]")
    assert [str(error) for error in answer.errors] == ["lost"]


def test_a_refused_replacement_leaves_the_transformer():
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        yield b"a"
        try:
            raise LookupError
        except LookupError:
            with pytest.raises(LookupError):
                start_response("503 Service Unavailable", TEXT, sys.exc_info())
        yield b"b"

    assert Server().serve(validator(marked(app))).sent == b"[a][b]."


def test_a_response_that_was_let_through_is_replaced_as_it_is():
    def app(environ, start_response):
        start_response("200 OK", [("X-Plain", "1")])
        return replacing()(environ, lambda *given: len(given) == 3 and start_response(*given))

    assert Server().serve(marked(app)).sent == b"replaced"


def test_a_response_without_content_may_be_replaced_late():
    def app(environ, start_response):
        start_response("200 OK", sized(0))
        yield b""
        try:
            raise LookupError
        except LookupError:
            start_response("503 Service Unavailable", TEXT, sys.exc_info())
        yield b"replaced"

    assert list(transform(app, {}, nothing, lambda *response: Kept())) == [b"", b"replaced"]


def test_start_response_twice_is_refused():
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        start_response("200 OK", TEXT)

    with pytest.raises(RuntimeError, match="twice"):
        marked(app)({}, nothing)


def test_exc_info_without_an_error_replaces_what_is_held():
    def app(environ, start_response):
        start_response("200 OK", TEXT)
        start_response("201 Created", TEXT, (None, None, None))
        return [b"a"]

    assert Server().serve(marked(app)).line == "Status: 201 Created"


@pytest.mark.parametrize("waits", [False, True], ids=["", "waits"])
@pytest.mark.parametrize("headers", [TEXT, sized(9)], ids=["", "length"])
@pytest.mark.parametrize("make", [answering, late])
@pytest.mark.parametrize("blocks", [0, 1], ids=["at once", "later"])
def test_an_error_in_iteration_ends_a_transformed_response(make, headers, waits, blocks):
    inner = Body(*[b"a"] * blocks, LookupError("lost"))
    answer = Server().serve(marked(validator(make(inner, headers=headers)), waits=waits))
    assert [str(error) for error in answer.errors] == ["lost"]
    assert not answer.sent.endswith(b".")
    assert inner.closed == 1


def test_an_error_in_the_call_passes_and_the_held_response_is_gone():
    given = []
    with pytest.raises(LookupError):
        marked(started_then_failing)({}, lambda *response: given.append(response))
    assert given == []


@pytest.mark.parametrize("make", [answering, late])
@pytest.mark.parametrize("headers", [TEXT, sized(2)], ids=["", "length"])
@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_a_transformed_body_that_is_broken_off_is_closed(make, headers, blocks):
    inner = Body(b"a", b"b")
    body = marked(make(inner, headers=headers))({}, nothing)
    assert len([*islice(body, blocks)]) == blocks
    body.close()
    body.close()
    assert inner.closed == 1


@pytest.mark.parametrize("headers", [TEXT, sized(1)], ids=["", "length"])
@pytest.mark.parametrize("where", ["begin", "whole", "stream", "start_response"])
def test_an_error_of_a_transformer_closes_the_body(where, headers):
    def fail(*arguments):
        raise LookupError(where)

    class Failing(Kept):
        whole = fail if where == "whole" else Kept.whole
        stream = fail if where == "stream" else Kept.stream

    inner = Body(b"ab" if where == "stream" else b"a")
    begin = fail if where == "begin" else lambda status, headers: Failing()
    start_response = fail if where == "start_response" else nothing
    app = answering(inner, headers=sized(1) if where == "whole" else headers)
    with pytest.raises(LookupError, match=where):
        transform(app, {}, start_response, begin)
    assert inner.closed == (where != "begin")  # it was not there yet


@pytest.mark.parametrize("call", ["whole", "feed", "finish"])
def test_a_transformer_has_to_say_what_it_makes(call):
    with pytest.raises(NotImplementedError):
        getattr(Transformer(), call)(*[b""] * (call != "finish"))


def test_transforms_stand_in_each_other():
    inner = Body(b"a", b"b")
    answer = Server().serve(validator(marked(validator(marked(validator(answering(inner)))))))
    assert (answer.sent, inner.closed) == (b"[[a]][[b]][.].", 1)
