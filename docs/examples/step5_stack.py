"""Step 5: a stack: layers around the router, one of them our own, and static files beside it."""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from step4_router import router

from wsgikit import describe, layer, serve, stack
from wsgikit.apps import static
from wsgikit.middleware import debugger, errors
from wsgikit.wrap import on_start


@layer
def timing(
    app: WSGIApplication, *, clock: Callable[[], float] = time.perf_counter
) -> WSGIApplication:
    """Tell the client in ``Server-Timing`` how long the response took to start."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        begun = clock()

        def edit(status: str, headers: list[tuple[str, str]]) -> tuple[str, list[tuple[str, str]]]:
            headers.append(("Server-Timing", f"app;dur={(clock() - begun) * 1000:.1f}"))
            return status, headers

        return app(environ, on_start(start_response, edit))

    return answer


@router.get("/oops")
def oops(request: object) -> None:
    raise RuntimeError("This page fails, to show what the layers make of it.")


router.mount("/static", static(Path(__file__).parent / "public"))

app = stack(
    timing(),
    errors(),
    debugger(),
    router,
)

if __name__ == "__main__":
    print(describe(app))
    serve(app, port=int(os.environ.get("PORT", "8000")))
