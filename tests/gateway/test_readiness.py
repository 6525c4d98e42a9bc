"""GET /readyz says 200 exactly when a request would be answered, and else why not."""

import shutil
from pathlib import Path

from tests.gateway.conftest import MODEL, OTHER_MODEL, PATIENT, wait_for_state
from tests.gateway.relay import Relay
from tests.gateway.running import Gateway, Reply, gateway
from tests.servers import ModelServer


def _reason(reply: Reply) -> tuple[str, str]:
    assert reply.status == 503
    assert reply.json["status"] == "not_ready"
    return reply.json["error"]["code"], reply.json["error"]["message"]


def test_ready_names_model_and_version(running: Gateway) -> None:
    reply = running.get("/readyz")
    assert reply.status == 200
    assert reply.json == {"status": "ready", "model": "intent", "version": 1}


def test_not_ready_while_the_model_server_is_away(line: Relay) -> None:
    with gateway(model_server=f"127.0.0.1:{line.port}", **PATIENT) as running:
        assert running.get("/readyz").status == 200
        line.cut()
        assert _reason(running.get("/readyz")) == (
            "model_server_unavailable",
            "the model server does not answer; try again in a moment",
        )
        assert running.get("/healthz").status == 200


def test_not_ready_while_the_model_server_is_silent(line: Relay) -> None:
    with gateway(model_server=f"127.0.0.1:{line.port}", deadline_seconds=0.5) as running:
        line.hold(b"Are you ready?")
        assert _reason(running.get("/readyz"))[0] == "deadline_exceeded"


def test_not_ready_for_a_model_that_the_server_does_not_know(server: ModelServer) -> None:
    with gateway(model_server=server.address, model_name="unknown", **PATIENT) as running:
        assert _reason(running.get("/readyz"))[0] == "model_not_ready"


def test_not_ready_while_no_version_is_available(server: ModelServer, models: Path, tmp_path: Path) -> None:
    with gateway(model_server=server.address, model_name="emptied", **PATIENT) as running:
        assert running.get("/readyz").status == 200
        shutil.move(models / "emptied" / "1", tmp_path)
        wait_for_state(server, "emptied", 1, "END")
        assert _reason(running.get("/readyz")) == (
            "model_not_ready",
            "no version of the model is AVAILABLE: version 1 is END",
        )
        assert running.predict("a").error[:2] == (503, "model_not_ready")
        OTHER_MODEL.publish(models / "emptied", 1)
        wait_for_state(server, "emptied", 1, "AVAILABLE")
        assert running.get("/readyz").json["version"] == 1
        assert running.predict("a").json["intent"] == OTHER_MODEL.intent("a") != MODEL.intent("a")


def test_not_ready_for_a_model_that_answers_but_cannot_name_its_labels(server: ModelServer) -> None:
    with gateway(model_server=server.address, model_name="nameless", **PATIENT) as running:
        assert _reason(running.get("/readyz"))[0] == "model_contract_broken"
