"""Step 3, with Werkzeug."""

import os

from werkzeug import Request, Response
from werkzeug.serving import run_simple


@Request.application
def hello(request):
    return Response("Hello World!")


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "4000"))
    run_simple("localhost", port, hello)
