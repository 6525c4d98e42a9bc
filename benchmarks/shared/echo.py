"""A stand-in for the model server: it has no model and answers at once, which shows what the gateway alone can do.

python -m benchmarks.shared.echo <port>
"""

import asyncio
import sys
from functools import cache
from typing import Any

import grpc

from gateway.upstream import messages

Context = grpc.aio.ServicerContext[bytes, bytes]
INTENTS = tuple(f"intent_{index}" for index in range(11))
# Stands for the fingerprint of the list; the gateway only compares it.
LABEL_SET = 1
AVAILABLE = 30


@cache
def _labels(rows: int) -> bytes:
    response = _response()
    tensor = response.outputs["intent"]
    tensor.dtype = messages.DT_STRING
    tensor.tensor_shape.dim.add().size = rows
    tensor.string_val.extend(name.encode() for name in INTENTS[:rows])
    _integers(response, "label_set", [LABEL_SET] * rows)
    return bytes(response.SerializeToString())


@cache
def _probabilities(rows: int) -> bytes:
    response = _response()
    _integers(response, "label_index", [0] * rows)
    _integers(response, "label_set", [LABEL_SET] * rows)
    probabilities = response.outputs["probabilities"]
    probabilities.dtype = messages.DT_FLOAT
    for size in (rows, len(INTENTS)):
        probabilities.tensor_shape.dim.add().size = size
    probabilities.float_val.extend([0.5, *[0.05] * (len(INTENTS) - 1)] * rows)
    return bytes(response.SerializeToString())


def _integers(response: Any, name: str, values: list[int]) -> None:
    tensor = response.outputs[name]
    tensor.dtype = messages.DT_INT64
    tensor.tensor_shape.dim.add().size = len(values)
    tensor.int64_val.extend(values)


def _response() -> Any:
    response = messages.PredictResponse()
    response.model_spec.name = "intent"
    response.model_spec.version.value = 1
    return response


async def _predict(request: bytes, _context: Context) -> bytes:
    asked = messages.PredictRequest.FromString(request)
    if asked.model_spec.signature_name == "labels":
        return _labels(asked.inputs["label_index"].tensor_shape.dim[0].size)
    return _probabilities(asked.inputs["text"].tensor_shape.dim[0].size)


async def _metadata(_request: bytes, _context: Context) -> bytes:
    response = messages.GetModelMetadataResponse()
    response.model_spec.version.value = 1
    return bytes(response.SerializeToString())


async def _status(_request: bytes, _context: Context) -> bytes:
    response = messages.GetModelStatusResponse()
    response.model_version_status.add(version=1, state=AVAILABLE)
    return bytes(response.SerializeToString())


async def serve(port: int) -> None:
    """Until it is stopped."""
    server = grpc.aio.server()
    services: dict[str, dict[str, Any]] = {
        "PredictionService": {"Predict": _predict, "GetModelMetadata": _metadata},
        "ModelService": {"GetModelStatus": _status},
    }
    for name, methods in services.items():
        # Without serialisers a request arrives, and a response leaves, as bytes.
        handlers: dict[str, Any] = {
            method: grpc.unary_unary_rpc_method_handler(answer) for method, answer in methods.items()
        }
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(f"tensorflow.serving.{name}", handlers)])
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
