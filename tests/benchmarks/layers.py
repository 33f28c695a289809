"""Ten layers that pass everything through, in each library's own idiom."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from tests.benchmarks import hello
from tests.benchmarks.harness import Runner, Settings, compare, gap, sound
from tests.benchmarks.report import heading, verdict
from wsgikit import layer, stack

COUNT = 10


def closure(application: WSGIApplication) -> WSGIApplication:
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return application(environ, start_response)

    return answer


def by_hand() -> WSGIApplication:
    application = hello.by_hand()
    for _ in range(COUNT):
        application = closure(application)
    return application


def with_wsgikit() -> WSGIApplication:
    passing = layer(closure)
    return stack(*[passing() for _ in range(COUNT)], hello.by_hand())


def with_wheezy() -> WSGIApplication:
    def passing(request: Any, following: Any) -> Any:
        return following(request)

    return hello.with_wheezy(*[lambda options: passing] * COUNT)


def with_falcon() -> WSGIApplication:
    class Passing:
        def process_request(self, request: Any, response: Any) -> None:
            pass

        def process_response(
            self, request: Any, response: Any, resource: Any, succeeded: bool
        ) -> None:
            pass

    return hello.with_falcon(*[Passing() for _ in range(COUNT)])


def with_bottle() -> WSGIApplication:
    def passing(callback: Any) -> Any:
        def wrapper(*arguments: Any, **parameters: Any) -> Any:
            return callback(*arguments, **parameters)

        return wrapper

    return hello.with_bottle(*[passing] * COUNT)


def with_werkzeug() -> WSGIApplication:
    class Passing:
        def __init__(self, application: WSGIApplication) -> None:
            self.application = application

        def __call__(
            self, environ: WSGIEnvironment, start_response: StartResponse
        ) -> Iterable[bytes]:
            return self.application(environ, start_response)

    application = hello.by_hand()
    for _ in range(COUNT):
        application = Passing(application)
    return application


def with_flask() -> WSGIApplication:
    def before() -> None:
        pass

    def after(response: Any) -> Any:
        return response

    application: Any = hello.with_flask()
    for _ in range(COUNT):
        application.before_request(before)
        application.after_request(after)
    return application  # type: ignore[no-any-return]


BUILDERS = {
    "bare": by_hand,
    "wsgikit": with_wsgikit,
    "wheezy.web": with_wheezy,
    "falcon": with_falcon,
    "bottle": with_bottle,
    "werkzeug": with_werkzeug,
    "flask": with_flask,
}
# A WSGI layer does not care what is inside: the hand-written greeting disturbs the least.
CORES = {**hello.BUILDERS, "wsgikit": hello.by_hand, "werkzeug": hello.by_hand}


def run(settings: Settings) -> None:
    heading("layers", f"GET /hello through {COUNT} layers that pass it on, a layer's share")
    runners = {}
    for name, application in sound(BUILDERS, hello.CHECKS, settings.only).items():
        for key, whole in (name, application), (name + " core", CORES[name]()):
            runners[key] = Runner(whole, [hello.EXCHANGE], settings.seconds)
    times = compare(runners, settings.rounds)
    print(f"  {'':12}{'µs a layer':>12}{'whole µs':>10}")
    for name in BUILDERS:
        if name in times:
            share = gap(times[name], times[name + " core"]) / COUNT * 1e6
            goal = "   " + verdict(share, 0.08, "µs") if name == "wsgikit" else ""
            print(f"  {name:12}{share:12.3f}{median(times[name]) * 1e6:10.2f}{goal}")
