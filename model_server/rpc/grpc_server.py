"""The gRPC listener."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf.message import DecodeError, Message

from model_server.command_line import Options
from model_server.config.config import read_text
from model_server.config.protos import SSLConfig
from model_server.errors import CheckFailure, StatusError, invalid_argument
from model_server.rpc import health, reflection
from model_server.rpc.admission import Admission
from model_server.rpc.services import Answer, Response, answers
from model_server.versions.server_core import ServerCore

_log = logging.getLogger(__name__)

# The stock server's limit for a status message, in bytes.
MAX_MESSAGE_BYTES = 1024
UNLIMITED = -1
# For what is not limited in number: refusals, health checks, open reflection streams.
SPARE_THREADS = 8


class _Unknown(grpc.GenericRpcHandler):
    """Answers every other method name. The library would add a message, the stock server sends none."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Response, Response]":
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: context.abort(grpc.StatusCode.UNIMPLEMENTED, "")
        )


def start(core: ServerCore, options: Options) -> grpc.Server:
    """A listening server on the TCP port and the UNIX socket that the options name.

    Raises:
        CheckFailure: the SSL configuration cannot be read.
        StatusError: INVALID_ARGUMENT, an address cannot be listened on.
    """
    credentials = _credentials(options.ssl_config_file) if options.ssl_config_file else None
    server = grpc.server(
        ThreadPoolExecutor(max(1, options.grpc_max_threads) + SPARE_THREADS, "grpc"),
        handlers=_handlers(core, options),
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


def _credentials(path: str) -> grpc.ServerCredentials:
    """The server's key and certificate, which the file holds as PEM texts.

    With `client_verify` every client must show a certificate that `custom_ca` signed.
    """
    try:
        config = read_text(path, SSLConfig())
    except StatusError as error:
        raise CheckFailure(str(error)) from None
    return grpc.ssl_server_credentials(
        [(config.server_key.encode(), config.server_cert.encode())],
        root_certificates=config.custom_ca.encode(),
        require_client_auth=config.client_verify,
    )


def _channel_arguments(text: str) -> list[tuple[str, int | str]]:
    arguments: list[tuple[str, int | str]] = []
    for word in filter(None, text.split(",")):
        key, _, value = word.partition("=")
        is_int32 = re.fullmatch(r"\s*[+-]?[0-9]+\s*", value) and -(2**31) <= int(value) < 2**31
        arguments.append((key, int(value) if is_int32 else value))
    return arguments


def _handlers(core: ServerCore, options: Options) -> list[grpc.GenericRpcHandler]:
    admission = Admission(options.grpc_max_threads)
    by_name = answers(core, options.enable_serialization_as_tensor_content)
    return [
        grpc.method_handlers_generic_handler(
            f"{reflection.PACKAGE}.{service}",
            {name: _method(by_name[name], request, admission) for name, (request, _) in methods.items()},
        )
        for service, methods in reflection.SERVICES.values()
    ]


def _method(
    answer: Answer, request_type: type[Message], admission: Admission
) -> "grpc.RpcMethodHandler[bytes, Response]":
    def call(content: bytes, context: grpc.ServicerContext) -> Response:
        try:
            return answer(request_type.FromString(content), context)
        except DecodeError:
            # Done here, because the library would add a message, and the stock server's is empty.
            return context.abort(grpc.StatusCode.INTERNAL, "")
        except StatusError as error:
            return context.abort(grpc.StatusCode[error.code.name], _cut(error.message))

    return grpc.unary_unary_rpc_method_handler(admission.limit(call), None, _serialize)


def _serialize(response: Response) -> bytes:
    return response if isinstance(response, bytes) else response.SerializeToString()


def _cut(message: str) -> str:
    content = message.encode()
    if len(content) <= MAX_MESSAGE_BYTES:
        return message
    return content[:MAX_MESSAGE_BYTES].decode(errors="ignore") + "...TRUNCATED"
