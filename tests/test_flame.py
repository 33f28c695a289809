"""The clock stands still unless a part says that it works, so every time is known exactly."""

from __future__ import annotations

import itertools
from io import BytesIO

import pytest
from hypothesis import given

import wsgikit
from tests.test_composition import Failure, Ledger, applications, build, play, stacks
from wsgikit import Router, flame, stack
from wsgikit.apps import cascade
from wsgikit.flame import Flame, Share
from wsgikit.middleware import allowed_hosts, conditional, errors, etag
from wsgikit.wrap import on_start

PLAIN = [("Content-Type", "text/plain")]


class Clock:
    """Nanoseconds that pass by ``work`` only."""

    def __init__(self):
        self.now = 0

    def work(self, microseconds):
        self.now += microseconds * 1000

    def __call__(self):
        return self.now


def times(measured):
    """Each part in microseconds: its name, what it did, its own time, the total."""
    return [
        (
            part.name,
            *(round(seconds * 1e6) for seconds in (part.call, part.start, part.body, part.close)),
            round(part.own * 1e6),
            round(part.total * 1e6),
        )
        for part in measured.parts
    ]


class Body:
    """Blocks, each of which takes its time."""

    def __init__(self, clock, blocks, each, at_end):
        self.clock, self.blocks, self.each, self.at_end = clock, iter(blocks), each, at_end

    def __iter__(self):
        return self

    def __next__(self):
        self.clock.work(self.each)
        return next(self.blocks)

    def close(self):
        self.clock.work(self.at_end)
        getattr(self.blocks, "close", tuple)()


def test_each_part_is_charged_for_what_it_does():
    clock = Clock()

    def app(environ, start_response):
        clock.work(10)
        write = start_response("200 OK", PLAIN)
        write(b"a")
        clock.work(10)
        return Body(clock, [b"b", b"c"], each=5, at_end=3)

    def slow(app):
        def start(status, headers):
            clock.work(40)
            return status, headers

        def answer(environ, start_response):
            clock.work(1)
            body = app(environ, on_start(start_response, start))
            clock.work(2)
            return Body(clock, body, each=100, at_end=1000)

        return answer

    measured = flame(stack(slow, app), runs=3, clock=clock)
    name = times(measured)[0][0]
    assert times(measured) == [
        (name, 3, 40, 300, 1000, 1343, 1381),
        ("test_each_part_is_charged_for_what_it_does.app", 20, 0, 15, 3, 38, 38),
    ]
    assert (measured.status, measured.size, measured.blocks) == ("200 OK", 3, 3)
    assert (measured.request, measured.runs) == ("GET /", 3)


def test_time_is_the_median_of_the_runs():
    clock = Clock()
    turns = itertools.chain([500, 500, 500, 1, 90, 2], itertools.repeat(2))

    def app(environ, start_response):
        clock.work(next(turns))
        start_response("200 OK", PLAIN)
        return []

    assert times(flame(app, runs=5, clock=clock))[0][-1] == 2  # of 1, 90, 2, 2, 2


def test_the_answer_that_comes_oftenest_is_shown():
    clock = Clock()
    left = iter(range(8))

    def limit(app):
        def refuse(environ, start_response):
            clock.work(1)
            start_response("429 Too Many Requests", PLAIN)
            return [b"no"]

        return lambda *args: (app if next(left, None) is not None else refuse)(*args)

    def app(environ, start_response):
        clock.work(50)
        start_response("200 OK", PLAIN)
        return [b"yes"]

    measured = flame(stack(limit, app), runs=20, clock=clock)
    assert (measured.status, measured.size, measured.runs) == ("429 Too Many Requests", 2, 15)
    assert [part.total * 1e6 for part in measured.parts] == [pytest.approx(1)]


def test_a_layer_that_answers_is_the_last_part():
    measured = flame(stack(errors(), allowed_hosts(hosts=["a.example"]), refuse), runs=1)
    assert measured.status == "421 Misdirected Request"
    assert [part.name for part in measured.parts][1:] == ["allowed_hosts(hosts=['a.example'])"]
    assert len(flame(refuse, "GET https://a.example/", runs=1).parts) == 1


def refuse(environ, start_response):
    start_response("404 Not Found", PLAIN)
    return [b""]


def test_layers_treat_lists_and_files_as_always():
    seen = []

    def look(app):
        def answer(environ, start_response):
            body = app(environ, start_response)
            seen.append((type(body), isinstance(body, environ["wsgi.file_wrapper"])))
            return body

        return answer

    def listed(environ, start_response):
        start_response("200 OK", PLAIN)
        return [b"a"]

    def file(environ, start_response):
        start_response("200 OK", PLAIN)
        return environ["wsgi.file_wrapper"](BytesIO(b"ab"))

    assert flame(stack(look, look, listed), runs=1).size == 1
    assert {kind for kind, _ in seen} == {list}
    seen.clear()
    assert flame(stack(look, look, file), runs=1).size == 2
    assert {is_file for _, is_file in seen} == {True}


def test_the_request_is_the_one_that_was_asked_for():
    router = Router()

    @router.post("/items/{id:int}")
    def item(request, id):
        return f"{id} {request.headers['X-A']} {request.query['b']} {request.body!r}"

    measured = flame(router, "POST /items/3?b=c", headers=[("X-A", "d")], runs=2)
    assert (measured.status, measured.size) == ("200 OK", len("3 d c b''"))
    tagged = stack(conditional(), etag(), router)
    measured = flame(tagged, "POST /items/x", runs=1)
    assert measured.status == "404 Not Found"


@pytest.mark.parametrize("runs", [0, -1, 1.5, True, None])
def test_runs_are_a_number(runs):
    with pytest.raises(ValueError, match="runs takes a number from 1 on"):
        flame(refuse, runs=runs)


def test_what_is_raised_passes():
    def failing(environ, start_response):
        raise LookupError("here")

    def failing_later(environ, start_response):
        start_response("200 OK", PLAIN)
        yield b"a"
        raise LookupError("there")

    for app in failing, failing_later:
        with pytest.raises(LookupError, match="here"):
            flame(stack(lambda app: lambda *args: app(*args), app))
    assert flame(stack(errors(), failing), runs=1).status == "500 Internal Server Error"


def test_an_application_that_starts_no_response():
    with pytest.raises(RuntimeError, match="start_response was not called"):
        flame(lambda environ, start_response: [])


@given(chosen=stacks, application=applications())
def test_random_stacks_can_be_measured(chosen, application):
    ledger = Ledger()
    app = build(chosen, play(*application, ledger), ledger, None)
    try:
        measured = flame(app, runs=1)
    except Failure:
        pass
    else:
        assert len(measured.parts) <= 2 * len(chosen) + 1
        assert measured.parts[0].total == pytest.approx(sum(part.own for part in measured.parts))
        lines = str(measured).splitlines()
        assert len(lines) == 4 + len(measured.parts)
        assert max(map(len, lines[1:])) <= 80
    assert ledger.closed == ledger.opened


def test_applications_that_are_asked_one_after_the_other():
    clock = Clock()

    def first(environ, start_response):
        clock.work(10)
        start_response("404 Not Found", PLAIN)
        return []

    def second(environ, start_response):
        clock.work(30)
        start_response("200 OK", PLAIN)
        return []

    router = Router()
    router.add("/", second)
    measured = flame(cascade(stack(errors(), first), router), runs=3, clock=clock)
    assert [(part.name.rpartition(".")[2], part.total * 1e6) for part in measured.parts] == [
        ("cascade", pytest.approx(40)),
        ("errors()", pytest.approx(10)),
        ("first", pytest.approx(10)),
        ("Router", pytest.approx(30)),
        ("second", pytest.approx(30)),
    ]
    bars = [line.split(maxsplit=3)[3] for line in measured.drawn(83).splitlines()[4:]]
    assert bars == ["░" * 36, "░" * 9, "█" * 9, "░" * 27, "█" * 27]


# drawing


def drawn(*parts, width=80, **options):
    made = [Share(name, 0.0, 0.0, seconds, 0.0) for name, seconds in parts]
    for outer, inner in zip(made[-2::-1], made[:0:-1], strict=True):
        outer.total = outer.own + inner.total
    given = {"request": "GET /", "status": "200 OK", "size": 5, "blocks": 1, "runs": 50}
    return Flame(parts=made, **{**given, **options}).drawn(width).splitlines()


def test_the_dark_of_all_bars_is_the_whole():
    assert drawn(("errors()", 0.00001), ("slow", 0.00002), ("hello", 0.00001), width=60) == [
        "GET /",
        "200 OK, 5 bytes, median of 50 runs",
        "",
        "            own µs    total",
        "errors()      10.0     40.0 ████████░░░░░░░░░░░░░░░░░░░░░░░░",
        "slow          20.0     30.0         ████████████████░░░░░░░░",
        "hello         10.0     10.0                         ████████",
    ]


@pytest.mark.parametrize("width", [1, 60, 80, 200])
def test_it_has_the_width_that_it_is_given(width):
    lines = drawn((f"a({'b' * 200})", 0.00001), ("hello", 0.000001), ("c", 0.0), width=width)
    assert max(map(len, lines)) == max(width, 60)
    assert "b…" in lines[4]


def test_long_times_are_milliseconds():
    assert drawn(("hello", 0.01234))[3:] == [
        "         own ms    total",
        f"hello     12.34    12.34 {'█' * 55}",
    ]


def test_blocks_are_told_where_there_are_several():
    assert drawn(("hello", 1e-5), blocks=3)[1] == "200 OK, 5 bytes in 3 blocks, median of 50 runs"
    assert drawn(("hello", 1e-5), blocks=0, size=0)[1] == "200 OK, 0 bytes, median of 50 runs"


def test_no_time_at_all_can_be_drawn():
    assert drawn(("hello", 0.0))[-1] == "hello       0.0      0.0"


def test_it_shows_itself():
    measured = flame(refuse, runs=1, clock=Clock())
    assert repr(measured) == "<Flame of GET /: 0.0 µs>"
    assert repr(measured.parts[0]) == "<Share refuse: 0.0 of 0.0 µs>"
    assert str(measured) == measured.drawn(80)


def test_it_is_public():
    assert wsgikit.flame is flame
