"""Files of a folder: whole, in part, compressed, unchanged, missing; as served by each library."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import sleep
from typing import Any, BinaryIO
from wsgiref.types import WSGIApplication

from tests.benchmarks.bare import missing
from tests.benchmarks.exchange import Exchange, answer, check
from tests.benchmarks.harness import Builder, Runner, Settings, compare, gap, ratio, sound
from tests.benchmarks.peers import bottle, falcon, werkzeug_shared, whitenoise
from tests.benchmarks.report import heading, verdict
from wsgikit.apps import static

SMALL = (b".button { color: #3b82c4; padding: 0.5rem 1rem; } /* all of them */\n" * 100)[:2048]
LARGE = (b"export function scale(value) { return value * %05d; }\n" * 4000)[: 100 * 1024]
HUGE = os.urandom(1024 * 1024)  # no one keeps that in memory
PACKED = gzip.compress(LARGE, 9, mtime=0)
BROWSER = "gzip, deflate, br, zstd"


class SentByServer:
    """The file wrapper of a server that hands the file to the system: nothing passes Python."""

    def __init__(self, file: BinaryIO, size: int = 8192) -> None:
        self.file = file

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    def close(self) -> None:
        """Close the file."""
        self.file.close()


WRAPPER: Any = {"wsgi.file_wrapper": SentByServer}

CASES = {
    "2 KB": Exchange("/app.css", media="text/css", body=SMALL),
    "100 KB": Exchange("/app.js", media="text/javascript", body=LARGE),
    # Sent by the server, where it is not in memory: only the application's part is timed.
    "sendfile": Exchange("/app.js", environ=WRAPPER, body=lambda body: body in (b"", LARGE)),
    "1 MB": Exchange("/app.bin", environ=WRAPPER, body=lambda body: body in (b"", HUGE)),
    "gzip": Exchange("/app.js", environ={"HTTP_ACCEPT_ENCODING": BROWSER}, body=PACKED),
    "range": Exchange(
        "/app.js", 206, environ={"HTTP_RANGE": "bytes=100-1123"}, body=LARGE[100:1124]
    ),
    "304 ETag": Exchange("/app.css", 304, body=lambda body: body == b""),
    "304 date": Exchange("/app.css", 304, body=lambda body: body == b""),
    "miss": Exchange("/none.css", 404),
}
FULL = ("2 KB", "100 KB", "sendfile", "gzip")
# What an answer is sent back as, by the next request.
VALIDATORS = {
    "304 ETag": ("etag", "HTTP_IF_NONE_MATCH"),
    "304 date": ("last-modified", "HTTP_IF_MODIFIED_SINCE"),
}


def builders(folder: str) -> dict[str, Builder]:
    """Return a builder for each contestant. wsgikit has two modes, of which one scans at start."""

    def with_bottle() -> WSGIApplication:
        application = bottle.Bottle()

        @application.get("/<path:path>")
        def file(path: str) -> Any:
            return bottle.static_file(path, root=folder)

        return application  # type: ignore[no-any-return]

    def with_falcon() -> WSGIApplication:
        application = falcon.App()
        application.add_static_route("/", folder)
        return application  # type: ignore[no-any-return]

    return {
        "wsgikit": lambda: static(folder, frozen=True),
        "wsgikit live": lambda: static(folder),
        "whitenoise": lambda: whitenoise.WhiteNoise(missing, folder),  # type: ignore[no-any-return]
        "werkzeug": lambda: werkzeug_shared.SharedDataMiddleware(missing, {"/": folder}),
        "bottle": with_bottle,
        "falcon": with_falcon,
    }


def exchanges(application: WSGIApplication) -> dict[str, Exchange]:
    """Return the cases as this application's clients send them: each has validators of its own."""
    asked = dict(CASES)
    for case, (field, key) in VALIDATORS.items():
        _, headers, _ = answer(application, CASES["2 KB"].fresh())
        asked[case] = replace(asked[case], environ={key: headers.get(field, "")})
    return asked


def measure(folder: str, settings: Settings) -> dict[str, dict[str, list[float]]]:
    """Return for each case and contestant that answers rightly the seconds, one number a round."""
    only = [*settings.only, "wsgikit live"] if "wsgikit" in settings.only else settings.only
    applications = sound(builders(folder), [CASES["2 KB"]], only)
    results = {}
    asked = {name: exchanges(application) for name, application in applications.items()}
    for case in CASES:
        runners = {
            name: Runner(application, [asked[name][case]], settings.seconds)
            for name, application in applications.items()
            if not check(application, [asked[name][case]])
        }
        results[case] = compare(runners, settings.rounds)
    return results


def write(folder: str) -> None:
    """Write the files, and wait until their times can be relied on."""
    files = {"app.css": SMALL, "app.js": LARGE, "app.js.gz": PACKED, "app.bin": HUGE}
    for name, content in files.items():
        Path(folder, name).write_bytes(content)
        os.utime(Path(folder, name), (1_700_000_000, 1_700_000_000))
    sleep(2.1)


def run(settings: Settings) -> None:
    """Print the medians of all, and what was to be reached."""
    heading("static", "files by path; wsgikit frozen, and live: each change is seen at once")
    with TemporaryDirectory() as folder:
        write(folder)
        results = measure(folder, settings)
    print(f"  {'median µs':14}" + "".join(f"{case:>10}" for case in results))
    for name in builders(""):
        cells = [results[case].get(name) for case in CASES]
        if any(cells):  # "-" is for an answer that is wrong or missing, and not timed
            texts = [f"{median(times) * 1e6:10.2f}" if times else f"{'-':>10}" for times in cells]
            print(f"  {name:14}" + "".join(texts))
    for case, times in results.items():
        if "wsgikit" in times and "whitenoise" in times:
            print(f"  {case:10}" + "   ".join(goals(case, times)))


def goals(case: str, times: Mapping[str, list[float]]) -> Iterator[str]:
    """Yield how a case compares with WhiteNoise, whose times are 1, and with the other mode."""
    frozen = ratio(times["wsgikit"], times["whitenoise"])
    live = ratio(times["wsgikit live"], times["whitenoise"])
    more = gap(times["wsgikit live"], times["wsgikit"]) * 1e6
    if case in FULL:
        yield f"frozen {frozen:.2f} x whitenoise, {verdict(frozen, 0.5)}"
        yield f"live {live:.2f} x, {verdict(live, 1)}"
    elif case not in ("range", "1 MB"):
        yield f"frozen {frozen:.2f} x whitenoise, {verdict(frozen, 1)}"
        yield f"live {more:.1f} µs more, {verdict(more, 4, 'µs')}"
    else:
        yield f"frozen {frozen:.2f} x whitenoise, live {live:.2f} x"
