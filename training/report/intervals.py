"""95 % intervals of accuracy and macro-F1: a bootstrap over conversations.

Turns of one conversation resemble each other, so whole conversations are drawn, not rows: the cluster bootstrap of
Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8, with percentile intervals.
The confusion matrix of a resample is the sum of those of its conversations, which is all that both figures need.
"""

from dataclasses import dataclass

import numpy as np

from training.report.predictions import Predictions

RESAMPLES = 1000
# Ends of a 95 % interval.
PERCENTILES = (2.5, 97.5)
SEED = 0

# Lower and upper end; None if there are fewer than two conversations to draw from.
Interval = tuple[float, float] | None


@dataclass(frozen=True)
class Intervals:
    """The 95 % intervals of a split's figures, or of the difference between two classifiers on the same rows."""

    accuracy: Interval
    macro_f1: Interval


def conversations(predictions: Predictions) -> np.ndarray:
    """The conversation of each row by number, int64 [rows]."""
    return predictions.rows.groupby(["domain", "conversation_id"]).ngroup().to_numpy()


def intervals(predictions: Predictions) -> Intervals:
    """The intervals of one classifier's accuracy and macro-F1."""
    resampled = _resampled(predictions)
    return Intervals(_interval(accuracy(resampled)), _interval(macro_f1(resampled)))


def gain(predictions: Predictions, over: Predictions) -> Intervals:
    """The intervals of the differences in accuracy and macro-F1.

    Both classifiers get the same resamples, so that a hard conversation counts against both.
    """
    resampled, others = _resampled(predictions), _resampled(over)
    return Intervals(
        _interval(accuracy(resampled) - accuracy(others)), _interval(macro_f1(resampled) - macro_f1(others))
    )


def accuracy(confusions: np.ndarray) -> np.ndarray:
    """Confusion matrices [resamples, true, predicted] -> share of rows on the diagonal [resamples]."""
    share: np.ndarray = np.trace(confusions, axis1=1, axis2=2) / confusions.sum(axis=(1, 2))
    return share


def macro_f1(confusions: np.ndarray) -> np.ndarray:
    """Confusion matrices [resamples, true, predicted] -> mean F1 of the intents that occur in each [resamples]."""
    rows, answers = confusions.sum(axis=2), confusions.sum(axis=1)
    found = np.diagonal(confusions, axis1=1, axis2=2)
    f1 = 2 * found / np.maximum(rows + answers, 1)
    mean: np.ndarray = (f1 * (rows > 0)).sum(axis=1) / (rows > 0).sum(axis=1)
    return mean


def _resampled(predictions: Predictions) -> np.ndarray:
    """Confusion matrices of the resamples, float64 [resamples, intents, intents]; none if there is one conversation."""
    intents = len(predictions.labels)
    conversation = conversations(predictions)
    count = conversation.max() + 1
    if count < 2:
        return np.empty((0, intents, intents))
    cell = (conversation * intents + predictions.true) * intents + predictions.predicted
    confusions = np.bincount(cell, minlength=count * intents * intents).reshape(count, -1)
    times_drawn = np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    # In float64, which is exact for counts and has the fast matrix product.
    return (times_drawn.astype(np.float64) @ confusions).reshape(RESAMPLES, intents, intents)


def _interval(values: np.ndarray) -> Interval:
    if not values.size:
        return None
    low, high = np.percentile(values, PERCENTILES)
    return float(low), float(high)
