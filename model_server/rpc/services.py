"""What answers each method of the official gRPC services."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import grpc
from google.protobuf.message import Message
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, inference_pb2

from model_server.errors import invalid_argument
from model_server.inference import metadata, multi_inference
from model_server.inference.classify import classify
from model_server.inference.predict import predict
from model_server.inference.regress import regress
from model_server.inference.servable import Servable
from model_server.metrics.metrics import counted
from model_server.versions.reload import reload_config
from model_server.versions.server_core import ServerCore

# A call without a deadline has centuries left.
NO_DEADLINE_SECONDS = 10 * 365 * 24 * 3600

# A response is a message, or one that is serialised already.
Response = Message | bytes
Answer = Callable[[Any, grpc.ServicerContext], Response]


def answers(core: ServerCore, as_content: bool) -> Mapping[str, Answer]:
    """The answer to each method, by the method's name; with `as_content` Predict answers in `tensor_content`."""

    def by_version(run: Callable[[Servable, Any, float | None], Response]) -> Answer:
        def answer(request: Any, context: grpc.ServicerContext) -> Response:
            _require_spec(request)
            with core.acquire(request.model_spec) as servable:
                return run(servable, request, _timeout(context))

        return answer

    def infer_several(request: inference_pb2.MultiInferenceRequest, context: grpc.ServicerContext) -> Any:
        with core.acquire(multi_inference.model_spec(request)) as servable:
            return multi_inference.multi_inference(servable, request, _timeout(context))

    def describe(request: get_model_metadata_pb2.GetModelMetadataRequest, _: grpc.ServicerContext) -> Any:
        _require_spec(request)
        metadata.check(request)
        with core.acquire(request.model_spec) as servable:
            return metadata.describe(servable, request.model_spec.name)

    def status(request: get_model_status_pb2.GetModelStatusRequest, _: grpc.ServicerContext) -> Any:
        _require_spec(request)
        return core.status(request.model_spec)

    return {
        "Classify": counted("Classify", by_version(classify)),
        "Regress": counted("Regress", by_version(regress)),
        "Predict": counted("Predict", by_version(functools.partial(predict, as_content=as_content))),
        "MultiInference": infer_several,
        "GetModelMetadata": describe,
        "GetModelStatus": status,
        "HandleReloadConfigRequest": lambda request, _: reload_config(core, request),
    }


def _timeout(context: grpc.ServicerContext) -> float | None:
    remaining = context.time_remaining()
    return None if remaining is None or remaining > NO_DEADLINE_SECONDS else remaining


def _require_spec(request: Message) -> None:
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
