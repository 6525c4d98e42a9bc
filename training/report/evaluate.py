"""How good a classifier is on the splits of a data set."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from training.data.dataset import Dataset
from training.report.calibration import Bin, expected_calibration_error, reliability
from training.report.coverage import accuracy_at
from training.report.intervals import Interval, conversations, intervals
from training.report.predictions import Classifier, Predictions, predict

# Name of each group of texts -> the most words in it. Half of the published turns have 9 to 16 words.
LENGTHS = {"1 to 8 words": 8, "9 to 16 words": 16, "17 to 32 words": 32, "33 words or more": np.inf}


@dataclass(frozen=True)
class IntentFigures:
    """How well one intent is recognised; `rows` is how many rows are labelled with it."""

    precision: float
    recall: float
    f1: float
    rows: int


@dataclass(frozen=True)
class Group:
    """The rows of one domain, role or length."""

    rows: int
    accuracy: float


@dataclass(frozen=True)
class Evaluation:
    """The figures of one split.

    Attributes:
        loss: mean categorical cross-entropy, nats.
        accuracy_interval, macro_f1_interval: 95 %, see `training.report.intervals`.
        macro_f1: unweighted mean over the intents that occur in the split.
        ece: expected calibration error, see `training.report.calibration`.
        bins: the reliability diagram.
        accuracy_at: share of the rows answered, the most confident first ("0.80") -> accuracy among them.
        by_domain, by_role, by_length: groups without rows are left out.
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
    bins: list[Bin]
    accuracy_at: dict[str, float]
    per_class: dict[str, IntentFigures]
    by_domain: dict[str, Group]
    by_role: dict[str, Group]
    by_length: dict[str, Group]
    confusion: list[list[int]]


def evaluate(classifier: Classifier, dataset: Dataset, with_context: bool = False) -> dict[str, Evaluation]:
    """Every split that has rows -> its figures, from the text alone or with role and previous turn."""
    return {name: measure(answers) for name, answers in predict(classifier, dataset, with_context).items()}


def measure(predictions: Predictions) -> Evaluation:
    """The figures of one split, which has rows."""
    rows, correct = predictions.rows, predictions.correct
    true, predicted, labels = predictions.true, predictions.predicted, predictions.labels
    indices = range(len(labels))
    by_intent = precision_recall_fscore_support(true, predicted, labels=indices, zero_division=0)
    lie = intervals(predictions)
    bins = reliability(predictions.confidence, correct)
    words = [len(text.split()) for text in rows["text"]]
    lengths = pd.Series(pd.cut(np.array(words), [-1, *LENGTHS.values()], labels=list(LENGTHS)), rows.index)
    return Evaluation(
        rows=len(true),
        conversations=len(set(conversations(predictions))),
        loss=predictions.loss,
        accuracy=float(correct.mean()),
        accuracy_interval=lie.accuracy,
        macro_f1=float(f1_score(true, predicted, labels=sorted(set(true)), average="macro", zero_division=0)),
        macro_f1_interval=lie.macro_f1,
        ece=expected_calibration_error(bins),
        bins=bins,
        accuracy_at=accuracy_at(predictions.confidence, correct),
        per_class={
            label: IntentFigures(float(precision), float(recall), float(f1), int(support))
            for label, precision, recall, f1, support in zip(labels, *by_intent, strict=True)
        },
        by_domain=_by(rows["domain"], correct),
        by_role=_by(rows["role"], correct),
        by_length=_by(lengths, correct),
        confusion=confusion_matrix(true, predicted, labels=indices).tolist(),
    )


def _by(group: "pd.Series[str]", correct: np.ndarray) -> dict[str, Group]:
    """The group that each row belongs to -> the figures of every group, ordered by name or length."""
    return {
        str(name): Group(len(found), float(found.mean()))
        for name, found in pd.Series(correct, group.index).groupby(group, observed=True)
    }
