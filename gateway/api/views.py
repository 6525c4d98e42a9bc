"""The endpoints of existing clients, whose answers never change, and the health endpoints."""

from datetime import UTC, datetime

import msgspec
from aiohttp import web

from gateway.api import app_keys
from gateway.api.asking import ask, predicted
from gateway.api.bodies import read_body, read_predict_body
from gateway.api.schemas import PredictAnswer, ReadyAnswer, StatusAnswer
from gateway.upstream.classifier import Row
from gateway.upstream.question import DEFAULT

SCORE_DECIMALS = 6
"""A float32 holds about seven digits."""


def json_response(answer: msgspec.Struct, status: int = 200) -> web.Response:
    """The struct as JSON."""
    return web.Response(body=msgspec.json.encode(answer), status=status, content_type="application/json")


async def predict(request: web.Request) -> web.Response:
    """`POST /predict`: the intent of one text."""
    settings = request.app[app_keys.SETTINGS]
    text = read_predict_body(await read_body(request, settings), settings)
    answer = await ask(request, (text,), DEFAULT)
    row = answer.rows[0]
    if not isinstance(row, Row):
        raise row
    intent, score = answer.names[row.label_index], round(row.scores[row.label_index], SCORE_DECIMALS)
    predicted(request, answer.version, intent, score)
    return json_response(PredictAnswer(intent, score, answer.version))


async def status(_request: web.Request) -> web.Response:
    """`GET /status`: what existing clients ask."""
    return json_response(StatusAnswer("alive"))


async def healthz(_request: web.Request) -> web.Response:
    """`GET /healthz`: the process lives; says nothing about the model server."""
    return json_response(StatusAnswer("ok"))


async def readyz(request: web.Request) -> web.Response:
    """`GET /readyz`: 200 only if a request sent now would be answered, else 503 with the reason."""
    found = await request.app[app_keys.PROBER].readiness()
    answer = ReadyAnswer(
        status="ready" if found.is_ready else "not_ready",
        model=request.app[app_keys.SETTINGS].model_name,
        version=found.version,
        state=found.state,
        since=datetime.fromtimestamp(found.since, UTC),
        breaker=found.breaker,
        draining=found.is_draining,
        code=found.code,
        reason=found.reason,
    )
    if found.is_ready:
        return json_response(answer)
    response = json_response(answer, status=503)
    response.headers["Retry-After"] = "1"
    return response
