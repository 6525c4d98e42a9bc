"""A real browser, Debian's Chromium driven by selenium, and the page in one of its tabs. Nothing is downloaded."""

import json
import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MISSING = None if CHROMIUM and CHROMEDRIVER else "no browser here: apt-get install chromium chromium-driver"
"""Why the page cannot be tested here, and what to do about it; None if it can."""

# A guard against a hang.
_PATIENCE_SECONDS = 60
# It talks to the page only: no updates, no account, no first-run questions.
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


@contextmanager
def browser() -> Iterator[WebDriver]:
    """A browser with an empty profile."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = Options()
        options.binary_location = CHROMIUM or ""
        # As root, as in a container, Chromium runs without its sandbox or not at all.
        flags = [*_FLAGS, f"--user-data-dir={profile}", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        for flag in flags:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        # The driver is named, so selenium looks for none on the network.
        driver = webdriver.Chrome(options=options, service=Service(CHROMEDRIVER))
        try:
            yield driver
        finally:
            driver.quit()


class Tab:
    """The page in a tab of its own, which starts without memory."""

    def __init__(self, driver: WebDriver, port: int) -> None:
        """`port`: where the gateway listens."""
        self.driver = driver
        self.url = f"http://127.0.0.1:{port}/"
        driver.switch_to.new_window("tab")

    def close(self) -> None:
        """Closes the tab, and with it what it remembers."""
        self.driver.close()
        self.driver.switch_to.window(self.driver.window_handles[0])

    def open(self) -> None:
        """Loads the page, and returns when it has its lists, or knows why not."""
        self.driver.get(self.url)
        self.wait(lambda: self.at("names").is_displayed() or self._shows_why_not())

    def _shows_why_not(self) -> bool:
        return self.at("model-note").is_displayed() and "Asking" not in self.text("model-note")

    def at(self, name: str) -> WebElement:
        """The element with this id."""
        return self.driver.find_element(By.ID, name)

    def all(self, selector: str) -> list[WebElement]:
        """The elements that a CSS selector finds."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, name: str) -> str:
        """The text of the element with this id, shown or not."""
        return str(self.at(name).get_property("textContent")).strip()

    def texts(self, selector: str) -> list[str]:
        """The texts of the elements that a CSS selector finds, as shown."""
        # At one moment, where elements asked one by one may be replaced in between.
        script = "return [...document.querySelectorAll(arguments[0])].map((each) => each.innerText)"
        return list(self.run(script, selector))

    def run(self, script: str, *arguments: object) -> Any:
        """What a script in the page returns."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition: Callable[[], object]) -> None:
        """Returns when the condition holds."""
        WebDriverWait(self.driver, _PATIENCE_SECONDS, poll_frequency=0.02).until(lambda _: condition())

    def write(self, text: str, field: str = "text") -> None:
        """Puts the text in place of what is in the field, by the keyboard."""
        self.at(field).clear()
        self.at(field).send_keys(text)

    def ask(self, text: str) -> None:
        """Asks by Enter, and returns when the answer or the refusal is there."""
        self.write(text)
        self.and_wait(lambda: self.at("text").send_keys("\n"))

    def and_wait(self, act: Callable[[], object]) -> None:
        """Does what asks the gateway, and returns when the answer or the refusal is there."""
        # A question is over when it is listed with its outcome, which shows up again even for the same one.
        self.run("document.getElementById('recent').replaceChildren()")
        act()
        self.wait(lambda: self.all("#recent button"))

    @property
    def asked(self) -> Any:
        """The body of the last request, as the page shows it."""
        words = shlex.split(self.text("raw-request"))
        return json.loads(words[words.index("-d") + 1])

    @property
    def answered(self) -> Any:
        """The gateway's last answer or problem document, as the page shows it."""
        return json.loads(self.text("raw-answer"))

    def resize(self, width: int, height: int) -> None:
        """Gives the view this size in CSS pixels; a window cannot be made as narrow as a phone."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def prefer(self, **features: str) -> None:
        """Sets media features, as `prefers_color_scheme="dark"`; those that are not named are as usual."""
        named = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": named})


@contextmanager
def tab(driver: WebDriver, port: int) -> Iterator[Tab]:
    """The page of the gateway at this port, loaded in a tab that is closed afterwards."""
    it = Tab(driver, port)
    try:
        it.open()
        yield it
    finally:
        it.close()
