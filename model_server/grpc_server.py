"""The gRPC listener: official service names to the modules that answer them."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf.message import Message
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2

from model_server import metadata
from model_server.errors import StatusError, invalid_argument
from model_server.model_status import model_status
from model_server.options import Options
from model_server.predict import predict
from model_server.server_core import ServerCore

_log = logging.getLogger(__name__)

# The stock server's limit for a status message, in bytes.
MAX_MESSAGE_BYTES = 1024
UNLIMITED = -1
# A call without a deadline has centuries left.
NO_DEADLINE_SECONDS = 10 * 365 * 24 * 3600

Handler = Callable[[Any, grpc.ServicerContext], Message]


class Services:
    """The methods that are offered."""

    def __init__(self, core: ServerCore, as_content: bool) -> None:
        """`as_content`: Predict answers in `tensor_content`."""
        self._core = core
        self._as_content = as_content

    def predict(
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """PredictionService.Predict."""
        _require_spec(request)
        servable = self._core.acquire(request.model_spec)
        try:
            return predict(servable, request, _timeout(context), self._as_content)
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

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """What a gRPC server registers."""
        prediction = {
            "Predict": _method(self.predict, predict_pb2.PredictRequest),
            "GetModelMetadata": _method(self.model_metadata, get_model_metadata_pb2.GetModelMetadataRequest),
        }
        models = {"GetModelStatus": _method(self.model_status, get_model_status_pb2.GetModelStatusRequest)}
        return [
            grpc.method_handlers_generic_handler("tensorflow.serving.PredictionService", prediction),
            grpc.method_handlers_generic_handler("tensorflow.serving.ModelService", models),
        ]


def start(services: Services, options: Options) -> grpc.Server:
    """A listening server on the TCP port and the UNIX socket that the options name.

    Raises:
        StatusError: INVALID_ARGUMENT, an address cannot be listened on.
    """
    server = grpc.server(
        ThreadPoolExecutor(options.grpc_max_threads, "grpc"),
        handlers=services.handlers(),
        options=[
            ("grpc.max_receive_message_length", UNLIMITED),
            ("grpc.max_send_message_length", UNLIMITED),
            *_channel_arguments(options.grpc_channel_arguments),
        ],
    )
    addresses = [f"0.0.0.0:{options.port}"] if options.port else []
    addresses += [f"unix:{options.grpc_socket_path}"] if options.grpc_socket_path else []
    try:
        for address in addresses:
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
        try:
            arguments.append((key, int(value)))
        except ValueError:
            arguments.append((key, value))
    return arguments


def _timeout(context: grpc.ServicerContext) -> float | None:
    remaining = context.time_remaining()
    return None if remaining is None or remaining > NO_DEADLINE_SECONDS else remaining


def _require_spec(request: Message) -> None:
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")


def _method(handler: Handler, request_type: type[Message]) -> "grpc.RpcMethodHandler[Any, Any]":
    def answer(request: Message, context: grpc.ServicerContext) -> Message:
        try:
            return handler(request, context)
        except StatusError as error:
            return context.abort(grpc.StatusCode[error.code.name], _cut(error.message))

    return grpc.unary_unary_rpc_method_handler(answer, request_type.FromString, _serialize)


def _serialize(response: Message) -> bytes:
    return response.SerializeToString()


def _cut(message: str) -> str:
    content = message.encode()
    if len(content) <= MAX_MESSAGE_BYTES:
        return message
    return content[:MAX_MESSAGE_BYTES].decode(errors="ignore") + "...TRUNCATED"
