"""The page without a mouse, for a screen reader, on a phone, in the dark: in a real browser."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.gateway.conftest import MODEL
from tests.gateway.pages.browser import MISSING, Tab

pytestmark = pytest.mark.skipif(MISSING is not None, reason=MISSING or "")

TEXT = "How much flour do I need?"
SCHEMES = ("light", "dark")
# WCAG 2.2, 1.4.3 (AA): normal text on its background.
LEAST_CONTRAST = 4.5

# Every text that is shown, with the contrast to the nearest opaque background behind it.
CONTRASTS = """
const luminance = (color) => {
  const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const isOpaque = (color) => color !== "transparent" && !/, 0\\)$/.test(color);
const behind = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const color = getComputedStyle(each).backgroundColor;
    if (isOpaque(color)) return color;
  }
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const found = [];
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !element.checkVisibility({ checkVisibilityCSS: true })) continue;
  const [darker, lighter] = [getComputedStyle(element).color, behind(element)].map(luminance).sort((a, b) => a - b);
  found.push([walker.currentNode.data.trim(), (lighter + 0.05) / (darker + 0.05)]);
}
return found;
"""


def show_all(page: Tab) -> Iterator[str]:
    """Brings the page into each of its states, one after the other, and names them."""
    yield "empty"
    page.ask("x" * 1001)
    page.run("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    yield "refused"
    page.at("role").send_keys("the student")
    page.at("previous").send_keys("averylongwordwithoutanyspaceinside" * 5)
    page.ask("averylongwordwithoutanyspaceinside" * 5)
    page.run("document.getElementById('key').hidden = false")
    yield "answered"
    page.at("threshold").send_keys(Keys.END)
    yield "abstained"


def test_everything_that_can_be_used_has_a_name(page: Tab) -> None:
    for state in show_all(page):
        used = page.all("button, a, input, select, textarea, summary")
        shown = [each for each in used if each.is_displayed()]
        assert len(shown) > 10
        nameless = [each.get_attribute("outerHTML") for each in shown if not each.accessible_name.strip()]
        assert nameless == [], state
    assert page.at("text").accessible_name == "What was said?"
    assert page.at("threshold").accessible_name.startswith("Abstain below")
    assert page.at("role").accessible_name == "Said by"
    assert page.at("previous").accessible_name == "The turn before it"
    assert page.run("return document.documentElement.lang") == "en"
    assert page.at("intents").aria_role == "list"
    assert page.driver.title


def test_answer_and_refusal_are_read_out(page: Tab) -> None:
    # Both regions are known to the screen reader before anything happens in them.
    assert (page.at("announcement").aria_role, page.at("refusal-text").aria_role) == ("status", "alert")
    page.run(
        """window.heard = [];
        for (const id of ["announcement", "refusal-text"]) {
          const region = document.getElementById(id);
          new MutationObserver(() => heard.push(region.textContent.trim()))
            .observe(region, { childList: true, characterData: true, subtree: true });
        }"""
    )
    page.ask(TEXT)
    page.ask("x" * 1001)
    heard = [each for each in page.run("return heard") if each]
    assert heard[0] == f"{MODEL.intent(TEXT)}, score 0.750. Answered by version 1."
    assert heard[1].startswith("Text too long")
    assert len(heard) == 2


def test_the_keyboard_reaches_everything_in_order(page: Tab) -> None:
    # Ready to type, and back to where one was after the answer.
    assert page.driver.switch_to.active_element == page.at("text")
    page.ask(TEXT)
    assert page.driver.switch_to.active_element == page.at("text")
    reached = []
    for _ in range(30):
        focused = page.driver.switch_to.active_element
        if focused.tag_name == "body":
            break
        assert page.run("return getComputedStyle(arguments[0]).outlineStyle", focused) != "none"
        reached.append(focused.get_attribute("id") or focused.tag_name)
        ActionChains(page.driver).send_keys(Keys.TAB).perform()
    assert reached[:5] == ["text", "around-title", "threshold", "version", "submit"]
    assert reached[5:] == ["button"] * 6 + ["summary", "button", "recent-forget", "names-title"]


def test_the_keyboard_alone_asks_in_a_dialogue(page: Tab) -> None:
    def press(*keys: str) -> None:
        ActionChains(page.driver).send_keys(*keys).perform()

    press("Yes", Keys.TAB, Keys.ENTER, Keys.TAB, "the teacher", Keys.TAB, "two")
    ActionChains(page.driver).key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(Keys.SHIFT).perform()
    press("lines")
    assert page.at("around").get_property("open")
    page.and_wait(lambda: press(Keys.ENTER))
    assert (page.asked["text"], page.asked["role"], page.asked["previous"]) == ("Yes", "teacher", "two\nlines")
    assert page.driver.switch_to.active_element == page.at("previous")


def test_a_narrow_phone_needs_no_scrolling_sideways(page: Tab) -> None:
    page.resize(320, 640)
    for state in show_all(page):
        assert page.run("return document.documentElement.scrollWidth") == 320, state
        beyond = page.run(
            "return [...document.body.querySelectorAll('*')].filter((each) => each.checkVisibility()"
            " && each.getBoundingClientRect().right > 320.5).map((each) => each.outerHTML)"
        )
        assert beyond == [], state


def test_a_phone_goes_to_the_answer(page: Tab) -> None:
    page.resize(320, 640)
    page.ask(TEXT)
    top, bottom = page.run(
        "const area = document.getElementById('verdict').getBoundingClientRect(); return [area.top, area.bottom]"
    )
    assert 0 <= top < bottom <= 640


def test_every_text_has_enough_contrast(page: Tab) -> None:
    backgrounds = set()
    for scheme in SCHEMES:
        page.prefer(prefers_color_scheme=scheme)
        backgrounds.add(page.run("return getComputedStyle(document.body).backgroundColor"))
        page.open()
        for state in show_all(page):
            contrasts = page.run(CONTRASTS)
            assert len(contrasts) > 20
            weak = [(text, contrast) for text, contrast in contrasts if contrast < LEAST_CONTRAST]
            assert weak == [], (scheme, state)
    assert len(backgrounds) == len(SCHEMES)


def test_nothing_moves_for_who_wants_no_motion(page: Tab) -> None:
    page.ask(TEXT)
    animation = "return getComputedStyle(document.querySelector('.fill')).animationName"
    assert page.run(animation) == "grow"
    page.prefer(prefers_reduced_motion="reduce")
    assert page.run(animation) == "none"
