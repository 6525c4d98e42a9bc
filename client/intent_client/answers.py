"""What is asked and what is answered, as typed and frozen dataclasses. Fields that a newer gateway adds are ignored."""

from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

import msgspec

from intent_client.errors import AnswerError, BadAnswerError

T = TypeVar("T")

Role = Literal["student", "teacher", "unknown"]
"""Who speaks: `student`, who cooks or builds, or `teacher`, who guides."""
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True)
class Turn:
    """A text in a dialogue: who said it, and what was said right before. What is None is not sent."""

    text: str
    role: Role | None = None
    previous: str | None = None


@dataclass(frozen=True)
class Score:
    """One intent and its probability, 0 to 1."""

    intent: str
    score: float


@dataclass(frozen=True)
class Timing:
    """Where the time of a request went, in milliseconds: waiting in the gateway, the call to the model, the rest."""

    queue: float
    model: float
    gateway: float
    total: float


@dataclass(frozen=True)
class Prediction:
    """The intent of one text."""

    intent: str | None
    """None if the gateway abstained."""
    abstained: bool
    """Whether `score` is below the threshold."""
    score: float
    """The highest probability, 0 to 1."""
    intents: tuple[Score, ...]
    """The `top_k` most probable intents, the first one first."""
    model: str
    version: int
    request_id: str
    timing_ms: Timing


@dataclass(frozen=True)
class Intents:
    """The intents of one model version, in the order of their label indices."""

    model: str
    version: int
    intents: tuple[str, ...]


@dataclass(frozen=True)
class Version:
    """One version that the model server knows, loaded or not."""

    version: int
    state: str
    """START, LOADING, AVAILABLE, UNLOADING or END."""
    error: str | None = None
    """gRPC status why the version could not be loaded."""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Models:
    """The versions of the gateway's model."""

    name: str
    default_label: str | None
    versions: tuple[Version, ...]


@dataclass(frozen=True)
class Problem:
    """A problem document (RFC 9457), or the part of one that stands for a single text."""

    code: str
    status: int
    detail: str
    pointer: str | None = None
    request_id: str | None = None

    def error(self, request_id: str, retry_after: float | None = None) -> AnswerError:
        """The error to raise; `request_id`: where the problem does not name its own."""
        return AnswerError(
            self.detail,
            code=self.code,
            status=self.status,
            pointer=self.pointer,
            request_id=self.request_id or request_id,
            retry_after=retry_after,
        )


@dataclass(frozen=True)
class _Model:
    name: str
    version: int | None


@dataclass(frozen=True)
class Answer:
    """Of `/v1/predict` and `/v1/intents`: what both say of the model, and what each adds."""

    model: _Model
    request_id: str = ""
    timing_ms: Timing | None = None
    result: dict[str, Any] | None = None
    results: tuple[dict[str, Any], ...] = ()
    intents: tuple[str, ...] = ()

    def outcome(self, result: dict[str, Any] | None) -> Prediction | AnswerError:
        """One text's result, or its error.

        Raises:
            BadAnswerError: it is neither.
        """
        if result and "error" in result:
            return convert(result["error"], Problem).error(self.request_id)
        about = {"request_id": self.request_id, "timing_ms": self.timing_ms}
        return convert({**(result or {}), "model": self.model.name, "version": self.model.version, **about}, Prediction)

    def known(self) -> Intents:
        """The intents that the version knows.

        Raises:
            BadAnswerError: the answer does not say.
        """
        return convert(
            {"model": self.model.name, "version": self.model.version, "intents": self.intents or None}, Intents
        )


def convert(data: Any, kind: type[T]) -> T:
    """JSON, as bytes or decoded, as one of these types.

    Raises:
        BadAnswerError: it has another shape.
    """
    try:
        return msgspec.json.decode(data, type=kind) if isinstance(data, bytes) else msgspec.convert(data, kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadAnswerError(f"the answer is not this gateway's: {error}; is the URL right?") from None
