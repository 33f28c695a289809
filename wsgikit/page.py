"""The frame of every page that wsgikit draws itself: errors, the debugger, listings, the demo.

One style for all: readable on a phone and on a desk, in light and dark, with the keyboard and with
a screen reader, and nothing that is fetched from anywhere.
"""

from __future__ import annotations

__all__ = ["HEADERS", "STYLE", "escape", "page"]

#: What a page of ours may do: show itself. Sent with it, so that what slipped through an escape is
#: inert.
HEADERS = (
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
)

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --ink: #1d1c1a; --soft: #625e57; --line: #dedad2; --panel: #f2efe9;
  --accent: #0b5cad; --good: #1b6e3c; --bad: #b3261e; --mark: #fff1c2;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #171614; --ink: #ebe7df; --soft: #a8a196; --line: #3a3731; --panel: #211f1c;
    --accent: #7db8f5; --good: #7ccb98; --bad: #ff8a80; --mark: #4a3d12;
  }
}
*, ::before, ::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main { max-width: 64rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1, h2, h3 { line-height: 1.2; text-wrap: balance; overflow-wrap: anywhere; }
h1 { font-size: clamp(1.6rem, 5vw, 2.4rem); margin: 0 0 .75rem; letter-spacing: -.01em; }
h2 { font-size: 1.25rem; margin: 2rem 0 .75rem; }
p { margin: 0 0 1rem; max-width: 44rem; overflow-wrap: anywhere; }
a { color: var(--accent); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
code, pre, kbd, samp { font-family: var(--mono); font-size: .9em; }
pre {
  margin: 0 0 1rem; padding: .9rem 1rem; overflow-x: auto; tab-size: 4; line-height: 1.5;
  background: var(--panel); border: 1px solid var(--line); border-radius: 8px;
}
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .45rem .6rem; }
tr { border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); font-size: .9rem; }
.soft { color: var(--soft); }
.status {
  font: 700 1rem/1 var(--mono); letter-spacing: .06em; color: var(--bad); margin: 0 0 .6rem;
}
main:has(> .status:first-child) { max-width: 46rem; padding-top: clamp(2rem, 18vh, 10rem); }
main > .status:first-child + h1 + p { font-size: 1.1rem; color: var(--soft); }
button, .button, input, textarea, select {
  font: inherit; color: inherit; padding: .5rem .8rem; max-width: 100%;
  background: var(--panel); border: 1px solid var(--line); border-radius: 8px;
}
button, .button { cursor: pointer; text-decoration: none; display: inline-block; }
button:hover, .button:hover { border-color: var(--accent); }
"""


def escape(text: object) -> str:
    """``text`` for HTML content and for quoted attribute values."""
    return (
        str(text)
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&quot;")
        .replace("'", "&#39;")
    )


def page(title: str, content: str, *, style: str = "", script: str = "") -> str:
    """A whole HTML document around ``content``, which is HTML; ``title`` is text and gets escaped.

    ``style`` is CSS to add to :data:`STYLE`, ``script`` JavaScript to run at the end of the page. A
    page with a script needs to be sent with a policy that allows it.
    """
    return (
        "<!DOCTYPE html>\n"
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n"
        f"<style>{STYLE}{style}</style>\n"
        f"</head>\n<body>\n<main>\n{content}\n</main>\n"
        + (f"<script>{script}</script>\n" if script else "")
        + "</body>\n</html>\n"
    )
