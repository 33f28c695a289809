"""``python3 -m wsgikit``: the command line, also from a zip file or a copied folder."""

from __future__ import annotations

import sys

from wsgikit.cli import main

if __name__ == "__main__":
    sys.exit(main())
