"""The tables of the model card, in Markdown."""

from collections.abc import Iterable
from dataclasses import astuple

from training.report.assessment import Assessment, View
from training.report.coverage import Answered
from training.report.evaluate import Group
from training.report.intervals import Interval
from training.report.metrics import TEXT_ALONE, Views

# Shares answered, the most confident first.
SHARES = ("0.90", "0.80", "0.70")


def markdown(heading: str, rows: Iterable[Iterable[object]], words: int = 1) -> str:
    """A table with the columns of `heading` ("intent | rows"), the first `words` of them words, the others numbers."""
    columns = heading.count("|") + 1
    lines = [f"| {heading} |", "|" + "---|" * words + "---:|" * (columns - words)]
    return "\n".join([*lines, *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows)])


def percent(share: float) -> str:
    """0.9 -> "90 %"."""
    return f"{share * 100:.0f} %"


def overview(views: Views) -> str:
    """All splits, in each view."""
    return markdown(
        "split | rows | loss | accuracy | 95 % interval | macro-F1 | 95 % interval",
        (
            [
                split if name == TEXT_ALONE else f"{split}, {name}",
                found.rows,
                f"{found.loss:.4f}",
                f"{found.accuracy:.4f}",
                _interval(found.accuracy_interval),
                f"{found.macro_f1:.4f}",
                _interval(found.macro_f1_interval),
            ]
            for name, splits in views.items()
            for split, found in splits.items()
        ),
    )


def comparison(assessment: Assessment, split: str) -> str:
    """Baselines and this classifier on the same rows, and by how much this one is better than each."""
    gains = assessment.gains[split]
    figures = {name: found[split] for name, found in assessment.baselines.items()}
    figures |= {name: view.evaluations[split] for name, view in assessment.views.items()}
    return markdown(
        "classifier | accuracy | 95 % interval | macro-F1 | 95 % interval | student | teacher | ECE | loss | "
        "this one better by",
        (
            [
                f"**{name}**" if name in assessment.views else name,
                f"{found.accuracy:.3f}",
                _interval(found.accuracy_interval),
                f"{found.macro_f1:.3f}",
                _interval(found.macro_f1_interval),
                *(_accuracy(found.by_role.get(role)) for role in ("student", "teacher")),
                f"{found.ece:.3f}",
                f"{found.loss:.3f}",
                _points(gains[name].accuracy) if name in gains else "",
            ]
            for name, found in figures.items()
        ),
    )


def by_intent(views: dict[str, View], split: str) -> str:
    """Precision, recall and F1 of each intent, in each view."""
    figures = {name: view.evaluations[split].per_class for name, view in views.items()}
    return markdown(
        "intent | rows" + "".join(f" | {name}: precision | recall | F1" for name in figures),
        (
            [intent, found.rows] + [f"{value:.2f}" for by in figures.values() for value in astuple(by[intent])[:3]]
            for intent, found in figures[TEXT_ALONE].items()
        ),
    )


def by_group(views: dict[str, View], split: str) -> str:
    """Accuracy by role, length and domain, in each view."""
    evaluations = {name: view.evaluations[split] for name, view in views.items()}
    figures = {name: found.by_role | found.by_length | found.by_domain for name, found in evaluations.items()}
    return markdown(
        "turns | rows | " + " | ".join(figures),
        (
            [group, found.rows, *(_accuracy(by[group]) for by in figures.values())]
            for group, found in figures[TEXT_ALONE].items()
        ),
    )


def calibration(views: dict[str, View]) -> str:
    """Loss and calibration error before and after the temperature, and accuracy where fewer rows are answered."""
    return markdown(
        "split | asked by | loss | ECE | " + " | ".join(f"accuracy at {percent(float(share))}" for share in SHARES),
        (
            [
                split,
                name,
                _change(before.loss, view.evaluations[split].loss),
                _change(before.ece, view.evaluations[split].ece),
                *(_change(before.accuracy_at[at], view.evaluations[split].accuracy_at[at]) for at in SHARES),
            ]
            for name, view in views.items()
            for split, before in view.before.items()
        ),
        words=2,
    )


def thresholds(views: dict[str, View]) -> str:
    """The effect of the recommended threshold of each view."""
    return markdown(
        "asked by | split | threshold | rows answered | right among them",
        (
            [name, split, f"{found.threshold:.2f}", percent(found.coverage), _accuracy(found)]
            for name, view in views.items()
            for split, found in view.answered.items()
        ),
        words=2,
    )


def _interval(ends: Interval) -> str:
    return f"{ends[0]:.3f} to {ends[1]:.3f}" if ends else ""


def _points(ends: Interval) -> str:
    return f"{ends[0] * 100:+.1f} to {ends[1] * 100:+.1f} points" if ends else ""


def _accuracy(found: Group | Answered | None) -> str:
    return "" if found is None or found.accuracy is None else f"{found.accuracy:.3f}"


def _change(before: float, after: float) -> str:
    return f"{before:.3f} to {after:.3f}"
