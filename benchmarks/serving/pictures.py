"""Pictures of a run."""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.serving.measured import Measured, picture
from benchmarks.serving.rounds import BASELINE, BATCHED, ECHO, GATEWAY, SINGLE

# Okabe and Ito's colours, which stay apart for colour-blind readers.
COLOURS = {BASELINE: "#D55E00", GATEWAY: "#0072B2", SINGLE: "#009E73", BATCHED: "#CC79A7", ECHO: "#E69F00"}
PROCESSES = {"Flask": "#D55E00", "gateway": "#0072B2", "model server": "#009E73", "load generator": "#BBBBBB"}
MARKERS = dict(zip(COLOURS, "osD^v", strict=True))
LIMIT = "#000000"


def draw(figures: dict[str, Any], folder: Path) -> None:
    """PNG files of what this run has the figures for."""
    folder.mkdir(parents=True, exist_ok=True)
    measured = Measured(figures)
    found = {"rates": _rates(measured), "latency": _latency(measured), "cpu": _cpu(measured)}
    if "soak" in figures:
        found["soak"] = _soak(figures["soak"])
    for name, figure in found.items():
        figure.savefig(folder / picture(figures, name), dpi=120)


def _sides(measured: Measured) -> dict[str, list[int]]:
    return {
        side: counts
        for side in COLOURS
        if (counts := sorted(connections for name, connections in measured.places() if name == side))
    }


def _connections(axes: Axes, measured: Measured) -> None:
    axes.set_xscale("log", base=2)
    counts = sorted({connections for _, connections in measured.places() if connections})
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.set_xlabel("connections")
    axes.grid(alpha=0.3)


def _legend(figure: Figure, axes: Axes) -> None:
    """Below, where it hides nothing."""
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=9)


def _rates(measured: Measured) -> Figure:
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for side, counts in _sides(measured).items():
        spreads = [measured.of(side, count, "rate") for count in counts]
        medians = [spread.median for spread in spreads]
        axes.plot(counts, medians, color=COLOURS[side], marker=MARKERS[side], label=side)
        axes.fill_between(
            counts,
            [min(spread.values) for spread in spreads],
            [max(spread.values) for spread in spreads],
            color=COLOURS[side],
            alpha=0.2,
        )
        # The numbers of the other two would lie on the gateway's.
        if side not in (SINGLE, BATCHED):
            end = counts[-1], medians[-1]
            axes.annotate(f"{medians[-1]:,.0f}", end, xytext=(8, -3), textcoords="offset points", fontsize=9)
    if limit := measured.limit():
        rate = measured.of(limit, 0, "rate").median
        axes.axhline(rate, color=LIMIT, linestyle="--", label=f"{limit}: {rate:,.0f}")
    axes.set_yscale("log")
    axes.set_ylabel("rows a second")
    axes.set_title("Rows a second, the same weights on the same machine")
    _connections(axes, measured)
    axes.margins(x=0.08)
    _legend(figure, axes)
    return figure


def _latency(measured: Measured) -> Figure:
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2, sharey=True), ("p50", "p99"), strict=True):
        for side, counts in _sides(measured).items():
            medians = [measured.of(side, count, name).median for count in counts]
            axes.plot(counts, medians, color=COLOURS[side], marker=MARKERS[side], label=side)
        axes.set_yscale("log")
        axes.set_title(name)
        _connections(axes, measured)
    _legend(figure, axes)
    figure.axes[0].set_ylabel("latency of a request, ms")
    return figure


def _cpu(measured: Measured) -> Figure:
    """The baseline is left out: beside it, nothing else could be seen."""
    places = [(side, counts[-1]) for side, counts in _sides(measured).items() if side != BASELINE]
    figure = Figure(figsize=(8, 2 + 0.5 * len(places)), layout="constrained")
    axes = figure.subplots()
    names = [f"{side},\n{count} connections" for side, count in places]
    left = [0.0] * len(places)
    spent = [measured.cpu(*place) for place in places]
    # A narrower part has no room for its number.
    least = max((sum(each.values()) for each in spent), default=0.0) * 0.05
    for process in dict.fromkeys(process for each in spent for process in each):
        widths = [each.get(process, 0.0) for each in spent]
        colour = PROCESSES.get(process, "#E69F00")
        bars = axes.barh(names, widths, left=left, color=colour, label=process)
        axes.bar_label(
            bars, [f"{width:.2f}" if width > least else "" for width in widths], label_type="center", fontsize=8
        )
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel("CPU ms a row")
    axes.set_title("CPU of a row by process")
    _legend(figure, axes)
    return figure


def _soak(soak: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    requests = [point["requests"] for point in soak["points"]]
    for process, kind in (("model server", "private"), ("gateway", "resident")):
        values = [point[process][kind] for point in soak["points"]]
        axes.plot(requests, values, color=PROCESSES[process], label=f"{process}, {kind}")
    axes.axvline(soak["warm_up_requests"], color=LIMIT, linestyle=":", label="end of the warm-up")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("requests")
    axes.set_ylabel("MiB")
    axes.set_title("Memory over requests of mixed shapes")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=9)
    return figure
