"""Whether the gateway on this machine would answer a request sent now."""

import json
import time
from collections.abc import Callable
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from cloudformation.image.instance.errors import NotReadyError

URL = "http://127.0.0.1:5000"
PAUSE_SECONDS = 1.0
_SECONDS = 10
_OPENER = build_opener(ProxyHandler({}))


def wait_until_ready(url: str, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Returns as soon as /readyz says 200, which it does only after the model server has answered it.

    Raises:
        NotReadyError: it did not within so many seconds; says the last reason.
    """
    until = time.monotonic() + seconds
    while reason := _why_not(url):
        if time.monotonic() > until:
            raise NotReadyError(f"not ready after {seconds:.0f} s: {reason}; /var/log/intent/ says more")
        sleep(PAUSE_SECONDS)


def _why_not(url: str) -> str | None:
    try:
        _OPENER.open(f"{url}/readyz", timeout=_SECONDS).close()
    except HTTPError as error:
        try:
            return str(json.loads(error.read())["reason"])
        except (ValueError, KeyError):
            return f"/readyz says {error.code}"
    except (URLError, OSError):
        return "the gateway does not answer"
    return None
