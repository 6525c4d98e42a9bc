"""Mean and spread of the figures over trainings that differ in their seed alone."""

from collections.abc import Callable
from typing import Any

import numpy as np

from training.report.tables import VIEWS, markdown

# Name in the tables -> where a split's figures have it.
FIGURES: dict[str, Callable[[dict[str, Any]], float | None]] = {
    "accuracy": lambda split: split["accuracy"],
    "macro-F1": lambda split: split["macro_f1"],
    "student": lambda split: split["by_role"].get("student", {}).get("accuracy"),
    "teacher": lambda split: split["by_role"].get("teacher", {}).get("accuracy"),
    "ECE": lambda split: split["ece"],
    "loss": lambda split: split["loss"],
}


def summarise(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Metrics of two or more runs, as `training.report` writes them -> mean, sd (n - 1), min and max of the figures.

    Returns:
        `seeds`, in the order of the runs; `minutes`; and for `splits` and `dialogue`, where all runs have it:
        split -> figure -> its mean and spread. Figures that a run lacks are left out.
    """
    summary: dict[str, Any] = {
        "seeds": [run["recipe"]["seed"] for run in runs],
        "minutes": _spread([run["minutes"] for run in runs]),
    }
    for view in VIEWS:
        if all(view in run for run in runs):
            summary[view] = {split: _split([run[view][split] for run in runs]) for split in runs[0][view]}
    return summary


def section(metrics: dict[str, Any]) -> str:
    """The model card's section, from metrics with `seeds`: mean and standard deviation on validation and test."""
    summary = metrics["seeds"]
    minutes = summary["minutes"]
    table = markdown(
        "split | asked by | " + " | ".join(FIGURES),
        (
            [split, name, *(_cell(summary[key][split].get(figure)) for figure in FIGURES)]
            for key, name in VIEWS.items()
            if key in summary
            for split in summary[key]
            if split != "train"
        ),
        words=2,
    )
    return (
        f"## Other seeds\n\nTrained with the seeds {', '.join(map(str, summary['seeds']))}; mean ± standard deviation "
        f"over them. Each took {minutes['min']:.1f} to {minutes['max']:.1f} minutes. The seed "
        f"{metrics['recipe']['seed']} was kept for its validation accuracy, which is therefore a little lucky: what "
        f"to expect of the recipe stands here.\n\n{table}"
    )


def _split(runs: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    figures = {name: [figure(run) for run in runs] for name, figure in FIGURES.items()}
    return {name: _spread(values) for name, values in figures.items() if None not in values}


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "mean": float(np.mean(values)),
        "sd": float(np.std(values, ddof=1)),
        "min": float(min(values)),
        "max": float(max(values)),
    }


def _cell(spread: dict[str, float] | None) -> str:
    return f"{spread['mean']:.3f} ± {spread['sd']:.3f}" if spread else ""
