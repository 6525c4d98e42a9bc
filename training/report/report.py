"""What a person looks at beside the classifier: metrics.json, MODEL_CARD.md, pictures, and lists of turns to read."""

import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from matplotlib.figure import Figure

from training.report import metrics, pictures, seeds
from training.report.assessment import Assessment
from training.report.card import AFTER_SEEDS, card
from training.report.metrics import WITH_CONTEXT, Metrics, Origin

PACKAGES = ("tensorflow", "tensorflow-text", "tf-keras", "tensorflow-hub", "scikit-learn")
CARD = "MODEL_CARD.md"


def versions() -> dict[str, str]:
    """The versions that the figures depend on."""
    return {package: version(package) for package in PACKAGES}


def write(directory: Path, origin: Origin, assessment: Assessment) -> None:
    """Writes metrics.json, MODEL_CARD.md with its pictures, review.csv and conflicts.csv."""
    for name, picture in _pictures(origin, assessment).items():
        picture.savefig(directory / name, dpi=120)
    assessment.errors.to_csv(directory / "review.csv", index=False)
    assessment.duplicates.conflicts.to_csv(directory / "conflicts.csv", index=False)
    (directory / metrics.FILE).write_text(metrics.as_json(assessment.figures() | asdict(origin)))
    (directory / CARD).write_text(card(origin, assessment))


def best(directories: list[Path]) -> tuple[Path, Metrics]:
    """Chooses among classifiers that were trained with different seeds, and adds mean and spread to its report.

    Returns:
        The directory and metrics of the one with the highest validation accuracy, asked in its best way; of equal ones
        that with the lowest loss.
    """
    runs = [metrics.read(directory) for directory in directories]

    def rank(index: int) -> tuple[float, float]:
        validation = (runs[index].dialogue or runs[index].splits)["validation"]
        return -validation.accuracy, validation.loss

    chosen = min(range(len(runs)), key=rank)
    if len(runs) > 1:
        _add_seeds(directories[chosen], seeds.summarise(runs), runs[chosen].recipe.seed)
    return directories[chosen], runs[chosen]


def _add_seeds(directory: Path, found: seeds.Seeds, kept: int) -> None:
    file, words = directory / metrics.FILE, directory / CARD
    file.write_text(metrics.as_json(json.loads(file.read_text()) | {"seeds": found}))
    text = words.read_text()
    # There already if this command was interrupted at its very end.
    if seeds.HEADING not in text:
        words.write_text(text.replace(AFTER_SEEDS, f"{seeds.section(found, kept)}\n\n{AFTER_SEEDS}", 1))


def _pictures(origin: Origin, assessment: Assessment) -> dict[str, Figure]:
    """File name -> picture."""
    found = {
        "curves.png": pictures.curves(origin.history, origin.epoch),
        "coverage.png": pictures.answered(assessment.views),
    }
    for split in assessment.shown:
        found[f"reliability-{split}.png"] = pictures.reliability(split, assessment.views)
        for name, view in assessment.views.items():
            suffix = "-dialogue" if name == WITH_CONTEXT else ""
            title = f"{split}, {name}"
            found[f"confusion-{split}{suffix}.png"] = pictures.confusion(title, view.evaluations[split])
    return found
