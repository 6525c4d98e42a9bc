"""The errors of the gateway.

GatewayError
├── SettingsError                        stops the start, exit status 2
├── RequestError                         the client can mend it
│   ├── InvalidJsonError             400 invalid_json
│   ├── InvalidRequestError          400 invalid_request
│   ├── BodyTimeoutError             408 body_timeout
│   ├── BodyTooLargeError            413 body_too_large
│   ├── TextTooLongError             413 text_too_long
│   └── UnsupportedMediaTypeError    415 unsupported_media_type
└── BackendError                         the model server or its model
    ├── ModelServerError             502 model_server_error
    ├── ModelContractError           502 model_contract_broken
    ├── ModelServerUnavailableError  503 model_server_unavailable
    ├── ModelServerOverloadedError   503 model_server_overloaded
    ├── ModelNotReadyError           503 model_not_ready
    └── DeadlineExceededError        504 deadline_exceeded
"""

from typing import ClassVar


class GatewayError(Exception):
    """Its text goes to the client: what is wrong and what to do, never a path or a word of the model server's."""

    status: ClassVar[int] = 500
    """The HTTP status of the answer."""
    code: ClassVar[str] = "internal_error"
    """The stable name that programs compare; the text may change."""


class SettingsError(GatewayError):
    """An environment variable is unknown, or its value is not usable."""


class RequestError(GatewayError):
    """The request cannot be answered as it stands."""

    status = 400


class InvalidJsonError(RequestError):
    """The body is not JSON in UTF-8."""

    code = "invalid_json"


class InvalidRequestError(RequestError):
    """The body is JSON of another shape: a field is missing, unknown, empty or of the wrong type."""

    code = "invalid_request"


class BodyTimeoutError(RequestError):
    """The body did not arrive whole within `GATEWAY_BODY_SECONDS`."""

    status = 408
    code = "body_timeout"


class BodyTooLargeError(RequestError):
    """The body has more bytes than `GATEWAY_MAX_BODY_BYTES`."""

    status = 413
    code = "body_too_large"


class TextTooLongError(RequestError):
    """The text has more characters than `GATEWAY_MAX_TEXT_CHARACTERS`."""

    status = 413
    code = "text_too_long"


class UnsupportedMediaTypeError(RequestError):
    """The body's type, character set or encoding is not plain JSON in UTF-8."""

    status = 415
    code = "unsupported_media_type"


class BackendError(GatewayError):
    """The model server gave no usable answer."""

    status = 502


class ModelServerError(BackendError):
    """The model server failed while it worked on the request."""

    code = "model_server_error"


class ModelContractError(BackendError):
    """The model, or its answer, does not have the signatures, shapes or types of the contract."""

    code = "model_contract_broken"


class ModelServerUnavailableError(BackendError):
    """Nobody answers at the model server's address, or the connection broke."""

    status = 503
    code = "model_server_unavailable"


class ModelServerOverloadedError(BackendError):
    """The model server has no thread or memory left for this call."""

    status = 503
    code = "model_server_overloaded"


class ModelNotReadyError(BackendError):
    """The model server serves no version of the model, or not the one asked for."""

    status = 503
    code = "model_not_ready"


class DeadlineExceededError(BackendError):
    """The time for this request ran out before the model server answered."""

    status = 504
    code = "deadline_exceeded"
