"""What browsers may do with a response, said in its header fields.

CSP 3, RFC 6797 (HSTS), Permissions Policy, Referrer Policy, Fetch §3.8 (CORP), HTML §7.1.3 (COOP),
Reporting API; defaults as OWASP's Secure Headers project and MDN advise.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from os import urandom

from wsgikit.arguments import check_mapping
from wsgikit.compose import layer
from wsgikit.http.grammar import check_value, is_token
from wsgikit.keys import CSP_NONCE
from wsgikit.wrap import add_unless, on_start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from wsgikit.types import Body, HeaderList, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["CSP", "PERMISSIONS", "security_headers"]

#: What has to stand outside of this layer, and what inside, and why.
ORDER = {
    "inside": {"proxy_headers": "HSTS is for https, and only the proxy knows that it was"},
    "outside": {"errors": "error pages would be without these fields"},
}

#: The policy unless another is given: everything from the site itself, nothing inline, no frames
#: around it.
CSP = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
    " object-src 'none'"
)

#: What no page may ask for unless said otherwise.
PERMISSIONS = (
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(),"
    " magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=(),"
    " xr-spatial-tracking=()"
)

# The words of a policy that mean something else without their quotes: a host of that name.
_KEYWORDS = frozenset(
    "self none unsafe-inline unsafe-eval unsafe-hashes strict-dynamic report-sample"
    " wasm-unsafe-eval".split()
)
_QUOTED = ("nonce-", "sha256-", "sha384-", "sha512-")
_NONCE = "{nonce}"

# Browsers pass over all but these, as if there were no field.
_WORDS = {
    "referrer_policy": (
        "no-referrer no-referrer-when-downgrade same-origin origin strict-origin"
        " origin-when-cross-origin strict-origin-when-cross-origin unsafe-url"
    ).split(),
    "opener_policy": (
        "unsafe-none same-origin-allow-popups same-origin noopener-allow-popups"
    ).split(),
    "resource_policy": "same-site same-origin cross-origin".split(),
    "embedder_policy": "unsafe-none require-corp credentialless".split(),
    "frame_options": "DENY SAMEORIGIN".split(),
}
# RFC 6797 §6.1; preload is for the lists that browsers are made with.
_MAX_AGE = re.compile('max-age *= *([0-9]+|"[0-9]+")', re.IGNORECASE)
_HSTS = ("includesubdomains", "preload")
# Permissions Policy §5.2: a member of a dictionary (RFC 9651 §3.2).
_ALLOWED = r'(self|src|\*|"[^"]+")'
_PERMISSION = re.compile(rf"[a-z*][a-z0-9_.*-]*=(self|\*|\( *({_ALLOWED}( +{_ALLOWED})*)? *\))")


def doubts(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What :func:`wsgikit.check` tells of options that are allowed and seldom meant."""
    policy = (part.split() for part in (options["csp"] or "").split(";"))
    sources = {words[0]: words[1:] for words in policy if words}
    scripts = sources.get("script-src", sources.get("default-src", ()))
    # Nonces and hashes switch it off; it is there for browsers that know neither.
    guarded = any(source.startswith(("'nonce-", "'sha")) for source in scripts)
    if "'unsafe-inline'" in scripts and not guarded:
        mend = "write script-src 'nonce-{nonce}' 'strict-dynamic'"
        yield "a script that somebody smuggles into a page would run", mend


@layer
def security_headers(
    app: WSGIApplication,
    *,
    csp: str | None = CSP,
    csp_report_only: str | None = None,
    hsts: str | None = "max-age=31536000; includeSubDomains",
    permissions_policy: str | None = PERMISSIONS,
    referrer_policy: str | None = "same-origin",
    opener_policy: str | None = "same-origin",
    resource_policy: str | None = "same-origin",
    embedder_policy: str | None = None,
    frame_options: str | None = "DENY",
    reporting_endpoints: Mapping[str, str] | None = None,
) -> WSGIApplication:
    """Every response tells browsers what its page may do; a field that it has already stays.

    Each option is the value of its field, or None for none. ``X-Content-Type-Options: nosniff`` is
    always sent.

    :param csp: Content-Security-Policy. For a page with scripts of its own, write
        ``"script-src 'nonce-{nonce}' 'strict-dynamic'; object-src 'none'; base-uri 'none'"`` and in
        the page ``<script nonce="...">`` with the request's ``csp_nonce``: 128 random bits in
        base64, others for each response. A 304 has no such policy: it would replace the one of the
        page that the browser has kept, with its nonces.
    :param csp_report_only: a policy that is not enforced, only reported.
    :param hsts: Strict-Transport-Security, sent by https only. Browsers then keep to https for so
        many seconds, and nothing can take that back; ``includeSubDomains`` is for all below, too.
    :param permissions_policy: Permissions-Policy, like ``"camera=(), geolocation=(self)"``.
    :param referrer_policy: Referrer-Policy: other sites do not learn which page a link was on.
    :param opener_policy: Cross-Origin-Opener-Policy. Sign-in by a window of another site needs
        ``same-origin-allow-popups``.
    :param resource_policy: Cross-Origin-Resource-Policy; ``cross-origin`` for what other sites may
        embed.
    :param embedder_policy: Cross-Origin-Embedder-Policy.
    :param frame_options: X-Frame-Options, for browsers that do not know ``frame-ancestors``.
    :param reporting_endpoints: where browsers send reports, by the names in ``report-to``.
    :raises TypeError: for what is no ``str``.
    :raises ValueError: for what no field can hold, and for what browsers pass over as if it were
        not there: a word that is none of the option's, an ``hsts`` without ``max-age``, a
        permission as in the Feature-Policy of old; in a ``csp``, a directive that stands there
        twice, and a keyword without its quotes. So is a ``report-to`` that is no endpoint.
    """
    endpoints = {} if reporting_endpoints is None else reporting_endpoints
    given = (
        ("csp", "Content-Security-Policy", csp),
        ("csp_report_only", "Content-Security-Policy-Report-Only", csp_report_only),
        ("permissions_policy", "Permissions-Policy", permissions_policy),
        ("referrer_policy", "Referrer-Policy", referrer_policy),
        ("opener_policy", "Cross-Origin-Opener-Policy", opener_policy),
        ("resource_policy", "Cross-Origin-Resource-Policy", resource_policy),
        ("embedder_policy", "Cross-Origin-Embedder-Policy", embedder_policy),
        ("frame_options", "X-Frame-Options", frame_options),
        ("", "X-Content-Type-Options", "nosniff"),
        ("reporting_endpoints", "Reporting-Endpoints", _endpoints(endpoints)),
        ("hsts", "Strict-Transport-Security", hsts),
    )
    fields = []
    for option, name, value in given:
        if value not in (None, ""):
            fields.append((name, check_value(value, option)))
            _check(option, value, endpoints)
    nonced = [field for field in fields if _NONCE in field[1]]
    secure = [field for field in fields if field not in nonced]
    plain = [field for field in secure if field[0] != "Strict-Transport-Security"]
    around_secure, around_plain = _adding(secure), _adding(plain)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        around = around_secure if environ["wsgi.url_scheme"] == "https" else around_plain
        return app(environ, around(start_response))

    def answer_with_nonce(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        around = around_secure if environ["wsgi.url_scheme"] == "https" else around_plain
        nonce = environ[CSP_NONCE] = b2a_base64(urandom(16), newline=False).decode()

        def edit(status: str, headers: HeaderList) -> tuple[str, HeaderList]:
            if status[:3] != "304":
                sent = [(name, text.replace(_NONCE, nonce)) for name, text in nonced]
                _add_missing(headers, sent)
            return status, headers

        return app(environ, on_start(around(start_response), edit))

    return answer_with_nonce if nonced else answer


def _adding(fields: HeaderList) -> Callable[[StartResponse], StartResponse]:
    def edit(status: str, headers: HeaderList) -> tuple[str, HeaderList]:
        _add_missing(headers, fields)
        return status, headers

    return add_unless([name.lower() for name, _ in fields], fields, edit)


def _add_missing(headers: HeaderList, fields: HeaderList) -> None:
    present = {name.lower() for name, _ in headers}
    headers += [field for field in fields if field[0].lower() not in present]


def _check(option: str, value: str, endpoints: Mapping[str, str]) -> None:
    """Refuse what browsers would pass over."""
    if option in ("csp", "csp_report_only"):
        _check_policy(option, value, endpoints)
    elif option == "hsts":
        _check_hsts(value)
    elif option == "permissions_policy":
        for member in value.split(","):
            if not _PERMISSION.fullmatch(_without_report(option, member, endpoints)):
                raise ValueError(
                    "permissions_policy takes 'name=()', 'name=*', 'name=self' and"
                    f""" 'name=(self "https://a.example")', not {member.strip()!r}"""
                )
    elif option in _WORDS:
        if option in ("opener_policy", "embedder_policy"):
            value = _without_report(option, value, endpoints)
        for word in value.split(",") if option == "referrer_policy" else (value,):
            word = word.strip(" ")
            known = word.upper() if option == "frame_options" else word
            if known not in _WORDS[option]:
                *most, last = _WORDS[option]
                raise ValueError(f"{option} takes {', '.join(most)} or {last}, not {word!r}")


def _check_hsts(value: str) -> None:
    directives = [part.strip(" ") for part in value.split(";")]
    ages = list(filter(_MAX_AGE.fullmatch, directives))
    others = [part.lower() for part in directives if part and part not in ages]
    if len(ages) != 1 or len(set(others)) != len(others) or not set(others) <= set(_HSTS):
        raise ValueError(
            "hsts takes 'max-age=...' in seconds, and beside it once includeSubDomains and preload,"
            f" not {value!r}"
        )


def _without_report(option: str, value: str, endpoints: Mapping[str, str]) -> str:
    """The policy alone, without the parameter that tells where reports on it go."""
    policy, _, parameter = value.partition(";")
    name, _, endpoint = parameter.strip(" ").partition("=")
    if name == "report-to":
        _check_endpoints(option, [endpoint.strip('"')], endpoints)
        parameter = ""
    return f"{policy};{parameter}" if parameter else policy.strip(" ")


def _check_endpoints(option: str, names: list[str], endpoints: Mapping[str, str]) -> None:
    if not endpoints.keys() >= set(names):
        raise ValueError(f"{option} reports to what is not in reporting_endpoints: {names}")


def _check_policy(option: str, policy: str, endpoints: Mapping[str, str]) -> None:
    if "," in policy:
        raise ValueError(f"{option} takes one policy; a comma would begin another")
    seen = set()
    for directive in filter(None, map(str.split, policy.split(";"))):
        name, words = directive[0].lower(), directive[1:]
        if name in seen:
            raise ValueError(f"{option} has {name} twice: the first would count")
        seen.add(name)
        if name == "report-to":
            _check_endpoints(option, words, endpoints)
            continue
        for word in words:
            bare = word.strip("'\"")
            meant = bare.lower() in _KEYWORDS or bare.lower().startswith(_QUOTED)
            if meant and word != f"'{bare}'":
                raise ValueError(f"{option} takes '{bare}' in its quotes in {name}, not {word}")


def _endpoints(endpoints: Mapping[str, str]) -> str:
    """The value of Reporting-Endpoints: a dictionary of strings (RFC 9651 §3.2)."""
    check_mapping("reporting_endpoints", endpoints, "names to URLs")
    for name, url in endpoints.items():
        if not isinstance(name, str) or not isinstance(url, str):
            raise TypeError(f"reporting_endpoints maps text to text, not {name!r} to {url!r}")
        if not is_token(name) or name != name.lower() or not name[0].isalpha():
            raise ValueError(f"reporting_endpoints takes names in small letters, not {name!r}")
        if not url.startswith(("https://", "/")) or not url.isascii() or set(url) & set('"\\'):
            raise ValueError(f"reporting_endpoints takes https URLs or paths, not {url!r}")
    return ", ".join([f'{name}="{url}"' for name, url in endpoints.items()])
