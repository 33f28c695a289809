"""The libraries compared with: each may be missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any
from warnings import catch_warnings


def load(module: str) -> Any:
    """Return a module, or None where it is not installed."""
    try:
        with catch_warnings(action="ignore"):  # what peers warn of is their matter
            return import_module(module)
    except ModuleNotFoundError as error:
        if error.name and not module.startswith(error.name):
            raise  # it is installed and lacks something: not for us to hide
        return None


bottle = load("bottle")
falcon = load("falcon")
flask = load("flask")
multipart = load("multipart")
python_multipart = load("python_multipart")
wheezy_http = load("wheezy.http")
wheezy_web = load("wheezy.web.middleware")
werkzeug = load("werkzeug")
werkzeug_routing = load("werkzeug.routing")
werkzeug_shared = load("werkzeug.middleware.shared_data")
whitenoise = load("whitenoise")

LIBRARIES = {
    "wheezy.web": wheezy_web,
    "falcon": falcon,
    "bottle": bottle,
    "werkzeug": werkzeug,
    "flask": flask,
    "whitenoise": whitenoise,
    "multipart": multipart,
    "multipart push": multipart,
    "python-multipart": python_multipart,
}


def lacking(name: str) -> bool:
    """Tell whether a contestant is a library that is not installed."""
    return LIBRARIES.get(name, True) is None


def wheezy_application(urls: list[Any], *factories: Any) -> Any:
    """Return wheezy.web's application for a table of URLs, with middleware around the routing."""
    middleware = [
        wheezy_web.bootstrap_defaults(url_mapping=urls),
        *factories,
        wheezy_web.path_routing_middleware_factory,
    ]
    with catch_warnings(action="ignore"):  # it would rather have a cipher, for cookies
        return wheezy_http.WSGIApplication(middleware, {"render_template": lambda *_: ""})


def werkzeug_application(rules: list[Any]) -> Any:
    """Return the application of Werkzeug's tutorial: a map of rules whose endpoints are views."""
    urls = werkzeug_routing.Map(rules)

    @werkzeug.Request.application
    def application(request: Any) -> Any:
        view, values = urls.bind_to_environ(request.environ).match()
        return view(request, **values)

    return application
