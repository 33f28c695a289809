from __future__ import annotations

import ast
import types

import pytest

from wsgikit.debug.tracebacks import MAX_FAILURES, MAX_FRAMES, MAX_LOCALS, Failure


def caught(program: str, *, name: str = "shop", file: str = "<shop>") -> BaseException:
    """What running ``program`` raises."""
    namespace: dict[str, object] = {"__name__": name}
    try:
        exec(compile(program, file, "exec"), namespace)
    except BaseException as error:
        # Without the frame of this test.
        return error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
    raise AssertionError("nothing was raised")


def here() -> BaseException:
    name = "ada"
    password = "hunter2"
    try:
        ä = {"ü": name, "x": password}; ä["gross"]  # fmt: skip # noqa: E702
    except KeyError as error:
        return error
    raise AssertionError


def test_frame_tells_where_it_was() -> None:
    (failure,) = Failure.chain(here())
    assert (failure.kind, failure.message, failure.relation) == ("KeyError", "'gross'", "")
    (frame,) = failure.frames
    assert frame.function == "here"
    assert frame.file == __file__
    assert frame.mine
    line = next(line for line in frame.lines if line.number == frame.number)
    assert line.text[line.start : line.end] == 'ä["gross"]'
    # Only the function is shown, without its indentation where all of it has one.
    assert frame.lines[0].text == "def here() -> BaseException:"
    assert frame.lines[-1].text == "    raise AssertionError"


def test_secret_locals_are_hidden() -> None:
    (failure,) = Failure.chain(here())
    variables = dict(failure.frames[0].locals)
    assert variables["name"] == "'ada'"
    assert variables["password"] == "[redacted]"


def test_statement_of_several_lines_is_marked_to_the_end_of_its_first() -> None:
    def divide() -> float:
        return 1 / (
            len("")
        )  # fmt: skip

    with pytest.raises(ZeroDivisionError) as caught_here:
        divide()
    frame = Failure.chain(caught_here.value)[0].frames[0]
    line = next(line for line in frame.lines if line.number == frame.number)
    assert line.text[line.start : line.end] == "1 / ("


def test_code_without_source_and_columns_has_none() -> None:
    error = caught("raise ValueError")
    (frame,) = Failure.chain(error)[0].frames
    assert (frame.file, frame.lines) == ("<shop>", [])


def test_code_whose_columns_are_not_known_is_not_marked() -> None:
    tree = ast.parse("raise ValueError\n" * 100)
    for node in ast.walk(tree):
        if hasattr(node, "col_offset"):
            node.col_offset = node.end_col_offset = -1
    with pytest.raises(ValueError) as caught_here:  # noqa: PT011
        exec(compile(tree, __file__, "exec"), {"__name__": "shop"})
    frame = Failure.chain(caught_here.value)[0].frames[0]
    assert frame.lines
    assert all((line.start, line.end) == (0, 0) for line in frame.lines)


@pytest.mark.parametrize(
    ("name", "file", "mine"),
    [
        pytest.param("shop", "/home/me/shop.py", True, id="own"),
        pytest.param("shop", "<template>", True, id="template"),
        pytest.param("wsgikit.router", "/home/me/wsgikit/router.py", False, id="wsgikit"),
        pytest.param("wsgikit.demo", "/home/me/wsgikit/demo.py", True, id="demo"),
        pytest.param("wsgikitten", "/home/me/wsgikitten.py", True, id="similar-name"),
        pytest.param("json", types.__file__, False, id="standard-library"),
        pytest.param("x", "/venv/lib/python3/site-packages/x.py", False, id="installed"),
        pytest.param("x", "<frozen importlib._bootstrap>", False, id="frozen"),
    ],
)
def test_whose_code_it_is(name: str, file: str, mine: bool) -> None:
    error = caught("raise ValueError", name=name, file=file)
    assert Failure.chain(error)[0].frames[0].mine is mine


def test_recursion_is_cut_in_the_middle() -> None:
    def deeper(level: int) -> None:
        if level:
            deeper(level - 1)
        raise ValueError

    with pytest.raises(ValueError) as caught_here:  # noqa: PT011
        deeper(100)
    (failure,) = Failure.chain(caught_here.value)
    assert len(failure.frames) == MAX_FRAMES
    assert failure.left_out == 102 - MAX_FRAMES
    assert dict(failure.frames[0].locals)["level"] == "0"


def test_cause_and_context() -> None:
    error = caught(
        "try:\n"
        "    try:\n"
        "        1 / 0\n"
        "    except ZeroDivisionError:\n"
        "        {}['a']\n"
        "except KeyError as error:\n"
        "    raise ValueError('v') from error\n"
    )
    chain = [(failure.kind, failure.relation) for failure in Failure.chain(error)]
    assert chain == [("ValueError", ""), ("KeyError", "cause"), ("ZeroDivisionError", "context")]


def test_suppressed_context_is_not_told() -> None:
    error = caught("try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise ValueError from None\n")
    assert len(Failure.chain(error)) == 1


def test_circle_of_causes_ends() -> None:
    first, second = ValueError(1), ValueError(2)
    first.__cause__, second.__cause__ = second, first
    assert [failure.message for failure in Failure.chain(first)] == ["1", "2"]


def test_long_chains_and_wide_groups_are_cut() -> None:
    error = ValueError("last")
    for _ in range(50):
        following = ValueError()
        following.__cause__ = error
        error = following
    assert len(Failure.chain(error)) == MAX_FAILURES
    (failure,) = Failure.chain(ExceptionGroup("many", [ValueError()] * 50))
    assert len(failure.parts) == MAX_FAILURES


def test_groups_within_groups() -> None:
    error: Exception = ValueError("innermost")
    for level in range(6):
        error = ExceptionGroup(f"level {level}", [error, KeyError(level)])
    (failure,) = Failure.chain(error)
    depth = 0
    while failure.parts:
        assert [part[0].relation for part in failure.parts] == ["part", "part"]
        failure, depth = failure.parts[0][0], depth + 1
    assert depth == 3


def test_names_of_classes() -> None:
    class Own(Exception):
        pass

    (failure,) = Failure.chain(Own())
    assert failure.kind == f"{__name__}.test_names_of_classes.<locals>.Own"


def test_text_that_raises_and_notes_that_are_none() -> None:
    class Broken(Exception):
        __notes__ = "no list"

        def __str__(self) -> str:
            raise RuntimeError

    (failure,) = Failure.chain(Broken())
    assert failure.message == "<str() of it raised RuntimeError>"
    assert failure.notes == []


def test_notes() -> None:
    error = ValueError()
    error.add_note("look there")
    assert Failure.chain(error)[0].notes == ["look there"]


def test_very_many_locals_are_counted() -> None:
    names = "\n".join(f"v{number} = {number}" for number in range(MAX_LOCALS + 5))
    frame = Failure.chain(caught(f"{names}\nraise ValueError"))[0].frames[0]
    assert (len(frame.locals), frame.more) == (MAX_LOCALS, 5)


def test_namespace_that_cannot_be_read_is_empty() -> None:
    class Namespace(dict):  # type: ignore[type-arg]
        def items(self) -> object:  # type: ignore[override]
            raise RuntimeError

    with pytest.raises(ValueError) as caught_here:  # noqa: PT011
        exec(compile("raise ValueError", "<shop>", "exec"), {}, Namespace())
    frame = Failure.chain(caught_here.value)[0].frames[0]
    assert frame.file == "<shop>"
    assert (frame.locals, frame.more) == ([], 0)


def test_error_without_traceback() -> None:
    assert Failure.chain(ValueError())[0].frames == []
