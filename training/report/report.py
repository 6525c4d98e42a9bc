"""What a person looks at beside the classifier: metrics.json, MODEL_CARD.md, pictures, and lists of turns to read."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from training.report import pictures, seeds, tables
from training.report.assessment import Assessment
from training.report.card import card

PACKAGES = ("tensorflow", "tensorflow-text", "tf-keras", "tensorflow-hub", "scikit-learn")


def versions() -> dict[str, str]:
    """The versions that the figures depend on."""
    return {package: version(package) for package in PACKAGES}


def table(metrics: dict[str, Any]) -> str:
    """The splits as a Markdown table, from metrics or from their `splits` alone."""
    return tables.overview(metrics)


def write(directory: Path, training: dict[str, Any], assessment: Assessment) -> None:
    """Writes metrics.json, MODEL_CARD.md with its pictures, review.csv and conflicts.csv.

    Args:
        training: how the classifier came to be: `encoder`, `recipe_name`, `recipe`, `parameters`, `minutes`, `history`,
            `epoch` (the one kept, from 1), `data` (`rows`, `splits`, `domains`, `dropped`, `checksums`), `versions`;
            goes into metrics.json as it is.
    """
    for name, picture in _pictures(training, assessment).items():
        picture.savefig(directory / name, dpi=120)
    assessment.errors.to_csv(directory / "review.csv", index=False)
    assessment.duplicates.conflicts.to_csv(directory / "conflicts.csv", index=False)
    _write_words(directory, assessment.as_json() | training)


def best(directories: list[Path]) -> Path:
    """The classifier of most accuracy on validation, asked in its best way, among those trained with different seeds;
    of equal ones that of the least loss. If there are several, its report gets their mean and spread.
    """
    runs = [json.loads((directory / "metrics.json").read_text()) for directory in directories]

    def rank(run: dict[str, Any]) -> tuple[float, float]:
        validation = run.get("dialogue", run["splits"])["validation"]
        return -validation["accuracy"], validation["loss"]

    chosen = min(range(len(runs)), key=lambda index: rank(runs[index]))
    if len(runs) > 1:
        _write_words(directories[chosen], runs[chosen] | {"seeds": seeds.summarise(runs)})
    return directories[chosen]


def _write_words(directory: Path, metrics: dict[str, Any]) -> None:
    # As text: a turn that says "None" or "null" is no missing value.
    errors, conflicts = (
        pd.read_csv(directory / name, keep_default_na=False) for name in ("review.csv", "conflicts.csv")
    )
    (directory / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    (directory / "MODEL_CARD.md").write_text(card(metrics, errors, conflicts))


def _pictures(training: dict[str, Any], assessment: Assessment) -> dict[str, Figure]:
    """File name -> picture."""
    found = {
        "curves.png": pictures.curves(training["history"], training["epoch"]),
        "coverage.png": pictures.answered(assessment.views),
    }
    for split in assessment.text.after:
        found[f"reliability-{split}.png"] = pictures.reliability(split, assessment.views)
        for key, suffix in (("splits", ""), ("dialogue", "-dialogue")):
            if key in assessment.views:
                title, evaluation = f"{split}, {tables.VIEWS[key]}", assessment.views[key].evaluations[split]
                found[f"confusion-{split}{suffix}.png"] = pictures.confusion(title, evaluation)
    return found
