"""Step 3, with wsgikit."""

import os

from wsgikit import Request, Response, serve


@Request.application
def hello(request):
    return Response("Hello World!")


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "4000"))
    serve(hello, host="localhost", port=port)
