from __future__ import annotations

import io
import json
from wsgiref.util import setup_testing_defaults

import pytest

from wsgikit import page
from wsgikit.debug.page import traceback_page
from wsgikit.debug.reproduce import Recording
from wsgikit.debug.style import PAGE_HEADERS
from wsgikit.response import Response


def drawn(error: BaseException, **changes: str) -> str:
    environ: dict[str, object] = {"QUERY_STRING": ""}
    setup_testing_defaults(environ)
    environ.update(changes)
    return traceback_page(error, environ, Recording(io.BytesIO()), Response(""))


def raised(make: object) -> BaseException:
    try:
        make()  # type: ignore[operator]
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def test_own_frames_are_open_and_those_of_libraries_are_folded() -> None:
    text = drawn(raised(lambda: json.loads("{")))
    assert text.count('<details class="frame" open>') == 2
    assert text.count('<details class="foreign"><summary>3 frames of libraries</summary>') == 1
    assert text.count('<details class="frame">') == 3


def test_where_nothing_is_ones_own_the_place_of_the_error_is_open() -> None:
    error = raised(lambda: json.loads("{"))
    assert error.__traceback__ is not None
    assert error.__traceback__.tb_next is not None
    text = drawn(error.with_traceback(error.__traceback__.tb_next.tb_next))
    assert text.count('<details class="frame" open>') == 1
    assert "<summary>2 frames of libraries</summary>" in text


def test_single_frame_of_a_library() -> None:
    error = raised(lambda: json.loads(1))  # type: ignore[arg-type]
    assert "<summary>1 frame of libraries</summary>" in drawn(error)


def test_running_part_of_the_line_is_marked() -> None:
    assert "<mark>json.loads(&quot;{&quot;)</mark>" in drawn(raised(lambda: json.loads("{")))


def test_locals_are_open_in_the_nearest_own_frame() -> None:
    def divide(number: int, many: int) -> float:
        return number / 0

    text = drawn(raised(lambda: divide(7, 8)))
    assert '<details class="locals" open><summary>2 local variables</summary>' in text
    assert '<tr><th scope="row">number</th><td>7</td></tr>' in text
    assert '<details class="locals"><summary>1 local variable</summary>' in text


def test_locals_that_are_not_shown_are_counted() -> None:
    program = "\n".join(f"v{number} = 1" for number in range(50)) + "\nraise ValueError"
    text = drawn(raised(lambda: exec(program, {"__name__": "shop"})))
    assert "50 local variables" in text
    assert '<tr><th scope="row">…</th><td>10 more</td></tr>' in text
    assert "There is no source to show." in text


def test_recursion_tells_how_many_frames_are_left_out() -> None:
    def deeper(level: int) -> None:
        if level == 0:
            raise ValueError
        deeper(level - 1)

    text = drawn(raised(lambda: deeper(60)))
    assert "<p>23 frames in the middle are left out.</p>" in text
    assert text.count('<details class="frame" open>') == 4


def test_notes_causes_and_parts_of_a_group() -> None:
    part = ValueError("part")
    part.__cause__ = KeyError("deep")
    part.add_note("look <there>")
    error = ExceptionGroup("many", [part])
    error.__context__ = IndexError("before")
    text = drawn(error)
    assert '<p class="note">look &lt;there&gt;</p>' in text
    assert '<p class="relation">Caused by</p>' in text
    assert "<h2>Raised while handling</h2>" in text
    assert '<h3 class="message"><code>IndexError</code> before</h3>' in text


def test_error_without_message() -> None:
    text = drawn(ValueError())
    assert "<title>ValueError</title>" in text
    assert "No message" in text


def test_folder_is_told_from_here(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.chdir(str(tmp_path))
    program = compile("raise ValueError", f"{tmp_path}/shop/views.py", "exec")
    assert "shop/<b>views.py:1</b>" in drawn(raised(lambda: exec(program, {})))
    program = compile("raise ValueError", f"{tmp_path}/views.py", "exec")
    assert '<span class="place"><b>views.py:1</b>' in drawn(raised(lambda: exec(program, {})))
    program = compile("raise ValueError", f"{tmp_path}2/views.py", "exec")
    assert f"{tmp_path}2/<b>views.py:1</b>" in drawn(raised(lambda: exec(program, {})))


def test_variables_of_the_process_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_SETTING", "a7f3")
    text = drawn(ValueError(), SHOP_SETTING="a7f3", SHOP_OTHER="b8e4")
    assert "a7f3" not in text
    assert "b8e4" in text


def test_page_is_sent_with_the_policy_of_all_pages_and_its_own_script() -> None:
    fields = dict(PAGE_HEADERS)
    assert fields["Content-Security-Policy"].startswith(
        dict(page.HEADERS)["Content-Security-Policy"]
    )
    assert {name for name, _ in page.HEADERS} < set(fields)
