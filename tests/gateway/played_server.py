"""A gRPC server that a test plays itself: for answers that no real model server gives on demand."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from gateway.settings.settings import Settings
from gateway.telemetry.metrics import Metrics
from gateway.upstream import messages
from gateway.upstream.backend import Backend

_REQUESTS = {
    "Predict": messages.PredictRequest,
    "GetModelMetadata": messages.GetModelMetadataRequest,
    "GetModelStatus": messages.GetModelStatusRequest,
}


@dataclass
class PlayedServer:
    """`answer` gets each call: method, request, context; it returns the response or aborts."""

    answer: Callable[[str, Any, grpc.aio.ServicerContext], Awaitable[Any]]
    port: int = 0
    methods: list[str] = field(default_factory=list)
    """The calls so far, by method."""


def prediction(rows: int = 1) -> Any:
    """A Predict response of version 1 that says label 1 of 2 with 0.75 about every text."""
    response = messages.PredictResponse()
    response.model_spec.version.value = 1
    indices, probabilities = response.outputs["label_index"], response.outputs["probabilities"]
    label_set = response.outputs["label_set"]
    indices.dtype, probabilities.dtype, label_set.dtype = messages.DT_INT64, messages.DT_FLOAT, messages.DT_INT64
    indices.int64_val.extend([1] * rows)
    label_set.int64_val.extend([5] * rows)
    probabilities.float_val.extend([0.25, 0.75] * rows)
    return response


@asynccontextmanager
async def played(answer: Callable[[str, Any, grpc.aio.ServicerContext], Awaitable[Any]]) -> AsyncIterator[PlayedServer]:
    """The server, on a free port of loopback."""
    it = PlayedServer(answer)

    class Handlers(grpc.GenericRpcHandler):
        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
            method = details.method.rpartition("/")[2]

            async def handle(request: Any, context: grpc.aio.ServicerContext) -> Any:
                it.methods.append(method)
                return await it.answer(method, request, context)

            return grpc.unary_unary_rpc_method_handler(
                handle, _REQUESTS[method].FromString, lambda response: response.SerializeToString()
            )

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Handlers(),))
    it.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield it
    finally:
        await server.stop(0)


@asynccontextmanager
async def backend(**settings: Any) -> AsyncIterator[Backend]:
    """A backend with these settings, closed at the end."""
    it = Backend(Settings(**settings), Metrics())
    try:
        yield it
    finally:
        await it.close()
