"""From texts to named intents: one Predict, and the labels of the version that answered."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.errors import (
    ContextNotSupportedError,
    GatewayError,
    ModelContractError,
    ModelNotReadyError,
    ModelServerUnavailableError,
    UnknownVersionError,
)
from gateway.upstream.backend import Answer
from gateway.upstream.combiner import Combiner
from gateway.upstream.deadline import Deadline
from gateway.upstream.dialogue import NOTHING, Dialogue
from gateway.upstream.labels import LabelCache
from gateway.upstream.target import Target

TRIES = 4
"""How often the model server is asked while its versions change, or differ between several servers behind one channel.
The calls take turns over the servers, so four of them meet both of two, and pass a version that goes at that moment."""

PROBE_TEXT = "Which intents do you know?"


@dataclass(frozen=True, slots=True)
class Row:
    """What the model says about one text."""

    scores: tuple[float, ...]
    """[number of intents]: the probability of each, 0 to 1, in the order of `Classification.names`."""
    label_index: int
    """The one that the model chose."""


@dataclass(frozen=True, slots=True)
class Classification:
    """What one version of the model says about n texts."""

    version: int
    names: tuple[str, ...]
    """Its intents, in the order of their indices."""
    rows: tuple[Row | ModelContractError | ContextNotSupportedError, ...]
    """[n], in the order of the texts; an error in the place of a text whose probabilities are not numbers, or whose
    dialogue the version cannot use."""
    model_seconds: float
    """How long the call to the model server took."""


class Classifier:
    """Names every prediction by the label list of the model that made it."""

    def __init__(self, combiner: Combiner, labels: LabelCache) -> None:
        self._combiner = combiner
        self._labels = labels
        self._last: dict[str | None, int] = {}
        """The version that answered last, by the label that was asked for."""

    async def classify(
        self, texts: Sequence[str], target: Target, deadline: Deadline, dialogue: Sequence[Dialogue] | None = None
    ) -> Classification:
        """Classifies n texts in one call. `dialogue`: what is around each of them [n]; None: nothing, around none.

        Asks again when the version is not there, went away between answer and labels, or the connection changed. If
        the version cannot use a dialogue, the texts without one are asked on their own.

        Raises:
            UnknownVersionError: `target` names a version or label that is not served.
            ContextNotSupportedError: every text has a dialogue, and the version cannot use it.
            BackendError: no usable answer in any of the tries; see the tree in `errors`.
        """
        for _ in range(TRIES):
            try:
                if dialogue is None:
                    return await self._ask(texts, target, deadline)
                return await self._ask_in_dialogue(texts, target, deadline, dialogue)
            except (ModelNotReadyError, UnknownVersionError, _MovedError) as error:
                failure: GatewayError = error
        raise failure

    async def intents(self, target: Target, deadline: Deadline) -> tuple[int, tuple[str, ...]]:
        """The version that answers now, and its intents in the order of their indices.

        Raises:
            As `classify`.
        """
        # The model itself says which version it is: asked any other way, the list might be another one's.
        answer = await self.classify([PROBE_TEXT], target, deadline)
        return answer.version, answer.names

    async def _ask_in_dialogue(
        self, texts: Sequence[str], target: Target, deadline: Deadline, dialogue: Sequence[Dialogue]
    ) -> Classification:
        try:
            return await self._ask(texts, target, deadline, dialogue)
        except ContextNotSupportedError as error:
            refusal = error
        alone = [index for index, around in enumerate(dialogue) if around == NOTHING]
        if not alone:
            raise refusal
        answer = await self._ask([texts[index] for index in alone], target, deadline)
        # Which version refused is not told, and it may have been the one before: the one that answered must refuse too.
        first = next(index for index, around in enumerate(dialogue) if around != NOTHING)
        try:
            await self._combiner.predict([texts[first]], Target(answer.version), deadline, [dialogue[first]])
        except ContextNotSupportedError:
            rows: list[Row | ModelContractError | ContextNotSupportedError] = [refusal] * len(texts)
            for index, row in zip(alone, answer.rows, strict=True):
                rows[index] = row
            return replace(answer, rows=tuple(rows))
        except UnknownVersionError:
            pass
        raise _MovedError

    async def _ask(
        self, texts: Sequence[str], target: Target, deadline: Deadline, dialogue: Sequence[Dialogue] | None = None
    ) -> Classification:
        labels = self._labels
        generation = labels.generation
        expected = self._last.get(target.label) if target.version is None else target.version
        if expected is not None:
            labels.expect(expected)
        answer, sent = await self._combiner.predict(texts, target, deadline, dialogue)
        names = await labels.of(answer.version, answer.classes, sent, deadline)
        if names is None or generation != labels.generation:
            raise _MovedError
        if target.version is None:
            self._last[target.label] = answer.version
        return Classification(answer.version, names, _rows(answer), answer.model_seconds)


def _rows(answer: Answer) -> tuple[Row | ModelContractError, ...]:
    size, probabilities = answer.classes, answer.probabilities
    rows: list[Row | ModelContractError] = []
    for position, index in enumerate(answer.label_indices):
        scores = probabilities[position * size : (position + 1) * size]
        # The sum of floats of 32 bits is finite exactly if all of them are.
        if math.isfinite(sum(scores)):
            rows.append(Row(scores, index))
        else:
            rows.append(ModelContractError("the model's probability is not a number; train and publish it again"))
    return tuple(rows)


class _MovedError(ModelServerUnavailableError):
    """Answer and labels may come from different models."""

    def __init__(self) -> None:
        super().__init__("the model server keeps changing; try again in a moment", retry_after=1)
