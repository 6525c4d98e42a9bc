"""Texts that occur more than once, and the ceiling that their labels imply."""

import pandas as pd

from tests.training.hand import rows
from training.report.duplicates import Agreement, duplicates, normalised


def test_case_marks_and_spaces_do_not_make_another_text() -> None:
    texts = pd.Series(["Well!", " well", "WELL...", "we'll", "?", "!"])
    assert normalised(texts).tolist() == ["well", "well", "well", "we ll", "?", "!"]


def test_agreement_and_ceiling_by_hand() -> None:
    """Three rows of one text, labelled ask, ask, next: each ask agrees with one of two others, next with none."""
    found = duplicates(rows(["ask", "next", "ask", "stop"], text=["Well!", "well", "well", "bye"]))
    assert found.agreement == Agreement(
        rows=3,
        texts=1,
        agreement=(1 / 2 + 1 / 2 + 0) / 3,
        # From the others: each ask sees one ask and one next, and guesses; next sees two asks.
        ceiling_low=(1 / 2 + 1 / 2 + 0) / 3,
        ceiling_high=2 / 3,
    )


def test_roles_are_looked_at_apart() -> None:
    """Both roles say it, but each always means the same."""
    found = duplicates(
        rows(
            ["ask", "ask", "stop", "stop", "next"], text="ok", role=["student", "student", "teacher", "teacher", "cook"]
        )
    )
    assert found.agreement is not None
    assert found.agreement.ceiling_high == 0.4
    assert {role: one.ceiling_high for role, one in found.by_role.items()} == {"student": 1, "teacher": 1}


def test_conflicts_are_listed_by_their_rows() -> None:
    texts = ["one", "one", "two", "Two", "two", "three", "three"]
    found = duplicates(rows(["ask", "next", "stop", "ask", "stop", "ask", "ask"], text=texts))
    assert found.conflicts.to_dict("records") == [
        {"text": "two", "rows": 3, "labels": "stop 2, ask 1"},
        {"text": "one", "rows": 2, "labels": "ask 1, next 1"},
    ]


def test_no_duplicates_no_ceiling() -> None:
    found = duplicates(rows(["ask", "next"], text=["a", "b"]))
    assert (found.agreement, found.by_role, len(found.conflicts)) == (None, {}, 0)
