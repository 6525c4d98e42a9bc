"""aiohttp's HTTP protocol, with problem documents for the requests that aiohttp refuses by itself."""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from aiohttp import web

from gateway.api.problems import problem_response
from gateway.api.request_log import HEADERS
from gateway.errors import ExpectationFailedError, GatewayError, InvalidHttpError
from gateway.settings.settings import Settings
from gateway.telemetry.metrics import Metrics


class Protocol(web.RequestHandler):
    """One connection. The requests that are refused here never reach a middleware."""

    __slots__ = ("_metrics",)

    def __init__(self, server: web.Server, metrics: Metrics, **options: Any) -> None:
        super().__init__(server, **options)
        self._metrics = metrics

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to bytes that are no HTTP."""
        if status != 400 or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        # What follows shows what was sent.
        reason = re.split("[:\n]", message or "", maxsplit=1)[0]
        answer = self._refusal(InvalidHttpError(f"this is not HTTP: {reason}; look at what your client really sends"))
        answer.force_close()
        # Else aiohttp tells its version and Python's.
        answer.headers["Server"] = "gateway"
        return answer

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Sends the answer."""
        if isinstance(resp, web.HTTPExpectationFailed):
            resp = self._refusal(ExpectationFailedError("`Expect` can only be 100-continue; leave the header out"))
        return await super().finish_response(request, resp, start_time)

    def _refusal(self, error: GatewayError) -> web.Response:
        self._metrics.refused(error.code)
        answer = problem_response(error)
        answer.headers.update(HEADERS)
        return answer


def protocols(server: web.Server, metrics: Metrics, settings: Settings) -> Callable[[], Protocol]:
    """What `loop.create_server` wants: makes the protocol of each connection. Call it inside the running event loop."""
    return partial(
        Protocol,
        server,
        metrics,
        loop=asyncio.get_running_loop(),
        access_log=None,
        # Compressed bodies are refused, so none is unpacked, not even one that is thrown away.
        auto_decompress=False,
        keepalive_timeout=settings.keep_alive_seconds,
        # After a refusal the rest of the body is still taken for so long: else the client might see a reset, no answer.
        lingering_time=settings.body_seconds,
    )
