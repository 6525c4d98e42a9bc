"""The gateway takes the echo for a model server."""

import json
from http.client import HTTPConnection

from benchmarks.shared import services


def test_the_gateway_answers_over_the_echo() -> None:
    with services.echo() as (_, address), services.gateway(address) as (_, gateway):
        status, answer = _ask(gateway, "POST", "/predict", {"text": "what next?"})
        assert (status, answer["intent"], answer["score"]) == (200, "intent_0", 0.5)
        status, answer = _ask(gateway, "POST", "/v1/predict", {"texts": ["one", "two", "three"]})
        assert status == 200
        assert len(answer["results"]) == 3
        assert _ask(gateway, "GET", "/readyz")[0] == 200
        assert _ask(gateway, "GET", "/v1/models")[0] == 200


def _ask(port: int, method: str, path: str, body: dict | None = None) -> tuple[int, dict]:
    connection = HTTPConnection("127.0.0.1", port)
    try:
        connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()
