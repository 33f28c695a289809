"""What the servers serve: all rows around one application, which the environment names."""

from __future__ import annotations

import os

from tests.matrix.applications import APPLICATIONS, counted
from tests.matrix.rows import ALL
from wsgikit import stack

_application = APPLICATIONS[os.environ["MATRIX_APPLICATION"]]()
_stacks = {name: stack(*row.layers, counted, _application) for name, row in ALL.items()}


def application(environ, start_response):
    return _stacks[environ["HTTP_X_ROW"]](environ, start_response)
