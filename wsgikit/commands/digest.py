"""``wsgikit digest DIR``: names with a hash for the files of a site."""

from __future__ import annotations

from argparse import ArgumentTypeError

from wsgikit import assets, folders
from wsgikit.commands.command import Trouble, folder, printed
from wsgikit.commands.command import add as add_command
from wsgikit.trees.names import is_hidden, url_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction

    from wsgikit.commands.command import Command

__all__ = ["add", "run"]

_MANIFEST = "manifest.json"

_TEXT = """\
Copy the files in a directory to names with a hash of their content, app.css to app.3f2a1b9c.css,
and list them in manifest.json. A file of such a name never changes: browsers may keep it for good.

  {prog} digest public
  {prog} digest public --prune --strict

References in style sheets are rewritten: url(), @import, and sourceMappingURL, which is also
rewritten in scripts. Pages (.html) keep their names. What is there already is not written again.
"""


def add(commands: _SubParsersAction[Command]) -> None:
    """Add the command."""
    summary = "give files names with a hash of their content"
    command = add_command(commands, "digest", run, summary, _TEXT)
    command.add_argument("dir", metavar="DIR", help="the directory")
    about = "the name of the list in DIR, where a web app needs manifest.json for itself"
    command.value("manifest", _name, _MANIFEST, about)
    command.switch("prune", "remove copies that no name leads to any more")
    command.switch("strict", "write nothing when a style sheet refers to what is not there")
    command.switch("quiet", "print errors only")


def run(options: Namespace) -> None:
    """Write the copies and the manifest.

    :raises Trouble: when the manifest's name is taken, or references lead nowhere.
    """
    try:
        _digest(options)
    except assets.digest.NotOurs as error:
        raise Trouble(f"{error}; --manifest takes another name", 1) from None


def _digest(options: Namespace) -> None:
    digester = assets.digest.Digester(folder(options.dir), manifest=options.manifest)
    troubles = [f"{name} refers to {url}, which is not there" for name, url in digester.missing]
    for name, url in digester.outside:
        troubles.append(f"{name} refers to {url}, which is outside of {options.dir}")
    for circle in digester.circles:
        if len(circle) == 1:
            troubles.append(f"{circle[0]} refers to itself, by its plain name")
        else:
            troubles.append(f"{' and '.join(circle)} refer to each other, by plain names")
    for trouble in troubles:
        printed(folders.contents.shown(f"wsgikit: {trouble}"), error=True)
    if options.strict and digester.missing:
        count = len(digester.missing)
        raise Trouble(f"{count:,} reference{'s lead' if count > 1 else ' leads'} nowhere", 1)
    written = digester.write()
    stale = len(digester.stale)
    if options.prune:
        digester.prune()
    if not options.quiet:
        counts = f"{len(digester.names):,} files, {len(written):,} written"
        told = f", {stale:,} stale {'removed' if options.prune else 'kept'}" if stale else ""
        printed(counts + told)


def _name(text: str) -> str:
    if url_name(text) is None or is_hidden(text):
        raise ArgumentTypeError(f"the name of a file, not {text!r}")
    return text
