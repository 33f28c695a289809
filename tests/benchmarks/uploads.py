"""Multipart forms: small and large, of many parts, and of what is worst for a parser.

Each contestant decodes all fields and keeps files in a temporary file, as it does by default beyond
some size. Those called ``push`` are parsers alone: they count the bytes of files, and drop them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import SEEK_END
from statistics import median
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from tests.benchmarks.bare import TEXT
from tests.benchmarks.exchange import Exchange
from tests.benchmarks.harness import Settings, race, ratio
from tests.benchmarks.peers import bottle, multipart, python_multipart, werkzeug
from tests.benchmarks.report import heading, verdict
from tests.benchmarks.upload_memory import measure_memory
from wsgikit import Request
from wsgikit.http.multipart import MultipartParser, parse_boundary
from wsgikit.http.parts import Part

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
LINE = f"\r\n--{BOUNDARY}".encode()
LARGE = 10 * 1024 * 1024  # bytes of a file
WORST = 2 * 1024 * 1024  # of one that takes some contestants a time that grows with its square

PARTS = 20_000  # what every contestant takes, for the two of many parts
MEMORY = 4 * 1024 * 1024

# What a contestant found: how many fields, the characters of their values, the bytes of files.
Found = tuple[int, int, int]


@dataclass(frozen=True)
class Case:
    """A form, and what is to be reached with it."""

    fields: Sequence[str]  # values
    file: bytes = b""
    factor: float | None = None  # of the best peer's time
    pace: float | None = None  # MB/s, of the parser alone

    def body(self) -> bytes:
        parts = [
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="field{number}"\r\n\r\n'
            f"{value}\r\n".encode()
            for number, value in enumerate(self.fields)
        ]
        if self.file:
            parts.append(
                f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n".encode()
                + self.file
                + b"\r\n"
            )
        return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])

    def exchange(self) -> Exchange:
        body = self.body()
        found = len(self.fields), sum(map(len, self.fields)), len(self.file)
        environ = {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": f"multipart/form-data; boundary={BOUNDARY}",
            "CONTENT_LENGTH": str(len(body)),
        }
        return Exchange("/", 200, "text/plain", repr(found).encode(), environ, body)


def filled(pattern: bytes) -> bytes:
    return (pattern * (WORST // len(pattern) + 1))[:WORST]


CASES = {
    "ten fields": Case(["Zoë Price"] * 10, factor=0.75),
    "500 parts": Case(["a value"] * 500, factor=0.9),
    "10,000 parts": Case(["a value"] * 10_000),
    "10 MB file": Case([], random.Random(1).randbytes(LARGE), factor=1.0),
    "CR LF": Case([], filled(b"\r\n"), pace=1500),
    "CR": Case([], filled(b"\r"), pace=1500),
    "near-boundary, end": Case([], filled(LINE[:-1] + b"x"), pace=1500),
    "near-boundary, start": Case([], filled(LINE[1:]), pace=1500),
    "near-boundary, middle": Case([], filled(LINE[:20] + b"x" + LINE[21:]), pace=1500),
}


def application(read: Callable[[WSGIEnvironment], Found]) -> WSGIApplication:
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = repr(read(environ)).encode()
        start_response("200 OK", [("Content-Type", TEXT), ("Content-Length", str(len(body)))])
        return [body]

    return answer


def found(values: Iterable[str], size: int) -> Found:
    values = list(values)
    return len(values), sum(map(len, values)), size


def length(file: Any) -> int:
    """Return how long a file is."""
    end: int = file.seek(0, SEEK_END)
    return end


def with_wsgikit() -> WSGIApplication:
    def read(environ: WSGIEnvironment) -> Found:
        with Request(environ).form(2 * LARGE, PARTS, max_memory=MEMORY) as form:
            size = sum(upload.size for _, upload in form.files.items())
            return found([value for _, value in form.items()], size)

    return application(read)


def with_wsgikit_push() -> WSGIApplication:
    def read(environ: WSGIEnvironment) -> Found:
        parser = MultipartParser(parse_boundary(environ["CONTENT_TYPE"]), max_fields=PARTS)
        stream, values, size = environ["wsgi.input"], {}, 0
        name, content, is_file = "", [], False
        while block := stream.read(262144):
            for event in parser.feed(block):
                if type(event) is bytes:
                    if is_file:
                        size += len(event)
                    else:
                        content.append(event)
                elif isinstance(event, Part):
                    name, content, is_file = event.name, [], event.original_filename is not None
                elif not is_file:
                    values[name] = b"".join(content).decode()
        parser.close()
        return found(values.values(), size)

    return application(read)


def with_multipart() -> WSGIApplication:
    def read(environ: WSGIEnvironment) -> Found:
        fields, files = multipart.parse_form_data(environ, strict=True, part_limit=PARTS)
        size = 0
        for _, file in files.iterallitems():
            size += file.size
            file.close()
        return found([value for _, value in fields.iterallitems()], size)

    return application(read)


def with_multipart_push() -> WSGIApplication:
    def read(environ: WSGIEnvironment) -> Found:
        _, options = multipart.parse_options_header(environ["CONTENT_TYPE"])
        values, size = {}, 0
        name, content, is_file = "", [], False
        length = int(environ["CONTENT_LENGTH"])
        with multipart.PushMultipartParser(options["boundary"], length) as parser:
            for event in parser.parse_blocking(environ["wsgi.input"].read):
                if event.__class__ is multipart.MultipartSegment:
                    name, content, is_file = event.name, [], event.filename is not None
                elif event:
                    if is_file:
                        size += len(event)
                    else:
                        content.append(event)
                elif not is_file:
                    values[name] = b"".join(content).decode()
        return found(values.values(), size)

    return application(read)


def with_python_multipart() -> WSGIApplication:
    def read(environ: WSGIEnvironment) -> Found:
        values, size = [], 0

        def on_field(field: Any) -> None:
            values.append(field.value.decode())

        def on_file(file: Any) -> None:
            nonlocal size
            size += file.size
            file.close()

        headers = {
            "Content-Type": environ["CONTENT_TYPE"].encode(),
            "Content-Length": environ["CONTENT_LENGTH"].encode(),
        }
        python_multipart.parse_form(headers, environ["wsgi.input"], on_field, on_file)
        return found(values, size)

    return application(read)


def with_werkzeug() -> WSGIApplication:
    class Uploads(werkzeug.Request):  # type: ignore[misc]
        max_form_parts = PARTS
        max_form_memory_size = None

    def read(environ: WSGIEnvironment) -> Found:
        with Uploads(environ) as request:
            values = request.form.values()
            return found(values, sum(length(file.stream) for file in request.files.values()))

    return application(read)


def with_bottle() -> WSGIApplication:
    class Uploads(bottle.BaseRequest):  # type: ignore[misc]
        MEMFILE_MAX = MEMORY

    def read(environ: WSGIEnvironment) -> Found:
        request = Uploads(environ)
        values = [value for _, value in request.forms.decode().allitems()]
        files = [upload.file for _, upload in request.files.allitems()]
        size = sum(map(length, files))
        for file in files:
            file.close()
        request.body.close()
        return found(values, size)

    return application(read)


BUILDERS = {
    "wsgikit": with_wsgikit,
    "wsgikit push": with_wsgikit_push,
    "multipart": with_multipart,
    "multipart push": with_multipart_push,
    "python-multipart": with_python_multipart,
    "werkzeug": with_werkzeug,
    "bottle": with_bottle,
}


def run(settings: Settings) -> None:
    for name, case in CASES.items():
        heading("uploads", f"POST {name}, multipart/form-data")
        exchange = case.exchange()
        times = race(BUILDERS, [exchange], [exchange], settings)
        table(times, case, len(exchange.sent))
    measure_memory(settings)


def table(times: dict[str, list[float]], case: Case, size: int) -> None:
    """Print a line a contestant; the ratio is that to the best of the peers."""
    # Who drops the files has less to do.
    rivals = [
        name for name in times if "wsgikit" not in name and not (case.file and "push" in name)
    ]
    best = min(rivals, key=lambda name: median(times[name]), default=None)
    print(f"  {'':17}{'min µs':>10}{'median µs':>11}{'MB/s':>7}{'x best':>8}")
    for name, values in times.items():
        pace = size / median(values) / 1e6
        line = f"  {name:17}{min(values) * 1e6:10.1f}{median(values) * 1e6:11.1f}{pace:7.0f}"
        if best is not None:
            factor = ratio(values, times[best])
            line += f"{factor:8.2f}"
            if case.factor is not None and name == "wsgikit":
                line += "   " + verdict(factor, case.factor)
        if case.pace is not None and name == "wsgikit push":
            # No ratio that a slow moment leaves as it is: the least disturbed round counts.
            fastest = size / min(values) / 1e6
            reached = "met" if fastest >= case.pace else "MISSED"
            line += f"   {fastest:.0f} at best, goal >= {case.pace:g} MB/s: {reached}"
        print(line)
