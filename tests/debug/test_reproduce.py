from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from html import unescape
from importlib.machinery import ModuleSpec
from types import ModuleType
from wsgiref.util import setup_testing_defaults

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from webtest import TestApp

from wsgikit import Request, Router, stack
from wsgikit.debug.reproduce import MAX_KEPT, Recording, as_curl, as_test, importable
from wsgikit.middleware import debugger, errors


def environ(**changes: str) -> dict[str, object]:
    made: dict[str, object] = {"QUERY_STRING": ""}
    setup_testing_defaults(made)
    made.update(HTTP_HOST="localhost:8000", **changes)
    return made


def recorded(body: bytes = b"") -> Recording:
    recording = Recording(io.BytesIO(body))
    recording.read()
    return recording


# The body


def test_recording_reads_as_the_stream_does() -> None:
    body = Recording(io.BytesIO(b"a\nb\nc\nd\ne\n12345"))
    assert body.read(2) == b"a\n"
    assert body.readline() == b"b\n"
    assert next(body) == b"c\n"
    assert body.readlines(2) == [b"d\n"]
    assert list(body) == [b"e\n", b"12345"]
    assert body.size == 15
    assert body.text("") == ("a\nb\nc\nd\ne\n12345", "")
    assert body.tell() == 15


def test_large_body_is_not_kept() -> None:
    text, remark = recorded(b"x" * (MAX_KEPT + 1)).text("text/plain")
    assert text is None
    assert remark == f"the body is cut: {MAX_KEPT + 1} bytes were read"


@pytest.mark.parametrize("body", [b"\xff", b"a\0b"], ids=["no-utf-8", "control"])
def test_binary_body_is_left_out(body: bytes) -> None:
    text, remark = recorded(body).text("")
    assert text is None
    assert "no text" in remark


def test_multipart_body_is_left_out_as_its_secrets_have_no_names_beside_them() -> None:
    text, remark = recorded(b"--x").text("Multipart/form-data; boundary=x")
    assert text is None
    assert "multipart" in remark.lower()


# curl


def in_a_shell(command: str) -> list[str]:
    """The arguments that a POSIX shell gives to curl."""
    script = "curl() { printf '%s\\0' \"$@\"; }\n" + command
    done = subprocess.run(["sh", "-s"], input=script.encode(), capture_output=True, check=True)
    assert not done.stderr
    return done.stdout.decode().split("\0")[:-1]


def test_curl_of_a_plain_get() -> None:
    made = environ(PATH_INFO="/a b/../ü".encode().decode("latin-1"), QUERY_STRING="q='x'&[1]")
    assert as_curl(made, recorded()) == (
        "curl --globoff --path-as-is 'http://localhost:8000/a%20b/../%C3%BC?q='\"'\"'x'\"'\"'&[1]'\n"
    )


def test_curl_of_a_post() -> None:
    made = environ(
        REQUEST_METHOD="POST",
        CONTENT_TYPE="application/json",
        CONTENT_LENGTH="9",
        HTTP_X_EMPTY="",
        HTTP_COOKIE="a=b",
        HTTP_SEC_FETCH_SITE="none",
        HTTP_X_NAME="Grüße".encode().decode("latin-1"),
    )
    arguments = in_a_shell(as_curl(made, recorded(b'{"it\'s": 1}')))
    assert arguments == [
        "--globoff", "--path-as-is", "http://localhost:8000/",
        "--request", "POST",
        "--header", "Content-Type: application/json",
        "--header", "X-Empty;",
        "--header", "Cookie: [redacted]",
        "--header", "X-Name: Grüße",
        "--data-raw", "{\"it's\": 1}",
    ]  # fmt: skip


def test_curl_of_a_body_without_a_type_sends_none() -> None:
    arguments = in_a_shell(as_curl(environ(REQUEST_METHOD="PUT"), recorded(b"@file")))
    assert arguments[-4:] == ["--header", "Content-Type:", "--data-raw", "@file"]


def test_curl_of_a_head() -> None:
    assert "--head" in as_curl(environ(REQUEST_METHOD="HEAD"), recorded())


def test_curl_tells_what_it_leaves_out() -> None:
    command = as_curl(environ(REQUEST_METHOD="POST"), recorded(b"\0"))
    assert command.startswith("# the body is left out")
    assert "--data-raw" not in command


# What a server can put into an environ; a NUL is in no command.
NATIVE = st.text(alphabet=st.characters(min_codepoint=1, max_codepoint=255))


@settings(max_examples=30)
@given(NATIVE, NATIVE, NATIVE)
def test_no_request_breaks_out_of_the_command(query: str, method: str, value: str) -> None:
    made = environ(QUERY_STRING=query, REQUEST_METHOD="M" + method, HTTP_X=value)
    arguments = in_a_shell(as_curl(made, recorded()))
    assert arguments[:2] == ["--globoff", "--path-as-is"]
    assert arguments[2].startswith("http://localhost:8000/")
    assert arguments[3:5] == ["--request", "M" + method]
    assert [text[:1] for text in arguments[5:]] in ([], ["-", "X"])


# A test to run


def run_test(source: str) -> None:
    namespace: dict[str, object] = {}
    exec(compile(source, "<test>", "exec"), namespace)
    (test,) = (value for name, value in namespace.items() if name.startswith("test_"))
    test()  # type: ignore[operator]


@pytest.fixture
def module() -> Iterator[ModuleType]:
    made = ModuleType("a_shop")
    sys.modules["a_shop"] = made
    yield made
    del sys.modules["a_shop"]


def test_test_runs_and_fails_until_the_failure_is_mended(module: ModuleType) -> None:
    router = Router()
    seen = []
    broken = True

    @router.post("/orders/{name}")
    def order(request: Request, name: str) -> str:
        seen.append((request.url, request.text, dict(request.headers.items())["X-Name"]))
        if broken:
            raise ValueError
        return "done"

    module.app = stack(errors(), debugger(), router)
    page = TestApp(module.app, extra_environ={"REMOTE_ADDR": "127.0.0.1"}).post(
        '/orders/a\'b%C3%BC?x="1"&y=%20',
        '{"it\'s": "\u00fc"}'.encode(),
        headers={"Accept": "text/html", "X-Name": "é'", "Content-Type": "application/json"},
        status=500,
    )
    text = unescape(page.text.partition('<pre id="test" tabindex="0">')[2].partition("</pre>")[0])
    assert "from a_shop import app\n" in text
    with pytest.raises(AssertionError):
        run_test(text)
    broken = False
    run_test(text)
    assert len(seen) == 3
    assert seen[0] == seen[1] == seen[2]


def test_test_for_an_application_that_was_not_found_says_so() -> None:
    source = as_test(environ(PATH_INFO="/"), recorded(), None)
    assert "from myproject import app  # your application" in source
    assert "def test_get() -> None:" in source
    assert "headers=" not in source
    compile(source, "<test>", "exec")


def test_test_tells_what_it_leaves_out() -> None:
    source = as_test(environ(REQUEST_METHOD="POST"), recorded(b"\0"), ("shop", "app"))
    assert "    # the body is left out" in source
    assert "body=" not in source
    compile(source, "<test>", "exec")


@given(
    st.text(alphabet=st.characters(max_codepoint=255)),
    st.text(),
    st.text(),
    st.text(alphabet=st.characters(max_codepoint=255)),
)
def test_any_request_makes_a_program(path: str, query: str, method: str, value: str) -> None:
    made = environ(PATH_INFO=path, QUERY_STRING=query, REQUEST_METHOD=method, HTTP_X=value)
    compile(as_test(made, recorded(value.encode()), None), "<test>", "exec")


# Where the application is


def app(environ: object, start_response: object) -> list[bytes]:
    return []


def test_outermost_part_of_the_stack_is_found(module: ModuleType) -> None:
    module.inner = debugger(app)
    module.outer = stack(errors(), errors(), module.inner)
    module.other = stack(errors(), app)
    assert importable(module.inner) == ("a_shop", "outer")


def test_what_is_in_no_module_is_not_found() -> None:
    assert importable(debugger(app)) is None


def test_name_that_cannot_be_written_is_not_taken(module: ModuleType) -> None:
    inner = debugger(app)
    setattr(module, "no name", inner)
    assert importable(inner) is None


def test_stack_under_an_object_that_is_no_function_is_not_found(module: ModuleType) -> None:
    inner = debugger(app)

    def outer() -> None: ...

    outer.__wrapped__ = partial(inner)  # type: ignore[attr-defined]
    module.outer = outer
    assert importable(inner) is None


def test_circle_of_wrappers_ends(module: ModuleType) -> None:
    def outer() -> None: ...

    outer.__wrapped__ = outer  # type: ignore[attr-defined]
    module.outer = outer
    assert importable(debugger(app)) is None


@pytest.mark.parametrize(
    ("name", "file", "expected"),
    [
        pytest.param(None, "/home/me/shop.py", "shop", id="program"),
        pytest.param(None, r"C:\me\shop.py", "shop", id="program-on-windows"),
        pytest.param("shop.main", "/x/main.py", "shop.main", id="python-m"),
    ],
)
def test_program_is_imported_by_its_name(
    name: str | None, file: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = ModuleType("__main__")
    main.__file__ = file
    main.__spec__ = ModuleSpec(name, None) if name else None
    main.app = inner = debugger(app)
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert importable(inner) == (expected, "app")
