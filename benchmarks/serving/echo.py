"""A model server without a model: it answers the gateway at once, so that what the gateway alone can do is seen.

python -m benchmarks.serving.echo <port>
"""

import asyncio
import sys
from functools import cache
from typing import Any

import grpc

from gateway.upstream import messages

INTENTS = tuple(f"intent_{index}" for index in range(11))
LABEL_SET = 1
AVAILABLE = 30


@cache
def _labels(rows: int) -> bytes:
    response = _response()
    tensor = response.outputs["intent"]
    tensor.dtype = messages.DT_STRING
    tensor.tensor_shape.dim.add().size = rows
    tensor.string_val.extend(name.encode() for name in INTENTS[:rows])
    _put_label_set(response, rows)
    return response.SerializeToString()


@cache
def _probabilities(rows: int) -> bytes:
    response = _response()
    index, probabilities = response.outputs["label_index"], response.outputs["probabilities"]
    index.dtype = messages.DT_INT64
    index.tensor_shape.dim.add().size = rows
    index.int64_val.extend([0] * rows)
    _put_label_set(response, rows)
    probabilities.dtype = messages.DT_FLOAT
    for size in (rows, len(INTENTS)):
        probabilities.tensor_shape.dim.add().size = size
    probabilities.float_val.extend([0.5, *[0.05] * (len(INTENTS) - 1)] * rows)
    return response.SerializeToString()


def _put_label_set(response: Any, rows: int) -> None:
    tensor = response.outputs["label_set"]
    tensor.dtype = messages.DT_INT64
    tensor.tensor_shape.dim.add().size = rows
    tensor.int64_val.extend([LABEL_SET] * rows)


def _response() -> Any:
    response = messages.PredictResponse()
    response.model_spec.name = "intent"
    response.model_spec.version.value = 1
    return response


async def _predict(request: bytes, _context: grpc.aio.ServicerContext) -> bytes:
    asked = messages.PredictRequest.FromString(request)
    if asked.model_spec.signature_name == "labels":
        return _labels(asked.inputs["label_index"].tensor_shape.dim[0].size)
    return _probabilities(asked.inputs["text"].tensor_shape.dim[0].size)


async def _metadata(_request: bytes, _context: grpc.aio.ServicerContext) -> bytes:
    response = messages.GetModelMetadataResponse()
    response.model_spec.version.value = 1
    return response.SerializeToString()


async def _status(_request: bytes, _context: grpc.aio.ServicerContext) -> bytes:
    response = messages.GetModelStatusResponse()
    response.model_version_status.add(version=1, state=AVAILABLE)
    return response.SerializeToString()


async def serve(port: int) -> None:
    """Until it is stopped."""
    server = grpc.aio.server()
    services = {
        "PredictionService": {"Predict": _predict, "GetModelMetadata": _metadata},
        "ModelService": {"GetModelStatus": _status},
    }
    for name, methods in services.items():
        # Without serialisers a request arrives, and a response leaves, as bytes.
        handlers = {method: grpc.unary_unary_rpc_method_handler(answer) for method, answer in methods.items()}
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(f"tensorflow.serving.{name}", handlers)])
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
