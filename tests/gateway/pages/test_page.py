"""The page's files as any client gets them; `test_page_in_browser` uses the page."""

import re
from html.parser import HTMLParser

import pytest

from gateway.pages.pages import CONTENT_TYPES, FOLDER
from tests.gateway.running import Gateway, gateway

FILES = sorted(path.name for path in FOLDER.iterdir() if path.name != "index.html")
TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
NOBODY = "127.0.0.1:1"


class Reader(HTMLParser):
    """What the page refers to, and whatever a strict policy would refuse."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.references: set[str] = set()
        self.inline: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.references |= {given[name] or "" for name in ("src", "href") if name in given}
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)


def test_every_file_of_the_page_is_served(running: Gateway) -> None:
    assert {path.suffix for path in FOLDER.iterdir()} <= CONTENT_TYPES.keys()
    for name in FILES:
        reply = running.get(f"/static/{name}")
        assert (reply.status, reply.headers["Content-Type"]) == (200, f"{TYPES[name.split('.')[1]]}; charset=utf-8")
        assert reply.body == (FOLDER / name).read_bytes()
    reply = running.get("/")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_the_page_refers_to_nothing_that_is_not_served(running: Gateway) -> None:
    references = Reader(running.get("/").body.decode()).references
    assert {"static/base.css", "static/page.css", "static/page.js", "docs", "openapi.json"} <= references
    for reference in references:
        assert running.get(f"/{reference}").status == 200
    for script in FOLDER.glob("*.js"):
        for imported in re.findall(r'from "\./(.*)"', script.read_text()):
            assert imported in FILES


def test_the_page_needs_no_inline_script_or_style(running: Gateway) -> None:
    reply = running.get("/")
    assert Reader(reply.body.decode()).inline == []
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_knows_the_settings() -> None:
    name = 'a "model" <b>'
    with gateway(model_server=NOBODY, model_name=name, threshold=0.25, max_text_characters=77) as running:
        page = running.get("/").body.decode()
    assert 'data-threshold="0.25"' in page
    assert 'data-max-text-characters="77"' in page
    assert "a &quot;model&quot; &lt;b&gt;" in page
    assert name not in page


@pytest.mark.parametrize("path", ["/", "/static/page.js"])
def test_a_browser_that_has_the_file_is_not_sent_it_again(running: Gateway, path: str) -> None:
    first = running.get(path)
    assert first.headers["Cache-Control"] == "no-cache"
    for known in (first.headers["ETag"], f'"other", {first.headers["ETag"]}', f"W/{first.headers['ETag']}", "*"):
        again = running.send("GET", path, If_None_Match=known)
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    changed = running.send("GET", path, If_None_Match='"other"')
    assert (changed.status, changed.body) == (200, first.body)


@pytest.mark.parametrize("name", ["pages.py", "..%2Fpages.py", "%2e%2e/pages.py", "", "index.html", "page.js/"])
def test_nothing_else_is_served(running: Gateway, name: str) -> None:
    assert running.get(f"/static/{name}").error[:2] == (404, "not_found")


def test_head_answers_without_the_body(running: Gateway) -> None:
    reply = running.send("HEAD", "/")
    assert (reply.status, reply.body) == (200, b"")
    assert int(reply.headers["Content-Length"]) == len(running.get("/").body)
