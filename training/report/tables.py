"""The tables of the model card, in Markdown, from the metrics that `training.report` writes."""

from collections.abc import Iterable
from typing import Any

# Key of the metrics -> name in the tables: from the text alone, or with role and previous turn.
VIEWS = {"splits": "text alone", "dialogue": "with context"}
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


def views(metrics: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Name of each view that the metrics, or their `calibration`, have -> what they have of it."""
    return {name: metrics[key] for key, name in VIEWS.items() if key in metrics}


def overview(metrics: dict[str, Any]) -> str:
    """All splits, in each view."""
    found = metrics.get("splits", {}) | {
        f"{split}, with context": figures for split, figures in metrics.get("dialogue", {}).items()
    }
    return markdown(
        "split | rows | loss | accuracy | 95 % interval | macro-F1 | 95 % interval",
        (
            [
                name,
                figures["rows"],
                f"{figures['loss']:.4f}",
                f"{figures['accuracy']:.4f}",
                _interval(figures["accuracy_interval"]),
                f"{figures['macro_f1']:.4f}",
                _interval(figures["macro_f1_interval"]),
            ]
            for name, figures in found.items()
        ),
    )


def comparison(metrics: dict[str, Any], split: str) -> str:
    """Baselines and this classifier on the same rows, and by how much this one is better than each."""
    ours = {f"**{name}**": splits[split] for name, splits in views(metrics).items()}
    gains = {f"**{name}**" if name in VIEWS.values() else name: gain for name, gain in metrics["gains"][split].items()}
    return markdown(
        "classifier | accuracy | 95 % interval | macro-F1 | 95 % interval | student | teacher | ECE | loss | "
        "this one better by",
        (
            [
                name,
                f"{found['accuracy']:.3f}",
                _interval(found["accuracy_interval"]),
                f"{found['macro_f1']:.3f}",
                _interval(found["macro_f1_interval"]),
                *(_accuracy(found["by_role"].get(role, {})) for role in ("student", "teacher")),
                f"{found['ece']:.3f}",
                f"{found['loss']:.3f}",
                _points(gains[name]["accuracy"]) if name in gains else "",
            ]
            for name, found in ({other: by[split] for other, by in metrics["baselines"].items()} | ours).items()
        ),
    )


def by_intent(metrics: dict[str, Any], split: str) -> str:
    """Precision, recall and F1 of each intent, in each view."""
    figures = {name: splits[split]["per_class"] for name, splits in views(metrics).items()}
    return markdown(
        "intent | rows" + "".join(f" | {name}: precision | recall | F1" for name in figures),
        (
            [intent, found["rows"]]
            + [f"{by[intent][key]:.2f}" for by in figures.values() for key in ("precision", "recall", "f1")]
            for intent, found in metrics["splits"][split]["per_class"].items()
        ),
    )


def by_group(metrics: dict[str, Any], split: str) -> str:
    """Accuracy by role, length and domain, in each view."""
    figures = {name: splits[split] for name, splits in views(metrics).items()}
    groups = {name: found["by_role"] | found["by_length"] | found["by_domain"] for name, found in figures.items()}
    return markdown(
        "turns | rows | " + " | ".join(groups),
        (
            [group, found["rows"], *(_accuracy(by[group]) for by in groups.values())]
            for group, found in next(iter(groups.values())).items()
        ),
    )


def calibration(metrics: dict[str, Any]) -> str:
    """Loss and calibration error before and after the temperature, and accuracy where fewer rows are answered."""
    return markdown(
        "split | asked by | loss | ECE | " + " | ".join(f"accuracy at {percent(float(share))}" for share in SHARES),
        (
            [
                split,
                name,
                _change(found, "loss"),
                _change(found, "ece"),
                *(_change({when: found[when]["accuracy_at"] for when in ("before", "after")}, at) for at in SHARES),
            ]
            for name, view in views(metrics["calibration"]).items()
            for split, found in view["splits"].items()
        ),
        words=2,
    )


def thresholds(metrics: dict[str, Any]) -> str:
    """What comes of the recommended threshold of each view."""
    return markdown(
        "asked by | split | threshold | rows answered | right among them",
        (
            [name, split, f"{answered['threshold']:.2f}", percent(answered["coverage"]), _accuracy(answered)]
            for name, view in views(metrics["calibration"]).items()
            for split, answered in ((split, found["answered"]) for split, found in view["splits"].items())
        ),
        words=2,
    )


def _interval(ends: list[float] | None) -> str:
    return f"{ends[0]:.3f} to {ends[1]:.3f}" if ends else ""


def _points(ends: list[float] | None) -> str:
    return f"{ends[0] * 100:+.1f} to {ends[1] * 100:+.1f} points" if ends else ""


def _accuracy(found: dict[str, Any]) -> str:
    return "" if found.get("accuracy") is None else f"{found['accuracy']:.3f}"


def _change(found: dict[str, dict[str, float]], key: str) -> str:
    return f"{found['before'][key]:.3f} to {found['after'][key]:.3f}"
