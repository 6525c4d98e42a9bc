"""The way of a request's texts to the model and back."""

from collections.abc import Sequence

from aiohttp import web

from gateway import deadline, keys
from gateway.classifier import Classification
from gateway.context import CONTEXT
from gateway.deadline import Deadline
from gateway.dialogue import Dialogue
from gateway.errors import BackendError
from gateway.target import DEFAULT, Target


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
    metrics, settings = app[keys.METRICS], app[keys.SETTINGS]
    if settings.log_texts and (context := CONTEXT.get()):
        context.texts = tuple(texts)
    until = deadline_of(request)
    async with app[keys.ADMISSION].slot(until) as waited:
        metrics.observe_queue(waited)
        try:
            answer = await app[keys.CLASSIFIER].classify(texts, target, until, dialogue)
        except BackendError:
            app[keys.PROBER].doubt()
            raise
    if target == DEFAULT:
        app[keys.PROBER].answered(answer.version)
    metrics.observe_model(answer.model_seconds)
    return answer


def deadline_of(request: web.Request) -> Deadline:
    """The moment by which this request must be answered.

    Raises:
        InvalidHeaderError: `X-Request-Timeout` cannot be used.
    """
    return Deadline.asked(request.headers.get(deadline.HEADER), request.app[keys.SETTINGS])
