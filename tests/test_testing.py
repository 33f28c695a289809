from __future__ import annotations

from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from wsgikit.testing import serving


def hello(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]


def test_serving_answers_while_the_block_runs():
    with serving(hello) as server:
        assert server.url == f"http://{server.host}:{server.port}"
        with urlopen(server.url) as response:
            assert response.read() == b"hello"
    with pytest.raises(OSError, match="refused"):
        urlopen(server.url)


def test_serving_stops_when_the_block_fails():
    with pytest.raises(LookupError), serving(hello) as server:
        raise LookupError
    with pytest.raises(OSError, match="refused"):
        urlopen(server.url)


def test_an_error_of_the_application_is_seen(caplog):
    def app(environ, start_response):
        raise LookupError("here it is")

    with serving(app) as server:
        with pytest.raises(HTTPError) as raised:
            urlopen(server.url)
        raised.value.close()
    assert raised.value.code == 500
    assert "LookupError: here it is" in caplog.text


def test_what_is_no_application():
    with pytest.raises(TypeError, match="app takes a WSGI callable"), serving(None):
        pass
