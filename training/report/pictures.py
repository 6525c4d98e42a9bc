"""The pictures of the report."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from training.report import coverage
from training.report.assessment import View
from training.report.calibration import BINS
from training.report.evaluate import Evaluation
from training.report.tables import percent

# Blue and orange are told apart by colour-blind people too (Okabe and Ito, 2008).
BLUE, ORANGE, GREY, PALE = "#0072b2", "#d55e00", "#555555", "#a9cbe0"
# With fewer rows than this the height of a bar is mostly chance.
FEW_ROWS = 10


def curves(history: dict[str, list[float]], kept: int) -> Figure:
    """Loss and accuracy of training and validation by epoch, from 1, of which `kept` is the classifier's.

    `history` is as `training.fit` has it.
    """
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        epochs = range(1, len(history[name]) + 1)
        axes.plot(epochs, history[name], marker="o", color=GREY, label="train (with dropout)")
        axes.plot(epochs, history[f"val_{name}"], marker="o", color=BLUE, label="validation")
        axes.axvline(kept, color=ORANGE, linestyle="--", linewidth=1, label="kept")
        axes.set(title=name, xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


def confusion(title: str, evaluation: Evaluation) -> Figure:
    """Rows are labelled, columns predicted; the shade is the share of the labelled intent, so that rare ones show."""
    counts = np.array(evaluation.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    intents = list(evaluation.per_class)
    figure = Figure(figsize=(9.5, 8), layout="constrained")
    axes = figure.subplots()
    shade = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(shade, ax=axes, shrink=0.7, label="share of the labelled intent")
    for row, column in np.argwhere(counts):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, counts[row, column], ha="center", va="center", color=colour)
    # Anchored at its end, each slanted name points at its own column.
    axes.set_xticks(range(len(intents)), intents, rotation=45, ha="right", rotation_mode="anchor")
    named = [f"{intent} ({rows})" for intent, rows in zip(intents, counts.sum(axis=1), strict=True)]
    axes.set_yticks(range(len(intents)), named)
    axes.set(xlabel="predicted", ylabel="labelled (rows)")
    axes.set_title(f"{title}: {evaluation.rows} rows, accuracy {evaluation.accuracy:.3f}")
    return figure


def reliability(split: str, views: dict[str, View]) -> Figure:
    """A row for each view, before and after the temperature: accuracy by confidence, and how many rows."""
    figure = Figure(figsize=(9, 4.6 * len(views) + 0.4), layout="constrained")
    # A thin strip of row counts under each diagram.
    grid = figure.subplots(2 * len(views), 2, height_ratios=[4, 1] * len(views), sharex=True, squeeze=False)
    for index, (name, view) in enumerate(views.items()):
        both = (("before", view.before[split]), ("after", view.evaluations[split]))
        for column, (when, found) in enumerate(both):
            diagram, counts = grid[2 * index, column], grid[2 * index + 1, column]
            _reliability(diagram, counts, found)
            diagram.set_title(f"{split}, {name}, {when} temperature: ECE {found.ece:.3f}", fontsize="medium")
    keys = [Patch(color=BLUE), Patch(color=PALE), Line2D([], [], color=ORANGE, linewidth=3)]
    names = ["accuracy", f"accuracy of fewer than {FEW_ROWS} rows", "mean confidence, where the bar should end"]
    figure.legend(keys, names, loc="outside upper center", ncols=3, frameon=False)
    return figure


def _reliability(diagram: Axes, counts: Axes, found: Evaluation) -> None:
    left = [bin.low for bin in found.bins]
    width = 1 / BINS
    colours = [BLUE if bin.rows >= FEW_ROWS else PALE for bin in found.bins]
    accuracy = [bin.accuracy for bin in found.bins]
    diagram.bar(left, accuracy, width, align="edge", color=colours, edgecolor="white")
    confident = [bin.confidence for bin in found.bins]
    diagram.hlines(confident, left, np.add(left, width), color=ORANGE, linewidth=3)
    diagram.set(xlim=(0, 1), ylim=(0, 1), ylabel="accuracy")
    counts.bar(left, [bin.rows for bin in found.bins], width, align="edge", color=GREY, edgecolor="white")
    counts.set(ylabel="rows", xlabel="confidence (probability of the answer)")


def answered(views: dict[str, View]) -> Figure:
    """Accuracy of what is answered, by how much is answered; the dots are the recommended thresholds."""
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    splits = list(next(iter(views.values())).before)
    for axes, split in zip(figure.subplots(1, len(splits), sharey=True, squeeze=False)[0], splits, strict=True):
        for (name, view), colour in zip(views.items(), (BLUE, ORANGE), strict=False):
            answers, chosen = view.predictions[split], view.answered[split]
            share, accuracy = coverage.curve(answers.confidence, answers.correct)
            # The first few rows are a line that jumps between 0 and 1 and tells nothing.
            shown = share >= 0.05
            axes.plot(share[shown], accuracy[shown], color=colour, label=name)
            label = f"threshold {chosen.threshold:.2f}: {percent(chosen.coverage)} answered"
            axes.plot(chosen.coverage, chosen.accuracy, "o", color=colour, label=label)
        aim = coverage.TARGET
        axes.axhline(aim, color=GREY, linestyle="--", linewidth=1, label=f"aim {percent(aim)}")
        axes.set(title=split, xlabel="share of the rows answered, the most confident first", xlim=(0, 1))
        axes.grid(alpha=0.3)
        axes.legend(loc="lower left")
    figure.axes[0].set_ylabel("accuracy of the answers")
    return figure
