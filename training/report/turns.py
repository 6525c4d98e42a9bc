"""The model card's sections about the turns: errors to read, labels that disagree, where the turns come from."""

from training.report.assessment import Assessment
from training.report.duplicates import Duplicates
from training.report.metrics import WITH_CONTEXT, Data
from training.report.review import MOST
from training.report.tables import markdown

# Errors of each split, and texts with several labels, that the card shows.
SHOWN_ERRORS = 8
SHOWN_CONFLICTS = 10
# Longer texts are cut in the tables; review.csv has them whole.
LONGEST_TEXT = 120


def errors(assessment: Assessment) -> str:
    """The section on errors that a person should read."""
    shown = assessment.errors.groupby("split", sort=False).head(SHOWN_ERRORS)
    columns = ("split", "previous", "role", "text", "true", "predicted", "probability")
    table = markdown(
        "split | turn before | text | labelled | predicted | probability",
        (
            [split, _quoted(previous), f"{role}: {_quoted(text)}", true, predicted, f"{probability:.2f}"]
            for split, previous, role, text, true, predicted, probability in zip(
                *(shown[name] for name in columns), strict=True
            )
        ),
        words=5,
    )
    context = " with context" if WITH_CONTEXT in assessment.views else ""
    return (
        f"## Errors to read\n\nThe most confident wrong answers{context}; `review.csv` has up to {MOST} of each split. "
        "Some of the labels are wrong. Use the errors of the test split to judge the labels only: if you change the "
        f"training because of them, it is no test split any more.\n\n{table}"
    )


def labels(found: Duplicates) -> str:
    """The section on texts that occur more than once, and the ceiling that their labels imply."""
    title = "## How far the labels agree"
    whole = found.agreement
    if not whole:
        return f"{title}\n\nNo text occurs twice, so this cannot be told."
    ceilings = markdown(
        "turns | rows | at least | at most",
        (
            [name, one.rows, f"{one.ceiling_low:.3f}", f"{one.ceiling_high:.3f}"]
            for name, one in ({"all": whole} | found.by_role).items()
        ),
    )
    conflicts = found.conflicts.head(SHOWN_CONFLICTS)
    columns = (conflicts[name] for name in ("text", "labels", "rows"))
    disputed = markdown(
        "text | labels | rows",
        ([_quoted(text), counts, rows] for text, counts, rows in zip(*columns, strict=True)),
        words=2,
    )
    return (
        f"{title}\n\n{whole.rows} rows share their text (without case, marks and spaces) with another row. They are "
        f"{whole.texts} texts, of which {len(found.conflicts)} have more than one label (`conflicts.csv`). Two rows "
        f"with one text have the same label {whole.agreement * 100:.1f} % of the time.\n\n"
        "On these rows the best classifier of texts alone has at least the accuracy of guessing each label from the "
        "other rows with its text, and at most that of giving every text its commonest label:\n\n"
        f"{ceilings}\n\n"
        "This is a rough estimate: the rows are few. Texts that occur twice are short and easy, so over all rows the "
        "best accuracy is probably lower. Where the turn before decides, a classifier with context can do "
        "better." + ("" if conflicts.empty else f"\n\n{disputed}")
    )


def data(described: Data) -> str:
    """The section on the data set."""
    checksums = "\n".join(f"- `{name}` sha256 `{checksum}`" for name, checksum in described.checksums.items())
    splits = ", ".join(f"{rows} {split}" for split, rows in described.splits.items())
    return (
        f"## Data\n\n{described.rows} labelled turns ({splits}) of the domains {', '.join(described.domains)}; "
        f"{described.dropped} turns without text or intent left out.\n\n{checksums}\n\n"
        "The published Wizard of Tasks dialogues are under CC BY-SA 4.0 (Choi et al., COLING 2022), and so are the "
        "turns of them that are quoted here and in the lists; the sample bundled with this project is under "
        "Apache-2.0. MiniLM's weights and Hub's BERT encoders are under Apache-2.0."
    )


def _quoted(text: str) -> str:
    """In one line and one cell."""
    line = " ".join(text.replace("|", "\\|").split())
    return line if len(line) <= LONGEST_TEXT else line[:LONGEST_TEXT].rstrip() + " ..."
