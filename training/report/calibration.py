"""Whether a probability of 0.8 is right in 8 of 10 cases: temperature, calibration error, reliability."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from training.report.predictions import log_probabilities

# Equal-width bins, as many as Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, report with.
BINS = 15
# Limits of the search. Guo et al. find 1 to 3; a few rows that are all right would drive the temperature to 0.
TEMPERATURES = (0.1, 10.0)


@dataclass(frozen=True)
class Bin:
    """The rows whose confidence lies above `low`, up to `high`: their mean confidence and accuracy."""

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: float


def fit_temperature(logits: np.ndarray, true: np.ndarray) -> float:
    """The temperature to divide logits by: the one of least cross-entropy (Guo et al. 2017, section 4.2).

    Args:
        logits: float [rows, intents], of rows that were not trained on.
        true: index of the labelled intent, int [rows].
    """
    rows = np.arange(len(true))

    def loss(log_temperature: float) -> float:
        return -float(log_probabilities(logits / np.exp(log_temperature))[rows, true].mean())

    # The search is over the logarithm, so that halving and doubling are steps of the same length.
    return float(np.exp(minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded").x))


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


def expected_calibration_error(bins: list[Bin]) -> float:
    """Mean distance of confidence and accuracy over the bins, weighted by their rows (Naeini et al., AAAI 2015)."""
    return sum(bin.rows * abs(bin.confidence - bin.accuracy) for bin in bins) / sum(bin.rows for bin in bins)
