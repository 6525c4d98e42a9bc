"""What /metrics says: each measure under its labels, a bounded number of them, the sum over worker processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.telemetry.context import RequestContext
from gateway.telemetry.metrics import MAX_CALLERS, MAX_INTENTS, MAX_VERSIONS, Metrics
from tests.gateway.scraped import Scraped
from tests.servers import ROOT


@pytest.fixture
def context() -> RequestContext:
    """What is known of a request."""
    return RequestContext("id", "00-trace")


def scrape(metrics: Metrics) -> Scraped:
    return Scraped(metrics.render("")[0])


def test_a_request_is_timed_as_a_whole_and_in_its_three_parts(context: RequestContext) -> None:
    metrics = Metrics()
    context.queue_seconds, context.model_seconds, context.version = 0.25, 0.5, 3
    metrics.request_done(context, "POST", "/v1/predict", 200, 1.0)
    said = scrape(metrics)
    where = {"route": "/v1/predict", "status": "200", "version": "3"}
    assert said.value("gateway_request_seconds_sum", method="POST", **where) == 1.0
    assert said.value("gateway_request_seconds_bucket", method="POST", le="0.5", **where) == 0
    assert said.value("gateway_request_seconds_bucket", method="POST", le="1.0", **where) == 1
    for part in ("queue", "model", "gateway"):
        assert said.value("gateway_request_part_seconds_count", part=part, **where) == 1
    assert said.value("gateway_request_part_seconds_sum", part="queue", **where) == 0.25
    assert said.value("gateway_request_part_seconds_sum", part="model", **where) == 0.5
    assert said.value("gateway_request_part_seconds_sum", part="gateway", **where) == 0.25


def test_a_request_that_no_version_answered_has_no_version_and_no_parts(context: RequestContext) -> None:
    metrics = Metrics()
    metrics.request_done(context, "GET", "/status", 200, 0.001)
    said = scrape(metrics)
    assert said.value("gateway_request_seconds_count", route="/status", version="") == 1
    assert said.value("gateway_request_part_seconds_count") == 0


def test_predictions_and_scores_are_counted_by_version() -> None:
    metrics = Metrics()
    for version, intent, score in ((3, "stop", 0.97), (3, "stop", 0.3), (3, "misc", 0.99), (4, "stop", 1.0)):
        metrics.predicted(version, intent, score, abstained=version == 4)
    said = scrape(metrics)
    assert said.value("gateway_predictions_total", version="3", intent="stop") == 2
    assert said.value("gateway_predictions_total", version="4") == 1
    assert said.value("gateway_score_count", version="3") == 3
    assert said.value("gateway_score_bucket", version="3", le="0.3") == 1
    assert said.value("gateway_score_bucket", version="3", le="0.95") == 1
    assert said.value("gateway_score_bucket", version="4", le="1.0") == 1
    assert said.value("gateway_abstentions_total", version="3") == 0
    assert said.value("gateway_abstentions_total", version="4") == 1


def test_events_are_counted() -> None:
    metrics = Metrics()
    metrics.upstream_call("Predict", "OK", 0.003)
    metrics.upstream_call("Predict", "UNAVAILABLE", 0.1)
    metrics.upstream_call("Predict", "UNAVAILABLE", 0.1)
    metrics.refused("overloaded")
    metrics.retried()
    metrics.cancelled()
    said = scrape(metrics)
    assert said.value("gateway_upstream_seconds_count", method="Predict", code="OK") == 1
    assert said.value("gateway_upstream_seconds_count", method="Predict", code="UNAVAILABLE") == 2
    assert said.value("gateway_refusals_total", code="overloaded") == 1
    assert said.value("gateway_retries_total") == 1
    assert said.value("gateway_cancellations_total") == 1


def test_the_breaker_is_in_one_state() -> None:
    metrics = Metrics()

    def state() -> dict[str, float]:
        said = scrape(metrics)
        names = said.labels("gateway_breaker_state", "state")
        return {name: said.value("gateway_breaker_state", state=name) for name in names}

    assert state() == {"closed": 1, "open": 0, "half_open": 0}
    metrics.breaker_changed("open")
    assert state() == {"closed": 0, "open": 1, "half_open": 0}


def test_gauges_are_read_when_they_are_asked_for() -> None:
    metrics, numbers = Metrics(), [2, 5]
    metrics.watch(in_flight=lambda: numbers[0], queued=lambda: numbers[1])
    numbers[:] = 7, 9
    said = scrape(metrics)
    assert (said.value("gateway_in_flight"), said.value("gateway_queued")) == (7, 9)


def test_no_label_grows_without_end(context: RequestContext) -> None:
    metrics = Metrics()
    for number in range(1, 1000):
        metrics.predicted(number, f"intent {number}", 0.5, abstained=False)
        context.version = number
        context.caller = f"caller-{number}"
        metrics.request_done(context, f"METHOD{number}", "/v1/predict", 200, 0.001)
    said = scrape(metrics)
    versions = said.labels("gateway_predictions_total", "version")
    assert len(versions) == MAX_VERSIONS + 1
    assert {"1", "other"} <= versions
    assert len(said.labels("gateway_predictions_total", "intent")) == MAX_INTENTS + 1
    assert len(said.labels("gateway_score_count", "version")) == MAX_VERSIONS + 1
    assert len(said.labels("gateway_caller_requests_total", "caller")) == MAX_CALLERS + 1
    assert said.labels("gateway_request_seconds_count", "method") == {"other"}
    assert said.value("gateway_predictions_total") == 999


def test_applications_in_one_process_do_not_mix() -> None:
    one, other = Metrics(), Metrics()
    one.retried()
    assert scrape(one).value("gateway_retries_total") == 1
    assert scrape(other).value("gateway_retries_total") == 0


def test_the_process_tells_its_memory() -> None:
    assert scrape(Metrics()).value("process_resident_memory_bytes") > 1e6


def test_openmetrics_is_spoken_to_those_who_ask() -> None:
    body, content_type = Metrics().render("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith(b"# EOF\n")


_WORKER = """
from gateway.telemetry.metrics import Metrics
metrics = Metrics()
metrics.retried()
metrics.upstream_call("Predict", "OK", 0.5)
metrics.watch(in_flight=lambda: 3, queued=lambda: 0)
print(metrics.render("")[0].decode())
"""


def test_one_worker_answers_for_all(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for workers in (1, 2, 3):
        command = [sys.executable, "-c", _WORKER]
        ended = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        said = Scraped(ended.stdout)
        assert said.value("gateway_retries_total") == workers
        assert said.value("gateway_upstream_seconds_sum", code="OK") == workers * 0.5
        assert said.value("gateway_in_flight") == workers * 3
        assert said.value("gateway_breaker_state", state="closed") == workers
