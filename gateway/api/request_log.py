"""Around every request: its id and trace, its time, its line in the log, and the headers of every answer."""

import logging
import os
import re
import time
from collections.abc import Collection
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.api import app_keys
from gateway.telemetry import trace
from gateway.telemetry.context import CONTEXT, RequestContext, milliseconds
from gateway.telemetry.metrics import UNMATCHED
from gateway.telemetry.trace import TraceParent

REQUEST_ID = "X-Request-Id"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

CLIENT_CLOSED_REQUEST = 499
"""The status that log and metrics show for a caller who went away; nginx gave it its meaning."""

# A page needs wider ones, and sets them itself.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Of every answer: nobody may take it for another type, run or frame it as a page, or keep it."""

_LOG = logging.getLogger(__name__)


class RequestLog:
    """Around every request; one per application."""

    def __init__(self, probed_paths: Collection[str]) -> None:
        """`probed_paths`: what machines ask every few seconds."""
        self._probed_paths = probed_paths
        self.running = 0
        """Requests that are not answered yet."""

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Sets `CONTEXT` for the inner layers, which turn every exception into an answer."""
        started = time.perf_counter()
        request_id = request.headers.get(REQUEST_ID, "")
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = os.urandom(16).hex()
        resource = request.match_info.route.resource
        # Never the path that was sent: it has no bound, and may hold anything.
        route = resource.canonical if resource else UNMATCHED
        caller = TraceParent.read(request.headers.get(trace.HEADER, ""))
        spans = request.app[app_keys.SPANS]
        span = spans.start(caller, request.method, route) if spans else None
        own = span.traceparent if span else (caller.child() if caller else TraceParent.new())
        context = RequestContext(request_id, str(own), started=started)
        token = CONTEXT.set(context)
        self.running += 1
        status = CLIENT_CLOSED_REQUEST
        try:
            response = await handler(request)
            status = response.status
            response.headers[REQUEST_ID] = request_id
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            return response
        finally:
            seconds = time.perf_counter() - started
            metrics = request.app[app_keys.METRICS]
            if status == CLIENT_CLOSED_REQUEST:
                metrics.cancelled()
            metrics.request_done(context, request.method, route, status, seconds)
            if span:
                span.end(context, status)
            if _LOG.isEnabledFor(level := self._level(request, route, status)):
                _LOG.log(level, "request", extra={"values": _values(context, request.method, route, status, seconds)})
            CONTEXT.reset(token)
            self.running -= 1

    def _level(self, request: web.Request, route: str, status: int) -> int:
        if route not in self._probed_paths:
            return logging.INFO
        # While both servers start, /readyz says 503 until the model server's first answer: no news for anybody.
        is_starting = status == 503 and not request.app[app_keys.BACKEND].breaker.was_answered
        return logging.DEBUG if status < 400 or is_starting else logging.INFO


async def metrics_view(request: web.Request) -> web.Response:
    """`GET /metrics`: what Prometheus reads; over all worker processes."""
    body, content_type = request.app[app_keys.METRICS].render(request.headers.get("Accept", ""))
    return web.Response(body=body, headers={"Content-Type": content_type})


def _values(context: RequestContext, method: str, route: str, status: int, seconds: float) -> dict[str, Any]:
    values: dict[str, Any] = {"method": method, "route": route, "status": status, "total_ms": milliseconds(seconds)}
    if context.version is not None:
        for part, each in context.parts(seconds).items():
            values[f"{part}_ms"] = milliseconds(each)
        values["version"] = context.version
    if len(context.intents) == 1:
        values["intent"] = context.intents[0]
    elif context.intents:
        values["intents"] = context.intents
    if context.caller:
        values["caller"] = context.caller
    if context.code:
        values["code"] = context.code
    if context.texts:
        values["texts"] = context.texts
    return values
