"""The one table from a gRPC status of the model server to the gateway's error, and so to an HTTP status."""

import logging

import grpc

from gateway.errors import (
    BackendError,
    ContextNotSupportedError,
    DeadlineExceededError,
    ModelContractError,
    ModelNotReadyError,
    ModelServerError,
    ModelServerOverloadedError,
    ModelServerUnavailableError,
    UnknownVersionError,
)

_LOG = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 1.0
"""A model server that comes back is found within a second; the header Retry-After knows whole seconds only."""

UNKNOWN_LABEL = "Unrecognized servable version label"
"""How the model server's INVALID_ARGUMENT begins if nothing else is wrong with the request than its label."""
NO_DIALOGUE = 'Serving signature key "dialogue" not found'
"""How the model server's FAILED_PRECONDITION begins if the version that it chose cannot use what is around a text."""
QUEUE_FULL = "The batch scheduling queue"
"""How the model server's UNAVAILABLE begins if it lives, but has too many batches waiting."""

_AWAY = ModelServerUnavailableError, "the model server does not answer; try again in a moment"
_OVERLOADED = ModelServerOverloadedError, "the model server is overloaded; try again later"
_REFUSED = (
    ModelContractError,
    "the model lacks what the contract asks of it, see the gateway's log; publish it again",
)
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
    grpc.StatusCode.RESOURCE_EXHAUSTED: _OVERLOADED,
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


def is_queue_full(error: grpc.aio.AioRpcError) -> bool:
    """Whether this UNAVAILABLE is an answer: the server lives, and a retry would only make its queue longer."""
    return (error.details() or "").startswith(QUEUE_FULL)


def backend_error(
    error: grpc.aio.AioRpcError, is_named: bool = False
) -> BackendError | UnknownVersionError | ContextNotSupportedError:
    """The error that the client is told. What the model server said may hold paths, so that goes to the log only.

    `is_named`: the client itself named a version or a label, so it is the one to mend it if there is none.
    """
    code, said = error.code(), error.details() or ""
    if code is grpc.StatusCode.FAILED_PRECONDITION and said.startswith(NO_DIALOGUE):
        return ContextNotSupportedError(
            "this version of the model cannot use `role` and `previous`; leave them out, or ask another version"
        )
    is_unknown_label = code is grpc.StatusCode.INVALID_ARGUMENT and said.startswith(UNKNOWN_LABEL)
    if is_unknown_label or code is grpc.StatusCode.NOT_FOUND:
        if is_named:
            return UnknownVersionError(
                "the model server serves no such version of the model, or none with this label; "
                "GET /v1/models lists what it serves"
            )
        code = grpc.StatusCode.NOT_FOUND
    kind, text = _OVERLOADED if code is grpc.StatusCode.UNAVAILABLE and is_queue_full(error) else TABLE[code]
    if kind.status == 502:
        _LOG.error("the model server answered %s: %s", code.name, said)
    return kind(text, retry_after=RETRY_AFTER_SECONDS if kind.status == 503 else None)
