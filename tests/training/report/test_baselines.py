"""The baselines learn what they can see, and nothing else."""

import numpy as np
import pytest

from tests.training.hand import LABELS, dataset, rows
from training.data.dataset import Dataset
from training.report import baselines
from training.report.predictions import Predictions


def splits(**columns: list[str]) -> Dataset:
    """The same rows to train on and to be asked for: `ask`, `next`, `stop`, `stop`, ten times."""
    repeated = {name: values * 10 for name, values in columns.items()}
    intents = ["ask", "next", "stop", "stop"] * 10
    return dataset(rows(intents, split="train", **repeated), rows(intents, split="test", **repeated))


def accuracies(data: Dataset) -> dict[str, float]:
    return {name: found["test"].correct.mean() for name, found in baselines.predict(data, LABELS).items()}


def test_text_tells() -> None:
    found = accuracies(splits(text=["what is it?", "go on", "thanks", "bye"]))
    assert found == {"majority": 0.5, "TF-IDF": 1, "TF-IDF, with context": 1}


@pytest.mark.parametrize(
    "columns",
    [
        {"role": ["student", "student", "teacher", "teacher"], "previous": ["hello", "done", "", ""]},
        {"previous": ["hello", "done", "bye", "bye"]},
    ],
)
def test_context_tells_the_one_that_sees_it(columns: dict[str, list[str]]) -> None:
    assert accuracies(splits(**columns)) == {"majority": 0.5, "TF-IDF": 0.5, "TF-IDF, with context": 1}


def test_intent_without_training_rows_gets_next_to_nothing() -> None:
    data = dataset(rows(["ask", "next"] * 5, split="train", text=["what", "on"] * 5), rows(["stop"], split="test"))
    for name, found in baselines.predict(data, LABELS).items():
        probabilities = np.exp(found["test"].logits)
        assert probabilities.sum() == pytest.approx(1, abs=1e-6), name
        assert probabilities[0, LABELS.index("stop")] == pytest.approx(1e-7), name


def test_majority_knows_its_share() -> None:
    found: Predictions = baselines.predict(splits(text=["a", "b", "c", "d"]), LABELS)["majority"]["test"]
    assert np.exp(found.logits[0]) == pytest.approx([0.25, 0.25, 0.5])
