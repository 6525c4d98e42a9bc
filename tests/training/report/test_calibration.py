"""Temperature, calibration error and the reliability diagram, on numbers whose answer is known."""

import numpy as np
import pytest

from tests.training.hand import answers, rows
from training.report.calibration import BINS, expected_calibration_error, fit_temperature, reliability
from training.report.evaluate import measure


def three_to_one(scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits that say 3 to 1 at scale 1, and 75 of 100 rows that agree."""
    logits = np.tile([np.log(3), 0.0], (100, 1)) * scale
    return logits, np.array([0] * 75 + [1] * 25)


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.5])
def test_temperature_undoes_the_scale_of_the_logits(scale: float) -> None:
    assert fit_temperature(*three_to_one(scale)) == pytest.approx(scale, rel=1e-3)


def test_rows_of_a_masked_intent_do_not_move_the_temperature() -> None:
    logits, true = three_to_one(2.5)
    masked = np.array([[-1e4, 0.0]])
    assert fit_temperature(np.vstack([logits, masked]), np.append(true, 0)) == pytest.approx(2.5, rel=1e-3)


def test_temperature_of_rows_that_are_all_right_stays_finite() -> None:
    assert 0.1 <= fit_temperature(np.array([[2.0, 0.0]]), np.array([0])) < 0.2


def test_calibration_error_of_a_known_table() -> None:
    """Half of the rows 0.95 sure and 0.5 right, half 0.55 sure and 0.6 right: (0.45 + 0.05) / 2."""
    confidence = np.array([0.95] * 10 + [0.55] * 10)
    correct = np.array([True] * 5 + [False] * 5 + [True] * 6 + [False] * 4)
    unsure, sure = reliability(confidence, correct)
    assert expected_calibration_error([unsure, sure]) == pytest.approx(0.25)
    assert (unsure.rows, unsure.confidence, unsure.accuracy) == pytest.approx((10, 0.55, 0.6))
    assert (sure.rows, sure.confidence, sure.accuracy) == pytest.approx((10, 0.95, 0.5))
    assert (sure.low, sure.high) == pytest.approx((14 / 15, 1))


def test_bins_are_open_below_and_closed_above() -> None:
    edges = np.array([1 / BINS, np.nextafter(1 / BINS, 1), 1.0])
    assert [(round(bin.low * BINS), bin.rows) for bin in reliability(edges, np.ones(3, bool))] == [
        (0, 1),
        (1, 1),
        (14, 1),
    ]


def test_temperature_mends_the_calibration_of_a_split() -> None:
    overconfident = answers(rows(["ask"] * 60 + ["next"] * 40), ["ask"] * 100, confidence=0.98)
    before = measure(overconfident)
    after = measure(overconfident.divided_by(fit_temperature(overconfident.logits, overconfident.true)))
    assert before.ece == pytest.approx(0.38)
    assert after.ece < 0.1
    assert after.loss < before.loss
    assert after.accuracy_at["1.00"] == before.accuracy_at["1.00"] == pytest.approx(0.6)
