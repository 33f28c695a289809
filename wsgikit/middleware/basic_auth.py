"""A name and a password with each request, for which browsers ask by themselves (RFC 7617)."""

from __future__ import annotations

from unicodedata import normalize

from wsgikit.arguments import check_function
from wsgikit.compose import layer
from wsgikit.environ import native
from wsgikit.errors import answer_error
from wsgikit.http.authorization import format_challenge, parse_basic
from wsgikit.http.problem import HTTPError
from wsgikit.keys import AUTH_TYPE, REMOTE_USER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wsgikit.types import Body, StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["basic_auth"]

#: What has to stand inside of this layer and what outside, and why.
ORDER = {
    "inside": {"errors": "its refusals would not look as other errors do"},
    "outside": {"cache": "what was kept for one who may see it would be given to all"},
}


@layer
def basic_auth(
    app: WSGIApplication, *, verify: Callable[[str, str], object], realm: str = "This site"
) -> WSGIApplication:
    """Only who sends a right name and password comes in; others get a 401, and browsers ask.

    :param verify: ``verify(name, password)`` returns whether they belong together. Have it take as
        long for an unknown name, and compare in constant time:
        :meth:`wsgikit.credentials.PasswordFile.verify` does both, and does not hash anew at each
        request. An :class:`~wsgikit.HTTPError` that it raises is the answer.
    :param realm: what the password is for, in the words that some browsers show; browsers send one
        password to all that has this realm.
    :raises TypeError: when ``verify`` is no function, or the realm no ``str``.
    :raises ValueError: for a realm that is not in ASCII.

    ``REMOTE_USER`` is the name, as PEP 3333 has text (:func:`wsgikit.environ.text` decodes it),
    ``AUTH_TYPE`` is ``Basic``; what was in either before is gone. Names and passwords are in UTF-8,
    as the challenge says, and names composed (NFC, RFC 7617 §2.1), for ``verify`` as well: one name
    is one, however it was typed. What is malformed is a 401 like what is wrong.

    Reads HTTP_AUTHORIZATION, writes REMOTE_USER and AUTH_TYPE.
    """
    check_function("verify", verify, "a function of a name and a password")
    challenge = format_challenge("Basic", realm=realm, charset="UTF-8")
    wrong = HTTPError(
        401, "This needs a name and a password.", headers=[("WWW-Authenticate", challenge)]
    )

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Body:
        environ.pop(REMOTE_USER, None)
        environ.pop(AUTH_TYPE, None)
        given = parse_basic(environ.get("HTTP_AUTHORIZATION", ""))
        if given is None:
            return answer_error(wrong, environ, start_response)
        name = normalize("NFC", given[0])
        try:
            right = verify(name, given[1])
        except HTTPError as error:
            return answer_error(error, environ, start_response)
        if not right:
            return answer_error(wrong, environ, start_response)
        environ[REMOTE_USER] = native(name)
        environ[AUTH_TYPE] = "Basic"
        return app(environ, start_response)

    return answer
