"""The gRPC listener: official service names to the modules that answer them."""

import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

from model_server.command_line import Options
from model_server.errors import StatusError, invalid_argument
from model_server.inference import metadata, multi_inference
from model_server.inference.classify import classify
from model_server.inference.predict import predict
from model_server.inference.regress import regress
from model_server.metrics.metrics import counted
from model_server.rpc import health, reflection
from model_server.rpc.admission import Admission
from model_server.rpc.credentials import server_credentials
from model_server.versions.model_status import model_status
from model_server.versions.reload import reload_config
from model_server.versions.server_core import ServerCore

_log = logging.getLogger(__name__)

# The stock server's limit for a status message, in bytes.
MAX_MESSAGE_BYTES = 1024
UNLIMITED = -1
# For what is not limited in number: refusals, health checks, open reflection streams.
SPARE_THREADS = 8
# A call without a deadline has centuries left.
NO_DEADLINE_SECONDS = 10 * 365 * 24 * 3600

# A response is a message, or one that is serialised already.
Handler = Callable[[Any, grpc.ServicerContext], Message | bytes]


class Services:
    """The methods that are offered."""

    def __init__(self, core: ServerCore, as_content: bool, admission: Admission) -> None:
        """`as_content`: Predict answers in `tensor_content`; `admission`: how many calls run at once."""
        self._core = core
        self._as_content = as_content
        self._admission = admission

    def predict(self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext) -> bytes:
        """PredictionService.Predict."""
        _require_spec(request)
        servable = self._core.acquire(request.model_spec)
        try:
            return predict(servable, request, _timeout(context), self._as_content)
        finally:
            servable.release()

    def classify(
        self, request: classification_pb2.ClassificationRequest, context: grpc.ServicerContext
    ) -> classification_pb2.ClassificationResponse:
        """PredictionService.Classify."""
        _require_spec(request)
        servable = self._core.acquire(request.model_spec)
        try:
            return classify(servable, request, _timeout(context))
        finally:
            servable.release()

    def regress(
        self, request: regression_pb2.RegressionRequest, context: grpc.ServicerContext
    ) -> regression_pb2.RegressionResponse:
        """PredictionService.Regress."""
        _require_spec(request)
        servable = self._core.acquire(request.model_spec)
        try:
            return regress(servable, request, _timeout(context))
        finally:
            servable.release()

    def multi_inference(
        self, request: inference_pb2.MultiInferenceRequest, context: grpc.ServicerContext
    ) -> inference_pb2.MultiInferenceResponse:
        """PredictionService.MultiInference."""
        servable = self._core.acquire(multi_inference.model_spec(request))
        try:
            return multi_inference.multi_inference(servable, request, _timeout(context))
        finally:
            servable.release()

    def model_metadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest, context: grpc.ServicerContext
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """PredictionService.GetModelMetadata."""
        _require_spec(request)
        metadata.check(request)
        servable = self._core.acquire(request.model_spec)
        try:
            return metadata.describe(servable, request.model_spec.name)
        finally:
            servable.release()

    def model_status(
        self, request: get_model_status_pb2.GetModelStatusRequest, context: grpc.ServicerContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """ModelService.GetModelStatus."""
        _require_spec(request)
        return model_status(self._core.board, request.model_spec)

    def reload_config(
        self, request: model_management_pb2.ReloadConfigRequest, context: grpc.ServicerContext
    ) -> model_management_pb2.ReloadConfigResponse:
        """ModelService.HandleReloadConfigRequest."""
        return reload_config(self._core, request)

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """What a gRPC server registers."""
        prediction = {
            "Classify": _method(counted("Classify", self.classify), classification_pb2.ClassificationRequest),
            "Regress": _method(counted("Regress", self.regress), regression_pb2.RegressionRequest),
            "Predict": _method(counted("Predict", self.predict), predict_pb2.PredictRequest),
            "MultiInference": _method(self.multi_inference, inference_pb2.MultiInferenceRequest),
            "GetModelMetadata": _method(self.model_metadata, get_model_metadata_pb2.GetModelMetadataRequest),
        }
        models = {
            "GetModelStatus": _method(self.model_status, get_model_status_pb2.GetModelStatusRequest),
            "HandleReloadConfigRequest": _method(self.reload_config, model_management_pb2.ReloadConfigRequest),
        }
        limit = self._admission.limit
        return [
            grpc.method_handlers_generic_handler(
                f"tensorflow.serving.{service}", {name: limit(method) for name, method in methods.items()}
            )
            for service, methods in (("PredictionService", prediction), ("ModelService", models))
        ]


class _Unknown(grpc.GenericRpcHandler):
    """What every other method name gets: the library would add a message, the stock server's is empty."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: context.abort(grpc.StatusCode.UNIMPLEMENTED, "")
        )


def start(services: Services, options: Options) -> grpc.Server:
    """A listening server on the TCP port and the UNIX socket that the options name.

    Raises:
        CheckFailure: the SSL configuration cannot be read.
        StatusError: INVALID_ARGUMENT, an address cannot be listened on.
    """
    credentials = server_credentials(options.ssl_config_file) if options.ssl_config_file else None
    server = grpc.server(
        ThreadPoolExecutor(max(1, options.grpc_max_threads) + SPARE_THREADS, "grpc"),
        handlers=services.handlers(),
        options=[
            # The first one of a name counts.
            *_channel_arguments(options.grpc_channel_arguments),
            ("grpc.max_receive_message_length", UNLIMITED),
            ("grpc.max_send_message_length", UNLIMITED),
        ],
    )
    if options.enable_grpc_healthcheck_service:
        health.enable(server)
    reflection.enable(server, (health.SERVICE,) if options.enable_grpc_healthcheck_service else ())
    server.add_generic_rpc_handlers((_Unknown(),))
    addresses = [f"0.0.0.0:{options.port}"] if options.port else []
    addresses += [f"unix:{options.grpc_socket_path}"] if options.grpc_socket_path else []
    try:
        for address in addresses:
            if credentials:
                server.add_secure_port(address, credentials)
            else:
                server.add_insecure_port(address)
    except RuntimeError:
        raise invalid_argument("Failed to BuildAndStart gRPC server") from None
    server.start()
    for address in addresses:
        _log.info("Running gRPC ModelServer at %s ...", address)
    return server


def _channel_arguments(text: str) -> list[tuple[str, int | str]]:
    arguments: list[tuple[str, int | str]] = []
    for word in filter(None, text.split(",")):
        key, _, value = word.partition("=")
        is_int32 = re.fullmatch(r"\s*[+-]?[0-9]+\s*", value) and -(2**31) <= int(value) < 2**31
        arguments.append((key, int(value) if is_int32 else value))
    return arguments


def _timeout(context: grpc.ServicerContext) -> float | None:
    remaining = context.time_remaining()
    return None if remaining is None or remaining > NO_DEADLINE_SECONDS else remaining


def _require_spec(request: Message) -> None:
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")


def _method(handler: Handler, request_type: type[Message]) -> "grpc.RpcMethodHandler[Any, Any]":
    def answer(content: bytes, context: grpc.ServicerContext) -> Message | bytes:
        try:
            return handler(request_type.FromString(content), context)
        except DecodeError:
            # Done here, because the library would add a message, and the stock server's is empty.
            return context.abort(grpc.StatusCode.INTERNAL, "")
        except StatusError as error:
            return context.abort(grpc.StatusCode[error.code.name], _cut(error.message))

    return grpc.unary_unary_rpc_method_handler(answer, None, _serialize)


def _serialize(response: Message | bytes) -> bytes:
    return response if isinstance(response, bytes) else response.SerializeToString()


def _cut(message: str) -> str:
    content = message.encode()
    if len(content) <= MAX_MESSAGE_BYTES:
        return message
    return content[:MAX_MESSAGE_BYTES].decode(errors="ignore") + "...TRUNCATED"
