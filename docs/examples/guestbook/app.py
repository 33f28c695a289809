"""A guestbook: sign-in, entries with pictures, sessions and limits. The standard library is enough.

``wsgikit serve docs/examples/guestbook/app.py``. What it keeps goes to ``guestbook-data``, or where
the environment variable ``GUESTBOOK_DATA`` says.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from entries import Guestbook
from pages import SIGN_IN, book, page

from wsgikit import HTTPError, Request, Response, Router, layer, stack
from wsgikit.apps import static
from wsgikit.clients import client_address
from wsgikit.credentials import PasswordCheck, checked_name
from wsgikit.environ import root_url
from wsgikit.limiter import Limiter
from wsgikit.middleware import csrf, errors, rate_limit, security_headers, sessions
from wsgikit.page import escape
from wsgikit.passwords import MAX_PASSWORD, hash_password
from wsgikit.stores import SQLiteStore

HERE = Path(__file__).parent
MAX_PICTURE = 5_000_000

# The page's own files, and the picture that was chosen, before it is sent.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' blob:;"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

data = Path(os.environ.get("GUESTBOOK_DATA", "guestbook-data"))
guestbook = Guestbook(data)
store = SQLiteStore(data / "state.db")

check_password = PasswordCheck()
# Guesses of one client, and of one name by all of them: who guesses can keep its owner out for a
# while, but not get in. And entries, and accounts.
by_client = Limiter(store, requests=20, seconds=600, name="sign-in-client")
by_name = Limiter(store, requests=10, seconds=600, name="sign-in-name")
registering = Limiter(store, requests=5, seconds=3600, name="register")
writing = Limiter(store, requests=5, seconds=60, name="write")

router = Router()
pictures = static(
    guestbook.pictures,
    index=None,
    cache={"*": "private, max-age=31536000, immutable"},
    headers={"*": {"Content-Security-Policy": "default-src 'none'; sandbox"}},
)


def answer(request: Request, title: str, content: str) -> Response:
    """A page, with whoever has signed in and the messages for them."""
    session = request.session
    root = root_url(request.environ)
    return Response.html(page(root, title, content, session.get("name"), session.flashes()))


def back(request: Request, path: str = "/") -> Response:
    return Response.redirect(root_url(request.environ) + path)


@layer
def members(app: WSGIApplication) -> WSGIApplication:
    """For routes: who has not signed in is sent to the form."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        if "name" in request.session:
            return app(environ, start_response)
        request.session.flash("Please sign in first.")
        return back(request, "/sign-in")(environ, start_response)

    return answer


@router.get("/")
def home(request: Request) -> Response:
    before = request.query.get("before", "")
    many = 20
    start = int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None
    entries = guestbook.read(start, many + 1)
    root, name = root_url(request.environ), request.session.get("name")
    return answer(request, "Guestbook", book(root, entries[:many], name, len(entries) > many))


@router.post("/entries", members())
def write(request: Request) -> Response:
    name = request.session["name"]
    writing.check(name)
    form = request.form(MAX_PICTURE + 100_000, max_fields=10, max_file_size=MAX_PICTURE)
    text = form["text"].strip()[:2000]
    if not text:
        request.session.flash("A line without words is none.", "bad")
        return back(request)
    upload = form.files.get("picture")
    picture = ""
    if upload is not None and upload.size:
        picture = guestbook.keep(upload)
        if not picture:
            request.session.flash("That is no picture that browsers show.", "bad")
            return back(request)
    guestbook.write(name, text, picture, form.get("shows", "").strip()[:200])
    request.session.flash("Thank you! It is in the book.", "good")
    return back(request)


@router.post("/entries/{id:int}/delete", members())
def delete(request: Request, id: int) -> Response:
    if not guestbook.delete(id, request.session["name"]):
        raise HTTPError(404)
    request.session.flash("It is gone.")
    return back(request)


@router.get("/sign-in")
def form(request: Request) -> Response:
    name = request.query.get("name", "")[:40]
    content = SIGN_IN.format(root=root_url(request.environ), name=escape(name))
    return answer(request, "Sign in", content)


@router.post("/sign-in")
def sign_in(request: Request) -> Response:
    name, password = given(request)
    by_client.check(client_address(request.environ))
    by_name.check(name.lower())
    registered, stored = guestbook.account(name)
    if not check_password.verify(password, stored) or registered is None:
        # The same for a name that nobody has, and after the same time.
        request.session.flash("The name or the password is wrong.", "bad")
        return back(request, "/sign-in")
    by_name.forget(name.lower())
    return welcome(request, registered)


@router.post("/register")
def register(request: Request) -> Response:
    name, password = given(request)
    if not 8 <= len(password) <= MAX_PASSWORD or len(name) > 40:
        lengths = f"8 to {MAX_PASSWORD} characters for the password, 1 to 40 for the name."
        request.session.flash(lengths, "bad")
        return back(request, "/sign-in")
    registering.check(client_address(request.environ))
    if not guestbook.register(name, hash_password(password)):
        request.session.flash("Somebody has that name already.", "bad")
        return back(request, "/sign-in")
    return welcome(request, name)


def given(request: Request) -> tuple[str, str]:
    """The name and the password of a form."""
    fields = request.form(10_000)
    try:
        return checked_name(fields["name"].strip()), fields["password"]
    except ValueError as error:
        raise HTTPError(400, f"This name does not do: {error}.") from None


def welcome(request: Request, name: str) -> Response:
    request.session.clear()  # whatever was planted in it, and its id
    request.session["name"] = name
    request.session.flash(f"Welcome, {name}.", "good")
    return back(request)


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    request.session.clear()
    return back(request)


router.mount("/static", static(HERE / "static"))
router.mount("/pictures", pictures)

app = stack(
    security_headers(csp=POLICY),
    errors(),
    rate_limit(store=store, requests=300, seconds=60),
    csrf(),
    sessions(store=store),
    router,
)
