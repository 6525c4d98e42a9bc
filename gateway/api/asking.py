"""Asks the model about the texts of a request, within its deadline and as soon as there is a slot."""

from collections.abc import Sequence

from aiohttp import web

from gateway.api import app_keys
from gateway.errors import BackendError
from gateway.telemetry.context import CONTEXT
from gateway.upstream import deadline
from gateway.upstream.classifier import Classification
from gateway.upstream.deadline import Deadline
from gateway.upstream.question import DEFAULT, Dialogue, Target


async def ask(
    request: web.Request, texts: Sequence[str], target: Target, dialogue: Sequence[Dialogue] | None = None
) -> Classification:
    """Classifies the texts within the request's deadline, as soon as there is a slot. `dialogue` as in `classify`.

    Raises:
        InvalidHeaderError: `X-Request-Timeout` cannot be used.
        OverloadedError: too many requests wait already.
        UnknownVersionError: `target` names a version or label that is not served.
        ContextNotSupportedError: every text has a dialogue, and the version cannot use it.
        BackendError: no usable answer.
    """
    app = request.app
    context = CONTEXT.get()
    assert context, "request_log sets it for every request"
    if app[app_keys.SETTINGS].log_texts:
        context.texts = tuple(texts)
    until = deadline_of(request)
    async with app[app_keys.ADMISSION].slot(until) as waited:
        context.queue_seconds = waited
        try:
            answer = await app[app_keys.CLASSIFIER].classify(texts, target, until, dialogue)
        except BackendError:
            app[app_keys.PROBER].doubt()
            raise
    if target == DEFAULT:
        app[app_keys.PROBER].answered(answer.version)
    context.model_seconds = answer.model_seconds
    return answer


def predicted(request: web.Request, version: int, intent: str, score: float, abstained: bool = False) -> None:
    """Tells metrics and log what one text is answered with."""
    request.app[app_keys.METRICS].predicted(version, intent, score, abstained)
    if context := CONTEXT.get():
        context.version = version
        context.intents.append(None if abstained else intent)


def deadline_of(request: web.Request) -> Deadline:
    """The moment by which this request must be answered.

    Raises:
        InvalidHeaderError: `X-Request-Timeout` cannot be used.
    """
    return Deadline.asked(request.headers.get(deadline.HEADER), request.app[app_keys.SETTINGS])
