"""The errors of the gateway, each with its HTTP status, its code, and what the client can do.

GatewayError                        500 internal_error
  SettingsError                     500 internal_error
  RequestError
    InvalidHttpError                400 invalid_http
    InvalidJsonError                400 invalid_json
    InvalidRequestError             400 invalid_request
    InvalidHeaderError              400 invalid_header
    KeyRequiredError                401 key_required
    NotFoundError                   404 not_found
    UnknownVersionError             404 unknown_version
    MethodNotAllowedError           405 method_not_allowed
    BodyTimeoutError                408 body_timeout
    BodyTooLargeError               413 body_too_large
    TextTooLongError                413 text_too_long
    TooManyTextsError               413 too_many_texts
    UnsupportedMediaTypeError       415 unsupported_media_type
    ExpectationFailedError          417 expectation_failed
    ContextNotSupportedError        422 context_not_supported
    RateLimitError                  429 rate_limited
  OverloadedError                   503 overloaded
  BackendError
    ModelServerError                502 model_server_error
    ModelContractError              502 model_contract_broken
    ModelServerUnavailableError     503 model_server_unavailable
    ModelServerOverloadedError      503 model_server_overloaded
    ModelNotReadyError              503 model_not_ready
    DeadlineExceededError           504 deadline_exceeded
"""

from typing import ClassVar


class GatewayError(Exception):
    """Its text goes to the client: it says what is wrong and what to do, and never quotes the model server."""

    status: ClassVar[int] = 500
    """The HTTP status of the answer."""
    code: ClassVar[str] = "internal_error"
    """The stable name that programs compare; the text may change."""
    remedy: ClassVar[str] = "Try once more; if it stays, tell the operator the request id: the log has the cause."
    """What the client can do, for the documentation."""

    def __init__(self, message: str, *, pointer: str | None = None, retry_after: float | None = None) -> None:
        """`pointer`: JSON pointer (RFC 6901) to the field; `retry_after`: seconds until another try may succeed."""
        super().__init__(message)
        self.pointer = pointer
        self.retry_after = retry_after


class SettingsError(GatewayError):
    """A setting is unknown, its value is not usable, or two contradict each other."""


class RequestError(GatewayError):
    """The request cannot be answered as it stands."""

    status = 400


class InvalidHttpError(RequestError):
    """The request, or the framing of its body, is not HTTP; the connection ends with the answer."""

    code = "invalid_http"
    remedy = "Look at what your client, or a proxy in between, really sends: request line, headers, length, chunks."


class InvalidJsonError(RequestError):
    """The body is not JSON in UTF-8, names a field twice, or is nested too deep."""

    code = "invalid_json"
    remedy = "Send one JSON object in UTF-8, each field once, and escape what JSON wants escaped."


class InvalidRequestError(RequestError):
    """The body is JSON of another shape: a field is missing, unknown, empty or of the wrong type."""

    code = "invalid_request"
    remedy = "Compare the body with the schema of the endpoint; `pointer` names the field."


class InvalidHeaderError(RequestError):
    """A header or query parameter that the gateway reads has a value that it cannot use."""

    code = "invalid_header"
    remedy = "Send the header or query parameter as the endpoint describes it, or leave it out."


class KeyRequiredError(RequestError):
    """The gateway wants an API key, and the request brings none that it knows."""

    status = 401
    code = "key_required"
    remedy = "Send a key that the operator gave you: `Authorization: Bearer <key>` or `X-API-Key: <key>`."


class NotFoundError(RequestError):
    """Nothing is at this path."""

    status = 404
    code = "not_found"
    remedy = "Compare the path with those of this page."


class UnknownVersionError(RequestError):
    """The model server serves no such version, or no version with this label."""

    status = 404
    code = "unknown_version"
    remedy = "Choose one of the versions and labels that `GET /v1/models` lists, or name none."


class MethodNotAllowedError(RequestError):
    """What is at this path does not answer this method; the header `Allow` names those that it does."""

    status = 405
    code = "method_not_allowed"
    remedy = "Use a method that the header `Allow` names."


class BodyTimeoutError(RequestError):
    """The body did not arrive whole within `GATEWAY_BODY_SECONDS`."""

    status = 408
    code = "body_timeout"
    remedy = "Send the body at once after the headers; on a slow line, send less of it."


class BodyTooLargeError(RequestError):
    """The body has more bytes than `GATEWAY_MAX_BODY_BYTES`."""

    status = 413
    code = "body_too_large"
    remedy = "Send fewer or shorter texts, spread over several requests."


class TextTooLongError(RequestError):
    """A text, or the turn before it, has more characters than `GATEWAY_MAX_TEXT_CHARACTERS`."""

    status = 413
    code = "text_too_long"
    remedy = "Send the part of the text that carries the intent; the model reads its first 128 word pieces only."


class TooManyTextsError(RequestError):
    """The request has more texts than `GATEWAY_MAX_TEXTS`."""

    status = 413
    code = "too_many_texts"
    remedy = "Spread the texts over several requests."


class UnsupportedMediaTypeError(RequestError):
    """The body's type, character set or encoding is not plain JSON in UTF-8."""

    status = 415
    code = "unsupported_media_type"
    remedy = "Send plain JSON with `Content-Type: application/json` and without `Content-Encoding`."


class ExpectationFailedError(RequestError):
    """The header `Expect` asks for something other than `100-continue`."""

    status = 417
    code = "expectation_failed"
    remedy = "Leave the header `Expect` out."


class ContextNotSupportedError(RequestError):
    """The model version that was asked has no signature `dialogue`: it cannot use `role` and `previous`."""

    status = 422
    code = "context_not_supported"
    remedy = "Leave `role` and `previous` out, or ask by `version` or `label` for a version that was trained with them."


class RateLimitError(RequestError):
    """This API key has used up its requests for now."""

    status = 429
    code = "rate_limited"
    remedy = "Wait as many seconds as `Retry-After` says."


class OverloadedError(GatewayError):
    """As many requests as the gateway takes are running and waiting already."""

    status = 503
    code = "overloaded"
    remedy = "Wait as many seconds as `Retry-After` says: it is measured from how fast requests finish."


class BackendError(GatewayError):
    """The model server gave no usable answer."""

    status = 502


class ModelServerError(BackendError):
    """The model server failed while it worked on the request."""

    code = "model_server_error"
    remedy = "Try another text; if all fail, tell the operator: the model server's log has the cause."


class ModelContractError(BackendError):
    """The model, or its answer, does not have the signatures, shapes or types of the contract."""

    code = "model_contract_broken"
    remedy = "Tell the operator: the published model has to be trained or exported again."


class ModelServerUnavailableError(BackendError):
    """Nobody answers at the model server's address, the connection broke, or the circuit breaker is open."""

    status = 503
    code = "model_server_unavailable"
    remedy = "Wait as many seconds as `Retry-After` says."


class ModelServerOverloadedError(BackendError):
    """The model server has no thread or memory left for this call."""

    status = 503
    code = "model_server_overloaded"
    remedy = "Wait as many seconds as `Retry-After` says, and send fewer requests at once."


class ModelNotReadyError(BackendError):
    """The model server serves no version of the model now."""

    status = 503
    code = "model_not_ready"
    remedy = "Wait as many seconds as `Retry-After` says; `GET /readyz` says when a version is served."


class DeadlineExceededError(BackendError):
    """The time for this request ran out before the model server answered."""

    status = 504
    code = "deadline_exceeded"
    remedy = "Try again, or allow more time with `X-Request-Timeout`."
