"""Abstaining below a threshold: the share of rows that are still answered, and the accuracy of those answers."""

from dataclasses import dataclass

import numpy as np

# The recommended threshold aims at this accuracy of the answers.
TARGET = 0.90
# A threshold that leaves more than half of the rows unanswered is of little use, and the fewer rows, the more chance.
LEAST_COVERAGE = 0.5
# In whole per cent: finer ones would only fit the validation rows.
THRESHOLDS = np.arange(100) / 100
SHARES = np.arange(5, 101, 5) / 100


@dataclass(frozen=True)
class Answered:
    """The effect of a threshold: rows of at least this confidence are answered.

    Attributes:
        coverage: share of the rows that are answered.
        accuracy: share of the answers that are right; None without any answer.
    """

    threshold: float
    coverage: float
    accuracy: float | None


def curve(confidence: np.ndarray, correct: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coverage and accuracy, float64 [rows] each, when the 1, 2, 3, ... most confident rows are answered."""
    answered = np.arange(1, len(correct) + 1)
    return answered / len(correct), np.cumsum(correct[np.argsort(-confidence, kind="stable")]) / answered


def accuracy_at(confidence: np.ndarray, correct: np.ndarray) -> dict[str, float]:
    """Share of the rows that are answered ("0.05", "0.10", ... "1.00"), the most confident first -> their accuracy."""
    _, accuracy = curve(confidence, correct)
    return {f"{share:.2f}": float(accuracy[max(round(share * len(correct)), 1) - 1]) for share in SHARES}


def answered(confidence: np.ndarray, correct: np.ndarray, threshold: float) -> Answered:
    """The effect of a threshold on these rows."""
    sure = confidence >= threshold
    return Answered(float(threshold), float(sure.mean()), float(correct[sure].mean()) if sure.any() else None)


def recommend(confidence: np.ndarray, correct: np.ndarray) -> Answered:
    """The threshold to abstain below, chosen on rows that were not trained on.

    It is the smallest whole per cent at which `TARGET` of the answers are right. If none that answers `LEAST_COVERAGE`
    of the rows reaches that, it is the one among those with the most answers right, the smallest of equals.
    """
    found = [answered(confidence, correct, threshold) for threshold in THRESHOLDS]
    useful = [(one.accuracy, one) for one in found if one.accuracy is not None and one.coverage >= LEAST_COVERAGE]
    good = [one for accuracy, one in useful if accuracy >= TARGET]
    return good[0] if good else max(useful, key=lambda pair: pair[0])[1]
