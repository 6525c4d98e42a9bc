"""How good a trained classifier is on the splits of a data set."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from training.classifier import TrainedClassifier
from training.dataset import SPLITS, Dataset


@dataclass(frozen=True)
class Evaluation:
    """The figures of one split.

    Attributes:
        loss: mean categorical cross-entropy, nats.
        macro_f1: unweighted mean over the intents that occur in the split.
        per_class: intent -> precision, recall, f1, rows.
        confusion: int [11, 11], rows = true intent, columns = predicted, in label order.
    """

    rows: int
    loss: float
    accuracy: float
    macro_f1: float
    per_class: dict[str, dict[str, float]]
    confusion: list[list[int]]

    def as_json(self) -> dict[str, Any]:
        """The figures as plain values."""
        return asdict(self)


def evaluate(classifier: TrainedClassifier, dataset: Dataset) -> dict[str, Evaluation]:
    """Every split that has rows -> its figures."""
    splits = {name: dataset.split(name) for name in SPLITS}
    return {name: _evaluate(classifier, rows) for name, rows in splits.items() if not rows.empty}


def _evaluate(classifier: TrainedClassifier, rows: pd.DataFrame) -> Evaluation:
    labels = classifier.labels
    true = np.array([labels.index(intent) for intent in rows["intent"]])
    logits = classifier.logits(list(rows["text"]))
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(true, logits).numpy().mean()
    predicted = logits.argmax(axis=1)
    present = sorted(set(true))
    precision, recall, f1, support = precision_recall_fscore_support(
        true, predicted, labels=range(len(labels)), zero_division=0
    )
    return Evaluation(
        rows=len(rows),
        loss=float(loss),
        accuracy=float(accuracy_score(true, predicted)),
        macro_f1=float(f1_score(true, predicted, labels=present, average="macro", zero_division=0)),
        per_class={
            label: {
                "precision": float(precision[index]),
                "recall": float(recall[index]),
                "f1": float(f1[index]),
                "rows": int(support[index]),
            }
            for index, label in enumerate(labels)
        },
        confusion=confusion_matrix(true, predicted, labels=range(len(labels))).tolist(),
    )
