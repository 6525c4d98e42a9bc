"""Mean and spread of the figures over trainings that differ in their seed alone."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.report.evaluate import Evaluation
from training.report.metrics import TEXT_ALONE, WITH_CONTEXT, Metrics
from training.report.tables import markdown

HEADING = "## Other seeds"


def _role(name: str) -> Callable[[Evaluation], float | None]:
    return lambda split: split.by_role[name].accuracy if name in split.by_role else None


# Name in the tables -> that figure of a split, if the split has it.
FIGURES: dict[str, Callable[[Evaluation], float | None]] = {
    "accuracy": lambda split: split.accuracy,
    "macro-F1": lambda split: split.macro_f1,
    "student": _role("student"),
    "teacher": _role("teacher"),
    "ECE": lambda split: split.ece,
    "loss": lambda split: split.loss,
}


@dataclass(frozen=True)
class Spread:
    """Values of one figure over the seeds; `sd` with n - 1."""

    mean: float
    sd: float
    min: float
    max: float


# Split -> figure -> its spread.
Spreads = dict[str, dict[str, Spread]]


@dataclass(frozen=True)
class Seeds:
    """The spreads over two or more trainings. A figure that one of them lacks is left out.

    Attributes:
        splits, dialogue: from the text alone, and with context if the classifiers take it.
    """

    seeds: list[int]
    minutes: Spread
    splits: Spreads
    dialogue: Spreads | None


def summarise(runs: list[Metrics]) -> Seeds:
    """The spreads over the metrics of two or more runs of one recipe."""
    with_context = [run.dialogue for run in runs if run.dialogue]
    return Seeds(
        seeds=[run.recipe.seed for run in runs],
        minutes=_spread([run.minutes for run in runs]),
        splits=_spreads([run.splits for run in runs]),
        dialogue=_spreads(with_context) if len(with_context) == len(runs) else None,
    )


def section(found: Seeds, kept: int) -> str:
    """The model card's section: mean and standard deviation on validation and test; `kept` is the seed kept."""
    table = markdown(
        "split | asked by | " + " | ".join(FIGURES),
        (
            [split, name, *(_cell(figures.get(figure)) for figure in FIGURES)]
            for name, splits in ((TEXT_ALONE, found.splits), (WITH_CONTEXT, found.dialogue or {}))
            for split, figures in splits.items()
            if split != "train"
        ),
        words=2,
    )
    return (
        f"{HEADING}\n\nTrained with the seeds {', '.join(map(str, found.seeds))}; each took "
        f"{found.minutes.min:.1f} to {found.minutes.max:.1f} minutes. The seed {kept} was kept because its validation "
        "accuracy is the highest, which is partly luck. What to expect of the recipe is this mean ± standard deviation "
        f"over the seeds:\n\n{table}"
    )


def _spreads(runs: list[dict[str, Evaluation]]) -> Spreads:
    return {split: _split([run[split] for run in runs]) for split in runs[0]}


def _split(runs: list[Evaluation]) -> dict[str, Spread]:
    found = {name: [value for run in runs if (value := figure(run)) is not None] for name, figure in FIGURES.items()}
    return {name: _spread(values) for name, values in found.items() if len(values) == len(runs)}


def _spread(values: list[float]) -> Spread:
    return Spread(float(np.mean(values)), float(np.std(values, ddof=1)), min(values), max(values))


def _cell(spread: Spread | None) -> str:
    return f"{spread.mean:.3f} ± {spread.sd:.3f}" if spread else ""
