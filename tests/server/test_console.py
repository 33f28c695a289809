from __future__ import annotations

import io
import logging
import sys

import pytest

from wsgikit.server.access import log_access
from wsgikit.server.console import has_colours, log_to_stderr


@pytest.fixture
def logger(monkeypatch):
    logger = logging.getLogger("wsgikit")
    monkeypatch.setattr(logger, "handlers", [])
    level = logger.level
    yield logger
    logger.setLevel(level)


def test_unconfigured_logging_goes_to_stderr_once(logger, monkeypatch):
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(logging.root, "handlers", [])  # pytest's own
    log_to_stderr()
    log_to_stderr()
    logging.getLogger("wsgikit.access").info("a line")
    assert stderr.getvalue().endswith(" a line\n")
    assert len(logger.handlers) == 1


def test_configured_logging_is_left_alone(logger):
    assert logging.root.handlers  # pytest's own
    log_to_stderr()
    assert logger.handlers == []


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(logger, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(logging.root, "handlers", [])  # pytest's own
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    log_to_stderr()
    return terminal


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (200, "\x1b[32m200\x1b[0m"),
        (304, "\x1b[36m304\x1b[0m"),
        (404, "\x1b[33m404\x1b[0m"),
        (500, "\x1b[31m500\x1b[0m"),
        ("-", "\x1b[2m-\x1b[0m"),
    ],
)
def test_a_status_has_a_colour_on_a_terminal(terminal, status, shown):
    log_access(("1.2.3.4", 5), 'GET /" 200 HTTP/1.1', status, 12, 0.001)
    line = terminal.getvalue()
    assert line.endswith(f'1.2.3.4 "GET /\\" 200 HTTP/1.1" {shown} 12 1.0 ms\n')
    assert line.count("\x1b") == 2


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        (logging.INFO, "{}\n"),
        (logging.WARNING, "\x1b[33m{}\x1b[0m\n"),
        (logging.ERROR, "\x1b[31m{}\x1b[0m\n"),
    ],
)
def test_trouble_has_a_colour_on_a_terminal(terminal, level, shown):
    logging.getLogger("wsgikit.server").log(level, "a line")
    line = terminal.getvalue()
    plain = line.removeprefix("\x1b[33m").removeprefix("\x1b[31m").partition("a line")[0] + "a line"
    assert line == shown.format(plain)


def test_what_others_log_for_access_is_left_as_it_is(terminal):
    logging.getLogger("wsgikit.access").info("a line of %d %d %d", 1, 2, 3)
    assert terminal.getvalue().endswith(" a line of 1 2 3\n")


@pytest.mark.parametrize(
    ("stream", "environ", "has"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
        (None, {}, False),
    ],
)
def test_colours_are_for_terminals_and_those_who_want_them(stream, environ, has):
    assert has_colours(stream, environ) is has
