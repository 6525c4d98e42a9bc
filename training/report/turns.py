"""The model card's part about single turns: errors to read, labels that disagree, where the turns come from."""

from typing import Any

import pandas as pd

from training.report.review import MOST
from training.report.tables import markdown

# Errors of each split, and texts with several labels, that the card shows.
SHOWN_ERRORS = 8
SHOWN_CONFLICTS = 10
# Longer texts would make a table that nobody reads; review.csv has them whole.
LONGEST_TEXT = 120


def errors(surest: pd.DataFrame, with_context: bool) -> str:
    """The section on errors that a person should read, a table of `training.review`."""
    table = markdown(
        "split | turn before | text | labelled | predicted | probability",
        (
            [
                row.split,
                _quoted(row.previous),
                f"{row.role}: {_quoted(row.text)}",
                row.true,
                row.predicted,
                f"{row.probability:.2f}",
            ]
            for row in surest.groupby("split", sort=False).head(SHOWN_ERRORS).itertuples()
        ),
        words=5,
    )
    return (
        f"## Errors to read\n\nThe surest wrong answers{' with context' if with_context else ''}; `review.csv` "
        f"has up to {MOST} of each split. Some are wrong labels. Those of the test split are there to judge the labels "
        f"by: who changes the training after them has no test split any more.\n\n{table}"
    )


def labels(found: dict[str, Any], conflicts: pd.DataFrame) -> str:
    """The section on texts that occur more than once, and the ceiling that their labels imply.

    Args:
        found: the metrics' `duplicates`; conflicts: see `training.duplicates`.
    """
    title = "## How far the labels agree"
    whole = found["agreement"]
    if not whole:
        return f"{title}\n\nNo text occurs twice, so the data set does not tell."
    ceilings = markdown(
        "turns | rows | at least | at most",
        (
            [name, one["rows"], f"{one['ceiling_low']:.3f}", f"{one['ceiling_high']:.3f}"]
            for name, one in ({"all": whole} | found["by_role"]).items()
        ),
    )
    disputed = markdown(
        "text | labels | rows",
        ([_quoted(row.text), row.labels, row.rows] for row in conflicts.head(SHOWN_CONFLICTS).itertuples()),
        words=2,
    )
    return (
        f"{title}\n\n{whole['rows']} rows share their text (case, marks and spaces aside) with another: "
        f"{whole['texts']} texts, of which {len(conflicts)} carry several labels (`conflicts.csv`). Two rows with one "
        f"text have the same label {whole['agreement'] * 100:.1f} % of the time.\n\n"
        "The most that any classifier of texts alone can reach on these rows is at least what guessing each label from "
        "the other rows with its text gives, and at most what giving every text its commonest label gives:\n\n"
        f"{ceilings}\n\n"
        "The limits of this estimate: the rows are few; texts that occur twice are short and easy, so that over all "
        "rows the ceiling is probably lower; and where the turn before decides, a classifier with context can do "
        "better." + ("" if conflicts.empty else f"\n\n{disputed}")
    )


def data(described: dict[str, Any]) -> str:
    """The section on the data set, from the metrics' `data`."""
    checksums = "\n".join(f"- `{name}` sha256 `{checksum}`" for name, checksum in described["checksums"].items())
    splits = ", ".join(f"{rows} {split}" for split, rows in described["splits"].items())
    return (
        f"## Data\n\n{described['rows']} labelled turns ({splits}) of the domains {', '.join(described['domains'])}; "
        f"{described['dropped']} turns without text or intent left out.\n\n{checksums}\n\n"
        "The published Wizard of Tasks dialogues are under CC BY-SA 4.0 (Choi et al., COLING 2022), and so are the "
        "turns of them that are quoted here and in the lists; the sample bundled with this project is under "
        "Apache-2.0. MiniLM's weights and Hub's BERT encoders are under Apache-2.0."
    )


def _quoted(text: str) -> str:
    """In one line and one cell."""
    line = " ".join(text.replace("|", "\\|").split())
    return line if len(line) <= LONGEST_TEXT else line[:LONGEST_TEXT].rstrip() + " ..."
