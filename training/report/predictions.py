"""What a classifier answered for the rows of a split, and what it should have."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd
from scipy.special import log_softmax

from training.data.dataset import SPLITS, Dataset

# Smaller probabilities count as this one: a row whose intent the prior masks must not outweigh all others in the loss.
LEAST_PROBABILITY = 1e-7


class Classifier(Protocol):
    """What is asked of a classifier; `training.fit.classifier` describes it. Here nothing needs TensorFlow."""

    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def context(self) -> str: ...
    @property
    def temperature(self) -> float: ...
    def logits(
        self, texts: Sequence[str], roles: Sequence[str] | None = None, previous: Sequence[str] | None = None
    ) -> np.ndarray: ...


def log_probabilities(logits: np.ndarray) -> np.ndarray:
    """Logits [rows, intents] -> log probabilities, float64 of the same shape, none below log(1e-7)."""
    logs: np.ndarray = log_softmax(logits.astype(np.float64), axis=1)
    logs[logs < np.log(LEAST_PROBABILITY)] = np.log(LEAST_PROBABILITY)
    return logs


@dataclass(frozen=True)
class Predictions:
    """The answers for some rows of a data set's table.

    Attributes:
        rows: columns as `training.data.dataset` has them.
        labels: the intents in index order.
        logits: float [rows, intents].
    """

    rows: pd.DataFrame
    labels: tuple[str, ...]
    logits: np.ndarray

    @cached_property
    def true(self) -> np.ndarray:
        """Index of the labelled intent, int64 [rows]."""
        return np.array([self.labels.index(intent) for intent in self.rows["intent"]], np.int64)

    @cached_property
    def predicted(self) -> np.ndarray:
        """Index of the most probable intent, int64 [rows]."""
        indices: np.ndarray = self.logits.argmax(axis=1)
        return indices

    @cached_property
    def correct(self) -> np.ndarray:
        """Whether the most probable intent is the labelled one, bool [rows]."""
        right: np.ndarray = self.predicted == self.true
        return right

    @cached_property
    def confidence(self) -> np.ndarray:
        """Probability of the most probable intent, float64 [rows]."""
        highest: np.ndarray = np.exp(log_probabilities(self.logits).max(axis=1))
        return highest

    @cached_property
    def loss(self) -> float:
        """Mean cross-entropy, nats."""
        return -float(log_probabilities(self.logits)[np.arange(len(self.true)), self.true].mean())

    def divided_by(self, temperature: float) -> "Predictions":
        """The answers with all logits divided by a temperature."""
        return Predictions(self.rows, self.labels, self.logits / temperature)


def predict(classifier: Classifier, dataset: Dataset, with_context: bool = False) -> dict[str, Predictions]:
    """Every split that has rows -> what the classifier answers from the text alone, or with role and previous turn."""

    def answers(rows: pd.DataFrame) -> Predictions:
        context = [list(rows["role"]), list(rows["previous"])] if with_context else []
        return Predictions(rows, classifier.labels, classifier.logits(list(rows["text"]), *context))

    splits = {name: dataset.split(name) for name in SPLITS}
    return {name: answers(rows) for name, rows in splits.items() if not rows.empty}
