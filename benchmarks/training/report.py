"""The section of docs/performance.md about training."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.training.recipes import DEFAULT, PUBLISHED, REFERENCE, WAYS

PICTURE = "performance-training-speed.png"
# Okabe and Ito's colours, told apart with any kind of colour vision.
COLOURS = {PUBLISHED: "#D55E00", REFERENCE: "#E69F00", DEFAULT: "#0072B2"}


def markdown(figures: dict[str, Any]) -> str:
    """The section, from the result file."""
    machine, ways = figures["machine"], figures["ways"]
    rows = [
        f"| {way} | {_cell(found, 'rows_per_second')} | {_cell(found, 'step_ms')} | {_cell(found, 'peak_mib')} | "
        f"{_median(found, 'padding') * 100:.0f} % | {_median(found, 'pieces'):.1f} |"
        for way, found in ways.items()
    ]
    faster = {way: _median(ways[DEFAULT], "rows_per_second") / _median(ways[way], "rows_per_second") for way in ways}
    memory = {way: _median(ways[DEFAULT], "peak_mib") / _median(ways[way], "peak_mib") for way in ways}
    return "\n".join(
        [
            "## Training",
            "",
            f"`{figures['command']}` trains {figures['steps']} batches after {figures['warm_up_steps']} to warm up, "
            f"each way in a process of its own, {len(ways[DEFAULT])} rounds by turns, all with the encoder "
            f"`{figures['encoder']}` and the training rows of {figures['data']}. {figures['when']}, "
            f"{machine['cores']} cores of {machine['processor']}, load before: {machine['load_before']}.",
            "",
            *(f"- `{way}`: {WAYS[way]}." for way in ways),
            "",
            f"![Rows a second and peak memory](images/{PICTURE})",
            "",
            "| | rows a second | ms a step | peak MiB | padding | pieces a row |",
            "|---|---:|---:|---:|---:|---:|",
            *rows,
            "",
            "Medians, in brackets the lowest and highest round. Padding is the share of the batches' pieces. Rows a "
            f"second of `{DEFAULT}`: {faster[PUBLISHED]:.1f} times those of `{PUBLISHED}`, {faster[REFERENCE]:.1f} "
            f"times those of `{REFERENCE}`; its peak of memory: {memory[PUBLISHED]:.2f} and {memory[REFERENCE]:.2f} "
            "times theirs. What makes the difference: less padding, and the word embeddings, which the reference "
            "trains too.",
        ]
    )


def pictures(figures: dict[str, Any], folder: Path) -> None:
    """Draws rows a second and memory, a bar for each way."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 2.8), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    ways = list(figures["ways"])
    for axes, key, title in zip(
        panels, ("rows_per_second", "peak_mib"), ("rows a second", "peak resident MiB"), strict=True
    ):
        medians = [_median(figures["ways"][way], key) for way in ways]
        ends = [[each[key] for each in figures["ways"][way]] for way in ways]
        spread = [
            [middle - min(values) for middle, values in zip(medians, ends, strict=True)],
            [max(values) - middle for middle, values in zip(medians, ends, strict=True)],
        ]
        axes.barh(ways, medians, xerr=spread, capsize=3, color=[COLOURS[way] for way in ways])
        for place, value in enumerate(medians):
            # At the foot of the bar: its end has the spread.
            axes.text(
                0.02 * max(medians),
                place,
                f"{value:.0f}",
                va="center",
                bbox={"facecolor": "white", "edgecolor": "none"},
            )
        axes.set(xlabel=title)
        axes.grid(axis="x", alpha=0.3)
    panels[0].invert_yaxis()
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / PICTURE, dpi=100)


def _cell(rounds: Sequence[dict[str, float]], name: str) -> str:
    values = [each[name] for each in rounds]
    return f"{_median(rounds, name):.0f} ({min(values):.0f} to {max(values):.0f})"


def _median(rounds: Sequence[dict[str, float]], name: str) -> float:
    return statistics.median(each[name] for each in rounds)
