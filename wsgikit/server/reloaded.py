"""The program that :mod:`wsgikit.server.reload` runs, seen from inside."""

from __future__ import annotations

import os
import socket
import sys
from threading import Thread
from time import sleep

from wsgikit.server.reload import COMPLETE, GRACE, INTERVAL, STOP, VARIABLE
from wsgikit.server.server import Server

__all__ = ["Reloaded", "is_reloaded"]


def is_reloaded() -> bool:
    """Whether this process was started by a reloader, to serve."""
    return VARIABLE in os.environ


class Reloaded:
    """What a program has from the reloader that started it: the contact, and what listens."""

    def __init__(self) -> None:
        # Taken out: it is not meant for programs that this one starts.
        contact, *listening = os.environ.pop(VARIABLE).split(",")
        self._contact = socket.socket(fileno=int(contact))
        self._contact.set_inheritable(False)
        #: What the server is to listen on.
        self.bind = [f"fd:{number}" for number in listening]

    def serves(self, server: Server) -> None:
        """Say that it serves, then what it has loaded, and stop it when it is to end."""
        self._contact.sendall(b"\n")
        Thread(target=self._report, args=(server,), name="wsgikit-contact", daemon=True).start()

    def _report(self, server: Server) -> None:
        self._contact.settimeout(INTERVAL)
        told: set[str] = set()
        while True:
            new = loaded_files() - told
            told |= new
            try:
                self._contact.sendall(b"".join(os.fsencode(path) + b"\n" for path in new))
                complete = self._contact.recv(1) == COMPLETE
                break  # nothing else is ever sent: it is the end
            except TimeoutError:
                pass
            except OSError:
                complete = False
                break  # the same, but it had not read everything
        if not complete:
            server.stop_timeout = min(STOP, server.stop_timeout)
        if not server.stopping:
            server.begin_shutdown()
        sleep(server.stop_timeout + GRACE)
        os._exit(1)  # and if there is nobody any more who would end it by force


def loaded_files() -> set[str]:
    """The files of all modules that are loaded."""
    # Some put other things among the modules, and some of those load when they are asked.
    found = [getattr(module, "__dict__", {}).get("__file__") for module in [*sys.modules.values()]]
    return {os.path.abspath(path) for path in found if isinstance(path, str) and "\n" not in path}
