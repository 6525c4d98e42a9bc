"""The outermost layer of a request: its id and trace, its time, its line in the log, and headers of every answer."""

import logging
import os
import re
import time
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.api import app_keys
from gateway.telemetry import trace
from gateway.telemetry.context import CONTEXT, RequestContext
from gateway.telemetry.metrics import UNMATCHED
from gateway.telemetry.trace import TraceParent

REQUEST_ID = "X-Request-Id"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

CLIENT_CLOSED_REQUEST = 499
"""The status that log and metrics show for a caller who went away; nginx gave it its meaning."""

PROBED = frozenset(("/healthz", "/readyz", "/status", "/metrics"))
"""Asked every few seconds by machines: logged only when refused, or at level debug."""

# A page needs wider ones, and sets them itself.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Of every answer: nobody may take it for another type, run or frame it as a page, or keep it."""

_LOG = logging.getLogger(__name__)


@web.middleware
async def sight_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
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
        if status == CLIENT_CLOSED_REQUEST:
            request.app[app_keys.METRICS].cancelled()
        request.app[app_keys.METRICS].request_done(context, request.method, route, status, seconds)
        if span:
            span.end(context, status)
        _write_line(context, request.method, route, status, seconds)
        CONTEXT.reset(token)


async def hide_server(_request: web.Request, response: web.StreamResponse) -> None:
    """Takes off the header by which aiohttp tells its version and Python's; for `on_response_prepare`."""
    response.headers.popall("Server", None)


async def metrics_view(request: web.Request) -> web.Response:
    """`GET /metrics`: what Prometheus reads; over all worker processes."""
    body, content_type = request.app[app_keys.METRICS].render(request.headers.get("Accept", ""))
    return web.Response(body=body, headers={"Content-Type": content_type})


def _write_line(context: RequestContext, method: str, route: str, status: int, seconds: float) -> None:
    level = logging.DEBUG if route in PROBED and status < 400 else logging.INFO
    if not _LOG.isEnabledFor(level):
        return
    values: dict[str, Any] = {"method": method, "route": route, "status": status, "total_ms": _ms(seconds)}
    if context.version is not None:
        queue, model = context.queue_seconds, context.model_seconds
        values["queue_ms"], values["model_ms"] = _ms(queue), _ms(model)
        values["gateway_ms"] = _ms(max(0.0, seconds - queue - model))
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
    _LOG.log(level, "request", extra={"values": values})


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
