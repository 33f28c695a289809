"""How cache, compress, conditional, etag and cache_control work together, as their pages say."""

from __future__ import annotations

import gzip
from itertools import permutations
from types import SimpleNamespace
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

from wsgikit import HTTPError, Response, Router, stack
from wsgikit.apps import static
from wsgikit.http.conditions import evaluate
from wsgikit.http.encoders import encoders
from wsgikit.http.etags import ETag
from wsgikit.middleware import cache, cache_control, compress, conditional, errors, etag, head

PAGE = "<p>All is well.</p>" * 100
CODINGS = {"gzip": encoders(6)["gzip"]}


@pytest.fixture
def router():
    router = Router()

    @router.get("/page")
    def page(request):
        return Response.html(PAGE)

    @router.get("/versioned")
    def versioned(request):
        return Response.html(PAGE, headers={"ETag": '"7"'})

    @router.put("/versioned")
    def replace(request):
        if evaluate(request.method, request.headers, ETag("7"), None):
            raise HTTPError(412)

    @router.get("/stream")
    def stream(request):
        return Response.stream([PAGE, PAGE], content_type="text/html")

    return router


RULES = {"text/html": "no-cache", "text/plain": "max-age=60"}
LAYERS = (compress(codings=CODINGS), conditional(), head(), etag(), cache_control(rules=RULES))


def ask(app, method="GET", path="/page", accept="gzip", **fields):
    environ = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": ""}
    setup_testing_defaults(environ)
    environ["wsgi.file_wrapper"] = FileWrapper
    if accept:
        environ["HTTP_ACCEPT_ENCODING"] = accept
    environ |= {f"HTTP_{name.upper()}": value for name, value in fields.items()}
    answer = SimpleNamespace()

    def start_response(status, headers, exc_info=None):
        answer.status, answer.fields = int(status[:3]), dict(headers)
        return [].append

    checked = validator(app)(environ, start_response)
    answer.body = b"".join(checked)
    checked.close()
    if answer.fields.get("Content-Encoding") == "gzip" and answer.body:
        answer.body = gzip.decompress(answer.body)
    answer.tag = answer.fields.get("ETag")
    return answer


@pytest.mark.parametrize("path", ["/page", "/versioned"])
def test_what_the_client_has_is_not_sent_again(router, path):
    app = stack(*LAYERS, router)
    first = ask(app, path=path)
    assert (first.status, first.body, first.tag[-7:]) == (200, PAGE.encode(), '--gzip"')
    again = ask(app, path=path, if_none_match=first.tag)
    assert (again.status, again.body) == (304, b"")
    assert again.fields == {
        "ETag": first.tag,
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
    }


@pytest.mark.parametrize("path", ["/page", "/versioned"])
def test_each_coding_is_a_variant_of_its_own(router, path):
    app = stack(*LAYERS, router)
    plain, packed = ask(app, path=path, accept=None), ask(app, path=path)
    assert plain.tag != packed.tag
    assert plain.fields["Vary"] == packed.fields["Vary"] == "Accept-Encoding"
    # A cache that has the one, asked for the other, tells its own tag (RFC 9111, section 4.3.1).
    assert ask(app, path=path, accept=None, if_none_match=packed.tag).status == 200
    assert ask(app, path=path, accept=None, if_none_match=plain.tag).tag == plain.tag
    both = ask(app, path=path, if_none_match=f"{plain.tag}, {packed.tag}")
    assert (both.status, both.tag) == (304, packed.tag)


def test_what_was_seen_compressed_can_be_changed(router):
    app = stack(*LAYERS, router)
    tag = ask(app, path="/versioned").tag
    for accept in ("gzip", None):
        assert ask(app, "PUT", "/versioned", accept, if_match=tag).status == 204
        assert ask(app, "PUT", "/versioned", accept, if_match='"7"').status == 204
        assert ask(app, "PUT", "/versioned", accept, if_match='W/"6--gzip"').status == 412
        assert ask(app, "PUT", "/versioned", accept, if_match='W/"7"').status == 412
        assert ask(app, "PUT", "/versioned", accept, if_none_match=tag).status == 412


@pytest.mark.parametrize("path", ["/page", "/versioned", "/stream"])
@pytest.mark.parametrize("accept", ["gzip", None])
def test_head_has_the_fields_of_get(router, path, accept):
    app = stack(*LAYERS, router)
    get, bare = ask(app, path=path, accept=accept), ask(app, "HEAD", path, accept)
    if accept:
        get.fields.pop("Content-Length", None)
    assert (bare.status, bare.fields, bare.body) == (get.status, get.fields, b"")
    if get.tag:
        assert ask(app, "HEAD", path, accept, if_none_match=get.tag).status == 304


def test_a_stream_has_no_tag_and_is_compressed(router):
    answer = ask(stack(*LAYERS, router), path="/stream")
    assert (answer.tag, answer.body) == (None, PAGE.encode() * 2)
    assert answer.fields["Content-Encoding"] == "gzip"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "page.txt").write_text(PAGE)
    return tmp_path


def test_parts_of_files_are_those_of_the_content_as_it_is(folder):
    app = stack(*LAYERS, static(folder))
    whole = ask(app, path="/page.txt")
    assert whole.fields["Content-Encoding"] == "gzip"
    assert "Accept-Ranges" not in whole.fields
    part = ask(app, path="/page.txt", range="bytes=5-9")
    assert (part.status, part.body) == (206, PAGE[5:10].encode())
    assert "Content-Encoding" not in part.fields
    # Whoever has the beginning in gzip gets the whole again, never the rest of another coding.
    resumed = ask(app, path="/page.txt", range="bytes=5-", if_range=whole.tag)
    assert (resumed.status, resumed.body) == (200, PAGE.encode())
    strong = ask(app, path="/page.txt", accept=None).tag
    assert ask(app, path="/page.txt", range="bytes=5-", if_range=strong).status == 206


@pytest.mark.parametrize("accept", ["gzip", None])
def test_files_answer_conditions_themselves(folder, accept):
    app = stack(*LAYERS, static(folder))
    first = ask(app, path="/page.txt", accept=accept)
    again = ask(app, path="/page.txt", accept=accept, if_none_match=first.tag)
    assert (again.status, again.tag) == (304, first.tag)


@pytest.mark.parametrize("order", [*permutations(range(4))], ids=str)
def test_in_a_wrong_order_the_answers_are_right_all_the_same(router, order):
    four = (LAYERS[0], LAYERS[1], LAYERS[3], LAYERS[4])
    app = stack(*[four[place] for place in order], errors(), router)
    for accept in ("gzip", None):
        first = ask(app, accept=accept)
        assert (first.status, first.body) == (200, PAGE.encode())
        again = ask(app, accept=accept, if_none_match=first.tag)
        if order.index(1) < order.index(2):  # whoever compares must see the tag
            assert (again.status, again.tag) == (304, first.tag)
        else:
            assert (again.status, again.body) == (200, PAGE.encode())
        assert ask(app, accept=accept, if_none_match='"other"').body == PAGE.encode()


# cache around all of them


def cached(router, rules=RULES):
    return stack(cache(), *LAYERS[:4], cache_control(rules=rules), router)


KEPT = {"text/html": "max-age=60"}


@pytest.mark.parametrize("path", ["/page", "/versioned"])
def test_what_is_kept_is_each_coding_with_its_tag(router, path):
    app = cached(router, KEPT)
    for accept in ("gzip", None):
        first, again = ask(app, path=path, accept=accept), ask(app, path=path, accept=accept)
        assert again.fields["Cache-Status"] == "wsgikit; hit; ttl=60"
        assert (again.body, again.tag) == (first.body, first.tag)
        assert again.fields.get("Content-Encoding") == first.fields.get("Content-Encoding")
        unchanged = ask(app, path=path, accept=accept, if_none_match=first.tag)
        assert (unchanged.status, unchanged.tag) == (304, first.tag)
        assert unchanged.fields["Vary"] == "Accept-Encoding"
    plain, packed = ask(app, path=path, accept=None), ask(app, path=path)
    assert plain.tag != packed.tag
    assert ask(app, path=path, accept=None, if_none_match=packed.tag).status == 200


@pytest.mark.parametrize("path", ["/page", "/versioned"])
@pytest.mark.parametrize("accept", ["gzip", None])
def test_what_is_kept_is_validated_by_the_layers_inside(router, path, accept):
    app = cached(router)  # no-cache: the application is asked each time
    first = ask(app, path=path, accept=accept)
    again = ask(app, path=path, accept=accept)
    assert again.fields["Cache-Status"] == "wsgikit; fwd=stale; fwd-status=304"
    assert (again.status, again.body, again.tag) == (200, first.body, first.tag)
    assert ask(app, path=path, accept=accept, if_none_match=first.tag).status == 304
    assert ask(app, "HEAD", path, accept).fields["ETag"] == first.tag


def test_a_change_is_seen_through_the_cache(router):
    app = cached(router, KEPT)
    tag = ask(app, path="/versioned").tag
    assert ask(app, "PUT", "/versioned", if_match=tag).status == 204
    assert "stored" in ask(app, path="/versioned").fields["Cache-Status"]


def test_a_part_of_a_file_is_one_of_the_coding_that_is_kept(folder):
    app = stack(cache(), *LAYERS[:4], static(folder, cache={"*": "max-age=60"}))
    for accept in ("gzip", None):
        whole = ask(app, path="/page.txt", accept=accept)
        part = ask(app, path="/page.txt", accept=accept, range="bytes=5-9")
        assert part.status == (200 if accept else 206)
        assert part.body == (PAGE if accept else PAGE[5:10]).encode()
        resumed = ask(app, path="/page.txt", accept=accept, range="bytes=5-", if_range=whole.tag)
        assert resumed.status == (200 if accept else 206)


CACHED = (cache(), LAYERS[0], LAYERS[1], LAYERS[3], cache_control(rules=KEPT))


@pytest.mark.parametrize("order", [*permutations(range(5))], ids=str)
def test_with_a_cache_in_a_wrong_order_the_answers_are_right_all_the_same(router, order):
    app = stack(*[CACHED[place] for place in order], errors(), router)
    for accept in ("gzip", None, "gzip"):
        for _ in range(2):
            answer = ask(app, accept=accept)
            assert (answer.status, answer.body) == (200, PAGE.encode())
            if accept is None:
                assert "Content-Encoding" not in answer.fields
        again = ask(app, accept=accept, if_none_match=answer.tag or '"none"')
        assert again.status in (200, 304)
        assert again.body in (PAGE.encode(), b"")
        assert ask(app, accept=accept, if_none_match='"other"').body == PAGE.encode()
