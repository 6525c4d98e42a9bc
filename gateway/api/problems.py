"""Every refusal and every failure as a problem document (RFC 9457)."""

import logging
import math

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec import UNSET

from gateway.api import app_keys
from gateway.api.schemas import Problem
from gateway.errors import GatewayError, MethodNotAllowedError, NotFoundError
from gateway.telemetry.context import CONTEXT

CONTENT_TYPE = "application/problem+json"
# A refusal may quote the request, but not give all of it back.
_MAX_QUOTE = 100

_LOG = logging.getLogger(__name__)


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns what the inner layers raise into an answer, and counts it."""
    headers = {}
    try:
        return await handler(request)
    except GatewayError as raised:
        error = raised
    except web.HTTPMethodNotAllowed as raised:
        headers["Allow"] = ", ".join(sorted({*raised.allowed_methods, "OPTIONS"}))
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=headers)
        sent = f"{request.method[:_MAX_QUOTE]} {request.path[:_MAX_QUOTE]}"
        error = MethodNotAllowedError(f"there is no {sent}; send one of {headers['Allow']}")
    except web.HTTPNotFound:
        paths = sorted({resource.canonical for resource in request.app.router.resources()})
        error = NotFoundError(f"nothing is at this path; there are {', '.join(paths)}")
    except Exception:
        _LOG.exception("%s %s failed", request.method, request.path)
        error = GatewayError("the gateway failed on this request; its log says why")
    request.app[app_keys.METRICS].refused(error.code)
    if context := CONTEXT.get():
        context.code = error.code
    answer = problem_response(error)
    answer.headers.update(headers)
    return answer


def problem_response(error: GatewayError) -> web.Response:
    """The error as an answer. 429 and 503 always say when to try again, in whole seconds (RFC 9110, 10.2.3)."""
    context = CONTEXT.get()
    document = Problem(
        type=f"/docs#{error.code}",
        title=title(error.code),
        status=error.status,
        detail=str(error),
        code=error.code,
        pointer=error.pointer or UNSET,
        request_id=context.request_id if context else UNSET,
    )
    answer = web.Response(body=msgspec.json.encode(document), status=error.status, content_type=CONTENT_TYPE)
    if error.status in (429, 503):
        answer.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after or 0)))
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def title(code: str) -> str:
    """The name of a kind of problem for people: the same for every problem with this code."""
    return code.replace("_", " ").capitalize().replace("json", "JSON").replace("http", "HTTP")
