"""``wsgikit files DIR``: serve a directory."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError

from wsgikit import apps, middleware
from wsgikit.commands.command import Trouble, folder, printed, size
from wsgikit.commands.command import add as add_command
from wsgikit.commands.serving import add_address, is_local, run_server
from wsgikit.compose import stack
from wsgikit.http.hosts import host_pattern
from wsgikit.server.limits import Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction

    from wsgikit.commands.command import Command
    from wsgikit.types import Layer, WSGIApplication

__all__ = ["add", "run"]

_TEXT = """\
Serve the files in a directory, with pages that list them and sort. Folders can be downloaded, parts
of files can be asked for, and whether a file has changed: videos can be wound, downloads resumed.

  {prog} files
  {prog} files ~/Pictures --upload --host 0.0.0.0
  {prog} files build --spa --port 0 --open

With --upload, whoever can reach the address can add files; nothing is replaced without --overwrite.
With --spa, an application in the browser with routes of its own is served: index.html answers for
pages that are not there. With --cors, pages of other sites may read the files by script.

On an address of this machine alone, only requests for its own names are answered, so that no other
site can pass itself off as this one; --hosts takes more names.
"""

_INDEX = "index.html"
_OWN = ("localhost", "127.0.0.1", "[::1]")

# So many bytes more than --max-upload come to the application, which says itself what it takes.
_ROOM = 1 << 20


def add(commands: _SubParsersAction[Command]) -> None:
    """Add the command."""
    summary = "serve a directory, with a listing"
    command = add_command(commands, "files", run, summary, _TEXT)
    command.add_argument("dir", nargs="?", default=".", metavar="DIR", help="default: this one")
    command.switch("list", f"list each directory, also one that has an {_INDEX}")
    command.switch("hidden", "list and serve also what begins with a dot")
    command.switch("upload", "take files into the directories, which are all listed then")
    command.value("max-upload", size, "1G", "how many bytes are taken at once")
    command.switch("overwrite", "let who uploads replace files")
    command.switch("spa", f"send {_INDEX} for pages that are not there")
    command.switch("cors", "let pages of any site read the files")
    about = "other names that the site is asked for by, with commas between"
    command.value("hosts", _hosts, None, about)
    add_address(command)


def run(options: Namespace) -> None:
    """Serve the directory that the options name.

    :raises Trouble: for options that do not go together.
    """
    root = folder(options.dir)
    app = _single_page(root, options) if options.spa else _listing(root, options)
    local = is_local(options)
    layers: list[Layer] = []
    if local or options.hosts:
        layers.append(middleware.allowed_hosts(hosts=(*_OWN, *(options.hosts or ()))))
    if options.cors:
        layers.append(middleware.cors(origins=["*"], expose=["*"]))
    if options.upload and not local:
        printed("Whoever can reach this address can add files.", error=True)
    limits = None
    if options.upload:
        limits = Limits(body_bytes=max(Limits().body_bytes, options.max_upload + _ROOM))
    run_server(stack(*layers, app), options, limits=limits)


def _single_page(root: str, options: Namespace) -> WSGIApplication:
    if options.list or options.upload:
        raise Trouble("--spa shows no lists, so it goes without --list and --upload")
    if not os.path.isfile(os.path.join(root, _INDEX)):
        raise Trouble(f"{root} has no {_INDEX}, which --spa is to send")
    return apps.static(root, index=_INDEX, fallback=_INDEX, hidden=options.hidden)


def _listing(root: str, options: Namespace) -> WSGIApplication:
    if options.overwrite and not options.upload:
        raise Trouble("--overwrite goes with --upload")
    return apps.listing(
        root,
        title=os.path.basename(os.path.abspath(root)) or "Files",
        index=None if options.list or options.upload else _INDEX,
        hidden=options.hidden,
        upload=options.upload,
        max_upload=options.max_upload,
        overwrite=options.overwrite,
    )


def _hosts(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if host_pattern(name) is None:
            raise ArgumentTypeError(f"{name!r} is no name of a host, such as example.com")
    return names
