"""Station: a response that is sent while it is being made."""

from __future__ import annotations

from time import sleep

from wsgikit.demo.frame import draw
from wsgikit.demo.source import source
from wsgikit.demo.wire import curl
from wsgikit.page import escape
from wsgikit.request import Request
from wsgikit.response import Response
from wsgikit.router import Router

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["station"]

station = Router()

PAUSE = 0.4  # seconds


def countdown() -> Iterator[str]:
    for number in range(10, 0, -1):
        yield f"{number}\n"
        sleep(PAUSE)
    yield "Tea is ready.\n"


@station.get("/count", name="count")
def count(request: Request) -> Response:
    return Response.stream(countdown())


@station.get("/")
def streaming(request: Request) -> Response:
    where = escape(request.url_for("count"))
    content = f"""
<p>The response is an iterator. Each line goes out as soon as it is there, the next one is made
after that, and the whole of it is never in memory.</p>
<div class="panel" id="stream" data-from="{where}">
<p><button class="primary" hidden>Count down</button> <button hidden>Stop</button></p>
<pre role="log" aria-label="What has arrived" tabindex="0"></pre>
<p role="status">Without JavaScript: <a href="{where}">the plain stream</a>.</p></div>
{source(countdown, count)}
<p>Who stops early closes the connection. The server then closes the iterator, and the counting
ends there, too. With <code>-N</code>, curl shows each line as it comes:</p>
{curl(request, "/count", "-N")}"""
    return draw(request, "streaming", content, script=SCRIPT)


SCRIPT = """
const box = document.getElementById("stream");
const [start, stop] = box.querySelectorAll("button");
const log = box.querySelector("[role=log]");
const told = box.querySelector("[role=status]");
start.hidden = false;
told.textContent = "";
let control;

start.addEventListener("click", async () => {
  control = new AbortController();
  start.disabled = true;
  stop.hidden = false;
  log.textContent = "";
  const began = performance.now();
  try {
    const response = await fetch(box.dataset.from, { signal: control.signal, cache: "no-store" });
    const reader = response.body.getReader(), decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const time = ((performance.now() - began) / 1000).toFixed(2).padStart(5);
      log.append(`${time} s  ${decoder.decode(value, { stream: true })}`);
    }
    told.textContent = "That was all.";
  } catch (error) {
    told.textContent = error.name === "AbortError" ? "Stopped." : `That failed: ${error.message}`;
  }
  start.disabled = false;
  stop.hidden = true;
});
stop.addEventListener("click", () => control.abort());
"""
