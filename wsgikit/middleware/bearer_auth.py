"""A token with each request, for programs (RFC 6750)."""

from __future__ import annotations

from wsgikit.arguments import check_function
from wsgikit.compose import layer
from wsgikit.environ import native
from wsgikit.errors import answer_error
from wsgikit.http.authorization import format_challenge, parse_bearer, scheme_of
from wsgikit.http.problem import HTTPError
from wsgikit.keys import AUTH_TYPE, REMOTE_USER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["bearer_auth", "insufficient_scope"]

#: What has to stand inside of this layer and what outside, and why.
ORDER = {
    "inside": {"errors": "its refusals would not look as other errors do"},
    "outside": {"cache": "what was kept for one who may see it would be given to all"},
}

_REALM = "This service"


@layer
def bearer_auth(
    app: WSGIApplication, *, verify: Callable[[str], str | None], realm: str = _REALM
) -> WSGIApplication:
    """Only who sends a token that is known comes in: ``Authorization: Bearer ...``.

    :param verify: ``verify(token)`` returns whose it is, and None for a token that is unknown,
        expired or revoked: :meth:`wsgikit.credentials.TokenFile.verify`, a look into a database by
        the token's hash, or the check of a signature. An :class:`~wsgikit.HTTPError` that it raises
        is the answer.
    :param realm: what the token is for, in a few words.
    :raises TypeError: when ``verify`` is no function, or the realm no ``str``.
    :raises ValueError: for a realm that is not in ASCII.

    Without a token the answer is a 401, with one that is wrong a 401 with ``invalid_token``, and
    with what is no token a 400 with ``invalid_request``, each with its WWW-Authenticate (RFC 6750
    §3). Tokens in the query or in forms are not taken (RFC 9700 §4.3.2): they end in logs.

    ``REMOTE_USER`` is whose the token is, as PEP 3333 has text, ``AUTH_TYPE`` is ``Bearer``; what
    was in either before is gone. For a token that is good, but not for what is asked,
    :func:`insufficient_scope` is to be raised.

    Reads HTTP_AUTHORIZATION, writes REMOTE_USER and AUTH_TYPE.
    """
    check_function("verify", verify, "a function of a token")
    missing = _error(401, "This needs a token: Authorization: Bearer.", realm=realm)
    malformed = _error(
        400, "What Authorization has is no bearer token.", realm=realm, error="invalid_request"
    )
    wrong = _error(401, "The token is not known, or no longer.", realm=realm, error="invalid_token")

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        environ.pop(REMOTE_USER, None)
        environ.pop(AUTH_TYPE, None)
        field: str = environ.get("HTTP_AUTHORIZATION", "")
        token = parse_bearer(field)
        if token is None:
            refusal = malformed if scheme_of(field) == "bearer" else missing
            return answer_error(refusal, environ, start_response)
        try:
            name = verify(token)
        except HTTPError as error:
            return answer_error(error, environ, start_response)
        if name is None:
            return answer_error(wrong, environ, start_response)
        environ[REMOTE_USER] = native(name)
        environ[AUTH_TYPE] = "Bearer"
        return app(environ, start_response)

    return answer


def insufficient_scope(scope: str, *, realm: str = _REALM) -> HTTPError:
    """What a view raises for a token that is not good for what is asked: a 403 (RFC 6750 §3.1).

    :param scope: what the token would have to be good for: words with spaces between.
    :param realm: as the layer has it.
    :raises ValueError: for what is not in printable ASCII.
    """
    detail = f"The token is not for this: it needs {scope}."
    return _error(403, detail, realm=realm, error="insufficient_scope", scope=scope)


def _error(status: int, detail: str, **parameters: str) -> HTTPError:
    challenge = format_challenge("Bearer", **parameters)
    return HTTPError(status, detail, headers=[("WWW-Authenticate", challenge)])
