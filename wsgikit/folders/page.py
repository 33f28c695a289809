"""The page of a directory: for people, on a phone and on a desk, with the keyboard too."""

from __future__ import annotations

from wsgikit import folders
from wsgikit.folders.contents import COLUMNS, Order, href, moment, readable, shown, size_of
from wsgikit.page import escape, page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from wsgikit.trees.tree import Entry

__all__ = ["draw"]


def draw(
    title: str,
    names: list[str],
    entries: list[Entry],
    order: Order,
    *,
    archives: Iterable[str] = (),
    notice: str = "",
    upload: str = "",
) -> str:
    """The page of the directory of these names; ``title`` stands for the root.

    :param archives: the kinds of archives that it can be downloaded as.
    :param notice: HTML to stand above the list.
    :param upload: HTML of a form to add files, of :func:`wsgikit.folders.upload_page.form`.
    """
    trail = [title, *map(shown, names)]
    query = order.query()
    steps = [
        f'<li><a href="{"../" * (len(names) - depth)}{escape(query)}"><bdi>{escape(name)}</bdi></a>'
        "</li>"
        for depth, name in enumerate(trail[:-1])
    ]
    lines = [_ICONS]
    if steps:
        lines += ['<nav aria-label="Breadcrumb"><ol>', *steps, "</ol></nav>"]
    lines += [f'<h1 id="folder"><bdi>{escape(trail[-1])}</bdi></h1>', notice, '<div id="listed">']
    about = f"<span>{_summary(entries)}</span>{_downloads(archives) if entries else ''}"
    jump = '<a href="#add">Add files</a>' if upload else ""
    lines.append(f'<p class="soft">{about}{jump}</p>')
    if entries or names:
        lines += [
            '<table aria-labelledby="folder">\n<thead><tr>',
            *(_heading(column, order) for column in COLUMNS),
            "</tr></thead>\n<tbody>",
            *([_row(_link(f"../{query}", "up", "Parent folder"))] if names else ()),
            *(_entry_row(entry, query) for entry in entries),
            "</tbody>\n</table>",
        ]
    lines += ["</div>", upload]
    return page(
        " – ".join(dict.fromkeys([trail[-1], title])),
        "\n".join(filter(None, lines)),
        style=_STYLE + (folders.upload_page.STYLE if upload else ""),
        script=folders.upload_page.SCRIPT if upload else "",
    )


def _downloads(archives: Iterable[str]) -> str:
    links = [f'<a href="?download={kind}" rel="nofollow">{kind}</a>' for kind in archives]
    return f"<span>Download all: {', '.join(links)}</span>" if links else ""


def _summary(entries: list[Entry]) -> str:
    folders = sum(entry.is_folder for entry in entries)
    others = sum(entry.status is None for entry in entries)
    files = len(entries) - folders - others
    counts = []
    if folders:
        counts.append(f"{folders:,} folder{'' if folders == 1 else 's'}")
    if files:
        counts.append(f"{files:,} file{'' if files == 1 else 's'}")
        counts.append(readable(sum(map(size_of, entries))))
    if others:
        counts.append(f"{others:,} not served")
    return ", ".join(counts) or "This folder is empty."


def _heading(column: str, order: Order) -> str:
    label = COLUMNS[column][0]
    if column == "modified":
        label += '<span class="clock"> (UTC)</span>'
    click = escape(order.after_click(column).query() or "?sort=name")
    if column != order.column:
        return f'<th scope="col" class="{column}"><a href="{click}">{label}</a></th>'
    way, arrow = ("descending", "▼") if order.descending else ("ascending", "▲")
    return (
        f'<th scope="col" class="{column}" aria-sort="{way}"><a href="{click}">{label}'
        f'<span class="arrow" aria-hidden="true">{arrow}</span></a></th>'
    )


def _entry_row(entry: Entry, query: str) -> str:
    target, status = href(entry), entry.status
    name = f"<bdi>{escape(shown(entry.name))}</bdi>"
    if target is None or status is None:
        return (
            f'<tr><td colspan="3"><span class="entry soft">{_icon("other")}<span>{name}'
            f"<small>Not served: {escape(entry.refusal)}</small></span></span></td></tr>"
        )
    date = _date(status.st_mtime)
    if entry.is_folder:
        return _row(_link(target + query, "folder", f"{name}/"), "", date)
    size = (
        f'<data value="{status.st_size}" title="{status.st_size:,} bytes">'
        f"{readable(status.st_size)}</data>"
    )
    return _row(_link(target, "file", name), size, date)


def _row(name: str, size: str = "", date: str = "") -> str:
    return f'<tr><td>{name}</td><td class="size">{size}</td><td class="modified">{date}</td></tr>'


def _link(target: str, icon: str, content: str) -> str:
    return f'<a class="entry" href="{escape(target)}">{_icon(icon)}<span>{content}</span></a>'


def _icon(name: str) -> str:
    return f'<svg class="icon {name}" aria-hidden="true"><use href="#icon-{name}"/></svg>'


def _date(seconds: float) -> str:
    time = moment(seconds)
    if time is None:
        return ""
    day, clock = time[:10], time[11:-1]
    return (
        f'<time datetime="{time}" title="{day} {clock} UTC">'
        f'{day}<span class="clock"> {clock[:-3]}</span></time>'
    )


_ICONS = """<svg class="icons" aria-hidden="true">
<symbol id="icon-folder" viewBox="0 0 20 20"><path d="M2 5.5A1.5 1.5 0 0 1 3.5 4h4l2 2h7A1.5 1.5 0
0 1 18 7.5v7a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 2 14.5z"/></symbol>
<symbol id="icon-file" viewBox="0 0 20 20"><path d="M5 2.75h6.5L15.25 6.5v10.75H5zM11.5 2.75V6.5h4"
fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round"/></symbol>
<symbol id="icon-up" viewBox="0 0 20 20"><path d="M10 16V4.5M5 9.5l5-5 5 5" fill="none"
stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"/></symbol>
<symbol id="icon-other" viewBox="0 0 20 20"><path d="M4.5 15.5l11-11M17 10a7 7 0 1 1-14 0 7 7 0 0 1
14 0z" fill="none" stroke="currentColor" stroke-width="1.5"/></symbol>
</svg>"""

_STYLE = """
.icons { position: absolute; width: 0; height: 0; }
.icon { flex: none; width: 1.25rem; height: 1.25rem; fill: currentColor; color: var(--soft); }
.icon.folder { color: var(--accent); }
nav ol { display: flex; flex-wrap: wrap; margin: 0 0 .5rem; padding: 0; list-style: none; }
nav li { overflow-wrap: anywhere; }
nav li::after { content: "/"; margin: 0 .5rem; color: var(--soft); }
nav a { display: inline-block; padding: .25rem 0; }
th { position: sticky; top: 0; padding: 0; background: var(--paper); white-space: nowrap; }
th a { display: inline-block; padding: .6rem; color: inherit; text-decoration: none; }
th a:hover { color: var(--ink); text-decoration: underline; }
th[aria-sort] { color: var(--ink); }
.arrow { margin-left: .35rem; font-size: .7em; vertical-align: .1em; }
td { padding: 0; vertical-align: middle; }
#listed > p { display: flex; flex-wrap: wrap; gap: 0 1rem; }
tbody tr:hover { background: var(--panel); }
.entry {
  display: flex; align-items: center; gap: .65rem; min-height: 2.75rem; padding: .4rem .6rem;
  overflow-wrap: anywhere; text-decoration: none;
}
a.entry:hover span { text-decoration: underline; }
a.entry:focus-visible { outline-offset: -3px; }
.entry small { display: block; font-size: .8rem; }
.size, .modified { width: 1%; text-align: right; white-space: nowrap; }
td.size, td.modified {
  padding: .4rem .6rem; color: var(--soft); font-size: .9rem; font-variant-numeric: tabular-nums;
}
@media (max-width: 36rem) {
  main { padding: 1.25rem .75rem 3rem; }
  .entry { gap: .5rem; padding-inline: .25rem; }
  th a, td.size, td.modified { padding-inline: .35rem; }
  td.size, td.modified { font-size: .8rem; }
  .clock { display: none; }
}
"""
