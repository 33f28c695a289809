"""How the tour looks, beside what all pages have in common."""

from __future__ import annotations

__all__ = ["STYLE"]

STYLE = """
main { max-width: 72rem; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: .5rem; z-index: 1; padding: .5rem .8rem; background: var(--paper); }
article { min-width: 0; max-width: 46rem; outline: none; }
h2 { margin-top: 2.75rem; }
a:hover { text-decoration-thickness: .13em; }
.lead { font-size: 1.2rem; color: var(--soft); margin-bottom: 1.75rem; text-wrap: balance; }
.kicker { font-size: .85rem; color: var(--soft); margin: 0 0 .35rem; }
p code, li code, dd code { background: var(--panel); border-radius: 4px; padding: .1em .3em; }

.brand { font-weight: 700; letter-spacing: -.01em; margin: 0 0 .75rem; }
.brand small { font-weight: 400; color: var(--soft); }
.stations ol { list-style: none; margin: 0; padding: 0; counter-reset: station; }
.stations li { counter-increment: station; }
.stations a {
  display: flex; gap: .6rem; padding: .35rem .7rem; border-radius: 8px; color: inherit;
  text-decoration: none;
}
.stations a::before {
  content: counter(station); min-width: 1ch; color: var(--soft);
  font-variant-numeric: tabular-nums;
}
.stations a:hover { text-decoration: underline; }
.stations [aria-current] { background: var(--panel); font-weight: 600; }
.stations [aria-current]::before { color: var(--accent); }

.panel {
  background: var(--panel); border: 1px solid var(--line); border-radius: 12px;
  padding: 1.1rem 1.25rem; margin: 0 0 1.5rem;
}
.panel > :last-child { margin-bottom: 0; }
.panel input, .panel button, .panel pre { background: var(--paper); }
button.primary, .panel button.primary {
  background: var(--accent); border-color: var(--accent); color: var(--paper); font-weight: 600;
}
button:disabled { opacity: .6; cursor: default; }
[hidden] { display: none; }
label { font-weight: 600; }
.panel label { display: block; }
.panel input { width: 100%; max-width: 20rem; }
.panel [aria-invalid] { border-color: var(--bad); }
.problem { color: var(--bad); margin-top: -.75rem; font-size: .95rem; }
.note {
  border-left: 4px solid var(--good); background: var(--panel); border-radius: 0 8px 8px 0;
  padding: .7rem 1rem; scroll-margin-top: 1rem;
}
.ask { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; margin: 0 0 1.25rem; }
.ask label { display: grid; gap: .2rem; font-size: .9rem; }
.ask .wide { flex: 1 1 12rem; }
.ask input, .ask select { width: 100%; font: .95rem var(--mono); }
.inline { display: inline-block; margin-right: .5rem; }
.buttons { display: flex; flex-wrap: wrap; gap: .6rem; }
.examples { margin: 0 0 1.5rem; padding-left: 1.2rem; }
.examples li { margin: .3rem 0; overflow-wrap: anywhere; }
#answer { scroll-margin-top: 1rem; }
.count { font-size: 1.1rem; }
.count b { font-size: 2rem; font-variant-numeric: tabular-nums; }
.bars { list-style: none; margin: 0; padding: 0; }
.bars li {
  display: flex; flex-wrap: wrap; align-items: center; gap: .2rem .75rem; margin: .25rem 0;
}
.bars:not(:empty) { margin-bottom: 1rem; }
.bars progress { flex: 1 1 8rem; accent-color: var(--accent); }
.bars span { flex: 0 0 18.5rem; font: .85rem var(--mono); color: var(--soft); min-height: 1.4em; }
[role=log] { min-height: 20.5rem; }

figure { margin: 0 0 1.5rem; }
figcaption { font-size: .85rem; color: var(--soft); margin: 0 0 .35rem; }
figure pre { font-size: .85rem; margin: 0; }
.source pre { border-left: 3px solid var(--accent); }
.k { color: var(--accent); }
.s { color: var(--good); }
.c { color: var(--soft); font-style: italic; }
.d { font-weight: 700; }
.wire pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.wire pre:first-of-type { border-radius: 8px 8px 0 0; border-bottom: 0; background: none; }
.wire pre:last-of-type { border-radius: 0 0 8px 8px; }
.wire b.good { color: var(--good); }
.wire b.bad { color: var(--bad); }
.curl { font-size: .85rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.curl::before { content: "$ "; color: var(--soft); }

.stack { margin: 0 0 1rem; }
.box { border: 2px solid var(--line); border-radius: 14px; padding: .6rem .7rem .7rem; }
.box > p { margin: 0 .2rem .5rem; font-size: .9rem; color: var(--soft); overflow-wrap: anywhere; }
.box > p code { background: none; padding: 0; color: var(--ink); margin-right: .4rem; }
.box .box { background: var(--paper); }
.router { border-color: var(--accent); }
.router > ul { list-style: none; margin: 0; padding: 0; }
.router > ul > li { padding: .6rem .4rem; border-top: 1px solid var(--line); }
.router details { font-size: .85rem; margin-top: .15rem; color: var(--soft); }
.router details ul { padding-left: 1.2rem; margin: .3rem 0; }
summary { cursor: pointer; }
.router summary { color: var(--soft); padding: .15rem 0; }
.tree pre { margin-top: .75rem; font-size: .8rem; line-height: 1.35; }
dl { margin: 0; }
dt { font-weight: 600; }
dd { margin: 0 0 .9rem; max-width: 40rem; }

.onward {
  display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 3.5rem; padding-top: 1.25rem;
  border-top: 1px solid var(--line);
}
.onward a {
  flex: 1 1 9rem; padding: .7rem 1rem; border: 1px solid var(--line); border-radius: 12px;
  text-decoration: none; font-weight: 600;
}
.onward a:hover { border-color: var(--accent); }
.onward small { display: block; color: var(--soft); font-weight: 400; }
.onward .next { text-align: right; }

@media (min-width: 56rem) {
  main { display: grid; grid-template-columns: 12.5rem minmax(0, 1fr); column-gap: 3.5rem; }
  .stations { position: sticky; top: 2rem; align-self: start; }
}
@media (max-width: 55.99rem) {
  .stations { margin: -1rem 0 1.75rem; padding-bottom: 1rem; border-bottom: 1px solid var(--line); }
  .stations ol { display: flex; flex-wrap: wrap; gap: .3rem; }
  .stations a { gap: .4rem; font-size: .9rem; border: 1px solid var(--line); }
  .stations [aria-current] { border-color: var(--accent); }
}
@media (max-width: 30rem) {
  .lead { font-size: 1.1rem; }
  pre, figure pre, .curl { font-size: .78rem; padding-inline: .7rem; }
  .box { padding: .45rem; }
  .bars span { flex-basis: 100%; }
}
"""
