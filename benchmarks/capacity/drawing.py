"""The pictures: 800 px wide, in colours that the colour-blind can tell apart (Okabe and Ito)."""

from pathlib import Path
from typing import Any

import numpy as np

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
SIZE, DPI = (8, 3.8), 100


def pictures(figures: dict[str, Any], folder: Path) -> None:
    """Writes performance-capacity-{validation,day,zone}.png."""
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in {"validation": _validation, "day": _day, "zone": _zone}.items():
        figure = Figure(figsize=SIZE, layout="constrained")
        draw(figure, figures)
        figure.savefig(folder / f"performance-capacity-{name}.png", dpi=DPI)


def _validation(figure: Any, figures: dict[str, Any]) -> None:
    capacity, levels = figures["costs"]["capacity"], figures["validation"]["levels"]
    shares = [level["share"] * 100 for level in levels]
    for axes, name in zip(figure.subplots(1, 2, sharey=True), ("p50", "p99"), strict=True):
        values = {
            side: np.array([[each[side][name] for each in level["rounds"]] for level in levels])
            for side in ("measured", "simulated")
        }
        for side, colour, marker in (("measured", ORANGE, "o"), ("simulated", BLUE, "s")):
            middle = np.median(values[side], axis=1)
            spread = np.abs(np.stack([values[side].min(axis=1), values[side].max(axis=1)]) - middle)
            axes.errorbar(shares, middle, yerr=spread, color=colour, marker=marker, capsize=3, label=side)
        for type_ in figures["types"]:
            if type_["cores"] == figures["costs"]["cores"]:
                curve = type_["curve"]
                rates = np.array(curve["rate"]) / capacity * 100
                shown = rates <= 105
                label = "simulated, without the client's CPU"
                axes.plot(rates[shown], np.array(curve[name])[shown], color=GREY, linestyle=":", label=label)
        axes.set(title=name, xlabel="load, % of the best rate", yscale="log")
        axes.grid(alpha=0.3, which="both")
    figure.axes[0].set_ylabel("ms")
    figure.axes[0].legend(fontsize=8)


def _day(figure: Any, figures: dict[str, Any]) -> None:
    fleet = _shown(figures)
    axes = figure.subplots()
    serving = axes.twinx()
    for plan, colour in zip(fleet["plans"], (ORANGE, BLUE), strict=True):
        hours = np.arange(len(plan["day"]["serving"])) * plan["day"]["step"] / 3600
        serving.step(hours, plan["day"]["serving"], color=colour, label=f"instances, {plan['plan']}", where="post")
    axes.fill_between(hours, fleet["plans"][0]["day"]["rate"], color=GREY, alpha=0.25, linewidth=0, label="requests")
    axes.set(xlabel="hour", ylabel="requests a second", ylim=(0, None), xlim=(0, hours[-1]))
    axes.set_title(f"{fleet['trace']}, {fleet['plans'][0]['type']}", fontsize=10)
    serving.set(ylabel="instances that serve", ylim=(0, None))
    serving.legend(loc="upper left", fontsize=8)
    axes.grid(alpha=0.3)


def _zone(figure: Any, figures: dict[str, Any]) -> None:
    fleet = _shown(figures)
    panels = figure.subplots(3, 1, sharex=True)
    for plan, colour, style in zip(fleet["plans"], (ORANGE, BLUE), ("--", "-"), strict=True):
        line = plan["lost_zone"]["timeline"]
        for axes, name, factor in zip(panels, ("serving", "p99", "refused"), (1, 1, 100), strict=True):
            values = np.array(line[name]) * factor
            axes.step(line["second"], values, color=colour, linestyle=style, label=plan["plan"], where="post")
    for axes, label in zip(panels, ("instances", "p99, ms", "no answer, %"), strict=True):
        axes.set_ylabel(label, fontsize=8)
        axes.set_ylim(0, None)
        axes.axvline(0, color=GREY, linewidth=0.8)
        axes.grid(alpha=0.3)
    panels[0].legend(fontsize=8)
    panels[0].set_title(f"A zone is lost at the peak: {fleet['trace']}", fontsize=10)
    panels[-1].set_xlabel("seconds")


def _shown(figures: dict[str, Any]) -> dict[str, Any]:
    """The middle one of the traces: large enough to scale, small enough to see single instances."""
    fleets: list[dict[str, Any]] = figures["fleets"]
    return fleets[len(fleets) // 2]
