"""What commands that serve have in common: the address, the browser, the application's name."""

from __future__ import annotations

import webbrowser
from argparse import ArgumentTypeError
from threading import Thread
from traceback import print_exception

import wsgikit
from wsgikit.commands.command import Trouble
from wsgikit.http.hosts import host_name, is_loopback
from wsgikit.http.peers import TrustedPeers
from wsgikit.load import LoadError, load
from wsgikit.server.addresses import Address, TcpAddress, UnixAddress, parse_binds
from wsgikit.server.reloaded import is_reloaded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from wsgikit.commands.command import Command
    from wsgikit.types import WSGIApplication

__all__ = ["add_address", "add_target", "is_local", "loaded", "run_server"]


def add_address(command: Command) -> None:
    """Add the options that say where to listen."""
    group = command.add_argument_group("where")
    about = "the address to listen on; 0.0.0.0 is all that this machine has"
    command.value("host", _host, "127.0.0.1", about, group=group)
    command.value("port", _port, "8000", "the port; 0 takes a free one", group=group)
    about = "listen there in place of host and port: HOST:PORT, unix:PATH, fd:NUMBER, or systemd"
    command.values("bind", _bind, about, group=group)
    about = "the permissions of Unix sockets; who may write can connect"
    command.value("unix-mode", _mode, "600", about, group=group)
    about = "a network of proxies that begin each connection with a PROXY header, or unix"
    name = "proxy-protocol"
    command.values(name, _network, about, shown="NETWORK", group=group)
    _add_tls(command)
    command.switch("open", "open the browser there", group=group)


def _add_tls(command: Command) -> None:
    group = command.add_argument_group("HTTPS")
    about = "the file with the certificate and its chain; SIGHUP has it read anew"
    command.value("cert", str, None, about, group=group)
    about = "the file with its private key, where that is not in the same"
    command.value("key", str, None, about, group=group)
    about = "a file with authorities: each client has to have a certificate of one of them"
    command.value("client-ca", str, None, about, group=group)


def add_target(command: Command) -> None:
    """Add what names an application."""
    command.add_argument("app", metavar="APP", help="module:name or path/to/app.py:name")
    command.switch("factory", "the name is a function that makes the application")
    command.switch("traceback", "when the application fails to load, print its traceback")


def loaded(options: Namespace) -> WSGIApplication:
    """The application that was named.

    :raises Trouble: when there is none, or when it fails.
    """
    try:
        return load(options.app, factory=options.factory)
    except LoadError as error:
        failed = error.__cause__
        if failed is None:
            raise Trouble(str(error)) from None
        if options.traceback:
            print_exception(failed)
            raise Trouble(str(error), 1) from None
        raise Trouble(f"{error}; --traceback shows it all", 1) from None


def is_local(options: Namespace) -> bool:
    """Whether nobody but this machine reaches the address of the options."""

    addresses = parse_binds(options.bind) or (TcpAddress(options.host, 0),)
    return all(map(_is_own, addresses))


def _is_own(address: Address) -> bool:
    if isinstance(address, TcpAddress):
        host = f"[{address.host}]" if address.six else address.host
        return is_loopback(host_name(host) or "")
    return isinstance(address, UnixAddress)  # of what was inherited nothing is known


def run_server(app: WSGIApplication, options: Namespace, **others: Any) -> None:
    """Serve ``app`` at the address of the options until a signal ends it.

    :param others: more options of :func:`wsgikit.serve`.
    """

    def open_browser(url: str) -> None:
        if url.startswith("unix:"):
            raise Trouble("--open needs an address that a browser can open")
        # In a thread: a browser in the terminal returns when it is closed.
        Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    tls = None
    if options.cert is not None:
        try:
            tls = wsgikit.server.TLS(options.cert, options.key, client_ca=options.client_ca)
        except ValueError as error:
            raise Trouble(str(error), 1) from None
    elif options.key or options.client_ca:
        raise Trouble("--key and --client-ca go with --cert")
    ready = open_browser if options.open else None
    wsgikit.serve(
        app,
        host=options.host,
        port=options.port,
        bind=options.bind,
        unix_mode=options.unix_mode,
        proxy_protocol=options.proxy_protocol,
        tls=tls,
        ready=ready,
        **others,
    )


def _host(text: str) -> str:
    try:
        if not text.isascii():
            text.encode("idna")
    except UnicodeError:
        raise ArgumentTypeError(f"{text!r} is no address and no name of a host") from None
    return text


def _bind(text: str) -> str:
    if is_reloaded():
        return text  # the sockets come from the reloader, and nothing more from systemd
    try:
        parse_binds([text])
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    return text


def _network(text: str) -> str:
    try:
        TrustedPeers([text], "a network")
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    return text


def _mode(text: str) -> int:
    if not (len(text) < 5 and set(text) <= set("01234567") and 0 < int(text, 8) < 0o1000):
        raise ArgumentTypeError(f"permissions are octal, such as 660, not {text!r}")
    return int(text, 8)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536):
        raise ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)
