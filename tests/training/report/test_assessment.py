"""All figures of a classifier, by the way it is asked."""

import pytest

from tests.training.hand import Stand, dataset, rows
from training.data.dataset import Dataset
from training.report.assessment import Assessment, assess
from training.report.coverage import Answered
from training.report.metrics import TEXT_ALONE, WITH_CONTEXT


@pytest.fixture(scope="module")
def data() -> Dataset:
    """Four turns in each of six conversations; only the role tells the thanks that end one from those that go on."""
    intents = ["ask", "next", "next", "stop"] * 6
    columns = {
        "text": ["what is it?", "go on with the next one", "thanks", "thanks"] * 6,
        "role": ["student", "student", "student", "teacher"] * 6,
        "conversation_id": [f"c-{row // 4}" for row in range(24)],
    }
    return dataset(*(rows(intents, split=split, **columns) for split in ("train", "validation", "test")))


@pytest.fixture(scope="module")
def assessed(data: Dataset) -> Assessment:
    return assess(Stand(), data)


def test_both_ways_to_ask_are_measured(assessed: Assessment) -> None:
    text, told = (assessed.views[name].evaluations for name in (TEXT_ALONE, WITH_CONTEXT))
    assert {split: found.accuracy for split, found in text.items()} == {"train": 0.75, "validation": 0.75, "test": 0.75}
    assert told["test"].accuracy == 1


def test_classifier_without_context_is_asked_by_text_alone(data: Dataset) -> None:
    classifier = Stand(context="none")
    found = assess(classifier, data)
    assert list(found.views) == [TEXT_ALONE]
    assert "dialogue" not in found.figures()
    assert all(roles is None for _, roles, _ in classifier.asked)
    assert set(found.gains["test"]) == {"majority", "TF-IDF", "TF-IDF, with context"}


def test_gains_are_over_every_other_on_the_same_rows(assessed: Assessment) -> None:
    assert set(assessed.gains) == {"validation", "test"}
    gains = {name: gain.accuracy for name, gain in assessed.gains["test"].items()}
    assert gains.pop("majority") == pytest.approx((0.5, 0.5))
    assert gains == {
        "TF-IDF": pytest.approx((0.25, 0.25)),
        "TF-IDF, with context": (0, 0),
        "text alone": pytest.approx((0.25, 0.25)),
    }


def test_before_is_without_the_temperature(assessed: Assessment) -> None:
    view, split = assessed.views[TEXT_ALONE], "validation"
    answers = view.predictions[split]
    assert view.evaluations[split].loss == pytest.approx(answers.loss)
    assert view.before[split].loss == pytest.approx(answers.divided_by(0.5).loss)


def test_threshold_is_chosen_on_validation_and_tried_on_test(assessed: Assessment) -> None:
    assert assessed.views[WITH_CONTEXT].threshold == 0
    # The wrong quarter is the shortest text, answered least surely together with its like.
    text = assessed.views[TEXT_ALONE]
    assert 0 < text.threshold < 1
    assert text.answered["test"] == Answered(text.threshold, coverage=0.5, accuracy=1)


def test_errors_are_those_of_the_best_way_to_ask(assessed: Assessment, data: Dataset) -> None:
    assert len(assessed.errors) == 0
    assert set(assess(Stand(context="none"), data).errors["text"]) == {"thanks"}
