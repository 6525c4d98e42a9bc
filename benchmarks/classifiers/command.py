"""Trained classifiers side by side: accuracy, calibration, minutes of training, size on disk, CPU a row.

Accuracies come from the metrics that `python -m training fit` wrote; size and cost are measured here, on the SavedModel
that `export` would publish, in a session with one thread as the model server runs it, over the bundled sample's turns.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.errors import TrainingError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

HELP = "accuracy, size and cost of trained classifiers, side by side"
SPLIT = "test"
BATCH = 32


@dataclass(frozen=True)
class Row:
    """One way to ask one classifier; a spread is mean and standard deviation over seeds, None where there was one.

    Attributes:
        megabytes: of the SavedModel, 10^6 bytes.
        single, batched: CPU ms a row, alone and in batches of 32.
    """

    name: str
    figures: dict[str, tuple[float, float | None]]
    minutes: float | None
    megabytes: float | None
    single: float | None
    batched: float | None


FIGURES = {"accuracy": "accuracy", "macro_f1": "macro-F1", "ece": "ECE"}
ROLES = ("student", "teacher")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    parser.add_argument("directories", type=Path, nargs="+", help="what `python -m training fit` wrote")
    parser.add_argument("--picture", type=Path, help="a PNG of accuracy against size and cost")


def run(options: argparse.Namespace) -> int:
    """Measures, prints, draws; 1 if one of the directories is no classifier."""
    try:
        rows = measure(options.directories)
    except (OSError, TrainingError) as error:
        print(f"benchmarks: {error}; `python -m training fit` makes a classifier", file=sys.stderr)
        return 1
    print(markdown(rows))
    if options.picture:
        picture(rows).savefig(options.picture, dpi=120)
    return 0


def measure(directories: list[Path]) -> list[Row]:
    """The baselines of the first classifier, then every classifier without and, if it takes it, with context.

    Raises:
        ClassifierError: one of them is none.
    """
    metrics = {directory: json.loads((directory / "metrics.json").read_text()) for directory in directories}
    first = metrics[directories[0]]
    rows = [Row(name, _single(found[SPLIT]), None, None, None, None) for name, found in first["baselines"].items()]
    for directory, found in metrics.items():
        rows += _rows(directory, found)
    return rows


def _rows(directory: Path, metrics: dict[str, Any]) -> Iterator[Row]:
    from export import signatures
    from training.fit import classifier

    with tempfile.TemporaryDirectory() as folder:
        saved_model = Path(folder) / "1"
        signatures.write(classifier.load(directory), saved_model)
        size = sum(file.stat().st_size for file in saved_model.rglob("*") if file.is_file()) / 1e6
        for view, signature, words in (
            ("splits", "serving_default", "text alone"),
            ("dialogue", "dialogue", "with context"),
        ):
            if view in metrics:
                figures = _spread(metrics, view) if "seeds" in metrics else _single(metrics[view][SPLIT])
                name = f"{directory.name}, {words}"
                yield Row(name, figures, metrics["minutes"], size, *_cpu(saved_model, signature))


def _single(figures: dict[str, Any]) -> dict[str, tuple[float, float | None]]:
    found: dict[str, tuple[float, float | None]] = {title: (figures[key], None) for key, title in FIGURES.items()}
    return found | {role: (figures["by_role"][role]["accuracy"], None) for role in ROLES if role in figures["by_role"]}


def _spread(metrics: dict[str, Any], view: str) -> dict[str, tuple[float, float | None]]:
    found = metrics["seeds"][view][SPLIT]
    return {
        title: (found[title]["mean"], found[title]["sd"]) for title in (*FIGURES.values(), *ROLES) if title in found
    }


def _cpu(saved_model: Path, signature: str) -> tuple[float, float]:
    """CPU ms a row: single rows, and batches of 32."""
    import tensorflow as tf

    from training.data import dataset

    turns = dataset.load(dataset.SAMPLE).table.sample(BATCH * 8, random_state=0)
    one_thread = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    with tf.compat.v1.Session(graph=tf.Graph(), config=one_thread) as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(saved_model)).signature_def[signature]
        output = loaded.outputs["probabilities"].name

        def cost(batch: int) -> float:
            feeds = [
                {loaded.inputs[name].name: _column(turns[start : start + batch], name) for name in loaded.inputs}
                for start in range(0, len(turns), batch)
            ]
            # The first pass pays for every shape's first time.
            for _ in range(2):
                began = time.process_time()
                for feed in feeds:
                    session.run(output, feed)
                spent = time.process_time() - began
            return spent * 1000 / len(turns)

        return cost(1), cost(BATCH)


def _column(turns: "pd.DataFrame", name: str) -> list[str]:
    return list(turns[name])


def markdown(rows: list[Row]) -> str:
    """The table, and under it what it was measured with."""
    titles = ("accuracy", "macro-F1", "student", "teacher", "ECE")
    heading = ("classifier", *titles, "minutes", "MB", "ms alone", f"ms in {BATCH}")
    lines = [f"| {' | '.join(heading)} |", "|---|" + "---:|" * (len(heading) - 1)]
    for row in rows:
        cells = [_cell(row.figures.get(title)) for title in titles]
        cells += [_number(value, places) for value, places in ((row.minutes, 1), (row.megabytes, 1))]
        cells += [_number(value, 2) for value in (row.single, row.batched)]
        lines.append(f"| {row.name} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"{SPLIT} split; mean ± standard deviation over seeds; {os.cpu_count()} cores."])


def picture(rows: list[Row]) -> "Figure":
    """Accuracy against size and against cost, one point a classifier and way to ask."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    shown = [row for row in rows if row.megabytes is not None]
    for axes, name, key in zip(
        figure.subplots(1, 2, sharey=True),
        ("SavedModel, MB", f"CPU ms a row, batches of {BATCH}"),
        ("megabytes", "batched"),
        strict=True,
    ):
        for row in shown:
            mean, sd = row.figures["accuracy"]
            told = row.name.endswith("with context")
            axes.errorbar(
                getattr(row, key), mean, yerr=sd, marker="s" if told else "o", color="C1" if told else "C0", capsize=3
            )
            axes.annotate(
                row.name.split(",")[0], (getattr(row, key), mean), xytext=(6, 5), textcoords="offset points", fontsize=8
            )
        axes.set(xlabel=name)
        # Room for the names.
        axes.margins(x=0.2)
        axes.grid(alpha=0.3)
    figure.suptitle(f"{SPLIT} accuracy: round = text alone, square = with context")
    figure.axes[0].set(ylabel="accuracy")
    return figure


def _cell(value: tuple[float, float | None] | None) -> str:
    if value is None:
        return ""
    mean, sd = value
    return f"{mean:.3f}" if sd is None else f"{mean:.3f} ± {sd:.3f}"


def _number(value: float | None, places: int) -> str:
    return "" if value is None else f"{value:.{places}f}"
