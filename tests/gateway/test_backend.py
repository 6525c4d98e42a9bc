"""The model server away, back, or silent: what the client is told, and when it works again."""

import pytest

from tests.gateway.conftest import MODEL, PATIENT
from tests.gateway.relay import Relay
from tests.gateway.running import gateway
from tests.servers import ModelServer, free_port

UNAVAILABLE = (503, "model_server_unavailable", "the model server does not answer; try again in a moment")


def test_no_model_server_is_503() -> None:
    with gateway(model_server=f"127.0.0.1:{free_port()}", **PATIENT) as running:
        assert running.predict("a").error == UNAVAILABLE
        assert running.get("/status").status == 200


def test_a_model_server_that_goes_and_comes_back(server: ModelServer, line: Relay) -> None:
    with gateway(model_server=f"127.0.0.1:{line.port}", **PATIENT) as running:
        assert running.predict("a").json["intent"] == MODEL.intent("a")
        line.cut()
        assert running.predict("a").error == UNAVAILABLE
        line.turn_to(server.grpc_port)
        while (reply := running.predict("ab")).status != 200:
            assert reply.error == UNAVAILABLE
        assert reply.json["intent"] == MODEL.intent("ab")


@pytest.mark.parametrize("content", [b"a silent text", b"signature_def"], ids=["Predict", "labels"])
def test_a_silent_model_server_is_504(line: Relay, content: bytes) -> None:
    with gateway(model_server=f"127.0.0.1:{line.port}", deadline_seconds=0.5) as running:
        line.hold(content)
        status, code, message = running.predict("a silent text").error
    assert (status, code) == (504, "deadline_exceeded")
    assert message.endswith("in time; try again later")
