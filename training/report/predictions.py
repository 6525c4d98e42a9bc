"""What a classifier answered for the rows of a split, and what it should have."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import log_softmax

from training.data.dataset import SPLITS, Dataset

if TYPE_CHECKING:  # it imports TensorFlow, which no figure here needs
    from training.fit.classifier import TrainedClassifier

# Less probable than this counts as this: one intent that a prior masks must not drown the mean loss of all rows.
LEAST_PROBABILITY = 1e-7


def log_probabilities(logits: np.ndarray) -> np.ndarray:
    """Logits [rows, intents] -> log probabilities, float64 of the same shape, none below log(1e-7)."""
    return np.maximum(log_softmax(logits.astype(np.float64), axis=1), np.log(LEAST_PROBABILITY))


@dataclass(frozen=True)
class Predictions:
    """The answers for some rows of a data set's table.

    Attributes:
        rows: columns as `training.dataset` has them.
        labels: the intents in index order.
        logits: float [rows, intents].
    """

    rows: pd.DataFrame
    labels: tuple[str, ...]
    logits: np.ndarray

    @cached_property
    def true(self) -> np.ndarray:
        """Index of the labelled intent, int64 [rows]."""
        return self.rows["intent"].map(self.labels.index).to_numpy(np.int64)

    @cached_property
    def predicted(self) -> np.ndarray:
        """Index of the most probable intent, int64 [rows]."""
        return self.logits.argmax(axis=1)

    @cached_property
    def correct(self) -> np.ndarray:
        """Whether the most probable intent is the labelled one, bool [rows]."""
        return self.predicted == self.true

    @cached_property
    def confidence(self) -> np.ndarray:
        """Probability of the most probable intent, float64 [rows]."""
        return np.exp(log_probabilities(self.logits).max(axis=1))

    @cached_property
    def loss(self) -> float:
        """Mean cross-entropy, nats."""
        return -float(log_probabilities(self.logits)[np.arange(len(self.true)), self.true].mean())

    def divided_by(self, temperature: float) -> "Predictions":
        """The answers with all logits divided by a temperature."""
        return Predictions(self.rows, self.labels, self.logits / temperature)


def predict(classifier: "TrainedClassifier", dataset: Dataset, with_context: bool = False) -> dict[str, Predictions]:
    """Every split that has rows -> what the classifier answers from the text alone, or with role and previous turn."""

    def answers(rows: pd.DataFrame) -> Predictions:
        context = [list(rows["role"]), list(rows["previous"])] if with_context else []
        return Predictions(rows, classifier.labels, classifier.logits(list(rows["text"]), *context))

    splits = {name: dataset.split(name) for name in SPLITS}
    return {name: answers(rows) for name, rows in splits.items() if not rows.empty}
