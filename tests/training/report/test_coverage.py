"""Answering only when sure: the curve, and the threshold that is recommended."""

import numpy as np
import pytest

from training.report import coverage

CONFIDENCE = np.array([0.6, 0.9, 0.7, 0.8])
CORRECT = np.array([True, True, False, True])


def test_curve_answers_the_most_confident_first() -> None:
    share, accuracy = coverage.curve(CONFIDENCE, CORRECT)
    assert share.tolist() == [0.25, 0.5, 0.75, 1]
    assert accuracy == pytest.approx([1, 1, 2 / 3, 3 / 4])


def test_accuracy_at_a_share_of_the_rows() -> None:
    found = coverage.accuracy_at(CONFIDENCE, CORRECT)
    assert found.keys() >= {"0.70", "0.80", "0.90", "1.00"}
    assert (found["0.05"], found["0.50"], found["0.75"], found["1.00"]) == pytest.approx((1, 1, 2 / 3, 3 / 4))


def test_rows_at_the_threshold_are_answered() -> None:
    assert coverage.answered(CONFIDENCE, CORRECT, 0.7) == coverage.Answered(0.7, 0.75, 2 / 3)
    assert coverage.answered(CONFIDENCE, CORRECT, 0.95) == coverage.Answered(0.95, 0, None)


def test_recommended_is_the_smallest_threshold_that_is_right_often_enough() -> None:
    assert coverage.recommend(CONFIDENCE, CORRECT) == coverage.Answered(0.71, 0.5, 1)
    # 9 of 10 right already: every row is answered.
    assert coverage.recommend(np.linspace(0.1, 1, 10), np.arange(10) > 0) == coverage.Answered(0, 1, 0.9)


def test_threshold_that_answers_too_few_is_not_recommended() -> None:
    """Only the three surest of ten rows are all right: the best threshold that answers half is taken instead."""
    confidence = np.linspace(0.1, 1, 10)
    correct = np.array([0, 0, 0, 0, 1, 1, 0, 1, 1, 1], bool)
    found = coverage.recommend(confidence, correct)
    assert found.accuracy == pytest.approx(5 / 6)
    assert found.coverage == 0.6
    assert found.threshold == pytest.approx(0.41)
