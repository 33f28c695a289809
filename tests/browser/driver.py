"""A browser to try pages in: Chromium without a window, driven over the WebDriver protocol.

W3C WebDriver; ChromeDriver speaks it. What is found on the page is named by CSS selectors.
"""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import contextmanager
from time import monotonic, sleep
from urllib.error import HTTPError
from urllib.request import Request, urlopen

# As root, in a container, without a screen; and nobody is called but the page's own server.
ARGUMENTS = """
    --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run
    --disable-background-networking --disable-component-update --disable-sync --disable-quic
    --autoplay-policy=no-user-gesture-required
""".split()
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # W3C WebDriver, section 12: web element identifier
PATIENCE = 30.0  # seconds, before a test fails for what does not come

TAB, ENTER = "\ue004", "\ue007"  # W3C WebDriver, section 17.4.2


class Driver:
    """A ChromeDriver that listens, and one browser of it."""

    def __init__(self):
        command = ["chromedriver", "--port=0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            port = None
            while port is None:
                line = self.process.stdout.readline()
                assert line, "chromedriver has ended"
                port = re.search(r"successfully on port (\d+)", line)
            self.base = f"http://127.0.0.1:{port[1]}/session"
            options = {"args": ARGUMENTS}
            wanted = {"browserName": "chrome", "goog:chromeOptions": options}
            made = self.send("", {"capabilities": {"alwaysMatch": wanted}})
            self.base += f"/{made['sessionId']}"
            self.send("/timeouts", {"script": PATIENCE * 1000})
        except BaseException:
            self.close()
            raise

    def close(self):
        """End both."""
        if self.base.count("/") > 3:
            self.send("", method="DELETE")
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def send(self, path, parameters=None, method="POST"):
        """The value that a command gives."""
        body = None if method != "POST" else json.dumps(parameters or {}).encode()
        headers = {"Content-Type": "application/json"}
        request = Request(self.base + path, body, headers, method=method)
        try:
            with urlopen(request, timeout=2 * PATIENCE) as response:
                return json.load(response)["value"]
        except HTTPError as error:
            with error:
                raise AssertionError(json.load(error)["value"]["message"]) from None

    def open(self, url):
        """Go to a page, until it is loaded."""
        self.send("/url", {"url": url})

    def reload(self):
        """Load the page again, as people do by a key."""
        self.send("/refresh")

    def back(self):
        """Go to the page before."""
        self.send("/back")

    def run(self, script, *arguments):
        """What a script ``return``s."""
        return self.send("/execute/sync", {"script": script, "args": arguments})

    def wait_for(self, script, *arguments):
        """What a script gives to the last of its ``arguments``, a function."""
        return self.send("/execute/async", {"script": script, "args": arguments})

    def until(self, script, *arguments):
        """What a script ``return``s, as soon as it is true."""
        end = monotonic() + PATIENCE
        while not (value := self.run(script, *arguments)):
            assert monotonic() < end, f"never true: {script}"
            sleep(0.02)
        return value

    def text(self, selector):
        """What people read there."""
        return self.run("return document.querySelector(arguments[0]).innerText", selector)

    def type(self, selector, text):
        """Press keys there; for a field of files, choose those paths, one a line."""
        self.send(f"/element/{self._find(selector)}/value", {"text": text})

    def click(self, selector):
        """Click there."""
        self.send(f"/element/{self._find(selector)}/click")

    def press(self, key):
        """Press a key wherever the focus is."""
        keys = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self.send("/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": keys}]})

    @contextmanager
    def screen(self, width, height=740):
        """Have a screen of that many CSS pixels meanwhile, as a phone has."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._tell("Emulation.setDeviceMetricsOverride", size)
        try:
            yield
        finally:
            self._tell("Emulation.clearDeviceMetricsOverride", {})

    def _tell(self, command, parameters):
        self.send("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def _find(self, selector):
        return self.send("/element", {"using": "css selector", "value": selector})[ELEMENT]
