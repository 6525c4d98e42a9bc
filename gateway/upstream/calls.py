"""One call to the model server: deadline, metadata, circuit breaker, retries, measurement."""

import asyncio
import time
from typing import Any

import grpc

from gateway.settings.settings import Settings
from gateway.telemetry.context import CONTEXT
from gateway.telemetry.metrics import Metrics
from gateway.upstream import messages
from gateway.upstream.breaker import Breaker
from gateway.upstream.channel import open_channel
from gateway.upstream.deadline import Deadline
from gateway.upstream.retries import MAX_RETRIES, RetryBudget, pause_before
from gateway.upstream.statuses import backend_error, is_queue_full

PREDICT = "Predict"
METADATA = "GetModelMetadata"
STATUS = "GetModelStatus"

_METHODS = {
    PREDICT: ("/tensorflow.serving.PredictionService/Predict", messages.PredictResponse),
    METADATA: ("/tensorflow.serving.PredictionService/GetModelMetadata", messages.GetModelMetadataResponse),
    STATUS: ("/tensorflow.serving.ModelService/GetModelStatus", messages.GetModelStatusResponse),
}


class Calls:
    """The model server's methods. All of them only read, so a lost call may be made again."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        """Create it inside a running event loop.

        Raises:
            SettingsError: the address or a TLS file cannot be used.
        """
        self.channel = open_channel(settings)
        self._methods: dict[str, Any] = {
            name: self.channel.unary_unary(
                path,
                request_serializer=lambda request: request.SerializeToString(),
                response_deserializer=response.FromString,
            )
            for name, (path, response) in _METHODS.items()
        }
        self._metrics = metrics
        self._budget = RetryBudget(settings.retry_budget)
        # A call that had half of a request's usual time was given a fair chance.
        self._fair_seconds = settings.deadline_seconds / 2
        self._probe_request = messages.GetModelStatusRequest()
        self._probe_request.model_spec.name = settings.model_name
        self.breaker = Breaker(
            settings.breaker_failures,
            settings.breaker_seconds,
            self._fair_seconds,
            self._probe,
            metrics.breaker_changed,
        )

    async def make(self, method: str, request: Any, deadline: Deadline, is_named: bool = False) -> tuple[Any, float]:
        """The response, and how many seconds the call took that brought it.

        `is_named` as in `backend_error`. Cancelling this cancels the call.

        Raises:
            BackendError: no answer, or an error for one.
            UnknownVersionError: the client named a version or label that is not served.
        """
        context = CONTEXT.get()
        metadata = (("x-request-id", context.request_id), ("traceparent", context.traceparent)) if context else None
        call = self._methods[method]
        self._budget.add()
        retries = 0
        while True:
            self.breaker.check()
            timeout = deadline.remaining()
            if retries:
                self._metrics.retried()
            began = time.monotonic()
            try:
                response = await call(request, timeout=timeout, metadata=metadata)
            except grpc.aio.AioRpcError as error:
                ended = time.monotonic()
                self._metrics.upstream_call(method, error.code().name, ended - began)
                is_lost = self._note(error, began, ended)
                pause = pause_before(retries)
                # A pause up to the deadline would turn the true reason into a DeadlineExceededError.
                is_in_time = ended + pause < deadline.at
                if not (is_lost and retries < MAX_RETRIES and is_in_time and self._budget.take(ended)):
                    raise backend_error(error, is_named) from error
            except asyncio.CancelledError:
                ended = time.monotonic()
                self._metrics.upstream_call(method, "CANCELLED", ended - began)
                self.breaker.unanswered(began, ended)
                raise
            else:
                ended = time.monotonic()
                self._metrics.upstream_call(method, "OK", ended - began)
                self.breaker.answered(ended)
                return response, ended - began
            await asyncio.sleep(pause)
            retries += 1

    async def close(self) -> None:
        """Ends the probing and closes the channel; calls that still run are cancelled."""
        await self.breaker.stop()
        await self.channel.close()

    def _note(self, error: grpc.aio.AioRpcError, began: float, ended: float) -> bool:
        """Tells the breaker how a call ended. Returns whether its connection was lost."""
        code = error.code()
        if code is grpc.StatusCode.UNAVAILABLE and not is_queue_full(error):
            self.breaker.lost(began, error.details() or "")
            return True
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            self.breaker.unanswered(began, ended)
        else:
            self.breaker.answered(ended)
        return False

    async def _probe(self) -> None:
        began = time.monotonic()
        try:
            await self._methods[STATUS](self._probe_request, timeout=self._fair_seconds)
        except grpc.aio.AioRpcError as error:
            self._note(error, began, time.monotonic())
        else:
            self.breaker.answered(time.monotonic())
