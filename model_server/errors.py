"""The errors of the model server.

Whatever reads a request, a version or a file may raise a StatusError: the listeners answer with it, the manager reports
it as the version's state, the start ends with it. Docstrings tell of one only where its code does not show at a glance.
"""

from enum import IntEnum


class Code(IntEnum):
    """Canonical status codes, numbered as in google.rpc.Code."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class ModelServerError(Exception):
    """The base of all errors of this package."""


class FlagError(ModelServerError):
    """A flag's value does not parse; nothing was started."""


class CheckFailure(ModelServerError):  # noqa: N818
    """The server cannot start. The stock server ends by SIGABRT here, and so does this one."""


class StatusError(ModelServerError):
    """A canonical code and the message that the client or, at start, the operator reads: the stock server's words."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        """`CODE: message`, as the stock server prints a status."""
        return f"{self.code.name}: {self.message}"


def invalid_argument(message: str) -> StatusError:
    """The request or the configuration is wrong in itself."""
    return StatusError(Code.INVALID_ARGUMENT, message)


def not_found(message: str) -> StatusError:
    """Something that was named does not exist."""
    return StatusError(Code.NOT_FOUND, message)


def failed_precondition(message: str) -> StatusError:
    """The request would be legal in another state of the server or of the model."""
    return StatusError(Code.FAILED_PRECONDITION, message)


def unimplemented(message: str) -> StatusError:
    """The server knows the request and does not offer it."""
    return StatusError(Code.UNIMPLEMENTED, message)
