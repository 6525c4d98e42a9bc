"""The endpoints."""

import asyncio
import math

import msgspec
from aiohttp import web

from gateway import keys
from gateway.deadline import Deadline
from gateway.errors import (
    BackendError,
    BodyTimeoutError,
    BodyTooLargeError,
    InvalidRequestError,
    ModelContractError,
    UnsupportedMediaTypeError,
)
from gateway.readiness import ready_version
from gateway.schemas import (
    EXAMPLE,
    ErrorBody,
    NotReadyAnswer,
    PredictAnswer,
    ReadyAnswer,
    StatusAnswer,
    read_predict_body,
)
from gateway.settings import Settings

SCORE_DECIMALS = 6
"""A float32 holds about seven digits."""


def json_response(answer: msgspec.Struct, status: int = 200) -> web.Response:
    """The struct as JSON."""
    return web.Response(body=msgspec.json.encode(answer), status=status, content_type="application/json")


async def predict(request: web.Request) -> web.Response:
    """`POST /predict`: the intent of one text."""
    settings = request.app[keys.SETTINGS]
    text = read_predict_body(await _read_json(request, settings), settings.max_text_characters)
    deadline = Deadline.after(settings.deadline_seconds)
    prediction = await request.app[keys.CLASSIFIER].classify(text, deadline)
    if not math.isfinite(prediction.score):
        raise ModelContractError("the model's probability is not a number; train and publish it again")
    return json_response(PredictAnswer(prediction.intent, round(prediction.score, SCORE_DECIMALS), prediction.version))


async def status(_request: web.Request) -> web.Response:
    """`GET /status`: what existing clients ask."""
    return json_response(StatusAnswer("alive"))


async def healthz(_request: web.Request) -> web.Response:
    """`GET /healthz`: the process lives; says nothing about the model server."""
    return json_response(StatusAnswer("ok"))


async def readyz(request: web.Request) -> web.Response:
    """`GET /readyz`: 200 only if a request sent now would be answered, else 503 with the reason."""
    settings = request.app[keys.SETTINGS]
    deadline = Deadline.after(settings.deadline_seconds)
    try:
        version = await ready_version(request.app[keys.BACKEND], request.app[keys.CLASSIFIER], deadline)
    except BackendError as error:
        return json_response(NotReadyAnswer("not_ready", ErrorBody(error.code, str(error))), status=503)
    return json_response(ReadyAnswer("ready", settings.model_name, version))


async def _read_json(request: web.Request, settings: Settings) -> bytes:
    """The raw body of a request that says it is JSON.

    Raises:
        UnsupportedMediaTypeError: it says it is something else.
        BodyTooLargeError: it is too long, announced or counted.
        BodyTimeoutError: it does not come whole in time.
        InvalidRequestError: it broke off or is wrongly framed.
    """
    if request.content_type != "application/json" or (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaTypeError(f"send {EXAMPLE} with the header Content-Type: application/json, in UTF-8")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaTypeError("the body is compressed; send it without Content-Encoding")
    too_large = BodyTooLargeError(f"the body is longer than {settings.max_body_bytes} bytes; send a shorter text")
    if (request.content_length or 0) > settings.max_body_bytes:
        raise too_large
    try:
        async with asyncio.timeout(settings.body_seconds):
            return await request.read()
    except TimeoutError:
        raise BodyTimeoutError(f"the body did not arrive in {settings.body_seconds} s; send it faster") from None
    except web.HTTPRequestEntityTooLarge:
        raise too_large from None
    except (web.RequestPayloadError, ConnectionError):
        raise InvalidRequestError("the body broke off or is wrongly framed; send it again whole") from None
