"""What is seen of a request from outside: ids, headers, measures, and its line in the log."""

import asyncio
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.certificates import make_certificates, needs_openssl
from tests.gateway.conftest import MODEL, PATIENT
from tests.gateway.played_server import played, prediction
from tests.gateway.relay import Relay
from tests.gateway.running import Gateway, gateway
from tests.gateway.scraped import Scraped
from tests.servers import ModelServer

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
NOBODY = "127.0.0.1:1"
"""Where no model server listens."""


@pytest.fixture(scope="module")
def alone() -> Iterator[Gateway]:
    """A gateway without a model server."""
    with gateway(model_server=NOBODY) as it:
        yield it


def scrape(running: Gateway) -> Scraped:
    reply = running.get("/metrics")
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return Scraped(reply.body)


def objects(log: list[str]) -> list[dict[str, Any]]:
    """The lines of a log in JSON. Every line must be one."""
    return [json.loads(line) for line in log]


def requests(log: list[str]) -> list[dict[str, Any]]:
    return [each for each in objects(log) if each["message"] == "request"]


@pytest.mark.parametrize("given", ["a", "3f-A_.9", "x" * 128])
def test_a_request_id_is_kept(alone: Gateway, given: str) -> None:
    assert alone.send("GET", "/status", X_Request_Id=given).headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "a\tb", "naïve", "<script>", 'a"b'])
def test_a_request_id_that_could_do_harm_is_replaced(alone: Gateway, given: str) -> None:
    made = alone.send("GET", "/status", X_Request_Id=given).headers["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{32}", made)


def test_no_two_requests_share_an_id(alone: Gateway) -> None:
    assert alone.get("/status").headers["X-Request-Id"] != alone.get("/status").headers["X-Request-Id"]


def test_a_problem_tells_its_request_id(alone: Gateway) -> None:
    reply = alone.get("/nowhere")
    assert reply.status == 404
    assert reply.json["request_id"] == reply.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/status", 200),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 503),
        ("GET", "/metrics", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/predict", 405),
        ("OPTIONS", "/predict", 204),
        ("POST", "/predict", 415),
    ],
)
def test_every_answer_says_how_to_treat_it(alone: Gateway, method: str, path: str, status: int) -> None:
    reply = alone.send(method, path)
    assert reply.status == status
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Server"] is None


@pytest.mark.parametrize("sent", [b"rubbish\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"])
def test_not_even_rubbish_is_told_the_servers_version(alone: Gateway, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", alone.port)) as connection, connection.makefile("rb") as answer:
        connection.sendall(sent)
        head = answer.read().partition(b"\r\n\r\n")[0].lower()
    assert head.startswith((b"http/1.1 400 ", b"http/1.0 400 "))
    assert b"aiohttp" not in head
    assert b"python" not in head
    assert b"\r\nx-content-type-options: nosniff" in head


def test_requests_are_counted_by_route_and_never_by_path(alone: Gateway) -> None:
    before = scrape(alone)
    for number in range(5):
        alone.get(f"/nowhere/{number}?text=secret")
    alone.send("DELETE", "/status")
    alone.send("PROPFIND", "/status")
    after = scrape(alone)

    def more(**labels: str) -> float:
        name = "gateway_request_seconds_count"
        return after.value(name, **labels) - before.value(name, **labels)

    assert more(route="unmatched", method="GET", status="404") == 5
    assert more(route="unmatched", method="DELETE", status="405") == 1
    assert more(route="unmatched", method="other", status="405") == 1
    assert more(route="/metrics", method="GET", status="200") == 1
    assert after.value("gateway_refusals_total", code="not_found") >= 5
    assert after.labels("gateway_request_seconds_count", "route") <= {
        "/status", "/healthz", "/readyz", "/metrics", "/predict", "unmatched"
    }  # fmt: skip


def test_a_prediction_is_measured_in_its_parts(server: ModelServer) -> None:
    with gateway(model_server=server.address, **PATIENT) as running:
        assert running.predict("a").status == 200
        said = scrape(running)
    where = {"route": "/predict", "status": "200", "version": "1"}
    whole = said.value("gateway_request_seconds_sum", method="POST", **where)
    parts = {
        part: said.value("gateway_request_part_seconds_sum", part=part, **where)
        for part in ("queue", "model", "gateway")
    }
    assert said.value("gateway_request_seconds_count", **where) == 1
    assert sum(parts.values()) == pytest.approx(whole)
    assert parts["model"] > 0
    assert parts["gateway"] > 0
    assert said.value("gateway_upstream_seconds_count", method="Predict", code="OK") >= 1
    assert said.value("gateway_predictions_total", version="1", intent=MODEL.intent("a")) == 1
    assert said.value("gateway_score_count", version="1") == 1
    assert said.value("gateway_breaker_state", state="closed") == 1


def test_a_caller_who_goes_away_is_counted_and_was_in_flight(line: Relay) -> None:
    with gateway(model_server=f"127.0.0.1:{line.port}", log_format="json", **PATIENT) as running:
        assert scrape(running).value("gateway_in_flight") == 0
        line.hold(b"gone soon")
        body = b'{"text": "gone soon"}'
        with socket.create_connection(("127.0.0.1", running.port)) as client:
            client.sendall(
                b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (len(body), body)
            )
            line.held.wait()
            said = scrape(running)
            assert (said.value("gateway_in_flight"), said.value("gateway_cancellations_total")) == (1, 0)
        while scrape(running).value("gateway_cancellations_total") == 0:
            pass
        said = scrape(running)
        assert said.value("gateway_in_flight") == 0
        assert said.value("gateway_request_seconds_count", route="/predict", status="499") == 1
        assert said.value("gateway_upstream_seconds_count", method="Predict", code="CANCELLED") == 1
    assert [each["status"] for each in requests(running.log)] == [499]


def test_a_request_has_one_line_in_the_log_without_its_text(server: ModelServer) -> None:
    secret = "my bank account is empty"
    with gateway(model_server=server.address, log_format="json", **PATIENT) as running:
        headers = {"X_Request_Id": "mine", "traceparent": f"00-{TRACE}-{SPAN}-01", "Content_Type": "application/json"}
        assert running.send("POST", "/predict", json.dumps({"text": secret}), **headers).status == 200
        assert running.post(f'{{"txet": "{secret}"}}').status == 400
        assert running.get(f"/{secret.replace(' ', '-')}?text={secret.replace(' ', '+')}").status == 404
        running.get("/healthz")
    answered, refused, lost = requests(running.log)
    assert (answered["method"], answered["route"], answered["status"]) == ("POST", "/predict", 200)
    assert (answered["request_id"], answered["trace_id"]) == ("mine", TRACE)
    assert (answered["version"], answered["intent"]) == (1, MODEL.intent(secret))
    parts = [answered[f"{part}_ms"] for part in ("queue", "model", "gateway")]
    assert sum(parts) == pytest.approx(answered["total_ms"], abs=0.01)
    assert (refused["status"], refused["code"]) == (400, "invalid_request")
    assert (lost["route"], lost["status"], lost["code"]) == ("unmatched", 404, "not_found")
    assert "bank" not in "".join(running.log)


def test_texts_are_logged_where_they_are_asked_for(server: ModelServer) -> None:
    with gateway(model_server=server.address, log_format="json", log_texts="true", **PATIENT) as running:
        running.predict("naïve café")
    (answered,) = requests(running.log)
    assert answered["texts"] == ["naïve café"]


def test_every_line_that_a_request_causes_names_it(server: ModelServer) -> None:
    with gateway(model_server=server.address, model_name="nameless", log_format="json", **PATIENT) as running:
        headers = {"X_Request_Id": "mine", "Content_Type": "application/json"}
        assert running.send("POST", "/predict", '{"text": "a"}', **headers).status == 502
    mine = [each for each in objects(running.log) if each.get("request_id") == "mine"]
    # The labels are asked for more than once, as another model may have taken the version's place.
    *failures, request = mine
    assert {(each["logger"], each["level"]) for each in failures} == {("gateway.upstream.statuses", "error")}
    assert (request["logger"], request["level"]) == ("gateway.api.request_log", "info")
    assert request["code"] == "model_contract_broken"


@needs_openssl
def test_grpc_writes_nothing_between_the_objects(alone: Gateway, tmp_path: Path) -> None:
    make_certificates(tmp_path)
    # It speaks no TLS, which gRPC's core would tell on stderr in a form of its own.
    settings = {"model_server": f"127.0.0.1:{alone.port}", "model_server_ca_file": tmp_path / "ca.pem"}
    with gateway(log_format="json", **settings) as running:
        assert running.predict("a").status == 503
    assert len(requests(running.log)) == 1


def test_the_text_log_has_the_same_for_people(server: ModelServer) -> None:
    with gateway(model_server=server.address, **PATIENT) as running:
        running.send("POST", "/predict", '{"text": "a"}', X_Request_Id="mine", Content_Type="application/json")
    (line,) = (each for each in running.log if " gateway.api.request_log: " in each)
    assert " INFO gateway.api.request_log: request method=POST route=/predict status=200 total_ms=" in line
    assert f" version=1 intent={MODEL.intent('a')} request_id=mine trace_id=" in line


@pytest.mark.parametrize(("level", "lines"), [("info", 0), ("debug", 1)])
def test_probes_do_not_fill_the_log(level: str, lines: int) -> None:
    with gateway(model_server=NOBODY, log_format="json", log_level=level) as running:
        running.get("/healthz")
    assert len(requests(running.log)) == lines


def test_readyz_is_quiet_until_the_model_server_answers_for_the_first_time(server: ModelServer, line: Relay) -> None:
    line.cut()
    with gateway(model_server=f"127.0.0.1:{line.port}", log_format="json", breaker_failures=1) as running:
        for _ in range(3):
            assert running.get("/readyz").status == 503
        line.turn_to(server.grpc_port)
        while running.get("/readyz").status != 200:
            pass
        assert requests(running.log) == []
        assert all(each["level"] == "info" for each in objects(running.log))
        line.cut()
        while running.get("/readyz").status == 200:
            pass
    refused, *_ = requests(running.log)
    assert (refused["route"], refused["status"]) == ("/readyz", 503)
    assert any(each["level"] == "error" for each in objects(running.log))


def test_any_worker_answers_for_all() -> None:
    with gateway(model_server=NOBODY, workers=2) as running:
        for _ in range(20):
            assert running.get("/status").status == 200
        # Each on a connection of its own, so that either worker is asked sooner or later.
        for _ in range(10):
            said = scrape(running)
            assert said.value("gateway_request_seconds_count", route="/status", status="200") == 20
            assert said.value("gateway_breaker_state", state="closed") in (1, 2)


async def test_the_model_server_is_told_id_and_trace() -> None:
    heard: dict[str, str] = {}

    async def answer(method: str, request: Any, context: grpc.aio.ServicerContext) -> Any:
        if method != "Predict" or request.model_spec.signature_name:
            await context.abort(grpc.StatusCode.INTERNAL, "only the classification is of interest here")
        heard.update({key: str(value) for key, value in context.invocation_metadata() or ()})
        return prediction()

    def ask(port: int) -> None:
        with gateway(model_server=f"127.0.0.1:{port}", **PATIENT) as running:
            headers = {"X_Request_Id": "mine", "traceparent": f"00-{TRACE}-{SPAN}-01"}
            running.send("POST", "/predict", '{"text": "a"}', Content_Type="application/json", **headers)

    async with played(answer) as server:
        await asyncio.to_thread(ask, server.port)
    assert heard["x-request-id"] == "mine"
    version, trace_id, span_id, flags = heard["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", TRACE, "01")
    assert span_id != SPAN
