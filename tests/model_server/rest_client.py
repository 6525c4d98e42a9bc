"""Asks a model server over REST, byte for byte: paths are sent as they are written."""

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Guards against a hang.
CALL_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def content_type(self) -> str | None:
        """The header."""
        return self.headers.get("content-type")

    @property
    def text(self) -> str:
        """The body."""
        return self.content.decode()

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.content)


class Rest:
    """A server's REST port."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ask(
        self, method: str, path: str, body: str | bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own. Waits for the port, which opens a moment after gRPC's."""
        deadline = time.monotonic() + CALL_SECONDS
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=CALL_SECONDS)
            try:
                content = body.encode() if isinstance(body, str) else body
                connection.request(method, path, content, dict(headers or {}))
                response = connection.getresponse()
                fields = {name.lower(): value for name, value in response.getheaders()}
                return Answer(response.status, fields, response.read())
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            finally:
                connection.close()

    def get(self, path: str) -> Answer:
        """A GET."""
        return self.ask("GET", path)

    def post(self, path: str, body: str | bytes) -> Answer:
        """A POST."""
        return self.ask("POST", path, body)


def refusal(answer: Answer) -> tuple[int, str]:
    """Status and message of an error."""
    assert answer.content_type == "application/json"
    assert answer.text.startswith('{\n    "error": "')
    assert answer.text.endswith('"\n}')
    return answer.status, answer.json()["error"]


def predict_body(signature: str = "", **members: Any) -> str:
    """A Predict request."""
    return json.dumps(({"signature_name": signature} if signature else {}) | members)
