"""GET /readyz says 200 exactly when a request would be answered, and else why not."""

import http.client
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from tests.gateway.conftest import MODEL, OTHER_MODEL, PATIENT, wait_for_state
from tests.gateway.relay import Relay
from tests.gateway.running import Gateway, Reply, gateway
from tests.servers import ModelServer, free_port

PROBE = b"Are you ready?"


def _reason(reply: Reply) -> tuple[str, str]:
    assert reply.status == 503
    assert reply.json["status"] == "not_ready"
    return reply.json["code"], reply.json["reason"]


def test_ready_names_model_version_and_state(running: Gateway) -> None:
    reply = running.get("/readyz")
    assert reply.status == 200
    answer = reply.json
    # RFC 3339, so that it can be compared with a time that has a zone.
    assert datetime.fromisoformat(answer.pop("since")) <= datetime.now(UTC)
    assert answer == {
        "status": "ready",
        "model": "intent",
        "version": 1,
        "state": "AVAILABLE",
        "breaker": "closed",
        "draining": False,
        "code": None,
        "reason": None,
    }


def test_since_moves_only_when_something_changes(line: Relay) -> None:
    with gateway(model_server=f"127.0.0.1:{line.port}", **PATIENT) as running:
        first, second = running.get("/readyz").json, running.get("/readyz").json
        assert first["status"] == "ready"
        assert first["since"] == second["since"]
        line.cut()
        third = running.get("/readyz").json
        assert third["status"] == "not_ready"
        assert third["since"] > first["since"]


def test_not_ready_while_the_model_server_is_away(line: Relay) -> None:
    with gateway(model_server=f"127.0.0.1:{line.port}", **PATIENT) as running:
        assert running.get("/readyz").status == 200
        line.cut()
        assert _reason(running.get("/readyz")) == (
            "model_server_unavailable",
            "the model server does not answer; try again in a moment",
        )
        assert running.get("/healthz").status == 200


def test_an_open_breaker_is_said_without_asking() -> None:
    settings = {"breaker_failures": 1, "breaker_seconds": 600, "retry_budget": 0}
    with gateway(model_server=f"127.0.0.1:{free_port()}", **settings, **PATIENT) as running:
        assert running.predict("a").status == 503
        reply = running.get("/readyz")
        # A probe may be under way.
        assert reply.json["breaker"] in ("open", "half_open")
        assert (reply.json["version"], reply.json["state"]) == (None, "UNKNOWN")
        assert _reason(reply)[0] == "model_server_unavailable"


def test_not_ready_while_the_model_server_is_silent(line: Relay) -> None:
    with gateway(model_server=f"127.0.0.1:{line.port}", deadline_seconds=0.5) as running:
        line.hold(PROBE)
        assert _reason(running.get("/readyz"))[0] == "deadline_exceeded"


def test_an_answered_request_counts_as_a_probe(line: Relay) -> None:
    with gateway(model_server=f"127.0.0.1:{line.port}", **PATIENT) as running:
        assert running.predict("a").status == 200
        line.hold(PROBE)
        reply = running.get("/readyz")
        assert (reply.status, reply.json["version"], reply.json["state"]) == (200, 1, "AVAILABLE")
        assert not line.held.is_set()


def test_an_answer_by_a_version_that_was_named_proves_nothing(line: Relay) -> None:
    with gateway(model_server=f"127.0.0.1:{line.port}", **PATIENT) as running, ThreadPoolExecutor() as clients:
        body = '{"text": "a", "version": 1}'
        assert running.send("POST", "/v1/predict", body, Content_Type="application/json").status == 200
        line.hold(PROBE)
        asking = clients.submit(running.get, "/readyz")
        line.held.wait()
        line.release()
        assert asking.result().status == 200


def test_those_who_ask_together_share_one_probe(line: Relay) -> None:
    with gateway(model_server=f"127.0.0.1:{line.port}", **PATIENT) as running, ThreadPoolExecutor() as clients:
        line.hold(PROBE)
        first = clients.submit(running.get, "/readyz")
        line.held.wait()
        others = [http.client.HTTPConnection("127.0.0.1", running.port) for _ in range(3)]
        for other in others:
            other.request("GET", "/readyz")
        # Sent after them, so they have arrived.
        assert running.get("/healthz").status == 200
        line.release()
        assert first.result().status == 200
        for other in others:
            reply = other.getresponse()
            assert reply.status == 200
            other.close()
        # Each probe asks for the status once.
        asked = re.search(
            r'^gateway_upstream_seconds_count\{code="OK",method="GetModelStatus"\} (\S+)$',
            running.get("/metrics").body.decode(),
            re.MULTILINE,
        )
        assert asked
        assert float(asked[1]) == 1


def test_not_ready_for_a_model_that_the_server_does_not_know(server: ModelServer) -> None:
    with gateway(model_server=server.address, model_name="unknown", **PATIENT) as running:
        assert _reason(running.get("/readyz"))[0] == "model_not_ready"


def test_not_ready_while_the_default_label_points_nowhere(server: ModelServer) -> None:
    with gateway(model_server=server.address, model_label="planned", **PATIENT) as running:
        assert _reason(running.get("/readyz"))[0] == "model_not_ready"
    with gateway(model_server=server.address, model_label="stable", **PATIENT) as running:
        assert running.get("/readyz").json["version"] == 1


def test_not_ready_while_no_version_is_available(server: ModelServer, models: Path, tmp_path: Path) -> None:
    with gateway(model_server=server.address, model_name="emptied", **PATIENT) as running:
        assert running.get("/readyz").status == 200
        shutil.move(models / "emptied" / "1", tmp_path)
        wait_for_state(server, "emptied", 1, "END")
        reply = running.get("/readyz")
        assert _reason(reply) == ("model_not_ready", "no version of the model is AVAILABLE: version 1 is END")
        assert (reply.json["version"], reply.json["state"]) == (1, "END")
        assert running.predict("a").error[:2] == (503, "model_not_ready")
        OTHER_MODEL.publish(models / "emptied", 1)
        wait_for_state(server, "emptied", 1, "AVAILABLE")
        assert running.get("/readyz").json["version"] == 1
        assert running.predict("a").json["intent"] == OTHER_MODEL.intent("a") != MODEL.intent("a")


def test_not_ready_for_a_model_that_answers_but_cannot_name_its_labels(server: ModelServer) -> None:
    with gateway(model_server=server.address, model_name="nameless", **PATIENT) as running:
        assert _reason(running.get("/readyz"))[0] == "model_contract_broken"
