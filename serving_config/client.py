"""What `start` asks the running processes: whether they are ready, and one example."""

import json
import socket
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from serving_config.command import Ports

EXAMPLE_TEXT = "Will I be making my own pasta for this recipe or using the packaged store bought kind?"

# The gateway is on this machine, so a proxy for the internet must not be asked.
_OPENER = build_opener(ProxyHandler({}))
_SECONDS = 10


class Client:
    """A client of one model server and one gateway, for the command line; it blocks."""

    def __init__(self, host: str, ports: Ports) -> None:
        # A gateway that listens on every interface is asked on loopback.
        self.address = f"{'localhost' if host in ('0.0.0.0', '::') else host}:{ports.gateway}"
        self._grpc_port = ports.grpc

    def why_not_ready(self) -> str | None:
        """None if the gateway's /readyz says 200, else the reason in a few words."""
        try:
            # The model server opens its port when it has loaded its models. To ask the gateway before would only make
            # it log that the model server cannot be reached.
            socket.create_connection(("127.0.0.1", self._grpc_port), _SECONDS).close()
        except OSError:
            return "the model server is loading its models"
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
        body = json.dumps({"text": EXAMPLE_TEXT, "top_k": 2})
        headers = {"Content-Type": "application/json"}
        answer = self._send(Request(f"http://{self.address}/v1/predict", data=body.encode(), headers=headers))
        return f"curl -X POST -H 'Content-Type: application/json' -d '{body}' {self.address}/v1/predict", answer

    def _send(self, request: Request) -> str:
        with _OPENER.open(request, timeout=_SECONDS) as response:
            return str(response.read().decode())
