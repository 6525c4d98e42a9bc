"""Bootstrap intervals over conversations."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, f1_score

from tests.training.hand import LABELS, answers, rows
from training.report import intervals
from training.report.intervals import gain
from training.report.predictions import Predictions


def split(right: list[bool], conversations: list[str], domain: str | list[str] = "cooking") -> Predictions:
    """Rows labelled `next`, answered right or wrong."""
    table = rows(["next"] * len(right), conversation_id=conversations, domain=domain)
    return answers(table, ["next" if good else "stop" for good in right])


def width(interval: intervals.Interval) -> float:
    assert interval is not None
    return interval[1] - interval[0]


def test_whole_conversations_are_drawn_not_rows() -> None:
    """One conversation all right, one all wrong: the next two may be two like either. Rows would say 0.4 to 0.6."""
    found = intervals.intervals(split([True] * 50 + [False] * 50, ["a"] * 50 + ["b"] * 50))
    assert found.accuracy == (0, 1)


def test_fewer_conversations_are_a_wider_interval() -> None:
    right = [True] * 300 + [False] * 100
    many = intervals.intervals(split(right, [f"c-{row // 10}" for row in range(400)]))
    few = intervals.intervals(split(right, [f"c-{row // 100}" for row in range(400)]))
    assert width(few.accuracy) > 2 * width(many.accuracy) > 0
    # 40 conversations, each right or wrong as a whole: 0.75 ± 1.96 * sqrt(0.75 * 0.25 / 40).
    assert many.accuracy == pytest.approx((0.616, 0.884), abs=0.03)


def test_one_conversation_tells_nothing_about_others() -> None:
    found = intervals.intervals(split([True, False], ["a", "a"]))
    assert (found.accuracy, found.macro_f1) == (None, None)
    assert gain(split([True], ["a"]), split([False], ["a"])).accuracy is None


def test_same_name_in_another_domain_is_another_conversation() -> None:
    assert intervals.conversations(split([True] * 3, ["a", "a", "a"], ["cooking", "diy", "cooking"])).tolist() == [
        0,
        1,
        0,
    ]


def test_same_rows_give_the_same_interval() -> None:
    right, conversations = [row % 3 > 0 for row in range(90)], [f"c-{row // 7}" for row in range(90)]
    assert intervals.intervals(split(right, conversations)) == intervals.intervals(split(right, conversations))


def test_gain_is_drawn_from_the_same_conversations() -> None:
    """Two classifiers that differ in one row of every ten: a sure gain, however unsure each accuracy is."""
    conversations = [f"c-{row // 10}" for row in range(100)]
    worse = [row // 10 < 5 and row % 10 > 0 for row in range(100)]
    better = [good or row % 10 == 0 for row, good in enumerate(worse)]
    assert width(intervals.intervals(split(better, conversations)).accuracy) > 0.3
    assert gain(split(better, conversations), split(worse, conversations)).accuracy == pytest.approx((0.1, 0.1))


def test_macro_f1_of_a_confusion_matrix_is_that_of_its_rows() -> None:
    generator = np.random.default_rng(1)
    true, predicted = generator.integers(0, 2, 50), generator.integers(0, len(LABELS), 50)
    matrix = confusion_matrix(true, predicted, labels=range(len(LABELS)))[np.newaxis]
    # `stop` is predicted but never right, and occurs in no row: it does not count.
    assert intervals.macro_f1(matrix)[0] == pytest.approx(f1_score(true, predicted, labels=[0, 1], average="macro"))
    assert intervals.accuracy(matrix)[0] == pytest.approx((true == predicted).mean())
