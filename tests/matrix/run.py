"""``python -m tests.matrix.run SERVER``: serve in this process, and print the port."""

from __future__ import annotations

import sys
from wsgiref import simple_server

from tests.matrix.served import application


def with_wsgikit():
    from wsgikit import serve

    serve(application, port=0, ready=lambda url: print(url, flush=True))


def with_wsgiref():
    server = simple_server.make_server("127.0.0.1", 0, application)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


def with_waitress():
    import waitress

    # It drops X-Forwarded-Proto and its kin where it is not told of a proxy itself.
    server = waitress.create_server(
        application, listen="127.0.0.1:0", clear_untrusted_proxy_headers=False
    )
    print(f"http://127.0.0.1:{server.effective_port}", flush=True)
    server.run()


def with_cheroot():
    from cheroot import wsgi

    server = wsgi.Server(("127.0.0.1", 0), application, numthreads=2)
    server.prepare()
    print(f"http://127.0.0.1:{server.bind_addr[1]}", flush=True)
    server.serve()


if __name__ == "__main__":
    {
        "wsgikit": with_wsgikit,
        "wsgiref": with_wsgiref,
        "waitress": with_waitress,
        "cheroot": with_cheroot,
    }[sys.argv[1]]()
