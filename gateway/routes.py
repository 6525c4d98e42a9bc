"""Every route of the gateway: its path, what answers it, and what the documentation says of it."""

from typing import Any

from gateway import errors
from gateway.api import request_log, schemas, views, views_v1
from gateway.api.route import Answer, Route
from gateway.pages import examples, pages

_BODY = (
    errors.InvalidJsonError,
    errors.InvalidRequestError,
    errors.BodyTimeoutError,
    errors.BodyTooLargeError,
    errors.TextTooLongError,
    errors.UnsupportedMediaTypeError,
)
_MODEL = (
    errors.InvalidHeaderError,
    errors.OverloadedError,
    errors.ModelServerError,
    errors.ModelContractError,
    errors.ModelServerUnavailableError,
    errors.ModelServerOverloadedError,
    errors.ModelNotReadyError,
    errors.DeadlineExceededError,
)


_NOT_MODIFIED = Answer("The copy that the client has is still the newest.", media_type="")

ROUTES = (
    Route(
        "POST",
        "/v1/predict",
        views_v1.predict,
        "classify",
        "Prediction",
        "The ranked intents of one text or of several",
        {
            200: Answer(
                "The results. Several texts are answered in their order, each with its result or an error of its own; "
                "the status stays 200 even if none of them could be used.",
                (schemas.TextAnswer, schemas.TextsAnswer),
                examples=examples.CLASSIFY_ANSWERS,
            )
        },
        "All texts of a request go to the model server in one call. They are classified one by one: a text's result "
        "does not depend on the others. Who said a text (`role`) and what was said before it (`previous`) help the "
        "model; both are optional.",
        schemas.ClassifyBody,
        examples.CLASSIFY_BODIES,
        errors=(
            *_BODY,
            errors.TooManyTextsError,
            errors.UnknownVersionError,
            errors.ContextNotSupportedError,
            *_MODEL,
        ),
        is_timed=True,
    ),
    Route(
        "GET",
        "/v1/intents",
        views_v1.intents,
        "intents",
        "Model",
        "The intents that a version of the model knows",
        {200: Answer("Their names.", (schemas.IntentsAnswer,), examples=examples.INTENTS)},
        "Without a query the default version answers.",
        queries={
            "version": (schemas.Version, "The version to ask; not together with `label`."),
            "label": (schemas.Label, "The version label to ask; not together with `version`."),
        },
        errors=(errors.UnknownVersionError, *_MODEL),
        is_timed=True,
    ),
    Route(
        "GET",
        "/v1/models",
        views_v1.models,
        "models",
        "Model",
        "The versions of the model, their states and labels",
        {
            200: Answer(
                "All versions that the model server knows, loaded or not.",
                (schemas.ModelsAnswer,),
                examples=examples.MODELS,
            )
        },
        errors=_MODEL,
        is_timed=True,
    ),
    Route(
        "POST",
        "/predict",
        views.predict,
        "predict",
        "Prediction",
        "The most probable intent of one text",
        {200: Answer("The intent, whatever its score.", (schemas.PredictAnswer,), examples=examples.PREDICT_ANSWERS)},
        "For existing clients. New clients should use `POST /v1/predict`, which says more.",
        schemas.PredictBody,
        examples.PREDICT_BODIES,
        errors=(*_BODY, *_MODEL),
        is_timed=True,
    ),
    Route(
        "GET",
        "/status",
        views.status,
        "status",
        "Health",
        "Whether the process lives, for existing clients",
        {200: Answer("The process lives.", (schemas.StatusAnswer,), examples=examples.ALIVE)},
        is_open=True,
        is_probed=True,
    ),
    Route(
        "GET",
        "/healthz",
        views.healthz,
        "healthz",
        "Health",
        "Whether the process lives",
        {200: Answer("It does.", (schemas.StatusAnswer,), examples=examples.HEALTHY)},
        "Says nothing about the model server, which a restart of the gateway would not mend.",
        is_open=True,
        is_probed=True,
    ),
    Route(
        "GET",
        "/readyz",
        views.readyz,
        "readyz",
        "Health",
        "Whether a request sent now would be answered",
        {
            200: Answer("It would.", (schemas.ReadyAnswer,), examples=examples.READY),
            503: Answer("It would not, and why.", (schemas.ReadyAnswer,), examples=examples.NOT_READY),
        },
        "For load balancers. The gateway knows it from a recent request of a client, or sends one itself.",
        is_open=True,
        is_probed=True,
    ),
    Route(
        "GET",
        "/metrics",
        request_log.metrics_view,
        "metrics",
        "About",
        "Counters and histograms for Prometheus",
        {200: Answer("All values, in the text format that `Accept` asks for.", media_type="text/plain")},
        is_open=True,
        is_probed=True,
    ),
    Route(
        "GET",
        "/openapi.json",
        pages.openapi,
        "openapi",
        "About",
        "This document",
        {200: Answer("OpenAPI 3.1.", (dict[str, Any],)), 304: _NOT_MODIFIED},
        is_open=True,
    ),
    Route(
        "GET",
        "/docs",
        pages.docs,
        "docs",
        "About",
        "This document for people",
        {200: Answer("HTML.", media_type="text/html"), 304: _NOT_MODIFIED},
        is_open=True,
    ),
    Route(
        "GET",
        "/",
        pages.index,
        "page",
        "About",
        "A page to try the model on",
        {200: Answer("HTML.", media_type="text/html"), 304: _NOT_MODIFIED},
        is_open=True,
    ),
    Route(
        "GET",
        "/static/{name}",
        pages.static,
        "static",
        "About",
        "A file of that page",
        {200: Answer("The file.", media_type="*/*"), 304: _NOT_MODIFIED},
        path_text="Name of the file.",
        errors=(errors.NotFoundError,),
        is_open=True,
    ),
)
