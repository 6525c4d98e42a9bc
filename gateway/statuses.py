"""The one table from a gRPC status of the model server to the gateway's error, and so to an HTTP status."""

import logging

import grpc

from gateway.errors import (
    BackendError,
    DeadlineExceededError,
    ModelContractError,
    ModelNotReadyError,
    ModelServerError,
    ModelServerOverloadedError,
    ModelServerUnavailableError,
)

_LOG = logging.getLogger(__name__)

_AWAY = ModelServerUnavailableError, "the model server does not answer; try again in a moment"
_REFUSED = ModelContractError, "the model refused the gateway's call: it lacks a signature of the contract; see the log"
_FAILED = ModelServerError, "the model server failed on this request; its log says why"

TABLE: dict[grpc.StatusCode, tuple[type[BackendError], str]] = {
    grpc.StatusCode.UNAVAILABLE: _AWAY,
    grpc.StatusCode.CANCELLED: _AWAY,
    grpc.StatusCode.NOT_FOUND: (
        ModelNotReadyError,
        "the model server serves no such version of the model now; try again",
    ),
    grpc.StatusCode.DEADLINE_EXCEEDED: (
        DeadlineExceededError,
        "the model server did not answer in time; try again later",
    ),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (ModelServerOverloadedError, "the model server is overloaded; try again later"),
    grpc.StatusCode.INVALID_ARGUMENT: _REFUSED,
    grpc.StatusCode.FAILED_PRECONDITION: _REFUSED,
    grpc.StatusCode.OUT_OF_RANGE: _REFUSED,
    grpc.StatusCode.UNIMPLEMENTED: _REFUSED,
    grpc.StatusCode.ABORTED: _FAILED,
    grpc.StatusCode.ALREADY_EXISTS: _FAILED,
    grpc.StatusCode.DATA_LOSS: _FAILED,
    grpc.StatusCode.INTERNAL: _FAILED,
    grpc.StatusCode.PERMISSION_DENIED: _FAILED,
    grpc.StatusCode.UNAUTHENTICATED: _FAILED,
    grpc.StatusCode.UNKNOWN: _FAILED,
}


def backend_error(error: grpc.aio.AioRpcError) -> BackendError:
    """The error that the client is told. What the model server said may hold paths, so that goes to the log only."""
    kind, text = TABLE[error.code()]
    if kind.status == 502:
        _LOG.error("the model server answered %s: %s", error.code().name, error.details())
    return kind(text)
