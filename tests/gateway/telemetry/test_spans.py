"""OpenTelemetry spans, as an exporter outside of the gateway's code gets them."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.gateway.conftest import PATIENT
from tests.gateway.running import gateway
from tests.servers import ROOT, ModelServer

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
NOBODY = "127.0.0.1:1"


def spans(output: str) -> list[dict[str, Any]]:
    """What the SDK's console exporter has written: one JSON object after the other."""
    decoder, found, rest = json.JSONDecoder(), [], output.strip()
    while rest:
        span, end = decoder.raw_decode(rest)
        found.append(span)
        rest = rest[end:].lstrip()
    return found


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gateways that start now write their spans to standard output."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")


@pytest.mark.usefixtures("console")
def test_a_request_is_a_span_below_its_callers(server: ModelServer, capfd: pytest.CaptureFixture[str]) -> None:
    with gateway(model_server=server.address, log_format="json", **PATIENT) as running:
        running.send(
            "POST",
            "/predict",
            '{"text": "a"}',
            Content_Type="application/json",
            X_Request_Id="mine",
            traceparent=f"00-{TRACE}-{SPAN}-01",
        )
    (span,) = spans(capfd.readouterr().out)
    assert (span["name"], span["kind"]) == ("POST /predict", "SpanKind.SERVER")
    assert span["context"]["trace_id"] == f"0x{TRACE}"
    assert span["parent_id"] == f"0x{SPAN}"
    assert span["status"]["status_code"] == "UNSET"
    assert span["resource"]["attributes"]["service.name"] == "intent-gateway"
    said = span["attributes"]
    assert (said["http.request.method"], said["http.route"]) == ("POST", "/predict")
    assert (said["http.response.status_code"], said["gateway.request_id"]) == (200, "mine")
    assert said["gateway.model_version"] == 1
    assert said["gateway.model_seconds"] > 0
    assert "error.type" not in said
    assert TRACE in "".join(running.log)


@pytest.mark.usefixtures("console")
def test_a_failed_request_is_a_failed_span(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    with gateway(model_server=NOBODY) as running:
        running.predict("a")
        running.get("/nowhere")
    failed, mistaken = spans(capfd.readouterr().out)
    assert failed["status"]["status_code"] == "ERROR"
    assert failed["attributes"]["error.type"] == "model_server_unavailable"
    assert failed["parent_id"] is None
    assert failed["resource"]["attributes"]["service.name"] == "mine"
    assert (mistaken["name"], mistaken["status"]["status_code"]) == ("GET unmatched", "UNSET")
    assert mistaken["context"]["trace_id"] != failed["context"]["trace_id"]


@pytest.mark.usefixtures("console")
def test_what_the_caller_does_not_record_is_not_exported(capfd: pytest.CaptureFixture[str]) -> None:
    with gateway(model_server=NOBODY) as running:
        running.send("GET", "/status", traceparent=f"00-{TRACE}-{SPAN}-00")
    assert spans(capfd.readouterr().out) == []


@pytest.mark.parametrize(
    "variables",
    [
        {"OTEL_TRACES_EXPORTER": "nonesuch"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1"},
    ],
)
def test_a_missing_exporter_is_said_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with gateway(model_server=NOBODY) as running:
        assert running.get("/status").status == 200
    assert "gateway/requirements-tracing.in" in running.log[0]


_IMPORTED = """
import asyncio, os, sys
from gateway.app import create_app
from gateway.settings.settings import Settings
from aiohttp import web

async def main():
    runner = web.AppRunner(create_app(Settings()))
    await runner.setup()
    print(sorted({name.partition(".")[0] for name in sys.modules} & {"opentelemetry", "tensorflow"}))
    await runner.cleanup()

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("variables", "imported"),
    [
        ({}, "[]"),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, "[]"),
        ({"OTEL_TRACES_EXPORTER": "console", "OTEL_SDK_DISABLED": "true"}, "[]"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "['opentelemetry']"),
    ],
)
def test_nothing_is_imported_that_nobody_asks_for(variables: dict[str, str], imported: str) -> None:
    command = [sys.executable, "-c", _IMPORTED]
    ended = subprocess.run(command, cwd=ROOT, env=variables, check=True, capture_output=True, text=True)
    assert ended.stdout.strip() == imported
