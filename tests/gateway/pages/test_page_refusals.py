"""What the page says, in a real browser, when it gets no answer."""

from contextlib import suppress
from pathlib import Path

import pytest
from selenium.common.exceptions import ElementNotInteractableException
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver

from tests.gateway.api_keys.test_main import A
from tests.gateway.conftest import MODEL, OTHER_MODEL, PATIENT
from tests.gateway.pages.browser import MISSING, Tab, tab
from tests.gateway.relay import Relay
from tests.gateway.running import gateway
from tests.gateway.scraped import Scraped
from tests.servers import ModelServer

pytestmark = pytest.mark.skipif(MISSING is not None, reason=MISSING or "")

TEXT = "How much flour do I need?"


def test_a_text_that_is_too_long_is_refused(page: Tab) -> None:
    page.ask(TEXT)
    page.ask("x" * 1001)
    assert not page.at("answer").is_displayed()
    assert page.at("refusal-text").text == "Text too long\n" + page.answered["detail"]
    facts = dict(zip(page.texts("#refusal-facts dt"), page.texts("#refusal-facts dd"), strict=True))
    request_id = page.answered["request_id"]
    assert facts == {"code": "text_too_long", "status": "413", "field": "/text", "request id": request_id}
    link = page.all("#refusal-facts a")[0].get_property("href")
    assert link == f"{page.url}docs#text_too_long"
    assert page.text("text-count") == "1001 of 1000"
    assert page.all(".too-many")
    page.ask(TEXT)
    assert page.at("answer").is_displayed()
    assert page.text("refusal-text") == ""
    assert not page.at("refusal-rest").is_displayed()


def test_a_turn_before_that_is_too_long_is_refused(page: Tab) -> None:
    page.at("around-title").click()
    page.run("document.getElementById('previous').value = 'x'.repeat(1000)")
    page.at("previous").send_keys("y")
    assert page.text("previous-count") == "1001 of 1000"
    page.ask(TEXT)
    assert page.texts("#refusal-facts dd")[:3] == ["text_too_long", "413", "/previous"]


def test_a_model_that_cannot_use_a_dialogue_says_so(driver: WebDriver, other_server: ModelServer) -> None:
    with gateway(model_server=other_server.address, **PATIENT) as running, tab(driver, running.port) as page:
        page.at("around-title").click()
        page.at("role").send_keys("the student")
        page.ask(TEXT)
        assert page.text("refusal-text").startswith("Context not supported")
        assert page.texts("#refusal-facts dd")[:3] == ["context_not_supported", "422", "/role"]
        page.at("role").send_keys("not known")
        page.ask(TEXT)
        assert page.text("verdict") == OTHER_MODEL.intent(TEXT)


def test_a_model_server_that_is_away_is_told_with_the_time_to_wait(
    driver: WebDriver, server: ModelServer, line: Relay
) -> None:
    with (
        gateway(model_server=f"127.0.0.1:{line.port}", **PATIENT) as running,
        tab(driver, running.port) as page,
    ):
        line.cut()
        page.ask(TEXT)
        assert page.text("refusal-text").startswith("Model server unavailable")
        assert page.answered["status"] == 503
        assert page.at("again").aria_role == "button"
        line.turn_to(server.grpc_port)
        page.wait(lambda: page.text("announcement") == "You can ask again now.")
        page.at("again").send_keys(Keys.ENTER)
        page.wait(lambda: page.text("verdict") == MODEL.intent(TEXT) or ready_again(page))
        assert page.text("refusal-text") == ""
        # The button is gone; the focus is not lost with it.
        assert page.driver.switch_to.active_element == page.at("verdict")


def ready_again(page: Tab) -> bool:
    """Asks again if the gateway has not found the model server yet."""
    if page.at("again").is_displayed() and page.at("again").get_attribute("aria-disabled") != "true":
        # The answer to the try before may come in this moment, and take the button away.
        with suppress(ElementNotInteractableException):
            page.at("again").send_keys(Keys.ENTER)
    return False


def test_the_wait_that_the_gateway_asks_for_is_counted_down(driver: WebDriver) -> None:
    settings = {"breaker_failures": 1, "breaker_seconds": 600, **PATIENT}
    with gateway(model_server="127.0.0.1:1", **settings) as running, tab(driver, running.port) as page:
        page.wait(lambda: "model server" in page.text("model-note"))
        page.ask(TEXT)
        assert page.at("again").get_attribute("aria-disabled") == "true"
        first = page.text("countdown")
        assert first.endswith(" s, as the gateway asks")
        page.wait(lambda: page.text("countdown") != first)
        before = page.answered
        page.at("again").click()
        page.ask(TEXT)
        # The click asked nothing; only this does.
        assert page.answered["request_id"] != before["request_id"]
        said = Scraped(running.get("/metrics").body)
        assert said.value("gateway_request_seconds_count", route="/v1/predict") == 2


def test_a_gateway_that_is_away_is_told(driver: WebDriver, server: ModelServer) -> None:
    with gateway(model_server=server.address, **PATIENT) as running, tab(driver, running.port) as page:
        running.process.kill()
        running.process.wait()
        page.ask(TEXT)
        assert page.text("refusal-text").startswith("The gateway does not answer")
        assert page.texts("#refusal-facts dd") == ["no_connection"]
        assert page.at("again").is_displayed()


def test_a_key_is_asked_for_and_stays_in_the_tab(driver: WebDriver, server: ModelServer, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(A)
    with gateway(model_server=server.address, keys_file=keys, **PATIENT) as running:
        with tab(driver, running.port) as page:
            # At once, before anything was asked.
            page.wait(lambda: page.at("key-value").is_displayed())
            assert page.driver.switch_to.active_element == page.at("key-value")
            page.ask(TEXT)
            assert page.texts("#refusal-facts dd")[:2] == ["key_required", "401"]
            page.and_wait(lambda: page.at("key-value").send_keys("secret of nobody\n"))
            assert page.texts("#refusal-facts dd")[:2] == ["key_required", "401"]
            assert page.at("key-form").is_displayed()
            page.and_wait(lambda: page.at("key-value").send_keys(" secret of a \n"))
            assert page.text("verdict") == MODEL.intent(TEXT)
            page.wait(lambda: page.at("names").is_displayed())
            assert not page.at("key-form").is_displayed()
            assert "secret" not in page.text("raw-request")
            assert page.run("return [localStorage.length, document.cookie]") == [0, ""]
            page.open()
            page.ask(TEXT)
            assert page.text("verdict") == MODEL.intent(TEXT)
            page.at("key-forget").click()
            page.ask(TEXT)
            assert page.texts("#refusal-facts dd")[0] == "key_required"
        with tab(driver, running.port) as other:
            other.wait(lambda: other.at("key-value").is_displayed())


def test_an_error_of_the_page_itself_is_shown(page: Tab) -> None:
    # The scripts do not reckon with that.
    page.run("document.getElementById('text-count').remove()")
    page.at("text").send_keys("a")
    page.wait(lambda: "TypeError" in page.text("refusal-text"))
    assert page.text("refusal-text").startswith("This page has an error")
    assert page.texts("#refusal-facts dd") == ["page_error"]
    page.open()
    assert page.text("refusal-text") == ""
    page.run("document.getElementById('question').remove()")
    page.at("text").send_keys("a\n")
    page.wait(lambda: "TypeError" in page.text("refusal-text"))
    assert page.at("ask").get_attribute("aria-busy") == "false"


def test_the_page_says_so_if_its_scripts_do_not_come(page: Tab) -> None:
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/api.js"]})
    page.driver.get(page.url)
    page.wait(lambda: page.at("no-script").is_displayed())
    assert "This page needs its scripts" in page.text("no-script")
