"""The servers: what starts each one, as its users do, and how its port is known."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from threading import Thread, Timer

import pytest

ROOT = Path(__file__).parents[2]
MODULE = "tests.matrix.served:application"
HERE = "127.0.0.1"


def in_process(name):
    return [sys.executable, "-m", "tests.matrix.run", name]


GUNICORN = [sys.executable, "-m", "gunicorn", f"--bind={HERE}:0", "--worker-tmp-dir=/tmp", MODULE]
UWSGI = [
    str(Path(sys.executable).with_name("uwsgi")),
    f"--http-socket={HERE}:0",
    f"--module={MODULE}",
    f"--home={sys.prefix}",
    f"--pythonpath={ROOT}",
    "--need-app",
    "--add-header=Connection: close",  # which it does, and does not say
    "--enable-threads",
    "--die-on-term",
]

SERVERS = {
    "wsgikit": in_process("wsgikit"),
    "wsgiref": in_process("wsgiref"),
    "gunicorn": GUNICORN,
    "waitress": in_process("waitress"),
    "uWSGI": UWSGI,
    "cheroot": in_process("cheroot"),
}
# The line that tells the port, and is written once there is somebody who listens.
_PORT = re.compile(rf"http://{HERE}:(\d+)|bound to TCP address {HERE}:(\d+)")


class Running:
    """A server in a process of its own: its ``port``, and what it has printed."""

    def __init__(self, process):
        self.process = process
        self.printed = []
        self.port = self._port()
        self._reader = Thread(target=self._read)
        self._reader.start()

    def _port(self):
        for line in self.process.stdout:
            self.printed.append(line)
            if found := _PORT.search(line):
                return int(found[1] or found[2])
        raise RuntimeError("".join(self.printed))

    def _read(self):
        self.printed.extend(self.process.stdout)

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join()


@contextmanager
def running(server, application, place):
    """A server with an application until the end of the block; what it writes is in ``place``."""
    if server == "uWSGI" and not os.environ.get("CI") and not Path(UWSGI[0]).exists():
        pytest.skip("needs uWSGI (pip install -e '.[uwsgi]', which takes a C compiler)")
    process = subprocess.Popen(
        SERVERS[server],
        cwd=place,
        env={
            **os.environ,
            "MATRIX_APPLICATION": application,
            "MATRIX_PLACE": str(place),
            "PYTHONPATH": str(ROOT),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    watchdog = Timer(300, process.kill)
    watchdog.start()
    with process:
        try:
            served = Running(process)
            try:
                yield served
            finally:
                served.end()
        finally:
            process.kill()
            watchdog.cancel()
