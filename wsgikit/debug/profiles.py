"""Profiles kept in a folder, and the pages that show them to a developer."""

from __future__ import annotations

import os
import re
from pstats import Stats
from time import gmtime, strftime, time

from wsgikit.page import HEADERS, escape, page
from wsgikit.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from cProfile import Profile

__all__ = ["keep_profile", "kept_profiles", "list_page", "profile_page"]

# When, how many milliseconds, which status, method and path (a tilde is a slash), and what tells
# two of them apart.
_NAME = re.compile(r"(\d{8}T\d{9})-(\d+)ms-(\d+)-([A-Z]+)-([\w.~-]*)-[0-9a-f]{8}\.pstats", re.ASCII)
_ODD = re.compile(r"[^\w.-]+", re.ASCII)
_ODD_METHOD = re.compile("[^A-Z]|^$")
# How many functions are shown.
_MOST = 100
_SORTS = {"cumulative": "With callees", "own": "Itself", "calls": "Calls"}

_STYLE = """
main { max-width: 80rem; }
td, th { font-variant-numeric: tabular-nums; }
td.number, th.number { text-align: right; white-space: nowrap; }
td code { overflow-wrap: anywhere; }
td:first-child { min-width: 11rem; }
.bar { display: block; height: .3rem; background: var(--accent); border-radius: 2px; }
div.scroll { overflow-x: auto; }
"""

_SCROLLED = '<div class="scroll" tabindex="0" role="region" aria-label="Table">'


def keep_profile(
    folder: str, profile: Profile, *, method: str, path: str, status: int, took: int, keep: int
) -> None:
    """Write a profile into ``folder``, and remove the oldest beyond ``keep``.

    :param took: milliseconds.
    """
    os.makedirs(folder, mode=0o700, exist_ok=True)
    now = time()
    when = f"{strftime('%Y%m%dT%H%M%S', gmtime(now))}{int(now % 1 * 1000):03d}"
    verb = method[:20] if _ODD_METHOD.search(method) is None else "OTHER"
    place = "~".join([_ODD.sub("_", segment) for segment in path.split("/")])[:60]
    name = f"{when}-{took}ms-{status}-{verb}-{place}-{os.urandom(4).hex()}.pstats"
    draft = os.path.join(folder, f"{name}.draft")
    profile.dump_stats(draft)
    os.replace(draft, os.path.join(folder, name))
    for old in kept_profiles(folder)[keep:]:
        try:
            os.unlink(os.path.join(folder, old[0]))
        except FileNotFoundError:  # another process was quicker
            pass


def kept_profiles(folder: str) -> list[re.Match[str]]:
    """The names of the files with profiles in ``folder``, taken apart; the newest first."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return [matched for name in sorted(names, reverse=True) if (matched := _NAME.fullmatch(name))]


def list_page(folder: str, mark: str) -> Response:
    """The page that lists what there is; ``mark`` is what asks for a profile."""
    rows = "".join(
        f'<tr><td>{_when(kept[1])}</td><td class="number">{int(kept[2]):,} ms</td>'
        f'<td class="number">{kept[3]}</td><td>{kept[4]}</td>'
        f'<td><a href="?file={escape(kept[0])}"><code>{_path(kept)}</code></a></td>'
        "</tr>\n"
        for kept in kept_profiles(folder)
    )
    table = (
        f"{_SCROLLED}<table><thead><tr><th>When (UTC)</th>"
        '<th class="number">Took</th><th class="number">Status</th><th>Method</th><th>Path</th>'
        f"</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
        if rows
        else "<p>There is none yet.</p>\n"
    )
    return _response(
        "Profiles",
        "<h1>Profiles</h1>\n<p>A request is profiled if it comes from this machine and has"
        f" <code>{escape(mark)}</code> in its query (<code>/path?{escape(mark)}</code>), or the"
        f" field <code>X-Profile</code>.</p>\n{table}",
    )


def profile_page(folder: str, name: str, sort: str) -> Response | None:
    """The page that shows one; None if there is none of that name."""
    matched = _NAME.fullmatch(name)
    if matched is None or sort not in _SORTS:
        return None
    try:
        stats = Stats(os.path.join(folder, name))
    except FileNotFoundError:
        return None
    total: float = stats.total_tt  # type: ignore[attr-defined]
    title = f"{matched[4]} {_path(matched)}"
    address = f"?file={escape(name)}&amp;sort="
    heads = "".join(
        f'<th class="number" aria-sort="descending">{label} ▼</th>'
        if column == sort
        else f'<th class="number"><a href="{address}{column}">{label}</a></th>'
        for column, label in _SORTS.items()
    )
    return _response(
        title,
        f'<p><a href="?all">All profiles</a></p>\n<h1>{escape(title)}</h1>\n'
        f"<p>{_when(matched[1])} UTC, status {matched[3]}. It took {int(matched[2]):,} ms;"
        f" {1000 * total:,.1f} ms were measured."
        f' <a href="?file={escape(name)}&amp;raw=1">Download</a> it for'
        " <code>python -m pstats</code>.</p>\n"
        f"{_SCROLLED}<table><thead><tr><th>Function</th>{heads}</tr></thead>\n<tbody>\n"
        + "".join(_rows(stats, sort, total))
        + "</tbody></table></div>\n",
    )


def _rows(stats: Stats, sort: str, total: float) -> Iterator[str]:
    measured = [
        ({"calls": calls, "own": own, "cumulative": cumulative}, place)
        for place, (_, calls, own, cumulative, _) in stats.stats.items()  # type: ignore[attr-defined]
    ]
    measured.sort(key=lambda row: row[0][sort], reverse=True)
    for numbers, (file, line, name) in measured[:_MOST]:
        share = numbers["cumulative" if sort == "calls" else sort] / (total or 1)
        place = f' <code class="soft">{escape(f"{file}:{line}")}</code>' if line else ""
        yield (
            f"<tr><td><code>{escape(name)}</code>{place}"
            f'<span class="bar" style="width:{100 * min(share, 1):.1f}%"></span></td>'
            f'<td class="number">{1000 * numbers["cumulative"]:,.2f} ms</td>'
            f'<td class="number">{1000 * numbers["own"]:,.2f} ms</td>'
            f'<td class="number">{numbers["calls"]:,}</td></tr>\n'
        )


def _path(kept: re.Match[str]) -> str:
    return kept[5].replace("~", "/") or "(none)"


def _when(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:8]} {text[9:11]}:{text[11:13]}:{text[13:15]}"


def _response(title: str, content: str) -> Response:
    fields = [*HEADERS, ("Cache-Control", "no-store")]
    return Response.html(page(title, content, style=_STYLE), headers=fields)
