"""From a text to a named intent: Predict, then the labels of the version that answered."""

from dataclasses import dataclass

from gateway.backend import Backend
from gateway.deadline import Deadline
from gateway.errors import ModelContractError, ModelNotReadyError, ModelServerUnavailableError
from gateway.labels import LabelCache


@dataclass(frozen=True, slots=True)
class Prediction:
    """The most probable intent of one text."""

    intent: str
    score: float
    """Its probability, 0 to 1."""
    version: int
    """The model version that said so."""


class Classifier:
    """Names every prediction by the label list of the version that made it."""

    def __init__(self, backend: Backend, labels: LabelCache) -> None:
        self._backend = backend
        self._labels = labels

    async def classify(self, text: str, deadline: Deadline) -> Prediction:
        """Classifies one text.

        Asks a second time when the version went away, or the connection changed, between answer and labels.

        Raises:
            BackendError: no usable answer in either round; see the tree in `errors`.
        """
        try:
            return await self._ask(text, deadline)
        except _MovedError:
            try:
                return await self._ask(text, deadline)
            except _MovedError as error:
                raise error.reason from error

    async def _ask(self, text: str, deadline: Deadline) -> Prediction:
        generation = self._labels.generation
        try:
            answer = await self._backend.predict([text], deadline)
        except ModelNotReadyError:
            # Nothing is served: what is served next may reuse the number.
            self._labels.forget()
            raise
        try:
            names = await self._labels.of(answer.version, deadline)
        except ModelNotReadyError as error:
            raise _MovedError(error) from error
        if generation != self._labels.generation:
            raise _MovedError(ModelServerUnavailableError("the model server keeps changing; try again in a moment"))
        if len(names) != answer.classes:
            self._labels.drop(answer.version)
            raise _MovedError(ModelContractError("the model names more or fewer intents than it has probabilities"))
        index = answer.label_indices[0]
        return Prediction(names[index], answer.probability(0, index), answer.version)


class _MovedError(Exception):
    """Answer and labels may come from different models; `reason` is what the client hears if it happens again."""

    def __init__(self, reason: ModelContractError | ModelNotReadyError | ModelServerUnavailableError) -> None:
        super().__init__(str(reason))
        self.reason = reason
