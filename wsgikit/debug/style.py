"""How the developer's page looks, the one script it may run, and the policy that sees to that."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from wsgikit.page import HEADERS

__all__ = ["PAGE_HEADERS", "SCRIPT", "STYLE"]

STYLE = """
main { max-width: 76rem; }
header { margin-bottom: 1.75rem; }
header .request { font: .9rem/1.4 var(--mono); color: var(--soft); overflow-wrap: anywhere; }
h1 .kind { display: block; color: var(--bad); font: 600 1rem/1.5 var(--mono); letter-spacing: 0; }
h1, .message { white-space: pre-wrap; }
h1 { font-size: clamp(1.3rem, 3.4vw, 1.9rem); max-height: 16rem; overflow: auto; }
.relation { margin: 1rem 0 .3rem; color: var(--soft); font-weight: 600; }
h2 { margin: 2.5rem 0 .75rem; }
h2 small { font-size: .85rem; font-weight: 400; color: var(--soft); }
.message { font-size: 1.05rem; max-height: 12rem; overflow: auto; }
.note { border-left: 3px solid var(--accent); padding-left: .8rem; white-space: pre-wrap; }
.actions { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; max-width: none; }
.actions button { font-size: .9rem; padding: .4rem .7rem; }
.actions[hidden] { display: none; }
details { margin: 0 0 .5rem; }
summary { cursor: pointer; border-radius: 6px; }
.frame { border: 1px solid var(--line); border-radius: 8px; background: var(--panel); }
.frame > summary { padding: .55rem .8rem; overflow-wrap: anywhere; }
.frame[open] > summary { border-bottom: 1px solid var(--line); border-radius: 8px 8px 0 0; }
.frame .place { font: .85rem var(--mono); color: var(--soft); margin-left: .4rem; }
.frame .place b { color: var(--ink); font-weight: 600; }
.frame code { font-weight: 600; }
.frame .none { margin: .6rem .9rem; color: var(--soft); }
.frame .source {
  margin: 0; padding: .5rem 0; border: 0; border-radius: 0; background: none; font-size: .85rem;
}
.source code { display: block; width: max-content; min-width: 100%; font: inherit; }
.line { display: block; padding-right: 1rem; }
.line i {
  display: inline-block; width: 4.5ch; margin-right: 1.2ch; text-align: right; font-style: normal;
  color: var(--soft); user-select: none; -webkit-user-select: none;
}
.line.now { background: var(--mark); box-shadow: inset 3px 0 var(--bad); }
.line.now i { color: inherit; font-weight: 600; }
.line mark {
  background: none; color: inherit; font-weight: 600;
  text-decoration: underline 2px var(--bad); text-underline-offset: .25em;
}
.locals { margin: 0; border-top: 1px solid var(--line); }
.locals > summary, .foreign > summary {
  color: var(--soft); padding: .45rem .8rem; font-size: .9rem;
}
.foreign > summary { padding: .3rem .8rem; }
.foreign > .frame { margin-left: .9rem; }
.locals th, .foreign .locals th { padding-left: .9rem; }
.values th { font: 600 .85rem/1.5 var(--mono); width: 13rem; max-width: 40vw; color: var(--ink); }
.values td { font: .85rem/1.5 var(--mono); white-space: pre-wrap; }
.values th, .values td { overflow-wrap: anywhere; }
.values tr:last-child { border-bottom: 0; }
.part { border-left: 3px solid var(--line); padding-left: 1rem; margin: 0 0 1rem; }
.panel > summary { font-weight: 600; padding: .4rem .3rem; }
.panel pre { max-height: 26rem; overflow: auto; }
footer { margin-top: 3rem; color: var(--soft); font-size: .9rem; }
@media (max-width: 40rem) {
  main { padding: 1.25rem .9rem 3rem; }
  .frame .source { font-size: .78rem; }
  .line i { width: 3.5ch; }
  .frame .place { display: block; margin: .1rem 0 0 1.1rem; }
  .values, .values tbody, .values tr, .values th, .values td { display: block; max-width: none; }
  .values th { width: auto; padding-bottom: 0; }
  .values td { padding-top: .1rem; }
  .locals td { padding-left: .9rem; }
  .part { padding-left: .6rem; }
}
"""

# Constant, so that the policy can name it by its hash and nothing else can run.
SCRIPT = """
const told = document.getElementById("told");
for (const row of document.querySelectorAll(".actions")) row.hidden = false;
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      told.textContent = "Copied.";
    } catch {
      source.closest("details").open = true;
      getSelection().selectAllChildren(source);
      told.textContent = "Selected: copy it with the keyboard.";
    }
    setTimeout(() => { told.textContent = ""; }, 4000);
  });
}
"""

_HASH = b64encode(sha256(SCRIPT.encode()).digest()).decode()

#: What the page is sent with: it may run its own script and nothing else, and is kept nowhere.
PAGE_HEADERS = [
    (name, f"{value}; script-src 'sha256-{_HASH}'" if name == "Content-Security-Policy" else value)
    for name, value in (*HEADERS, ("Cache-Control", "no-store"))
]
