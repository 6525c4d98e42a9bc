"""The way of a request's texts to the model and back."""

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
    metrics, settings = app[app_keys.METRICS], app[app_keys.SETTINGS]
    if settings.log_texts and (context := CONTEXT.get()):
        context.texts = tuple(texts)
    until = deadline_of(request)
    async with app[app_keys.ADMISSION].slot(until) as waited:
        metrics.observe_queue(waited)
        try:
            answer = await app[app_keys.CLASSIFIER].classify(texts, target, until, dialogue)
        except BackendError:
            app[app_keys.PROBER].doubt()
            raise
    if target == DEFAULT:
        app[app_keys.PROBER].answered(answer.version)
    metrics.observe_model(answer.model_seconds)
    return answer


def deadline_of(request: web.Request) -> Deadline:
    """The moment by which this request must be answered.

    Raises:
        InvalidHeaderError: `X-Request-Timeout` cannot be used.
    """
    return Deadline.asked(request.headers.get(deadline.HEADER), request.app[app_keys.SETTINGS])
