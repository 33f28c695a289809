"""Compare wsgikit with its peers and with a hand-written WSGI function.

Run it from the checkout, with whatever of the ``bench`` extra is installed::

    python -m tests.benchmarks                        # everything
    python -m tests.benchmarks hello json --rounds 5  # two scenarios, quickly
    python -m tests.benchmarks --only bare wsgikit    # without the peers
    python -m tests.benchmarks.static_scale           # many files, and a large one

The scenarios, a file each: ``hello``, ``json``, ``form``, ``layers``, ``routers``, ``static``,
``stores``, ``uploads``, ``cold-start``.
No test depends on a number that is printed here.
"""
