"""What the gateway offers over HTTP, endpoint by endpoint, for its documentation. `app` has the routes themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gateway import errors
from gateway.api import schemas
from gateway.pages import examples

JSON = "application/json"

_Errors = tuple[type[errors.GatewayError], ...]

EVERYWHERE: _Errors = (errors.InvalidHttpError, errors.ExpectationFailedError, errors.GatewayError)
"""What any request may be answered with."""
KEYED: _Errors = (errors.KeyRequiredError, errors.RateLimitError)
"""What is added where an API key is wanted."""
_BODY: _Errors = (
    errors.InvalidJsonError,
    errors.InvalidRequestError,
    errors.BodyTimeoutError,
    errors.BodyTooLargeError,
    errors.TextTooLongError,
    errors.UnsupportedMediaTypeError,
)
_MODEL: _Errors = (
    errors.InvalidHeaderError,
    errors.OverloadedError,
    errors.ModelServerError,
    errors.ModelContractError,
    errors.ModelServerUnavailableError,
    errors.ModelServerOverloadedError,
    errors.ModelNotReadyError,
    errors.DeadlineExceededError,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one status means."""

    text: str
    kinds: tuple[Any, ...] = ()
    """Types of the JSON, any of them; empty for what is no JSON."""
    media_type: str = JSON
    """Empty if there is no content."""
    examples: Mapping[str, msgspec.Struct] = field(default_factory=dict)
    """By what they show."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    name: str
    """Unique; client generators make function names of it."""
    tag: str
    summary: str
    answers: Mapping[int, Answer]
    text: str = ""
    body: Any = None
    """Type of the JSON body."""
    body_examples: Mapping[str, msgspec.Struct] = field(default_factory=dict)
    queries: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    """Type and meaning of each query parameter."""
    path_text: str = ""
    """Meaning of the path's parameter, if it has one."""
    errors: _Errors = ()
    """Besides those of `EVERYWHERE` and `KEYED`."""
    is_timed: bool = False
    """Whether `X-Request-Timeout` bounds it."""
    is_open: bool = False
    """Whether it never wants an API key."""


_NOT_MODIFIED = Answer("The copy that the client has is still the newest.", media_type="")

OPERATIONS = (
    Operation(
        "post",
        "/v1/predict",
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
        "model; it was trained to do without, too.",
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
    Operation(
        "get",
        "/v1/intents",
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
    Operation(
        "get",
        "/v1/models",
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
    Operation(
        "post",
        "/predict",
        "predict",
        "Prediction",
        "The most probable intent of one text",
        {200: Answer("The intent, whatever its score.", (schemas.PredictAnswer,), examples=examples.PREDICT_ANSWERS)},
        "What the first clients were built for; it stays. New ones do better with `POST /v1/predict`.",
        schemas.PredictBody,
        examples.PREDICT_BODIES,
        errors=(*_BODY, *_MODEL),
        is_timed=True,
    ),
    Operation(
        "get",
        "/status",
        "status",
        "Health",
        "Alive, for existing clients",
        {200: Answer("The process lives.", (schemas.StatusAnswer,), examples=examples.ALIVE)},
        is_open=True,
    ),
    Operation(
        "get",
        "/healthz",
        "healthz",
        "Health",
        "Whether the process lives",
        {200: Answer("It does.", (schemas.StatusAnswer,), examples=examples.HEALTHY)},
        "Says nothing about the model server: restarting the gateway would not mend that.",
        is_open=True,
    ),
    Operation(
        "get",
        "/readyz",
        "readyz",
        "Health",
        "Whether a request sent now would be answered",
        {
            200: Answer("It would.", (schemas.ReadyAnswer,), examples=examples.READY),
            503: Answer("It would not, and why.", (schemas.ReadyAnswer,), examples=examples.NOT_READY),
        },
        "For load balancers. Found out by a real request, the clients' or its own.",
        is_open=True,
    ),
    Operation(
        "get",
        "/metrics",
        "metrics",
        "About",
        "Counters and histograms for Prometheus",
        {200: Answer("All values, in the text format that `Accept` asks for.", media_type="text/plain")},
        is_open=True,
    ),
    Operation(
        "get",
        "/openapi.json",
        "openapi",
        "About",
        "This document",
        {200: Answer("OpenAPI 3.1.", (dict[str, Any],)), 304: _NOT_MODIFIED},
        is_open=True,
    ),
    Operation(
        "get",
        "/docs",
        "docs",
        "About",
        "This document for people",
        {200: Answer("HTML.", media_type="text/html"), 304: _NOT_MODIFIED},
        is_open=True,
    ),
    Operation(
        "get",
        "/",
        "page",
        "About",
        "A page to try the model on",
        {200: Answer("HTML.", media_type="text/html"), 304: _NOT_MODIFIED},
        is_open=True,
    ),
    Operation(
        "get",
        "/static/{name}",
        "static",
        "About",
        "What that page loads",
        {200: Answer("The file.", media_type="*/*"), 304: _NOT_MODIFIED},
        path_text="Name of the file.",
        errors=(errors.NotFoundError,),
        is_open=True,
    ),
)
