"""Texts that occur more than once: how often their labels agree, and what that says about the best possible accuracy.

Two rows with one text and different labels: one label is wrong, or the labeller knew more than the text. A classifier
that sees only the text cannot be right about both. Texts are compared without case, marks and spaces.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

# Replaced by a space; a text without any letter or digit keeps its marks.
NOISE = r"[\W_]+"


@dataclass(frozen=True)
class Agreement:
    """How far rows that share their text with other rows agree.

    Attributes:
        rows, texts: how many such rows, and how many different texts among them.
        agreement: mean share of a row's like texts that have its label: how often two people agree.
        ceiling_low: accuracy of guessing each row's label from its like texts alone (their commonest; ties by chance).
            A classifier that knows the label of every text but for the row in question reaches it.
        ceiling_high: accuracy of always giving a text its commonest label, the row's own included.
            No classifier of texts alone does better on these rows.
    """

    rows: int
    texts: int
    agreement: float
    ceiling_low: float
    ceiling_high: float


@dataclass(frozen=True)
class Duplicates:
    """Agreement over all rows and by role, and the texts in dispute.

    Attributes:
        agreement: None where no text occurs twice.
        by_role: role -> agreement among like texts of this role; roles without any are left out.
        conflicts: columns text, rows, labels ("stop 2, chitchat 1"); the most frequent texts first.
    """

    agreement: Agreement | None
    by_role: dict[str, Agreement]
    conflicts: pd.DataFrame


def duplicates(rows: pd.DataFrame) -> Duplicates:
    """Finds the repeated texts in a table of turns, columns as `training.data.dataset` has them."""
    by_role = {str(role): _agreement(_labels(said)) for role, said in rows.groupby("role")}
    labels = _labels(rows)
    return Duplicates(
        agreement=_agreement(labels),
        by_role={role: agreement for role, agreement in by_role.items() if agreement},
        conflicts=_conflicts(labels),
    )


def normalised(texts: pd.Series) -> pd.Series:
    """Texts without case, marks and odd spaces."""
    words = texts.str.lower().str.replace(NOISE, " ", regex=True).str.strip()
    return words.where(words != "", texts.str.strip())


def _labels(rows: pd.DataFrame) -> list[tuple[str, pd.Series]]:
    """Every text that occurs more than once, as first written, and its labels' counts, the commonest first."""
    groups = rows.groupby(normalised(rows["text"]), sort=False)
    return [(same["text"].iloc[0], same["intent"].value_counts()) for _, same in groups if len(same) > 1]


def _agreement(labels: list[tuple[str, pd.Series]]) -> Agreement | None:
    if not labels:
        return None
    counts = [count.to_numpy() for _, count in labels]
    rows = sum(count.sum() for count in counts)
    return Agreement(
        rows=int(rows),
        texts=len(counts),
        agreement=float(sum((count * (count - 1)).sum() / (count.sum() - 1) for count in counts) / rows),
        ceiling_low=float(sum(_guessed(count) for count in counts) / rows),
        ceiling_high=float(sum(count.max() for count in counts) / rows),
    )


def _guessed(counts: np.ndarray) -> float:
    """Rows of a text whose label the other rows of this text give away; a tie among k labels counts 1/k."""
    right = 0.0
    for label, count in enumerate(counts):
        others = counts.copy()
        others[label] -= 1
        commonest = others == others.max()
        right += count * commonest[label] / commonest.sum()
    return right


def _conflicts(labels: list[tuple[str, pd.Series]]) -> pd.DataFrame:
    found = [
        {"text": text, "rows": int(count.sum()), "labels": ", ".join(f"{label} {n}" for label, n in count.items())}
        for text, count in labels
        if len(count) > 1
    ]
    table = pd.DataFrame(found, columns=["text", "rows", "labels"])
    return table.sort_values("rows", ascending=False, kind="stable", ignore_index=True)
