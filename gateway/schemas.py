"""The JSON that goes in and out, as typed structs."""

import msgspec

from gateway.errors import InvalidJsonError, InvalidRequestError, TextTooLongError

EXAMPLE = '{"text": "How long do I boil the pasta?"}'
# A refusal may quote the request, but not give all of it back.
_MAX_QUOTE = 200


class PredictBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /predict`."""

    text: str


class PredictAnswer(msgspec.Struct, frozen=True):
    """Answer of `POST /predict`. Existing clients read `intent` and `score`."""

    intent: str
    score: float
    version: int


class StatusAnswer(msgspec.Struct, frozen=True):
    """Answer of `GET /status` and `GET /healthz`."""

    status: str


class ReadyAnswer(msgspec.Struct, frozen=True):
    """Answer of `GET /readyz` with status 200."""

    status: str
    model: str
    version: int


class ErrorBody(msgspec.Struct, frozen=True):
    """What went wrong: `code` for programs, `message` for people."""

    code: str
    message: str


class ErrorAnswer(msgspec.Struct, frozen=True):
    """Answer of every refused or failed request."""

    error: ErrorBody


class NotReadyAnswer(msgspec.Struct, frozen=True):
    """Answer of `GET /readyz` with status 503."""

    status: str
    error: ErrorBody


_DECODER = msgspec.json.Decoder(PredictBody)


def read_predict_body(body: bytes, max_text_characters: int) -> str:
    """The text to classify.

    Raises:
        InvalidJsonError: not JSON, or not UTF-8.
        InvalidRequestError: another shape, or an empty text.
        TextTooLongError: more characters than allowed.
    """
    try:
        text = _DECODER.decode(body).text
    except msgspec.ValidationError as error:
        raise InvalidRequestError(f"{str(error)[:_MAX_QUOTE]}; send {EXAMPLE}") from None
    except UnicodeDecodeError:
        raise InvalidJsonError(f"the body is not UTF-8; send {EXAMPLE} encoded as UTF-8") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidJsonError(f"the body is not valid JSON: {error}; send {EXAMPLE}") from None
    if not text.strip():
        raise InvalidRequestError(f"`text` is empty - at `$.text`; send {EXAMPLE}")
    if len(text) > max_text_characters:
        raise TextTooLongError(f"`text` has {len(text)} characters; send at most {max_text_characters}")
    return text
