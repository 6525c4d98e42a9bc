"""Makes the pictures of docs/images anew, over a model that `make serve` has trained."""

import argparse
import base64
import io
from pathlib import Path

from PIL import Image
from selenium.webdriver.common.keys import Keys

from tests.gateway.pages.browser import MISSING, Tab, browser, tab
from tests.gateway.relay import relay
from tests.gateway.running import gateway
from tests.servers import ROOT, model_server

_WIDTH = 1100
# Of the narrowest phones.
_PHONE = 320, 720


def main() -> None:
    """Asks a gateway over a real model, and cuts the line between them for the last picture."""
    parser = argparse.ArgumentParser(prog="python -m tests.gateway.pages.screenshots", description=__doc__)
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "intent", help="default: %(default)s")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images", help="default: %(default)s")
    options = parser.parse_args()
    if MISSING:
        parser.error(MISSING)
    if not options.model.is_dir():
        parser.error(f"there is no model at {options.model}; make serve makes one")
    options.output.mkdir(parents=True, exist_ok=True)
    with (
        model_server("--model_name=intent", f"--model_base_path={options.model.resolve()}") as server,
        relay(server.grpc_port) as line,
        gateway(model_server=f"127.0.0.1:{line.port}", breaker_failures=1, breaker_seconds=4) as running,
        browser() as driver,
        tab(driver, running.port) as page,
    ):
        _ask(page, "The onions are golden, what now?", "Simmer it for ten minutes.", "Do I let the glue dry first?")
        _take_whole(page, options.output / "page-light.png", "light")
        # By the keyboard, as a person would: to the end, and some steps back.
        page.at("threshold").send_keys(Keys.END + Keys.ARROW_LEFT * 30)
        _ask(page, "How much flour do I need?")
        _take_whole(page, options.output / "page-dark.png", "dark")
        page.resize(*_PHONE)
        page.prefer(prefers_color_scheme="light", prefers_reduced_motion="reduce")
        page.run("scrollTo(0, 0)")
        _ask(page, "Do I let the glue dry first?")
        _take(page, options.output / "page-phone.png")
        line.cut()
        page.resize(_WIDTH, _WIDTH)
        _ask(page, "Thanks, that is all. Goodbye!")
        _take_whole(page, options.output / "page-refusal.png", "light")


def _ask(page: Tab, *texts: str) -> None:
    for text in texts:
        page.ask(text)
    page.run("document.activeElement.blur()")


def _take_whole(page: Tab, file: Path, scheme: str) -> None:
    page.prefer(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
    page.resize(_WIDTH, 1)
    page.resize(_WIDTH, page.run("return document.documentElement.scrollHeight"))
    _take(page, file)


def _take(page: Tab, file: Path) -> None:
    picture = page.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    # So many colours are as good to the eye, in a third of the bytes.
    image = Image.open(io.BytesIO(base64.b64decode(picture["data"]))).convert("RGB")
    image.quantize(256).save(file, optimize=True)


if __name__ == "__main__":
    main()
