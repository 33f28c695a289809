"""The part of a folder's page where files are added: a plain form, and better where scripts run."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from wsgikit import page
from wsgikit.folders.contents import readable
from wsgikit.folders.upload import EXISTING
from wsgikit.page import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wsgikit.folders.upload import Receipt

__all__ = ["HEADERS", "SCRIPT", "STYLE", "form", "refused", "stored"]

_OPTIONS = {"number": "keep both", "refuse": "keep the old one", "replace": "replace it"}


def form(max_upload: int, *, overwrite: bool) -> str:
    """The form, in HTML.

    What to do with existing files stands before the files, as it is needed before they arrive.
    """
    choices = "".join(
        f'<option value="{value}">{text}</option>'
        for value, text in _OPTIONS.items()
        if overwrite or value != "replace"
    )
    return (
        f'<form class="upload" method="post" enctype="multipart/form-data"'
        f' data-most="{max_upload}">'
        '\n<h2 id="add">Add files</h2>'
        f'\n<p><label for="existing">If a name is taken:</label> '
        f'<select id="existing" name="{EXISTING}">{choices}</select></p>'
        '\n<p><input type="file" name="file" multiple required aria-labelledby="add">'
        "\n<button>Upload</button></p>"
        f'\n<p class="soft">At most {readable(max_upload)} at once.'
        '<span class="drop" hidden> Files can also be dropped on this page.</span></p>'
        '\n<ul class="sending"></ul>'
        '\n<p class="told" role="status"></p>'
        "\n</form>"
    )


SCRIPT = """
"use strict";
const form = document.querySelector("form.upload");
const list = form.querySelector(".sending"), told = form.querySelector(".told");
const most = Number(form.dataset.most), queue = [];
let busy = false, stored = 0, failed = 0;

function add(files) {
  if (!busy) list.textContent = told.textContent = "";
  document.querySelectorAll(".notice").forEach(notice => notice.remove());
  for (const file of files) queue.push([file, row(file)]);
  if (!busy) next();
}

function row(file) {
  const item = document.createElement("li"), name = document.createElement("bdi");
  const bar = document.createElement("progress"), state = document.createElement("span");
  const stop = document.createElement("button");
  name.textContent = file.name;
  bar.setAttribute("aria-label", file.name);
  bar.max = file.size || 1;
  bar.value = 0;
  stop.type = "button";
  stop.textContent = "Stop";
  stop.setAttribute("aria-label", "Stop " + file.name);
  item.append(name, bar, state, stop);
  list.append(item);
  const show = {bar, state, stop, ended: false, end(good, text) {
    if (show.ended) return;
    show.ended = true;
    bar.remove();
    stop.remove();
    state.textContent = text;
    item.className = good ? "good" : "bad";
    good ? stored++ : failed++;
  }};
  stop.onclick = () => show.end(false, "stopped");
  return show;
}

function next() {
  const first = queue.shift();
  busy = Boolean(first);
  onbeforeunload = busy ? event => event.preventDefault() : null;
  if (!first) return over();
  const [file, show] = first;
  if (show.ended) return next();
  if (file.size > most) {
    show.end(false, "too large");
    return next();
  }
  const request = new XMLHttpRequest(), data = new FormData();
  data.append("existing", form.elements.existing.value);
  data.append("file", file);
  request.open("POST", location.href);
  request.setRequestHeader("Accept", "application/json");
  request.responseType = "json";
  request.upload.onprogress = event => {
    const part = event.loaded / (event.total || 1);
    show.bar.value = part * show.bar.max;
    show.state.textContent = Math.floor(part * 100) + " %";
  };
  request.onload = () => {
    const answer = request.response || {};
    if (request.status === 201) {
      const name = answer.stored[0].name;
      show.end(true, name === file.name ? "stored" : "stored as " + name);
    } else {
      const refused = answer.refused && answer.refused[0];
      show.end(false, refused ? refused.reason : answer.detail || "error " + request.status);
    }
  };
  request.onerror = () => show.end(false, "the connection broke");
  request.onloadend = next;
  show.stop.onclick = () => { show.end(false, "stopped"); request.abort(); };
  request.send(data);
}

async function over() {
  told.textContent = [stored && stored + " stored", failed && failed + " not stored"]
    .filter(Boolean).join(", ");
  stored = failed = 0;
  const response = await fetch(location.href, {headers: {Accept: "text/html"}});
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  document.querySelector("#listed").replaceWith(fresh.querySelector("#listed"));
}

form.addEventListener("submit", event => {
  event.preventDefault();
  add(form.elements.file.files);
  form.elements.file.value = "";
});

const dragged = event => event.dataTransfer && event.dataTransfer.types.includes("Files");
const mark = on => document.body.classList.toggle("dropping", on);
form.querySelector(".drop").hidden = false;
addEventListener("dragover", event => {
  if (!dragged(event)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
  mark(true);
});
addEventListener("dragleave", event => { if (!event.relatedTarget) mark(false); });
addEventListener("drop", event => {
  if (!dragged(event)) return;
  event.preventDefault();
  mark(false);
  const files = [];
  let folders = false;
  for (const item of event.dataTransfer.items) {
    const entry = item.webkitGetAsEntry && item.webkitGetAsEntry();
    if (item.kind !== "file") continue;
    if (entry && entry.isDirectory) folders = true;
    else files.push(item.getAsFile());
  }
  if (files.length) add(files);
  if (folders) told.textContent = "A folder cannot be sent: pack it first.";
});
"""

STYLE = """
.upload { margin-top: 2rem; padding: 0 1rem; background: var(--panel); border-radius: 8px;
  border: 1px solid var(--line); }
.upload h2 { margin: .8rem 0; }
.upload p { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; max-width: none; }
.upload p.soft { display: block; font-size: .9rem; }
.upload input, .upload select, .upload button { background: var(--paper); }
.upload input { flex: 1 1 16rem; min-width: 0; }
.upload ::file-selector-button {
  font: inherit; font-size: .9em; color: inherit; margin-right: .6rem; padding: .2rem .6rem;
  background: var(--panel); border: 1px solid var(--line); border-radius: 6px; cursor: pointer;
}
@media (hover: none) { .drop { display: none; } }
.sending { margin: 0 0 .8rem; padding: 0; list-style: none; }
.sending:empty { margin: 0; }
.sending li {
  display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: center; padding: .4rem 0;
  border-top: 1px solid var(--line);
}
.sending bdi { flex: 3 1 15rem; overflow-wrap: anywhere; }
.sending progress { flex: 1 1 6rem; accent-color: var(--accent); }
.sending span { min-width: 3rem; text-align: right; font-variant-numeric: tabular-nums; }
.sending .good span { color: var(--good); }
.sending .bad span { color: var(--bad); }
.sending button { padding: .2rem .6rem; font-size: .9rem; }
.told:empty { display: none; }
.dropping { outline: 4px dashed var(--accent); outline-offset: -8px; }
.notice {
  margin: 0 0 1rem; padding: .6rem 1rem; border: 1px solid currentColor; border-radius: 8px;
}
.notice.good { color: var(--good); }
.notice.bad { color: var(--bad); }
.notice ul { margin: .3rem 0 0; padding-left: 1.2rem; }
"""

_DIGEST = b64encode(sha256(SCRIPT.encode()).digest()).decode()

#: As those of other pages of ours, and this one script may run and talk to this site.
HEADERS = tuple(
    (name, f"{value}; script-src 'sha256-{_DIGEST}'; connect-src 'self'")
    if name == "Content-Security-Policy"
    else (name, value)
    for name, value in page.HEADERS
)


def stored(count: str) -> str:
    """What the page says after an upload, in HTML: nothing unless ``count`` is a number."""
    if not (count.isascii() and count.isdigit() and len(count) < 5 and int(count)):
        return ""
    told = "1 file was stored." if int(count) == 1 else f"{int(count):,} files were stored."
    return f'<p class="notice good" role="status">{told}</p>'


def refused(receipt: Receipt) -> str:
    """Which files were not stored and why, in HTML, and how many were."""
    items = [
        f"\n<li><bdi>{escape(name)}</bdi>: {escape(reason)}</li>"
        for name, _, reason in receipt.refused
    ]
    return (
        f'{stored(str(len(receipt.stored)))}\n<div class="notice bad" role="alert">Not stored:'
        f"\n<ul>{''.join(items)}\n</ul></div>"
    )
