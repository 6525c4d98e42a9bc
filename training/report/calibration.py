"""Whether probabilities mean what they say: temperature, calibration error, reliability."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from training.report import coverage
from training.report.predictions import Predictions, log_probabilities

# Equal-width bins, as many as Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, report with.
BINS = 15
# Far beyond what any classifier needs (Guo et al. find 1 to 3); a few rows that are all right would ask for 0.
TEMPERATURES = (0.1, 10.0)


@dataclass(frozen=True)
class Bin:
    """The rows whose confidence lies above `low`, up to `high`: how sure they were, and how right."""

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Calibration:
    """How honest the probabilities of one split are.

    Attributes:
        loss: mean cross-entropy, nats.
        ece: expected calibration error, see `expected_calibration_error`.
        bins: the reliability diagram, without its empty bins.
        accuracy_at: share of the rows answered, the most confident first ("0.80") -> accuracy among them.
    """

    loss: float
    ece: float
    bins: list[Bin]
    accuracy_at: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """The figures as plain values."""
        return asdict(self)


def fit_temperature(logits: np.ndarray, true: np.ndarray) -> float:
    """The temperature to divide logits by: the one of least cross-entropy (Guo et al. 2017, section 4.2).

    Args:
        logits: float [rows, intents], of rows that were not trained on.
        true: index of the labelled intent, int [rows].
    """
    rows = np.arange(len(true))

    def loss(log_temperature: float) -> float:
        return -float(log_probabilities(logits / np.exp(log_temperature))[rows, true].mean())

    # By its logarithm: halving and doubling are steps of the same length.
    return float(np.exp(minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded").x))


def calibration(predictions: Predictions) -> Calibration:
    """The figures of a split."""
    confidence, correct = predictions.confidence, predictions.correct
    return Calibration(
        loss=predictions.loss,
        ece=expected_calibration_error(confidence, correct),
        bins=reliability(confidence, correct),
        accuracy_at=coverage.accuracy_at(confidence, correct),
    )


def reliability(confidence: np.ndarray, correct: np.ndarray) -> list[Bin]:
    """The reliability diagram: the bins that have rows, from unsure to sure."""
    number = np.clip(np.ceil(confidence * BINS) - 1, 0, BINS - 1).astype(int)
    return [
        Bin(
            low=float(index / BINS),
            high=float((index + 1) / BINS),
            rows=int((number == index).sum()),
            confidence=float(confidence[number == index].mean()),
            accuracy=float(correct[number == index].mean()),
        )
        for index in np.unique(number)
    ]


def expected_calibration_error(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Mean distance of confidence and accuracy over the bins, by their rows (Naeini et al., AAAI 2015)."""
    bins = reliability(confidence, correct)
    return sum(bin.rows * abs(bin.confidence - bin.accuracy) for bin in bins) / len(confidence)
