"""The pictures of the report."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.model.settings import FIXED, LONGEST, MULTIPLE, OURS
from benchmarks.model.trace import UNTRACED

WIDTH, DPI = 8.0, 100
# Okabe and Ito's colours, told apart with any kind of colour vision; and a mark each, for print.
STYLES: dict[str, dict[str, Any]] = {
    FIXED: {"color": "#D55E00", "marker": "s"},
    LONGEST: {"color": "#56B4E9", "marker": "^"},
    MULTIPLE: {"color": "#E69F00", "marker": "v"},
    OURS: {"color": "#0072B2", "marker": "o"},
}
# For more parts than they had colours, three greys and a brown.
COLOURS = [
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#56B4E9",
    "#CC79A7",
    "#F0E442",
    "black",
    "0.6",
    "0.85",
    "#7F3C00",
]
# Of the lines against the other axis.
BATCH, LENGTH = 1, 16


def draw(figures: dict[str, Any], folder: Path) -> None:
    """Writes all of them as performance-model-<name>.png."""
    folder.mkdir(parents=True, exist_ok=True)
    drawings: dict[str, Callable[[dict[str, Any]], Figure]] = {
        "lines": lines,
        "utterances": utterances,
        "memory": memory,
        "ops": ops,
    }
    for name, drawing in drawings.items():
        drawing(figures).savefig(folder / f"performance-model-{name}.png", dpi=DPI)


def lines(figures: dict[str, Any]) -> Figure:
    """One thread: against length at batch 1, and against batch size at length 16."""
    cells = [cell for cell in figures["cells"] if cell["threads"] == 1 and not cell["onednn"]]
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    by_length, by_batch = figure.subplots(1, 2)
    for policy in _distinct(cells, "policy"):
        own = [cell for cell in cells if cell["policy"] == policy]
        _line(by_length, policy, [cell for cell in own if cell["batch"] == BATCH], "length")
        _line(by_batch, policy, [cell for cell in own if cell["length"] == LENGTH], "batch")
    by_length.set(title=f"batch {BATCH}, 1 thread", xlabel="word pieces", ylabel="ms a row")
    by_batch.set(title=f"{LENGTH} word pieces, 1 thread", xlabel="rows in the batch")
    _powers(by_batch, sorted(_distinct(cells, "batch")))
    for axes in (by_length, by_batch):
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    by_batch.legend(loc="center", bbox_to_anchor=(0.5, 0.36))
    return figure


def utterances(figures: dict[str, Any]) -> Figure:
    """Rows a second of every policy, a panel for each number of threads."""
    found = [each for each in figures["utterances"] if not each["onednn"]]
    threads = _distinct(found, "threads")
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    panels = figure.subplots(1, len(threads), sharey=True, squeeze=False)[0]
    for axes, count in zip(panels, threads, strict=True):
        for policy in _distinct(found, "policy"):
            _line(axes, policy, [e for e in found if (e["policy"], e["threads"]) == (policy, count)], "batch")
        axes.set(title=f"{count} thread{'s'[: count > 1]}", xlabel="utterances in the batch")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        _powers(axes, sorted(_distinct(found, "batch")))
    panels[0].set(ylabel="rows a second")
    panels[0].legend()
    return figure


def memory(figures: dict[str, Any]) -> Figure:
    """Resident memory over the shapes run so far."""
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    axes = figure.subplots()
    for each, style in zip(figures["memory"], (STYLES[OURS], STYLES[FIXED]), strict=True):
        name = "with oneDNN's ops" if each["onednn"] else "as served: without oneDNN's ops"
        axes.plot(*zip(*each["resident"], strict=True), label=name, **style)
    axes.set(xlabel="different (rows, length) shapes run so far", ylabel="resident MiB")
    axes.set_ylim(0, 1.1 * max(resident for each in figures["memory"] for _, resident in each["resident"]))
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def ops(figures: dict[str, Any]) -> Figure:
    """One bar for each batch size, cut by what the time goes to."""
    traced = figures["ops"]
    names = sorted(
        set().union(*traced.values()) - {UNTRACED}, key=lambda name: -max(t.get(name, 0) for t in traced.values())
    )
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    axes = figure.subplots()
    bars = [f"batch {size}" for size in traced]
    left = [0.0] * len(bars)
    for name, colour in zip(names, COLOURS, strict=False):
        parts = [found.get(name, 0) for found in traced.values()]
        axes.barh(bars, parts, left=left, color=colour, edgecolor="white", label=name)
        left = [start + part for start, part in zip(left, parts, strict=True)]
    axes.set(xlabel="ms a row, one thread")
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    return figure


def _line(axes: Axes, policy: str, points: Sequence[dict[str, Any]], key: str) -> None:
    points = sorted(points, key=lambda point: point[key])
    middle = [point["median"] for point in points]
    spread = [[p["median"] - p["low"] for p in points], [p["high"] - p["median"] for p in points]]
    axes.errorbar([p[key] for p in points], middle, yerr=spread, label=policy, capsize=2, **STYLES[policy])


def _powers(axes: Axes, ticks: Sequence[int]) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xticks(ticks, [str(tick) for tick in ticks])


def _distinct(entries: Sequence[dict[str, Any]], key: str) -> list[Any]:
    return list(dict.fromkeys(entry[key] for entry in entries))
