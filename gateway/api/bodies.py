"""Request bodies: read within limits of size and time, then checked as JSON, as a shape, and text by text."""

import asyncio
from typing import Any

import msgspec
from aiohttp import web
from msgspec import UNSET

from gateway.api import strict_json
from gateway.api.schemas import ClassifyBody, PredictBody, Turn
from gateway.errors import (
    BodyTimeoutError,
    BodyTooLargeError,
    ExpectationFailedError,
    InvalidHttpError,
    InvalidRequestError,
    TextTooLongError,
    TooManyTextsError,
    UnsupportedMediaTypeError,
)
from gateway.settings.settings import Settings
from gateway.upstream.question import NOTHING, ROLES, UNKNOWN, Dialogue

EXAMPLE = '{"text": "How long do I boil the pasta?"}'
CLASSIFY_EXAMPLE = f'{EXAMPLE} or {{"texts": ["Next step, please", "Stop"]}}'
_TURN_EXAMPLE = '{"text": "Yes, please", "role": "student", "previous": "Shall we go on?"}'

_JSON = "application/json"
_PREDICT = msgspec.json.Decoder(PredictBody)
_CLASSIFY = msgspec.json.Decoder(ClassifyBody)


async def read_body(request: web.Request, settings: Settings) -> bytes:
    """The raw body of a request that says it is JSON; a refusal that the headers allow comes before it is read.

    Raises:
        UnsupportedMediaTypeError: it says it is something else, or is compressed.
        ExpectationFailedError: the client waits for something that never comes.
        BodyTooLargeError: it is too long, announced or counted.
        BodyTimeoutError: it does not come whole in time.
        InvalidHttpError: it broke off or is wrongly framed.
    """
    headers = request.headers
    if headers.get("Content-Type") != _JSON and (
        request.content_type != _JSON or (request.charset or "utf-8").lower() not in ("utf-8", "utf8")
    ):
        raise UnsupportedMediaTypeError(f"send {EXAMPLE} with the header Content-Type: {_JSON}, in UTF-8")
    if headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaTypeError("the body is compressed; send it without Content-Encoding")
    if (request.content_length or 0) > settings.max_body_bytes:
        raise _too_large(settings)
    if "Expect" in headers:
        await _continue(request)
    try:
        if request.content.is_eof():
            # It came along with the headers, as small ones do: no need for a timer.
            return await request.read()
        async with asyncio.timeout(settings.body_seconds):
            return await request.read()
    except TimeoutError:
        raise BodyTimeoutError(f"the body did not arrive in {settings.body_seconds} s; send it faster") from None
    except web.HTTPRequestEntityTooLarge:
        raise _too_large(settings) from None
    except (web.RequestPayloadError, ConnectionError):
        raise InvalidHttpError("the body broke off or is wrongly framed; send it again whole") from None


async def expect(_request: web.Request) -> None:
    """Replaces aiohttp's handler of `Expect`, which asks for every body: `read_body` first looks at the headers."""


def read_predict_body(body: bytes, settings: Settings) -> str:
    """The text to classify.

    Raises:
        InvalidJsonError: not JSON, not UTF-8, a field twice, or nested too deep.
        InvalidRequestError: another shape, or an empty text.
        TextTooLongError: more characters than allowed.
    """
    text = strict_json.decode(_PREDICT, body, settings.max_json_depth, EXAMPLE).text
    strict_json.refuse_duplicates(body)
    _check_text(text, "/text", settings)
    return text


def read_classify_body(body: bytes, settings: Settings) -> ClassifyBody:
    """The request, with either a checked `text` or `texts`, whose items `read_item` checks one by one.

    Raises:
        TooManyTextsError: more texts than allowed.
        The errors of `read_predict_body`.
    """
    asked = strict_json.decode(_CLASSIFY, body, settings.max_json_depth, CLASSIFY_EXAMPLE)
    texts = asked.texts
    if texts is not UNSET:
        if len(texts) > settings.max_texts:
            raise TooManyTextsError(
                f"`texts` has {len(texts)} items; send at most {settings.max_texts}", pointer="/texts"
            )
        if any(type(text) is not str for text in texts):
            strict_json.refuse_depth(body, settings.max_json_depth, CLASSIFY_EXAMPLE)
    strict_json.refuse_duplicates(body)
    if asked.version is not UNSET and asked.label is not UNSET:
        raise InvalidRequestError("`version` and `label` exclude each other; send one of them", pointer="/label")
    if asked.text is not UNSET:
        if texts is not UNSET:
            raise InvalidRequestError("`text` and `texts` exclude each other; send one of them", pointer="/texts")
        _check_text(asked.text, "/text", settings)
    elif texts is UNSET:
        raise InvalidRequestError(f"`text` or `texts` is missing; send {CLASSIFY_EXAMPLE}")
    else:
        for name, given in (("role", asked.role), ("previous", asked.previous)):
            if given is not UNSET:
                raise InvalidRequestError(
                    f"`{name}` goes with one text; in `texts`, send items like {_TURN_EXAMPLE}", pointer=f"/{name}"
                )
    return asked


def read_item(item: Any, pointer: str, settings: Settings) -> tuple[str, Dialogue]:
    """An item of `texts`: a text, or an object with one.

    Raises:
        InvalidRequestError: neither, or a field of it cannot be used.
        TextTooLongError: more characters than allowed.
    """
    if type(item) is str:
        _check_text(item, pointer, settings)
        return item, NOTHING
    if type(item) is not dict:
        raise InvalidRequestError(f"the item is no text; send a string or {_TURN_EXAMPLE}", pointer=pointer)
    turn = strict_json.convert(item, Turn, pointer, _TURN_EXAMPLE)
    _check_text(turn.text, f"{pointer}/text", settings)
    return turn.text, read_dialogue(turn, pointer, settings)


def read_dialogue(given: ClassifyBody | Turn, pointer: str, settings: Settings) -> Dialogue:
    """Who said the text and what was said before it; `NOTHING` if neither is known. `pointer`: where `given` stands.

    Raises:
        InvalidRequestError: another role.
        TextTooLongError: the turn before has more characters than allowed; the gateway does not cut it.
    """
    role, previous = given.role, given.previous
    if role is UNSET and previous is UNSET:
        return NOTHING
    if role is UNSET or role == UNKNOWN:
        role = ""
    elif role not in ROLES:
        raise InvalidRequestError(
            f"the role is none of {', '.join(ROLES)}; send one of them", pointer=f"{pointer}/role"
        )
    # Blanks say as little as nothing at all.
    if previous is UNSET or previous.isspace():
        previous = ""
    _check_length("the turn before", previous, f"{pointer}/previous", settings)
    return Dialogue(role, previous) if role or previous else NOTHING


def _check_text(text: str, pointer: str, settings: Settings) -> None:
    """Refuses a text that cannot be sent to the model.

    Raises:
        InvalidRequestError: nothing is in it.
        TextTooLongError: more characters than allowed.
    """
    if not text or text.isspace():
        raise InvalidRequestError("the text is empty; send what was said", pointer=pointer)
    _check_length("the text", text, pointer, settings)


def _check_length(what: str, text: str, pointer: str, settings: Settings) -> None:
    if len(text) > settings.max_text_characters:
        raise TextTooLongError(
            f"{what} has {len(text)} characters; send at most {settings.max_text_characters}", pointer=pointer
        )


async def _continue(request: web.Request) -> None:
    if request.headers["Expect"].lower() != "100-continue":
        raise ExpectationFailedError("`Expect` can only be 100-continue; leave the header out")
    if not request.content.is_eof():
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # The answer itself has not begun; aiohttp counts from here.
        request.writer.output_size = 0


def _too_large(settings: Settings) -> BodyTooLargeError:
    return BodyTooLargeError(f"the body is longer than {settings.max_body_bytes} bytes; send fewer or shorter texts")
