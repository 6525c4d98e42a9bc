"""How good a classifier is on the splits of a data set."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from training.data.dataset import Dataset
from training.report.calibration import expected_calibration_error
from training.report.intervals import Interval, conversations, intervals
from training.report.predictions import Predictions, predict

if TYPE_CHECKING:  # it imports TensorFlow, which no figure here needs
    from training.fit.classifier import TrainedClassifier

# Words of a text, at most. Half of the published turns have 9 to 16; few have less than 5 or more than 32.
LENGTHS = {"1 to 8 words": 8, "9 to 16 words": 16, "17 to 32 words": 32, "33 words or more": np.inf}


@dataclass(frozen=True)
class Evaluation:
    """The figures of one split.

    Attributes:
        loss: mean categorical cross-entropy, nats.
        accuracy_interval, macro_f1_interval: 95 %, see `training.intervals`.
        macro_f1: unweighted mean over the intents that occur in the split.
        ece: expected calibration error, see `training.calibration`.
        per_class: intent -> precision, recall, f1, rows.
        by_domain, by_role, by_length: group -> rows, accuracy; groups without rows are left out.
        confusion: int [11, 11], rows = true intent, columns = predicted, in label order.
    """

    rows: int
    conversations: int
    loss: float
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval
    ece: float
    per_class: dict[str, dict[str, float]]
    by_domain: dict[str, dict[str, float]]
    by_role: dict[str, dict[str, float]]
    by_length: dict[str, dict[str, float]]
    confusion: list[list[int]]

    def as_json(self) -> dict[str, Any]:
        """The figures as plain values."""
        return asdict(self)


def evaluate(classifier: "TrainedClassifier", dataset: Dataset, with_context: bool = False) -> dict[str, Evaluation]:
    """Every split that has rows -> its figures, from the text alone or with role and previous turn."""
    return {name: measure(answers) for name, answers in predict(classifier, dataset, with_context).items()}


def measure(predictions: Predictions) -> Evaluation:
    """The figures of one split, which has rows."""
    true, predicted, labels = predictions.true, predictions.predicted, predictions.labels
    precision, recall, f1, support = precision_recall_fscore_support(
        true, predicted, labels=range(len(labels)), zero_division=0
    )
    lie = intervals(predictions)
    rows = predictions.rows
    lengths = pd.cut(rows["text"].str.split().str.len(), [-1, *LENGTHS.values()], labels=list(LENGTHS))
    return Evaluation(
        rows=len(true),
        conversations=len(set(conversations(predictions))),
        loss=predictions.loss,
        accuracy=float(accuracy_score(true, predicted)),
        accuracy_interval=lie.accuracy,
        macro_f1=float(f1_score(true, predicted, labels=sorted(set(true)), average="macro", zero_division=0)),
        macro_f1_interval=lie.macro_f1,
        ece=expected_calibration_error(predictions.confidence, predictions.correct),
        per_class={
            label: {
                "precision": float(precision[index]),
                "recall": float(recall[index]),
                "f1": float(f1[index]),
                "rows": int(support[index]),
            }
            for index, label in enumerate(labels)
        },
        by_domain=_by(rows["domain"], predictions.correct),
        by_role=_by(rows["role"], predictions.correct),
        by_length=_by(lengths, predictions.correct),
        confusion=confusion_matrix(true, predicted, labels=range(len(labels))).tolist(),
    )


def _by(group: pd.Series, correct: np.ndarray) -> dict[str, dict[str, float]]:
    """Group of each row -> rows and accuracy of every group that occurs, in the order of their names or lengths."""
    return {
        str(name): {"rows": len(found), "accuracy": float(found.mean())}
        for name, found in pd.Series(correct, group.index).groupby(group, observed=True)
    }
