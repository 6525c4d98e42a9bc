"""The page in a real browser: asks, shows the ranked intents, and says what went wrong."""

import json
import shlex

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.gateway.conftest import MODEL
from tests.gateway.pages.browser import MISSING, Tab
from tests.gateway.running import Gateway
from tests.gateway.tiny_model import PROBABILITY, probability

pytestmark = pytest.mark.skipif(MISSING is not None, reason=MISSING or "")

TEXT = "How much flour do I need?"


def test_enter_asks_and_shows_the_ranked_intents(page: Tab) -> None:
    # What the tabs before wrote.
    page.driver.get_log("browser")
    page.ask(TEXT)
    intent = MODEL.intent(TEXT)
    assert page.at("verdict").text == intent
    assert page.at("question").text == TEXT
    names = page.texts("#intents code")
    assert names[0] == intent
    assert sorted(names) == sorted(MODEL.names)
    assert page.texts("#intents .score") == ["0.750", "0.125", "0.125"]
    widths = [each.size["width"] / each.find_element(By.XPATH, "..").size["width"] for each in page.all(".fill")]
    assert widths == pytest.approx([0.75, 0.125, 0.125], abs=0.01)
    answer = page.answered
    assert page.texts("#timing dt") == ["queue", "model", "gateway", "total", "in this browser"]
    shown = page.texts("#timing dd")
    assert shown[:4] == [f"{answer['timing_ms'][name]:.1f} ms" for name in ("queue", "model", "gateway", "total")]
    assert page.texts("#answer-facts dd") == ["intent, version 1", answer["request_id"]]
    assert page.text("announcement") == f"{intent}, score 0.750. Answered by version 1."
    assert page.at("text").get_property("value") == TEXT
    # Nothing was refused by the content security policy, and no script failed.
    assert page.driver.get_log("browser") == []


def test_the_page_shows_how_to_ask_without_it(page: Tab, running: Gateway) -> None:
    page.ask("What's next?")
    words = shlex.split(page.text("raw-request"))
    assert (words[0], words[-1]) == ("curl", f"{page.url}v1/predict")
    again = running.send("POST", "/v1/predict", json.dumps(page.asked), Content_Type="application/json")
    assert again.json["result"] == page.answered["result"]


def test_shift_and_enter_start_a_new_line(page: Tab) -> None:
    page.write("two")
    page.at("text").send_keys(Keys.SHIFT + Keys.ENTER)
    page.at("text").send_keys("lines")
    page.and_wait(lambda: page.at("text").send_keys(Keys.ENTER))
    assert page.text("question") == "two\nlines"
    assert page.at("verdict").text == MODEL.intent("two\nlines")


def test_a_text_is_never_taken_for_markup(page: Tab) -> None:
    text = "<img src=x onerror=alert(1)>"
    page.ask(text)
    assert page.text("question") == text
    assert page.texts("#recent button")[0].startswith(text)
    assert page.all("main img") == page.all("aside img") == []


def test_examples_and_recent_questions_ask_by_a_click(page: Tab) -> None:
    example = page.all("#examples button")[1]
    page.and_wait(example.click)
    assert page.text("question") == page.at("text").get_property("value") == example.text
    page.ask("second")
    assert [each.split("\n")[0] for each in page.texts("#recent button")] == ["second", example.text]
    page.all("#recent button")[1].click()
    page.wait(lambda: page.texts("#recent button")[0].startswith(example.text))
    assert page.text("question") == example.text
    assert len(page.all("#recent button")) == 2
    # The button that was clicked is the first now.
    assert page.driver.switch_to.active_element == page.all("#recent button")[0]
    page.open()
    assert len(page.all("#recent button")) == 2
    page.at("recent-forget").click()
    assert page.all("#recent button") == []


def test_who_said_it_and_what_came_before_are_asked_and_shown(page: Tab) -> None:
    page.ask("Yes")
    assert page.asked.keys() == {"text", "top_k", "threshold"}
    assert not page.at("role").is_displayed()
    assert page.text("around-title") == "In a dialogue: add the speaker and the previous turn"
    page.at("around-title").click()
    page.at("role").send_keys("the student")
    page.at("previous").send_keys("Shall we go on?")
    page.ask("Yes")
    assert (page.asked["role"], page.asked["previous"]) == ("student", "Shall we go on?")
    assert page.texts("#intents .score")[0] == f"{probability('student', 'Shall we go on?'):.3f}"
    known = "the student says it, after “Shall we go on?”"
    assert page.at("answer").find_element(By.TAG_NAME, "p").text == f"Answer to Yes: {known}"
    # The same words otherwise are another question.
    assert [each.split("\n")[1] for each in page.texts("#recent button")] == [known, f"{MODEL.intent('Yes')} 0.750"]
    # Closed, it is sent all the same, so the title says it.
    page.at("around-title").click()
    assert " ".join(page.at("around-title").text.split()) == f"In a dialogue: {known}"
    page.ask("No")
    assert page.asked["previous"] == "Shall we go on?"
    page.at("around-title").click()
    page.write("  ", "previous")
    page.ask("No")
    assert "previous" not in page.asked
    assert page.asked["role"] == "student"


def test_a_question_is_asked_again_as_it_was_and_an_example_on_its_own(page: Tab) -> None:
    page.at("around-title").click()
    page.at("role").send_keys("the teacher")
    page.at("previous").send_keys("Done.")
    page.ask("Now fry it.")
    page.and_wait(page.all("#examples button")[0].click)
    assert not {"role", "previous"} & page.asked.keys()
    assert (page.at("role").get_property("value"), page.at("previous").get_property("value")) == ("", "")
    page.open()
    page.all("#recent button")[1].click()
    page.wait(lambda: page.texts("#recent button")[0].startswith("Now fry it."))
    assert (page.asked["role"], page.asked["previous"]) == ("teacher", "Done.")
    assert page.at("previous").get_property("value") == "Done."
    assert page.text("previous-count") == "5 of 1000"


def test_the_threshold_makes_the_gateway_abstain(page: Tab) -> None:
    page.ask(TEXT)
    before = page.answered["request_id"]
    page.at("threshold").send_keys(Keys.END)
    assert page.text("threshold-value") == "1.00"
    assert page.text("verdict") == "Abstained"
    assert page.text("announcement").startswith("Abstained, the best score, 0.750 for ")
    # The page worked that out by itself; now the gateway says so.
    assert page.answered["request_id"] == before
    page.ask(TEXT)
    assert page.asked["threshold"] == 1
    result = page.answered["result"]
    assert (result["abstained"], result["intent"], result["score"]) == (True, None, PROBABILITY)
    assert page.text("verdict") == "Abstained"
    page.at("threshold").send_keys(Keys.HOME)
    assert page.text("verdict") == MODEL.intent(TEXT)


def test_the_versions_are_listed_and_one_can_be_chosen(page: Tab) -> None:
    assert page.texts("#versions li") == ["version 1\nAVAILABLE"]
    page.at("names-title").click()
    assert page.texts("#names-list li") == list(MODEL.names)
    page.at("version").send_keys("1")
    page.ask(TEXT)
    assert page.asked["version"] == 1
    assert page.text("verdict") == MODEL.intent(TEXT)
