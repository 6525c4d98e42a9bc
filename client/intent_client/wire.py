"""The JSON that goes over the wire, as typed structs; see the gateway's /openapi.json."""

from typing import TypeVar

import msgspec

from intent_client.errors import AnswerError, BadAnswerError
from intent_client.results import Prediction, Score, Timing
from intent_client.turns import Role, Turn

T = TypeVar("T")


class Question(msgspec.Struct, frozen=True, omit_defaults=True):
    """Body of a question. What is None is not sent, so that the gateway's default holds."""

    text: str | None = None
    role: Role | None = None
    previous: str | None = None
    texts: tuple[str | Turn, ...] | None = None
    top_k: int | None = None
    threshold: float | None = None
    version: int | None = None
    label: str | None = None


class Problem(msgspec.Struct, frozen=True):
    """A problem document (RFC 9457), or the part of one that stands for a single text."""

    code: str
    status: int
    detail: str
    pointer: str | None = None
    request_id: str | None = None

    def error(self, request_id: str, retry_after: float | None = None) -> AnswerError:
        """The same to raise; `request_id` for a problem that does not name its own."""
        return AnswerError(
            self.detail,
            code=self.code,
            status=self.status,
            pointer=self.pointer,
            request_id=self.request_id or request_id,
            retry_after=retry_after,
        )


class Item(msgspec.Struct, frozen=True):
    """What is said about one text: a result, or an error."""

    intent: str | None = None
    abstained: bool = False
    score: float | None = None
    intents: tuple[Score, ...] = ()
    error: Problem | None = None


class Model(msgspec.Struct, frozen=True):
    """The model that answered; it has no version where no text could be asked."""

    name: str
    version: int | None


class Answer(msgspec.Struct, frozen=True):
    """What answers to `text` and to `texts` have in common."""

    model: Model
    request_id: str
    timing_ms: Timing

    def outcome(self, item: Item) -> Prediction | AnswerError:
        """One text's result, or its error.

        Raises:
            BadAnswerError: it is neither.
        """
        if item.error is not None:
            return item.error.error(self.request_id)
        if item.score is None or self.model.version is None:
            raise BadAnswerError("a text has neither a result nor an error", request_id=self.request_id)
        return Prediction(
            item.intent,
            item.abstained,
            item.score,
            item.intents,
            self.model.name,
            self.model.version,
            self.request_id,
            self.timing_ms,
        )


class TextAnswer(Answer, frozen=True, kw_only=True):
    """Answer to `text`."""

    result: Item


class TextsAnswer(Answer, frozen=True, kw_only=True):
    """Answer to `texts`; the results are in their order."""

    results: tuple[Item, ...]


class ServedModel(Model, frozen=True):
    """A version whose intents are known."""

    version: int


class IntentsAnswer(msgspec.Struct, frozen=True):
    """Answer of `/v1/intents`."""

    model: ServedModel
    intents: tuple[str, ...]


def decode(content: bytes, kind: type[T]) -> T:
    """A successful answer.

    Raises:
        BadAnswerError: it has another shape.
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadAnswerError(f"the answer is not this gateway's: {error}; is the URL right?") from None
