"""What the gateway counts and measures, for Prometheus.

Every label has a bounded set of values: what would let it grow is folded into "other". Where `PROMETHEUS_MULTIPROC_DIR`
is set, each worker process keeps its values in files of that directory, and any of them answers with the sum over all.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from gateway.telemetry.context import RequestContext

MULTIPROCESS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus-client reads this variable when it is imported, so the parent sets it before a worker starts."""

MAX_VERSIONS = 32
MAX_INTENTS = 64
"""Names per process; the model has 11."""
MAX_CALLERS = 256

OTHER = "other"
"""What every label value beyond a limit is called."""

METHODS = frozenset(("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"))
UNMATCHED = "unmatched"
"""The route of a request for a path that the gateway does not have."""

BreakerState = Literal["closed", "open", "half_open"]

# A small model answers within a few milliseconds; a deadline is some seconds.
_REQUEST_BUCKETS = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_PART_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
# Finer where a sure model's scores lie.
_SCORE_BUCKETS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)

_ANSWER = ("route", "status", "version")

# When a series began is of no use here, and doubles what is sent.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """One per application, with a registry of its own. Needs nothing; cheap to make."""

    def __init__(self) -> None:
        self._multiprocess = MULTIPROCESS_DIRECTORY in os.environ
        self._registry = CollectorRegistry()
        if not self._multiprocess:
            # With several workers these would be the values of the one that happens to answer.
            ProcessCollector(registry=self._registry)
        self._versions = _Bounded(MAX_VERSIONS)
        self._intents = _Bounded(MAX_INTENTS)
        self._names = _Bounded(MAX_CALLERS)
        self._children: dict[tuple[str | int | None, ...], Any] = {}
        """By metric and label values: a look-up here costs a tenth of `labels()`."""
        self._gauges: list[tuple[Gauge, Callable[[], float]]] = []

        histogram = partial(Histogram, registry=self._registry)
        counter = partial(Counter, registry=self._registry)
        self._requests = histogram(
            "gateway_request_seconds",
            "Time from a request's headers to its answer.",
            ("method", *_ANSWER),
            buckets=_REQUEST_BUCKETS,
        )
        self._parts = histogram(
            "gateway_request_part_seconds",
            "The same time, split: waiting for a slot, waiting for the model server, and the gateway's own.",
            ("part", *_ANSWER),
            buckets=_PART_BUCKETS,
        )
        self._upstream = histogram(
            "gateway_upstream_seconds",
            "Time of each call to the model server.",
            ("method", "code"),
            buckets=_PART_BUCKETS,
        )
        self._scores = histogram(
            "gateway_score", "Score of the most probable intent.", ("version",), buckets=_SCORE_BUCKETS
        )
        self._predictions = counter(
            "gateway_predictions_total", "Texts by their most probable intent.", ("version", "intent")
        )
        self._abstentions = counter(
            "gateway_abstentions_total", "Texts whose score was below the threshold.", ("version",)
        )
        self._refusals = counter("gateway_refusals_total", "Requests answered with a problem.", ("code",))
        self._callers = counter(
            "gateway_caller_requests_total", "Requests by the name of their API key.", ("caller", "status")
        )
        self._retries = counter("gateway_retries_total", "Calls to the model server that were made again.")
        self._cancellations = counter("gateway_cancellations_total", "Requests whose caller went away.")
        self._breaker = Gauge(
            "gateway_breaker_state",
            "1 for the state that the circuit breaker is in; over several workers, how many are in it.",
            ("state",),
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self.breaker_changed("closed")

    def upstream_call(self, method: str, code: str, seconds: float) -> None:
        """One gRPC call has ended. `method`: Predict and the like; `code`: name of its gRPC status."""
        self._child(self._upstream, method, code).observe(seconds)

    def retried(self) -> None:
        """A lost call is made again."""
        self._retries.inc()

    def breaker_changed(self, state: BreakerState) -> None:
        """The circuit breaker is in this state now."""
        for each in get_args(BreakerState):
            self._child(self._breaker, each).set(each == state)

    def cancelled(self) -> None:
        """A caller went away."""
        self._cancellations.inc()

    def refused(self, code: str) -> None:
        """A request is answered with the problem of this code, one of those in `errors`."""
        self._child(self._refusals, code).inc()

    def predicted(self, version: int, intent: str, score: float, abstained: bool) -> None:
        """This version found this intent the most probable one for a text. `abstained`: its score was too low."""
        name = self._versions.fold(str(version))
        self._child(self._predictions, name, self._intents.fold(intent)).inc()
        self._child(self._scores, name).observe(score)
        if abstained:
            self._child(self._abstentions, name).inc()

    def request_done(self, context: RequestContext, method: str, route: str, status: int, seconds: float) -> None:
        """One request has ended. `route`: its canonical path, or `UNMATCHED`."""
        version = "" if context.version is None else self._versions.fold(str(context.version))
        method = method if method in METHODS else OTHER
        self._child(self._requests, method, route, status, version).observe(seconds)
        if version:
            for part, part_seconds in context.parts(seconds).items():
                self._child(self._parts, part, route, status, version).observe(part_seconds)
        if context.caller:
            self._child(self._callers, self._names.fold(context.caller), status).inc()
        if self._multiprocess:
            self._refresh()

    def watch(self, in_flight: Callable[[], float], queued: Callable[[], float]) -> None:
        """Tells how many requests are with the model server, and how many wait. Call it once."""
        for name, text, read in (
            ("gateway_in_flight", "Requests that are with the model server.", in_flight),
            ("gateway_queued", "Requests that wait for a slot.", queued),
        ):
            gauge = Gauge(name, text, registry=self._registry, multiprocess_mode="livesum")
            self._gauges.append((gauge, read))
            gauge.set(read())

    def render(self, accept: str) -> tuple[bytes, str]:
        """All values in the text format that the header `Accept` asks for, and its content type."""
        self._refresh()
        registry = self._registry
        if self._multiprocess:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        encoder, content_type = choose_encoder(accept)
        return encoder(registry), content_type

    def _refresh(self) -> None:
        # No callbacks in the gauges: another worker can read only what this one has written down.
        for gauge, read in self._gauges:
            gauge.set(read())

    def _child(self, metric: Any, *values: str | int) -> Any:
        key = (metric, *values)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = metric.labels(*values)
        return child


class _Bounded:
    """Keeps the first `limit` names that it meets, and calls every other one `OTHER`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._names: set[str] = set()

    def fold(self, name: str) -> str:
        """The name itself, or `OTHER`."""
        if name not in self._names:
            if len(self._names) >= self._limit:
                return OTHER
            self._names.add(name)
        return name
