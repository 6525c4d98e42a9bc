"""The most confident errors, for a person to read: many turn out to be wrong labels."""

import numpy as np
import pandas as pd

from training.report.predictions import Predictions, log_probabilities

# Listed of each split.
MOST = 40
COLUMNS = (
    "split",
    "domain",
    "conversation_id",
    "turn",
    "role",
    "previous",
    "text",
    "true",
    "predicted",
    "probability",
    "probability_of_true",
)


def confident_errors(predictions: dict[str, Predictions]) -> pd.DataFrame:
    """The most confident wrong answers of every split but the training split; columns `COLUMNS`, the most confident
    first.

    `probability` is that of the predicted intent, `probability_of_true` that of the labelled one.
    """
    found = [_errors(split, answers) for split, answers in predictions.items() if split != "train"]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(COLUMNS))


def _errors(split: str, answers: Predictions) -> pd.DataFrame:
    wrong = np.flatnonzero(~answers.correct)
    chosen = wrong[np.argsort(-answers.confidence[wrong], kind="stable")][:MOST]
    probabilities = np.exp(log_probabilities(answers.logits[chosen]))
    labels = np.array(answers.labels)
    table = answers.rows.iloc[chosen].assign(
        split=split,
        true=labels[answers.true[chosen]],
        predicted=labels[answers.predicted[chosen]],
        probability=answers.confidence[chosen],
        probability_of_true=probabilities[np.arange(len(chosen)), answers.true[chosen]],
    )
    return table[list(COLUMNS)]
