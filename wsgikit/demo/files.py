"""Station: a file with ranges and conditions, and a directory with a listing."""

from __future__ import annotations

import atexit
import os
from hashlib import sha256
from tempfile import TemporaryDirectory

from wsgikit.apps import listing
from wsgikit.demo.frame import draw
from wsgikit.demo.source import source
from wsgikit.demo.wire import Exchange, curl
from wsgikit.page import escape
from wsgikit.request import Request
from wsgikit.response import Response
from wsgikit.router import Router

__all__ = ["station"]

_SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 60" role="img">
<title>Three layers</title><g fill="none" stroke="#3b82c4" stroke-width="4">
<rect x="4" y="4" width="82" height="52" rx="6"/><rect x="14" y="14" width="62" height="32" rx="4"/>
<rect x="24" y="24" width="42" height="12" rx="2" fill="#3b82c4"/></g></svg>
"""

# 65,536 lines of 16 bytes: a part of it shows at once where it is from.
NUMBERS = "".join(f"{number:15,}\n" for number in range(1, 65537)).encode()
DIGEST = sha256(NUMBERS).hexdigest()


def make_files() -> str:
    """The directory that is served; it goes away with the process."""
    folder = TemporaryDirectory(prefix="wsgikit-demo-")
    atexit.register(folder.cleanup)
    os.mkdir(os.path.join(folder.name, "tea"))
    for name, content in (
        ("numbers.txt", NUMBERS),
        ("layers.svg", _SVG.encode()),
        ("tea/green.txt", b"80 degrees, 2 minutes\n"),
        ("tea/Früchte & Kräuter.txt", "100 °C, 8 Minuten\n".encode()),
    ):
        with open(os.path.join(folder.name, name), "wb") as file:
            file.write(content)
    return folder.name


FOLDER = make_files()

station = Router()
station.mount("/all", listing(FOLDER, title="Demo files"), name="all")


@station.get("/numbers.txt", name="numbers")
def numbers(request: Request) -> Response:
    return Response.file(f"{FOLDER}/numbers.txt", download_as="numbers.txt")


@station.get("/")
def files(request: Request) -> Response:
    where, every = escape(request.url_for("numbers")), escape(request.url_for("all"))
    part = Exchange(station, request, "GET", "/numbers.txt", {"Range": "bytes=32768-32815"})
    known = {"If-None-Match": part.field("ETag")}
    same = Exchange(station, request, "GET", "/numbers.txt", known)
    content = f"""
<p>Here is a file of a million bytes. <a href="{where}" download>Download it</a> whole, or have this
page fetch it in eight parts, each by a request of its own with a <code>Range</code>, and put them
together.</p>
<div class="panel" id="fetch" data-file="{where}" data-size="{len(NUMBERS)}"
data-digest="{DIGEST}"><p><button class="primary" hidden>Fetch it in parts</button></p>
<ol class="bars"></ol>
<p role="status">This needs JavaScript; curl, below, does not.</p></div>
{source(numbers)}
<p>Ranges, conditions, the type, and the name to save it under come with that. The first three
lines, the last two, and the rest of a download that broke off:</p>
{curl(request, "/numbers.txt", "-r 0-47")}
{curl(request, "/numbers.txt", "-r -32")}
{curl(request, "/numbers.txt", "-C - -O")}
<h2>A directory</h2>
<p><code>listing</code> shows what is there: <a href="{every}">look around</a>. A client that asks
for JSON gets JSON. <code>python3 -m wsgikit files</code> does this with a directory of yours.</p>
{curl(request, "/all/", "-H 'Accept: application/json'")}
<h2>On the wire</h2>
{part.html("48 bytes from the middle:")}
{same.html("For somebody who has it already, 304 and no body:")}"""
    return draw(request, "files", content, script=SCRIPT)


SCRIPT = """
const box = document.getElementById("fetch");
const button = box.querySelector("button");
const bars = box.querySelector("ol");
const told = box.querySelector("[role=status]");
const { file, digest } = box.dataset, size = Number(box.dataset.size), parts = 8;
button.hidden = false;
told.textContent = "";

async function part(number) {
  const start = number * size / parts, stop = start + size / parts;
  const item = bars.children[number], bar = item.querySelector("progress");
  const headers = { Range: `bytes=${start}-${stop - 1}` };
  const response = await fetch(file, { headers, cache: "no-store" });
  const blocks = [];
  const reader = response.body.getReader();
  for (let got = 0; ;) {
    const { done, value } = await reader.read();
    if (done) break;
    blocks.push(value);
    bar.value = (got += value.length) / (stop - start);
  }
  item.querySelector("span").textContent =
    `${response.status} ${response.headers.get("Content-Range") ?? "without a range"}`;
  return blocks;
}

button.addEventListener("click", async () => {
  button.disabled = true;
  told.textContent = "";
  bars.replaceChildren(...Array.from({ length: parts }, (_, number) => {
    const item = document.createElement("li");
    const bar = document.createElement("progress");
    bar.value = 0;
    bar.setAttribute("aria-label", `Part ${number + 1}`);
    item.append(bar, document.createElement("span"));
    return item;
  }));
  try {
    const all = [];
    for (let number = 0; number < parts; number++) {
      all.push(...await part(number));
      await new Promise(next => setTimeout(next, 120));  // to be seen
    }
    const bytes = await new Blob(all).arrayBuffer();
    told.textContent = `Put together: ${bytes.byteLength.toLocaleString("en")} bytes`;
    if (crypto.subtle) {  // not on a page without TLS from another machine
      const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      const hex = Array.from(hash, byte => byte.toString(16).padStart(2, "0")).join("");
      told.textContent += hex === digest
        ? `, and its SHA-256 is that of the whole file: ${hex.slice(0, 12)}…`
        : ", but it is not the same file.";
    }
  } catch (error) {
    told.textContent = `That failed: ${error.message}`;
  }
  button.disabled = false;
});
"""
