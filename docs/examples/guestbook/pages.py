"""The pages of the guestbook. What people have written goes through escape(), always."""

from collections.abc import Sequence
from datetime import UTC, datetime

from entries import Entry

from wsgikit.page import escape

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="stylesheet" href="{root}/static/guestbook.css">
<link rel="icon" href="{root}/static/icon.svg" type="image/svg+xml">
<script src="{root}/static/guestbook.js" defer></script>
</head>
<body>
<a class="skip" href="#main">To the content</a>
<header>
<div class="bar">
<a class="brand" href="{root}/"><img src="{root}/static/icon.svg" alt="" width="32" height="32">
Guestbook</a>
<nav aria-label="Account">{account}</nav>
</div>
</header>
<main id="main">
{flashes}
{content}
</main>
<footer>Sign-in, sessions, limits and pictures with the standard library alone:
<code>wsgikit serve</code>.</footer>
</body>
</html>
"""

WRITE = """<section class="write" aria-labelledby="write">
<h1 id="write">Leave a line, {name}</h1>
<form method="post" action="{root}/entries" enctype="multipart/form-data">
<label for="text">Your words</label>
<textarea id="text" name="text" rows="4" maxlength="2000" required
 placeholder="What would you like to be remembered for?"></textarea>
<div class="choose">
<label class="button quiet" for="picture">Add a picture</label>
<input id="picture" name="picture" type="file" accept="image/png,image/jpeg,image/gif,image/webp">
<span class="soft">PNG, JPEG, GIF or WebP, up to 5 MB</span>
</div>
<figure id="preview" class="preview" hidden>
<img alt="The picture that you have chosen">
<figcaption>
<output></output>
<button type="button" class="quiet">Remove it</button>
</figcaption>
</figure>
<div class="shows">
<label for="shows">What it shows, for those who cannot see it</label>
<input id="shows" name="shows" maxlength="200" autocomplete="off">
</div>
<button class="primary">Sign the book</button>
</form>
</section>
"""

WELCOME = """<section class="welcome">
<h1>Were you here?<br>Leave a line.</h1>
<p>Some words, a picture if you like. <a class="button primary" href="{root}/sign-in">Sign in to
write</a></p>
</section>
"""

SIGN_IN = """<section class="narrow" aria-labelledby="sign-in">
<h1 id="sign-in">Sign in</h1>
<p class="soft">New here? Choose a name and a password, and press the second button.</p>
<form method="post" action="{root}/sign-in">
<label for="name">Name</label>
<input id="name" name="name" value="{name}" maxlength="40" required autocomplete="username"
 autocapitalize="none" spellcheck="false">
<label for="password">Password</label>
<input id="password" name="password" type="password" minlength="8" maxlength="1024" required
 autocomplete="current-password" aria-describedby="least">
<p id="least" class="soft">At least 8 characters.</p>
<div class="buttons">
<button class="primary">Sign in</button>
<button class="quiet" formaction="{root}/register">Create an account</button>
</div>
</form>
</section>
"""


def page(root: str, title: str, content: str, name: str | None, flashes: Sequence[object]) -> str:
    """A whole page.

    :param name: who has signed in.
    :param flashes: the messages that were left, (text, kind).
    """
    if name is None:
        account = f'<a class="button quiet" href="{root}/sign-in">Sign in</a>'
    else:
        account = (
            f'<span class="who">{escape(name)}</span>'
            f'<form method="post" action="{root}/sign-out"><button class="quiet">Sign out</button>'
            "</form>"
        )
    notes = "".join(
        f'<p class="note {escape(kind)}" role="status">{escape(text)}</p>'
        for text, kind in flashes  # type: ignore[misc]
    )
    return PAGE.format(
        root=root, title=escape(title), account=account, flashes=notes, content=content
    )


def book(root: str, entries: Sequence[Entry], name: str | None, older: bool) -> str:
    """The entries, with a form before them for who has signed in."""
    top = WELCOME.format(root=root) if name is None else WRITE.format(root=root, name=escape(name))
    drawn = "".join(entry(root, each, mine=each.name == name) for each in entries)
    empty = '<p class="empty">The book is open at its first page.</p>'
    more = ""
    if older:
        more = f'<p class="more"><a href="{root}/?before={entries[-1].id}">Older entries</a></p>'
    return f'{top}<section class="entries" aria-label="Entries">{drawn or empty}</section>{more}'


def entry(root: str, entry: Entry, mine: bool) -> str:
    """One entry."""
    written = datetime.fromtimestamp(entry.written, UTC)
    date = f"{written.day} {written:%B %Y, %H:%M}"
    picture = ""
    if entry.picture:
        source = f"{root}/pictures/{entry.picture}"
        picture = (
            f'<a class="picture" href="{source}">'
            f'<img src="{source}" alt="{escape(entry.shows)}" loading="lazy"></a>'
        )
    remove = ""
    if mine:
        remove = (
            f'<form method="post" action="{root}/entries/{entry.id}/delete">'
            '<button class="link">Remove</button></form>'
        )
    lines = "<br>".join(escape(line) for line in entry.text.splitlines())
    return (
        f'<article class="entry">{picture}<div class="words"><p>{lines}</p>'
        f'<footer><span class="by">{escape(entry.name)}</span>'
        f'<time datetime="{written:%Y-%m-%dT%H:%MZ}">{date} UTC</time>{remove}</footer>'
        "</div></article>"
    )
