"""The endpoints under /v1/."""

import time
from collections.abc import Sequence
from contextlib import suppress

from aiohttp import web
from msgspec import UNSET

from gateway.api import app_keys
from gateway.api.asking import ask, deadline_of, predicted
from gateway.api.bodies import read_body, read_classify_body, read_dialogue, read_item
from gateway.api.problems import title
from gateway.api.schemas import (
    ClassifyBody,
    IntentsAnswer,
    ItemError,
    ItemProblem,
    Model,
    ModelsAnswer,
    Ranked,
    Result,
    TextAnswer,
    TextsAnswer,
    Timing,
    VersionAnswer,
)
from gateway.api.views import SCORE_DECIMALS, json_response
from gateway.errors import ContextNotSupportedError, GatewayError, InvalidHeaderError, UnknownVersionError
from gateway.settings.settings import Settings
from gateway.telemetry.context import CONTEXT, milliseconds
from gateway.upstream.classifier import Classification, Row
from gateway.upstream.question import DEFAULT, NOTHING, Dialogue, Target

_MAX_VERSION = 2**63 - 1


async def predict(request: web.Request) -> web.Response:
    """`POST /v1/predict`: the ranked intents of one text or of several."""
    settings = request.app[app_keys.SETTINGS]
    body = read_classify_body(await read_body(request, settings), settings)
    if body.text is UNSET:
        return await _predict_texts(request, body, settings)
    around = read_dialogue(body, "", settings)
    try:
        answer = await _ask(request, (body.text,), body, (around,))
    except ContextNotSupportedError as error:
        raise ContextNotSupportedError(str(error), pointer="/role" if around.role else "/previous") from error
    result = _result(request, answer, answer.rows[0], body, settings)
    model = Model(settings.model_name, answer.version)
    return json_response(TextAnswer(result, model, *_closing()))


async def intents(request: web.Request) -> web.Response:
    """`GET /v1/intents`: the intents of a version."""
    target, deadline = _queried(request), deadline_of(request)
    async with request.app[app_keys.ADMISSION].slot(deadline):
        version, names = await request.app[app_keys.CLASSIFIER].intents(target, deadline)
    return json_response(IntentsAnswer(Model(request.app[app_keys.SETTINGS].model_name, version), list(names)))


async def models(request: web.Request) -> web.Response:
    """`GET /v1/models`: the versions of the model, and where the gateway's label points."""
    settings, backend = request.app[app_keys.SETTINGS], request.app[app_keys.BACKEND]
    deadline = deadline_of(request)
    label, labelled = settings.model_label or None, None
    async with request.app[app_keys.ADMISSION].slot(deadline):
        versions = await backend.versions(deadline)
        # The model server lists no labels; it only resolves one at a time.
        if label:
            with suppress(UnknownVersionError):
                labelled = await backend.version_of(Target(label=label), deadline)
    listed = [
        VersionAnswer(
            version=each.version,
            state=each.state,
            error=None if each.error == "OK" else each.error,
            labels=[label] if label and each.version == labelled else [],
        )
        for each in versions
    ]
    return json_response(ModelsAnswer(settings.model_name, label, listed))


async def _predict_texts(request: web.Request, body: ClassifyBody, settings: Settings) -> web.Response:
    assert body.texts is not UNSET, "bodies refuses a request without any"
    outcomes: list[Result | ItemError | None] = [None] * len(body.texts)
    usable: dict[int, tuple[str, Dialogue]] = {}
    for index, item in enumerate(body.texts):
        try:
            usable[index] = read_item(item, f"/texts/{index}", settings)
        except GatewayError as error:
            outcomes[index] = _item_error(error, index)
    version = None
    if usable:
        texts, dialogue = zip(*usable.values(), strict=True)
        try:
            answer = await _ask(request, texts, body, dialogue)
        except ContextNotSupportedError as error:
            for index in usable:
                outcomes[index] = _item_error(error, index)
        else:
            version = answer.version
            for index, row in zip(usable, answer.rows, strict=True):
                try:
                    outcomes[index] = _result(request, answer, row, body, settings)
                except GatewayError as error:
                    outcomes[index] = _item_error(error, index)
    return json_response(TextsAnswer(outcomes, Model(settings.model_name, version), *_closing()))


async def _ask(
    request: web.Request, texts: Sequence[str], body: ClassifyBody, dialogue: Sequence[Dialogue]
) -> Classification:
    # One call for all of a request's texts, so that one version answers them; `dialogue` says of a text without any
    # what `serving_default` says.
    known = dialogue if any(around is not NOTHING for around in dialogue) else None
    if body.version is not UNSET:
        target, pointer = Target(version=body.version), "/version"
    elif body.label is not UNSET:
        target, pointer = Target(label=body.label), "/label"
    else:
        return await ask(request, texts, DEFAULT, known)
    try:
        return await ask(request, texts, target, known)
    except UnknownVersionError as error:
        raise UnknownVersionError(str(error), pointer=pointer) from error


def _result(
    request: web.Request, answer: Classification, row: Row | GatewayError, body: ClassifyBody, settings: Settings
) -> Result:
    if not isinstance(row, Row):
        raise row
    names, scores = answer.names, row.scores
    intent = names[row.label_index]
    # What the client sees is what is compared.
    score = round(scores[row.label_index], SCORE_DECIMALS)
    abstained = score < (settings.threshold if body.threshold is UNSET else body.threshold)
    predicted(request, answer.version, intent, score, abstained)
    top_k = settings.top_k if body.top_k is UNSET else body.top_k
    ranked = sorted(range(len(scores)), key=scores.__getitem__, reverse=True)[:top_k]
    return Result(
        None if abstained else intent,
        abstained,
        score,
        [Ranked(names[index], round(scores[index], SCORE_DECIMALS)) for index in ranked],
    )


def _item_error(error: GatewayError, index: int) -> ItemError:
    pointer = error.pointer or f"/texts/{index}"
    return ItemError(ItemProblem(error.code, title(error.code), error.status, str(error), pointer))


def _closing() -> tuple[str, Timing]:
    """The end of an answer: the request's id, and where its time went."""
    context = CONTEXT.get()
    assert context, "request_log sets it for every request"
    total = time.perf_counter() - context.started
    parts = {part: milliseconds(seconds) for part, seconds in context.parts(total).items()}
    return context.request_id, Timing(**parts, total=milliseconds(total))


def _queried(request: web.Request) -> Target:
    """What the query names.

    Raises:
        InvalidHeaderError: it names something else, both, one twice, or no version.
    """
    query = request.query
    if not query:
        return DEFAULT
    if len(query) > 1 or not query.keys() & {"version", "label"}:
        raise InvalidHeaderError("the query can only be one of version=3 and label=stable; send one, once")
    if label := query.get("label"):
        return Target(label=label)
    version = query.get("version", "")
    if not (version.isascii() and version.isdigit() and len(version) < 20 and 0 < int(version) <= _MAX_VERSION):
        raise InvalidHeaderError("the query names no version or label; send one like version=3 or label=stable")
    return Target(version=int(version))
