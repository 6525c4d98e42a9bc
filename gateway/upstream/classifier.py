"""From texts to named intents: one Predict, and the labels of the version that answered."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.errors import (
    ContextNotSupportedError,
    ModelContractError,
    ModelNotReadyError,
    UnknownVersionError,
)
from gateway.upstream.backend import Answer
from gateway.upstream.combiner import Combiner
from gateway.upstream.deadline import Deadline
from gateway.upstream.labels import LabelLists
from gateway.upstream.question import NOTHING, Dialogue, Target

TRIES = 4
"""How often the model server is asked while its versions change, or while they differ between several servers. The
calls take turns over the servers, so four of them meet both of two, and pass a version that goes at that moment."""

PROBE_TEXT = "Which intents do you know?"


@dataclass(frozen=True, slots=True)
class Row:
    """What the model says about one text."""

    scores: tuple[float, ...]
    """[number of intents]: the probability of each, 0 to 1, in the order of `Classification.names`."""
    label_index: int
    """The one that the model chose."""


Outcome = Row | ModelContractError | ContextNotSupportedError
"""What comes of one text: a row; or an error if its probabilities are not numbers, or if the version cannot use its
dialogue."""


@dataclass(frozen=True, slots=True)
class Classification:
    """What one version of the model says about n texts."""

    version: int
    names: tuple[str, ...]
    """Its intents, in the order of their indices."""
    rows: tuple[Outcome, ...]
    """[n], in the order of the texts."""
    model_seconds: float
    """How long the call to the model server took."""


class Classifier:
    """Names every prediction by the label list of the model that made it."""

    def __init__(self, combiner: Combiner, labels: LabelLists) -> None:
        self._combiner = combiner
        self._labels = labels

    async def classify(
        self, texts: Sequence[str], target: Target, deadline: Deadline, dialogue: Sequence[Dialogue] | None = None
    ) -> Classification:
        """Classifies n texts in one call. `dialogue` [n] says what is known around each text; None means nothing is.

        Asks again when the version is not there, or when it went away before its labels were known. If the version
        cannot use a dialogue, the texts without one are asked on their own.

        Raises:
            UnknownVersionError: `target` names a version or label that is not served.
            ContextNotSupportedError: every text has a dialogue, and the version cannot use it.
            BackendError: no usable answer in any of the tries; see the tree in `errors`.
        """
        unlisted: int | None = None
        for tries_left in reversed(range(TRIES)):
            try:
                answer, rows = await self._ask(texts, target, deadline, dialogue)
            except (ModelNotReadyError, UnknownVersionError):
                if not tries_left:
                    raise
                continue
            try:
                names = await self._labels.find(answer.label_set, answer.version, answer.classes, deadline)
            except ModelNotReadyError:
                # Another model has taken the version's number after the answer.
                if not tries_left:
                    raise
            except ModelContractError:
                # The same, if that model has fewer intents. If the same list is wanted again, the model is broken.
                if not tries_left or answer.label_set == unlisted:
                    raise
                unlisted = answer.label_set
            else:
                return Classification(answer.version, names, rows, answer.model_seconds)
        raise AssertionError("the last try returns or raises")

    async def intents(self, target: Target, deadline: Deadline) -> tuple[int, tuple[str, ...]]:
        """The version that answers now, and its intents in the order of their indices.

        Raises:
            As `classify`.
        """
        # The model itself says which version it is: asked any other way, the list might be another one's.
        answer = await self.classify([PROBE_TEXT], target, deadline)
        return answer.version, answer.names

    async def _ask(
        self, texts: Sequence[str], target: Target, deadline: Deadline, dialogue: Sequence[Dialogue] | None
    ) -> tuple[Answer, tuple[Outcome, ...]]:
        """An answer and an outcome for each text."""
        try:
            answer = await self._combiner.predict(texts, target, deadline, dialogue)
            return answer, _rows(answer)
        except ContextNotSupportedError as error:
            refusal = error
        assert dialogue, "nothing else is refused for its dialogue"
        alone = [index for index, around in enumerate(dialogue) if around == NOTHING]
        if not alone:
            raise refusal
        answer = await self._combiner.predict([texts[index] for index in alone], target, deadline)
        if await self._takes_dialogue(answer.version, texts, dialogue, deadline):
            raise ModelNotReadyError("the version changed while it was asked; try again in a moment", retry_after=1)
        outcomes: list[Outcome] = [refusal] * len(texts)
        for index, row in zip(alone, _rows(answer), strict=True):
            outcomes[index] = row
        return answer, tuple(outcomes)

    async def _takes_dialogue(
        self, version: int, texts: Sequence[str], dialogue: Sequence[Dialogue], deadline: Deadline
    ) -> bool:
        """Whether the version that has answered is another one than the one that refused: the refusal names none."""
        first = next(index for index, around in enumerate(dialogue) if around != NOTHING)
        try:
            await self._combiner.predict([texts[first]], Target(version), deadline, [dialogue[first]])
        except ContextNotSupportedError:
            return False
        except UnknownVersionError:
            # It has gone already, so its answer must not stand beside the refusal of another one either.
            return True
        return True


def _rows(answer: Answer) -> tuple[Outcome, ...]:
    size, probabilities = answer.classes, answer.probabilities
    rows: list[Outcome] = []
    for position, index in enumerate(answer.label_indices):
        scores = probabilities[position * size : (position + 1) * size]
        # The sum of floats of 32 bits is finite exactly if all of them are.
        if math.isfinite(sum(scores)):
            rows.append(Row(scores, index))
        else:
            rows.append(ModelContractError("the model's probability is not a number; train and publish it again"))
    return tuple(rows)
