"""Request bodies: read within limits of size and time, then checked as JSON, as a shape, and text by text."""

import asyncio

import msgspec
from aiohttp import web
from msgspec import UNSET

from gateway.api import strict_json
from gateway.api.schemas import ClassifyBody, PredictBody
from gateway.api.utterances import TURN_EXAMPLE, check_text
from gateway.errors import (
    BodyTimeoutError,
    BodyTooLargeError,
    ExpectationFailedError,
    InvalidHttpError,
    InvalidRequestError,
    TooManyTextsError,
    UnsupportedMediaTypeError,
)
from gateway.settings.settings import Settings

EXAMPLE = '{"text": "How long do I boil the pasta?"}'
CLASSIFY_EXAMPLE = f'{EXAMPLE} or {{"texts": ["Next step, please", "Stop"]}}'

_JSON = "application/json"
_PREDICT = msgspec.json.Decoder(PredictBody)
_CLASSIFY = msgspec.json.Decoder(ClassifyBody)
_FIELDS = ClassifyBody.__struct_fields__


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
    """For routes with a body, in place of aiohttp's own: the answer to `Expect` is left to `read_body`.

    So a body that is refused anyway need not be sent, and a wrong expectation is refused like everything else.
    """


def read_predict_body(body: bytes, settings: Settings) -> str:
    """The text to classify.

    Raises:
        InvalidJsonError: not JSON, not UTF-8, a field twice, or nested too deep.
        InvalidRequestError: another shape, or an empty text.
        TextTooLongError: more characters than allowed.
    """
    text = strict_json.decode(_PREDICT, body, settings.max_json_depth, EXAMPLE).text
    strict_json.refuse_duplicates(body, 1)
    check_text(text, "/text", settings)
    return text


def read_classify_body(body: bytes, settings: Settings) -> ClassifyBody:
    """The request, with either a usable `text` or `texts` that are not looked into yet.

    `utterances` does that, and reads what is known around them.

    Raises:
        TooManyTextsError: more texts than allowed.
        The errors of `read_predict_body`.
    """
    asked = strict_json.decode(_CLASSIFY, body, settings.max_json_depth, CLASSIFY_EXAMPLE)
    texts = asked.texts
    fields = sum(getattr(asked, name) is not UNSET for name in _FIELDS)
    if texts is not UNSET:
        if len(texts) > settings.max_texts:
            raise TooManyTextsError(
                f"`texts` has {len(texts)} items; send at most {settings.max_texts}", pointer="/texts"
            )
        if any(type(text) is not str for text in texts):
            strict_json.refuse_depth(body, settings.max_json_depth, CLASSIFY_EXAMPLE)
            fields += sum(len(text) for text in texts if type(text) is dict)
    strict_json.refuse_duplicates(body, fields)
    if asked.version is not UNSET and asked.label is not UNSET:
        raise InvalidRequestError("`version` and `label` exclude each other; send one of them", pointer="/label")
    if asked.text is not UNSET:
        if texts is not UNSET:
            raise InvalidRequestError("`text` and `texts` exclude each other; send one of them", pointer="/texts")
        check_text(asked.text, "/text", settings)
    elif texts is UNSET:
        raise InvalidRequestError(f"`text` or `texts` is missing; send {CLASSIFY_EXAMPLE}")
    else:
        for name, given in (("role", asked.role), ("previous", asked.previous)):
            if given is not UNSET:
                raise InvalidRequestError(
                    f"`{name}` goes with one text; in `texts`, send items like {TURN_EXAMPLE}", pointer=f"/{name}"
                )
    return asked


async def _continue(request: web.Request) -> None:
    if request.headers["Expect"].lower() != "100-continue":
        raise ExpectationFailedError("`Expect` can only be 100-continue; leave the header out")
    if not request.content.is_eof():
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # The answer itself has not begun; aiohttp counts from here.
        request.writer.output_size = 0


def _too_large(settings: Settings) -> BodyTooLargeError:
    return BodyTooLargeError(f"the body is longer than {settings.max_body_bytes} bytes; send fewer or shorter texts")
