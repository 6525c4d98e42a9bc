"""The pages at /docs: complete, self-contained, and readable on every screen."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver

from gateway.pages.openapi import documented_errors
from tests.gateway.pages.browser import MISSING, Tab, browser
from tests.gateway.running import Gateway, Reply, gateway


@pytest.fixture(scope="module")
def alone() -> Iterator[Gateway]:
    """A gateway without a model server: the documentation needs none."""
    with gateway(model_server="127.0.0.1:1") as it:
        yield it


@pytest.fixture(scope="module")
def reply(alone: Gateway) -> Reply:
    return alone.get("/docs")


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        """Of links, and of everything that would be loaded."""
        self.tags: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        assert self._open == [], "every element is closed"

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value or "")
            elif name in ("href", "src"):
                self.addresses.append(value or "")
        if tag not in ("meta", "br", "link"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def test_the_page_is_html_with_its_style_inside_and_nothing_else(reply: Reply) -> None:
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    page = Page(reply.body.decode())
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert not [each for each in page.addresses if not each.startswith("#") and each not in ("openapi.json", "./")]
    policy = reply.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_every_link_leads_somewhere_and_every_anchor_is_unique(reply: Reply) -> None:
    page = Page(reply.body.decode())
    assert len(page.ids) == len(set(page.ids))
    assert {each[1:] for each in page.addresses if each.startswith("#")} <= set(page.ids)


def test_every_error_is_explained_at_the_address_that_problems_give(reply: Reply) -> None:
    source = reply.body.decode()
    for kind in documented_errors():
        article = re.search(rf'<article class="card" id="{kind.code}">(.*?)</article>', source, re.DOTALL)
        assert article, kind.code
        words = re.sub("<[^>]+>", "", article[1]).replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">")
        for said in (str(kind.status), " ".join(kind.__doc__.split()), kind.remedy):
            assert said.replace("`", "") in words


def test_every_operation_and_every_schema_is_explained(alone: Gateway, reply: Reply) -> None:
    document = alone.get("/openapi.json").json
    ids = Page(reply.body.decode()).ids
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    assert {f"operation-{each['operationId']}" for each in operations} <= set(ids)
    assert {f"schema-{name}" for name in document["components"]["schemas"]} <= set(ids)


def test_its_commands_call_the_address_at_which_it_was_asked(alone: Gateway) -> None:
    own = alone.get("/docs").body.decode()
    assert f"curl -X POST http://127.0.0.1:{alone.port}/v1/predict " in own
    for host, proto, address in (
        ("intents.example.com", "https", "https://intents.example.com/v1/predict"),
        ("intents.example.com:8080", "http", "http://intents.example.com:8080/v1/predict"),
        ("[2001:db8::1]:5000", "", "http://[2001:db8::1]:5000/v1/predict"),
        ("$(reboot)", "", "http://localhost:"),
    ):
        page = alone.send("GET", "/docs", Host=host, X_Forwarded_Proto=proto).body.decode()
        assert f"curl -X POST {address}" in page
        assert "reboot" not in page


def test_a_copy_that_is_still_the_newest_is_not_sent_again(alone: Gateway, reply: Reply) -> None:
    again = alone.send("GET", "/docs", If_None_Match=reply.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


@pytest.fixture(scope="module")
def driver() -> Iterator[WebDriver]:
    with browser() as it:
        yield it


@pytest.fixture
def tab(driver: WebDriver, alone: Gateway) -> Iterator[Tab]:
    it = Tab(driver, alone.port)
    yield it
    it.close()


@pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
class TestInABrowser:
    """In Chromium."""

    def test_it_fits_a_phone_and_a_wide_screen(self, tab: Tab) -> None:
        for width in (320, 390, 820, 1400):
            tab.resize(width, 900)
            tab.driver.get(f"{tab.url}docs")
            tab.run("for (const each of document.querySelectorAll('details')) each.open = true")
            assert tab.run("return document.documentElement.scrollWidth") <= width
        assert not tab.driver.get_log("browser"), "the style is let through, and nothing is missing"

    def test_it_is_dark_where_dark_is_preferred(self, tab: Tab) -> None:
        colours = {}
        for scheme in ("light", "dark"):
            tab.prefer(prefers_color_scheme=scheme)
            tab.driver.get(f"{tab.url}docs")
            colours[scheme] = _brightness(tab, "background-color"), _brightness(tab, "color")
        assert colours["light"][0] > 200 > 100 > colours["light"][1]
        assert colours["dark"][0] < 60 < 200 < colours["dark"][1]

    def test_the_keyboard_reaches_content_and_examples(self, tab: Tab) -> None:
        tab.driver.get(f"{tab.url}docs")
        tab.all("body")[0].send_keys(Keys.TAB)
        assert str(tab.driver.switch_to.active_element.get_attribute("href")).endswith("#content")
        summary, example = tab.all("#operation-classify summary")[0], tab.all("#operation-classify details pre")[0]
        assert not example.is_displayed()
        summary.send_keys(Keys.ENTER)
        assert example.is_displayed()
        assert "curl -X POST" in example.text

    def test_the_address_of_a_problem_shows_its_explanation(self, tab: Tab, alone: Gateway) -> None:
        tab.resize(390, 900)
        tab.driver.get(f"{tab.url}{alone.get('/nowhere').json['type'].removeprefix('/')}")
        top = tab.run("return arguments[0].getBoundingClientRect().top", tab.at("not_found"))
        assert 0 <= top < 900
        assert "Compare the path" in tab.at("not_found").text


def _brightness(tab: Tab, name: str) -> float:
    """0 to 255, of a colour of the body."""
    colour = tab.all("body")[0].value_of_css_property(name)
    return sum(float(each) for each in re.findall(r"[\d.]+", colour)[:3]) / 3
