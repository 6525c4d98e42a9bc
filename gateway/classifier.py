"""From texts to named intents: one Predict, and the labels of the version that answered."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.backend import Answer
from gateway.combiner import Combiner
from gateway.deadline import Deadline
from gateway.errors import (
    GatewayError,
    ModelContractError,
    ModelNotReadyError,
    ModelServerUnavailableError,
    UnknownVersionError,
)
from gateway.labels import LabelCache
from gateway.target import Target

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
    rows: tuple[Row | ModelContractError, ...]
    """[n], in the order of the texts; an error in the place of a text whose probabilities are not numbers."""
    model_seconds: float
    """How long the call to the model server took."""


class Classifier:
    """Names every prediction by the label list of the model that made it."""

    def __init__(self, combiner: Combiner, labels: LabelCache) -> None:
        self._combiner = combiner
        self._labels = labels
        self._last: dict[str | None, int] = {}
        """The version that answered last, by the label that was asked for."""

    async def classify(self, texts: Sequence[str], target: Target, deadline: Deadline) -> Classification:
        """Classifies n texts in one call.

        Asks again when the version is not there, went away between answer and labels, or the connection changed.

        Raises:
            UnknownVersionError: `target` names a version or label that is not served.
            BackendError: no usable answer in any of the tries; see the tree in `errors`.
        """
        for _ in range(TRIES):
            try:
                return await self._ask(texts, target, deadline)
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

    async def _ask(self, texts: Sequence[str], target: Target, deadline: Deadline) -> Classification:
        labels = self._labels
        generation = labels.generation
        expected = self._last.get(target.label) if target.version is None else target.version
        if expected is not None:
            labels.expect(expected)
        answer, sent = await self._combiner.predict(texts, target, deadline)
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
