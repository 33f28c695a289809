"""A form to sign in: a session with another id, and a limit to what can be guessed."""

import os
from pathlib import Path

from wsgikit import HTTPError, Request, Response, Router, serve, stack
from wsgikit.clients import client_address
from wsgikit.credentials import PasswordFile, checked_name
from wsgikit.limiter import Limiter
from wsgikit.middleware import csrf, errors, security_headers, sessions
from wsgikit.page import escape, page
from wsgikit.stores import MemoryStore

# "wsgikit password ann" has made its line.
people = PasswordFile(Path(__file__).parent / "people.txt")
store = MemoryStore()  # for one process; SQLiteStore("site.db") is for several

# A client may be wrong twenty times, a name ten times by all clients together. So whoever guesses
# can keep the owner of a name out for some minutes; that is the price of not letting them guess.
of_client = Limiter(store, requests=20, seconds=600, name="sign-in-client")
of_name = Limiter(store, requests=10, seconds=600, name="sign-in-name")

router = Router()


@router.get("/")
def home(request: Request) -> Response:
    name = request.session.get("user")
    if name is None:
        return Response.html(page("Home", '<h1>Home</h1><p><a href="/sign-in">Sign in</a></p>'))
    button = '<form method="post" action="/sign-out"><button>Sign out</button></form>'
    return Response.html(page("Home", f"<h1>Hello, {escape(name)}!</h1>{button}"))


@router.get("/sign-in")
def form(request: Request) -> Response:
    notes = "".join(f"<p>{escape(text)}</p>" for text, kind in request.session.flashes())
    return Response.html(
        page(
            "Sign in",
            f"""<h1>Sign in</h1>{notes}
            <form method="post" action="/sign-in">
            <p><label>Name<br><input name="name" required autocomplete="username"></label></p>
            <p><label>Password<br><input name="password" type="password" required
             autocomplete="current-password"></label></p>
            <button>Sign in</button>
            </form>""",
        )
    )


@router.post("/sign-in")
def sign_in(request: Request) -> Response:
    fields = request.form(10_000)
    try:
        name = checked_name(fields["name"].strip())  # one name, however it was typed
    except ValueError as error:
        raise HTTPError(400, f"This name does not do: {error}.") from None
    of_client.check(client_address(request.environ))  # or a 429, with Retry-After
    of_name.check(name)
    if not people.verify(name, fields["password"]):  # as slow for a name that nobody has
        request.session.flash("The name or the password is wrong.")
        return Response.redirect("/sign-in")
    of_name.forget(name)
    request.session.rotate()  # an id that somebody knew before is worth nothing now
    request.session["user"] = name
    return Response.redirect("/")


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    request.session.clear()
    return Response.redirect("/")


app = stack(
    security_headers(),
    errors(),
    csrf(),
    sessions(store=store),
    router,
)

if __name__ == "__main__":
    serve(app, port=int(os.environ.get("PORT", "8000")))
