"""OpenTelemetry spans: only where the usual OTEL_* variables ask for them and the package is installed.

Its import costs memory and start time, so nothing of it is imported before that.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.telemetry.context import RequestContext
from gateway.telemetry.trace import TraceParent

SERVICE_NAME = "intent-gateway"
"""What the spans' service is called, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES say otherwise."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Span:
    """The span of one request; it runs until `end`."""

    traceparent: TraceParent
    """Its own name."""
    _span: Any

    def end(self, context: RequestContext, status: int) -> None:
        """The request was answered with this HTTP status. Attributes: https://opentelemetry.io/docs/specs/semconv/."""
        from opentelemetry.trace import StatusCode

        known = {
            "http.response.status_code": status,
            "gateway.request_id": context.request_id,
            "gateway.queue_seconds": context.queue_seconds,
            "gateway.model_seconds": context.model_seconds,
            "gateway.model_version": context.version,
            "error.type": context.code,
        }
        self._span.set_attributes({name: value for name, value in known.items() if value not in ("", None)})
        # By the same convention a client's mistake is no error of the server's span.
        if status >= 500:
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


class Spans:
    """Makes a span for each request, and exports them in the background."""

    def __init__(self, exporters: Sequence[Any]) -> None:
        """`exporters`: of the SDK's `SpanExporter`."""
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        resource = Resource.create({"service.name": SERVICE_NAME}).merge(OTELResourceDetector().detect())
        # One of our own: the process-wide provider can be set only once, and nobody else needs it.
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        for exporter in exporters:
            self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("gateway")

    def start(self, caller: TraceParent | None, method: str, route: str) -> Span:
        """The span of a request that begins now, below the caller's span if there is one."""
        from opentelemetry import trace

        parent = trace.INVALID_SPAN_CONTEXT
        if caller:
            flags = trace.TraceFlags(int(caller.flags, 16))
            parent = trace.SpanContext(
                int(caller.trace_id, 16), int(caller.span_id, 16), is_remote=True, trace_flags=flags
            )
        span = self._tracer.start_span(
            f"{method} {route}",
            # Never the task's own context: aiohttp's tasks live as long as a connection.
            trace.set_span_in_context(trace.NonRecordingSpan(parent)),
            trace.SpanKind.SERVER,
            {"http.request.method": method, "http.route": route},
        )
        own = span.get_span_context()
        name = TraceParent(f"{own.trace_id:032x}", f"{own.span_id:016x}", f"{own.trace_flags:02x}")
        return Span(name, span)

    def close(self) -> None:
        """Exports what is left. May take seconds, so call it outside of the event loop."""
        self._provider.shutdown()


def spans_from_environment(environment: Mapping[str, str]) -> Spans | None:
    """None where tracing is not asked for, and, with a warning, where its packages are missing.

    The variables often stand for a whole fleet, so they must not stop the start of a gateway without the packages.
    """
    names = _exporters(environment)
    if not names:
        return None
    from importlib.metadata import entry_points

    exporters = []
    for name in names:
        found = entry_points(group="opentelemetry_traces_exporter", name=name)
        if not found:
            _LOG.warning(
                "no OpenTelemetry exporter %r is installed, so it gets no traces; "
                "install what gateway/requirements-tracing.in lists, or set OTEL_TRACES_EXPORTER=none",
                name,
            )
        exporters += [each.load()() for each in found]
    return Spans(exporters) if exporters else None


def _exporters(environment: Mapping[str, str]) -> list[str]:
    """Names of entry points, by https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return []
    has_endpoint = any(
        environment.get(name) for name in ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    )
    listed = environment.get("OTEL_TRACES_EXPORTER") or ("otlp" if has_endpoint else "none")
    protocol = environment.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environment.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    otlp = "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"
    names = (name.strip() for name in listed.split(","))
    return [otlp if name == "otlp" else name for name in names if name not in ("", "none")]
