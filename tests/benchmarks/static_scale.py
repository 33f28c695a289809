"""Many files, and a large one: start-up and memory, told by processes of their own.

Not among the scenarios, as it takes a while::

    python -m tests.benchmarks.static_scale
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from urllib.parse import urlsplit

CHECKOUT = Path(__file__).parents[2]
FILES = 10_000
FOLDERS = 100
GIGABYTE = 1 << 30

# Each is run in a new process, which prints the seconds that the start took, the memory that it
# added, and that after each file was asked for once, in MB.
START = """
import sys, time
from pathlib import Path

def memory():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024

{prepare}
before = memory()
begin = time.perf_counter()
app = {build}
seconds = time.perf_counter() - begin
built = memory()
for number in range({files}):
    path = f"/{{number % {folders}}}/{{number}}.css"
    environ = {{"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": path}}
    body = app(environ, lambda *args: None)
    b"".join(body)
    getattr(body, "close", lambda: None)()
print(seconds, built - before, memory() - before)
"""
APPLICATIONS = {
    "wsgikit frozen": ("from wsgikit.apps import static", "static(sys.argv[1], frozen=True)"),
    "frozen, memory=0": (
        "from wsgikit.apps import static",
        "static(sys.argv[1], frozen=True, memory=0)",
    ),
    "wsgikit live": ("from wsgikit.apps import static", "static(sys.argv[1])"),
    "whitenoise": ("from whitenoise import WhiteNoise", "WhiteNoise(None, sys.argv[1])"),
}

DOWNLOADS: dict[str, dict[str, str]] = {
    "whole": {},
    "a range": {"Range": "bytes=1-"},
    "ten ranges": {"Range": "bytes=" + ",".join(f"{n}00000000-{n}99990000" for n in range(10))},
}

SERVERS = {
    "wsgikit": """
import sys
from wsgikit import serve
from wsgikit.apps import static
serve(static(sys.argv[1]), port=0, ready=lambda url: print(url, flush=True))
""",
    "wsgiref": """
import sys
from wsgiref.simple_server import make_server
from wsgikit.apps import static
server = make_server("127.0.0.1", 0, static(sys.argv[1]))
print(f"http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()
""",
}


def write(folder: str) -> None:
    """Write the files: each of 2 KB and of its own content."""
    for number in range(FILES):
        path = Path(folder, str(number % FOLDERS), f"{number}.css")
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"/* {number} */".ljust(2048))


def many() -> None:
    """Tell what it takes to know ten thousand files."""
    print(f"{FILES:,} files of 2 KB in {FOLDERS} folders")
    print(f"  {'':18}{'start ms':>10}{'µs a file':>11}{'start MB':>10}{'all asked MB':>14}")
    with TemporaryDirectory() as folder:
        write(folder)
        for name, (prepare, build) in APPLICATIONS.items():
            program = START.format(prepare=prepare, build=build, files=FILES, folders=FOLDERS)
            command = [sys.executable, "-c", program, folder]
            done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)
            if done.returncode:
                print(f"  {name:18}left out: {done.stderr.splitlines()[-1]}")
                continue
            seconds, start, after = map(float, done.stdout.split())
            pace = seconds / FILES * 1e6
            print(f"  {name:18}{seconds * 1e3:10.0f}{pace:11.1f}{start:10.1f}{after:14.1f}")


def memory_of(process: int) -> float:
    """Return the most memory that a process has had, in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def large() -> None:
    """Download a file of a gigabyte, whole and in ranges, and tell each server's memory."""
    print("\nA file of 1 GB over loopback")
    with TemporaryDirectory() as folder:
        with open(Path(folder, "large.bin"), "wb") as file:
            os.truncate(file.fileno(), GIGABYTE)
        for name, program in SERVERS.items():
            command = [sys.executable, "-c", program, folder]
            pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
            server = subprocess.Popen(command, cwd=CHECKOUT, stdout=pipe, stderr=nowhere, text=True)
            try:
                assert server.stdout is not None
                address = urlsplit(re.findall("http://[^ ]+", server.stdout.readline())[0])
                download(name, server.pid, HTTPConnection(str(address.hostname), address.port))
            finally:
                server.terminate()
                server.wait()


def download(server: str, process: int, connection: HTTPConnection) -> None:
    """Fetch the file in each way and print how fast it came, and what memory the server took."""
    fetch(connection, {"Range": "bytes=0-0"})
    idle = memory_of(process)
    for name, headers in DOWNLOADS.items():
        begin = perf_counter()
        size = fetch(connection, headers)
        pace = size / (perf_counter() - begin) / 1e6
        more = memory_of(process) - idle
        print(f"  {server:10}{name:12}{size / 1e6:8.0f} MB{pace:8.0f} MB/s{more:8.1f} MB more")
    connection.close()


def fetch(connection: HTTPConnection, headers: dict[str, str]) -> int:
    """Read an answer to its end and return how long its content was."""
    connection.request("GET", "/large.bin", headers=headers)
    response = connection.getresponse()
    assert response.status == (206 if headers else 200), response.status
    buffer = memoryview(bytearray(1 << 20))
    size = 0
    while read := response.readinto(buffer):
        size += read
    assert size == int(response.headers["Content-Length"])
    return size


if __name__ == "__main__":
    many()
    large()
