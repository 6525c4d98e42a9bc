"""The JSON that goes in and out, as typed structs. `openapi` makes the documented schemas from them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.telemetry.metrics import BreakerState
from gateway.upstream.question import ROLES

REF = "#/components/schemas/"
"""Where the OpenAPI document has the schemas of these structs, each under its name."""

Intent = Annotated[str, Meta(description="Name of an intent.", examples=["request_next_step"])]
Score = Annotated[float, Meta(description="Probability that the model gives to the intent, 0 to 1.", examples=[0.98])]
Version = Annotated[int, Meta(ge=1, le=2**63 - 1, description="A version of the model.", examples=[3])]
Label = Annotated[str, Meta(min_length=1, description="A name that points at a version.", examples=["stable"])]
RequestId = Annotated[str, Meta(description="The same as in the header `X-Request-Id` and in the gateway's log.")]
Text = Annotated[
    str,
    Meta(
        description="What somebody said.",
        examples=["How long do I boil the pasta?"],
        extra_json_schema={"minLength": 1, "pattern": r"\S"},
    ),
]
# No default for these two: generated clients would send it along with `texts`, where neither may be.
Role = Annotated[
    str,
    Meta(
        description="Who said it: `student`, who cooks or builds, `teacher`, who guides, or `unknown`, as if left out.",
        extra_json_schema={"enum": list(ROLES)},
    ),
]
Previous = Annotated[
    str,
    Meta(
        description="What was said right before, as a whole; empty: unknown.",
        examples=["Now let the onions fry until they are golden."],
    ),
]
# Any: an item of another type gets an error of its own instead of failing the others.
Item = Annotated[
    Any,
    Meta(extra_json_schema={"oneOf": [{"type": "string", "minLength": 1, "pattern": r"\S"}, {"$ref": f"{REF}Turn"}]}),
]
State = Annotated[
    str, Meta(extra_json_schema={"enum": ["UNKNOWN", "START", "LOADING", "AVAILABLE", "UNLOADING", "END"]})
]
Milliseconds = Annotated[float, Meta(description="Milliseconds.")]


class PredictBody(Struct, frozen=True, forbid_unknown_fields=True):
    """One text."""

    text: Text


class PredictAnswer(Struct, frozen=True):
    """The most probable intent of the text."""

    intent: Intent
    score: Score
    version: Version


class Turn(Struct, frozen=True, forbid_unknown_fields=True):
    """A text with what is known around it."""

    text: Text
    role: Role | UnsetType = UNSET
    previous: Previous | UnsetType = UNSET


class ClassifyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Either `text`, with `role` and `previous` if they are known, or `texts`; and how they are to be answered."""

    # What excludes what is said in words only: generators of clients drop a schema with oneOf or not beside fields.
    text: Text | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    previous: Previous | UnsetType = UNSET
    texts: (
        Annotated[
            list[Item],
            Meta(
                min_length=1,
                description="Each is answered on its own, in this order; an item that cannot be used gets an error.",
                examples=[["Next step, please", {"text": "Stop", "role": "student"}]],
            ),
        ]
        | UnsetType
    ) = UNSET
    top_k: Annotated[int, Meta(ge=1, description="Intents to list; more than there are lists all.")] | UnsetType = UNSET
    threshold: (
        Annotated[float, Meta(ge=0, le=1, description="Below this score the answer abstains: `intent` is null.")]
        | UnsetType
    ) = UNSET
    version: Annotated[Version, Meta(description="The version to ask; not together with `label`.")] | UnsetType = UNSET
    label: Annotated[Label, Meta(description="The version label to ask; not together with `version`.")] | UnsetType = (
        UNSET
    )


class Ranked(Struct, frozen=True):
    """One intent of the ranking."""

    intent: Intent
    score: Score


class Result(Struct, frozen=True):
    """What the model says about one text."""

    intent: Annotated[Intent | None, Meta(description="The most probable intent; null if the answer abstains.")]
    abstained: Annotated[bool, Meta(description="Whether the score is below the threshold.")]
    score: Annotated[Score, Meta(description="The highest score, abstained or not.")]
    intents: Annotated[list[Ranked], Meta(description="The `top_k` most probable intents, the first one first.")]


class ItemProblem(Struct, frozen=True):
    """Why one of several texts has no result; the others are not concerned."""

    code: Annotated[str, Meta(description="The kind of problem for programs.")]
    title: Annotated[str, Meta(description="The kind of problem in words.")]
    status: Annotated[int, Meta(description="The HTTP status that the text alone would have been answered with.")]
    detail: Annotated[str, Meta(description="What is wrong and what to do.")]
    pointer: Annotated[str, Meta(description="JSON pointer to the text, or to its field.", examples=["/texts/1"])]


class ItemError(Struct, frozen=True):
    """In the place of the result of a text that has none."""

    error: ItemProblem


class Model(Struct, frozen=True):
    """What answered."""

    name: Annotated[str, Meta(examples=["intent"])]
    version: Annotated[Version | None, Meta(description="The version that did; null if it got no text.")]


class Timing(Struct, frozen=True):
    """Where the time went."""

    queue: Annotated[Milliseconds, Meta(description="Waiting for a slot, in milliseconds.")]
    model: Annotated[Milliseconds, Meta(description="The call to the model server, in milliseconds.")]
    gateway: Annotated[Milliseconds, Meta(description="The rest, in milliseconds.")]
    total: Annotated[Milliseconds, Meta(description="From the request's headers to its answer, in milliseconds.")]


class TextAnswer(Struct, frozen=True):
    """Answer to `text`."""

    result: Result
    model: Model
    request_id: RequestId
    timing_ms: Timing


# Any, because msgspec wants structs of a union to be told apart by a field, and these are by which one they have.
Outcome = Annotated[
    Any,
    Meta(extra_json_schema={"oneOf": [{"$ref": f"{REF}{each}"} for each in ("Result", "ItemError")]}),
]


class TextsAnswer(Struct, frozen=True):
    """Answer to `texts`: as many results or errors, in the same order."""

    results: list[Outcome]
    model: Model
    request_id: RequestId
    timing_ms: Timing


class IntentsAnswer(Struct, frozen=True):
    """The intents that a version of the model knows."""

    model: Model
    intents: Annotated[list[Intent], Meta(description="In the order of the model's label indices.")]


class VersionAnswer(Struct, frozen=True):
    """One version of the model."""

    version: Version
    state: Annotated[
        str,
        Meta(
            description="START, LOADING, AVAILABLE, UNLOADING or END; only an AVAILABLE version answers.",
            examples=["AVAILABLE"],
        ),
    ]
    error: Annotated[str | None, Meta(description="gRPC status why it could not be loaded; null if nothing is wrong.")]
    labels: Annotated[list[str], Meta(description="Those of the gateway's labels that point at it.")]


class ModelsAnswer(Struct, frozen=True):
    """The model and its versions."""

    name: Annotated[str, Meta(examples=["intent"])]
    default_label: Annotated[
        str | None, Meta(description="The label asked where a request names none; null: the newest version is asked.")
    ]
    versions: list[VersionAnswer]


class ReadyAnswer(Struct, frozen=True):
    """Whether a request sent now would be answered, and if not, why."""

    status: Literal["ready", "not_ready"]
    model: Annotated[str, Meta(examples=["intent"])]
    version: Annotated[Version | None, Meta(description="The one that answers; or the newest known, or null.")]
    state: Annotated[State, Meta(description="Of this version.")]
    since: Annotated[datetime, Meta(description="Since when this process has seen it like this.")]
    breaker: Annotated[
        BreakerState,
        Meta(description="The circuit breaker: only while it is closed the model server is asked."),
    ]
    draining: Annotated[bool, Meta(description="Whether the gateway is about to stop.")]
    code: Annotated[str | None, Meta(description="Why not: the code of a problem, or `draining`; null if ready.")]
    reason: Annotated[str | None, Meta(description="The same in words.")]


class StatusAnswer(Struct, frozen=True):
    """The process lives."""

    status: Annotated[str, Meta(examples=["alive"])]


class Problem(Struct, frozen=True):
    """Why a request was refused or failed (RFC 9457)."""

    type: Annotated[str, Meta(description="Where the kind of problem is explained.")]
    title: Annotated[str, Meta(description="The kind of problem in words.")]
    status: Annotated[int, Meta(description="The HTTP status, again.")]
    detail: Annotated[str, Meta(description="What is wrong with this request, and what to do.")]
    code: Annotated[str, Meta(description="The kind of problem for programs; it stays when words change.")]
    pointer: Annotated[str, Meta(description="JSON pointer to the field that is meant.")] | UnsetType = UNSET
    request_id: RequestId | UnsetType = UNSET
