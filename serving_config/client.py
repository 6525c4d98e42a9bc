"""What `start` asks the gateway: is it ready, and one example."""

import json
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

EXAMPLE_TEXT = "Will I be making my own pasta for this recipe or using the packaged store bought kind?"

# The gateway is on this machine: a proxy meant for the internet must not get between.
_OPENER = build_opener(ProxyHandler({}))
_SECONDS = 10


class GatewayClient:
    """A client of one gateway, for the command line; it blocks."""

    def __init__(self, host: str, port: int) -> None:
        # A gateway that listens on every interface is asked on loopback.
        self.address = f"{'localhost' if host in ('0.0.0.0', '::') else host}:{port}"

    def why_not_ready(self) -> str | None:
        """None if /readyz says 200, else the reason in a few words."""
        try:
            self._send(Request(f"http://{self.address}/readyz"))
        except HTTPError as error:
            return str(json.loads(error.read())["reason"])
        except (URLError, OSError):
            return "the gateway does not answer yet"
        return None

    def example(self) -> tuple[str, str]:
        """One real request, as a curl command line, and its answer.

        Raises:
            OSError: the gateway refused it or did not answer.
        """
        body = json.dumps({"text": EXAMPLE_TEXT})
        headers = {"Content-Type": "application/json"}
        answer = self._send(Request(f"http://{self.address}/predict", data=body.encode(), headers=headers))
        return f"curl -X POST -H 'Content-Type: application/json' -d '{body}' {self.address}/predict", answer

    def _send(self, request: Request) -> str:
        with _OPENER.open(request, timeout=_SECONDS) as response:
            return str(response.read().decode())
