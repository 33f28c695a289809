"""The memory of a process that takes a large upload, over what it had when it was idle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.benchmarks.harness import Settings
from tests.benchmarks.report import heading, verdict

CHECKOUT = Path(__file__).parents[2]
ENOUGH = 5  # rounds, from which on the upload has its full size

PROGRAM = """
import resource, sys
from wsgikit import Request
from wsgikit.keys import INPUT_TERMINATED

class Upload:
    def __init__(self, size):
        head = b'--b\\r\\nContent-Disposition: form-data; name="f"; filename="x"\\r\\n\\r\\n'
        self.left = [b"\\r\\n--b--\\r\\n", head]
        self.size = size

    def read(self, size):
        if self.size and len(self.left) == 1:
            self.size -= 1
            return bytes(size)
        return self.left.pop() if self.left else b""

def app(environ, start_response):
    with Request(environ).form(max_size=1 << 40) as form:
        start_response("200 OK", [])
        return [str(form.files["f"].size).encode()]

def peak():
    # Kilobytes. What getrusage tells on Linux begins with what the parent process had.
    try:
        status = open("/proc/self/status").read().split()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10  # macOS counts bytes
    return int(status[status.index("VmHWM:") + 1])

idle = peak()
environ = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "multipart/form-data; boundary=b"}
upload = Upload(int(sys.argv[1]))
app({**environ, "wsgi.input": upload, INPUT_TERMINATED: True}, lambda *args: None)
print(idle, peak())
"""
BLOCK = 262144  # what form() asks for


def measure_memory(settings: Settings) -> None:
    megabytes = 1024 if settings.rounds >= ENOUGH else 64
    heading("uploads", f"the memory of a {megabytes} MB upload, over that of an idle process")
    command = [sys.executable, "-c", PROGRAM, str(megabytes * 1024 * 1024 // BLOCK)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    before, after = (int(peak) / 1024 for peak in done.stdout.split())
    print(f"  wsgikit          {after - before:10.1f} MB   {verdict(after - before, 20, 'MB')}")
