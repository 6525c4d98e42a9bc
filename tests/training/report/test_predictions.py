"""What a classifier answered: by split, with and without context, and the loss."""

import math

import numpy as np
import pytest

from tests.training.hand import LABELS, Stand, answers, dataset, rows
from training.report.predictions import Predictions, predict


def test_loss_is_the_mean_surprise_in_nats() -> None:
    found = answers(rows(["ask", "stop"]), ["ask", "next"], confidence=[0.9, 0.6])
    assert found.loss == pytest.approx(-(math.log(0.9) + math.log(0.2)) / 2)
    assert found.correct.tolist() == [True, False]
    assert found.confidence == pytest.approx([0.9, 0.6])


def test_masked_intent_does_not_drown_the_loss() -> None:
    masked = Predictions(rows(["ask"]), LABELS, np.array([[-1e4, 0.0, 0.0]]))
    assert masked.loss == pytest.approx(-math.log(1e-7))


def test_temperature_flattens_and_leaves_the_answer() -> None:
    found = answers(rows(["ask"]), ["ask"], confidence=0.9)
    cooler = found.divided_by(2)
    assert cooler.predicted.tolist() == found.predicted.tolist()
    # 0.9 : 0.05 is 18 : 1, its root 4.24 : 1, twice.
    assert cooler.confidence == pytest.approx([math.sqrt(18) / (math.sqrt(18) + 2)])


def test_context_is_given_only_where_asked_for() -> None:
    data = dataset(rows(["ask"], text="what now", split="train"), rows(["stop"], previous="hi", role="teacher"))
    classifier = Stand()
    assert set(predict(classifier, data)) == {"train", "validation"}
    assert classifier.asked == [(["what now"], None, None), (["go on"], None, None)]
    with_context = predict(classifier, data, with_context=True)
    assert classifier.asked[2:] == [(["what now"], ["student"], [""]), (["go on"], ["teacher"], ["hi"])]
    assert with_context["validation"].correct.all()
