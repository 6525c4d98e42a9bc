"""The errors that a person should read."""

import numpy as np
import pytest

from tests.training.hand import answers, rows
from training.report.review import COLUMNS, MOST, confident_errors


def test_surest_errors_come_first_and_right_answers_not_at_all() -> None:
    table = rows(["ask", "ask", "stop"], text=["unsure", "right", "sure"], previous=["", "", "before"])
    found = confident_errors({"validation": answers(table, ["next", "ask", "next"], confidence=[0.5, 0.9, 0.8])})
    assert list(found.columns) == list(COLUMNS)
    assert found["text"].tolist() == ["sure", "unsure"]
    first = found.iloc[0]
    assert (first["true"], first["predicted"], first["previous"], first["split"]) == (
        "stop",
        "next",
        "before",
        "validation",
    )
    assert (first["probability"], first["probability_of_true"]) == pytest.approx((0.8, 0.1))


def test_each_split_has_its_surest_and_training_rows_are_left_out() -> None:
    many = rows(["ask"] * 100)
    wrong = answers(many, ["stop"] * 100, confidence=np.linspace(0.4, 0.9, 100))
    found = confident_errors({"train": wrong, "validation": wrong, "test": wrong})
    assert found["split"].value_counts().to_dict() == {"validation": MOST, "test": MOST}
    assert found["probability"].min() == pytest.approx(np.linspace(0.4, 0.9, 100)[-MOST])


def test_no_errors_no_rows() -> None:
    found = confident_errors({"test": answers(rows(["ask"]), ["ask"])})
    assert (list(found.columns), len(found)) == (list(COLUMNS), 0)
