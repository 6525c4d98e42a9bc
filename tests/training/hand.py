"""Small tables and answers made by hand, so that the right figures are known."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from training.data.dataset import COLUMNS, Dataset
from training.report.predictions import Predictions

LABELS = ("ask", "next", "stop")


def rows(intents: Sequence[str], **columns: Any) -> pd.DataFrame:
    """A table of turns; what is not given is the same in every row."""
    given = {
        "text": "go on",
        "previous": "",
        "role": "student",
        "split": "validation",
        "domain": "cooking",
        "conversation_id": "c-1",
        "turn": range(1, len(intents) + 1),
    }
    return pd.DataFrame(given | columns | {"intent": list(intents)})[list(COLUMNS)]


def answers(
    table: pd.DataFrame, predicted: Sequence[str], confidence: float | Sequence[float] | np.ndarray = 0.8
) -> Predictions:
    """Predicts the intents with these probabilities; the others share the rest."""
    sure = np.broadcast_to(confidence, len(table))
    probabilities = np.repeat((1 - sure[:, np.newaxis]) / (len(LABELS) - 1), len(LABELS), axis=1)
    probabilities[np.arange(len(table)), [LABELS.index(intent) for intent in predicted]] = sure
    return Predictions(table, LABELS, np.log(probabilities))


def dataset(*tables: pd.DataFrame) -> Dataset:
    """A data set of these tables."""
    return Dataset(
        pd.concat(tables, ignore_index=True), dropped=0, checksums={"wizard_of_tasks_cooking.json": "0" * 64}
    )


class Stand:
    """Stands in for a trained classifier: answers by the first word, and knows better where it is given the role."""

    labels = LABELS

    def __init__(self, context: str = "previous", temperature: float = 2.0) -> None:
        self.context, self.temperature = context, temperature
        self.asked: list[tuple[Sequence[str], Sequence[str] | None, Sequence[str] | None]] = []

    def logits(
        self, texts: Sequence[str], roles: Sequence[str] | None = None, previous: Sequence[str] | None = None
    ) -> np.ndarray:
        self.asked.append((texts, roles, previous))
        chosen = ["ask" if text.split()[0] == "what" else "next" for text in texts]
        if roles:
            chosen = ["stop" if role == "teacher" else intent for role, intent in zip(roles, chosen, strict=True)]
        # Surer of longer texts, so that confidences differ.
        height = np.array([1 + len(text) / 20 for text in texts])
        answered: np.ndarray = np.multiply(
            [[label == intent for label in LABELS] for intent in chosen], height[:, np.newaxis]
        )
        return answered
