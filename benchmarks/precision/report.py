"""A run as a section of the documentation."""

import statistics
from pathlib import Path
from typing import Any

# Points of accuracy. With more, reduced precision would not be worth offering.
MOST_POINTS = 0.2


def markdown(figures: dict[str, Any]) -> str:
    """The section."""
    machine = figures["machine"]
    worst = max(abs(each["float32"] - each["bfloat16"]) * 100 for each in figures["splits"])
    batches = list(next(iter(figures["rates"].values())))
    lines = [
        "## Reduced precision",
        "",
        "```sh",
        figures["command"],
        "```",
        "",
        f"{figures['when']}, {machine['cores']} cores ({machine['processor']}), load before {machine['load_before']}; "
        f"`{figures['classifier']}`, text alone.",
        "",
        "| held-out rows | rows | accuracy float32 | accuracy bfloat16 | labels that change | largest difference |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {each['split']} | {each['rows']:,} | {each['float32']:.4f} | {each['bfloat16']:.4f} "
            f"| {each['changed']} | {each['largest_difference']:.4f} |"
            for each in figures["splits"]
        ),
        "",
        f"Accuracy differs by {worst:.2f} points at most; {MOST_POINTS} are allowed: "
        f"{'met' if worst <= MOST_POINTS else '**not met**'}.",
        "",
        f"| rows/s in process | {' | '.join(f'batch {batch}' for batch in batches)} |",
        f"|---|{'---:|' * len(batches)}",
        *(
            f"| {name} | {' | '.join(f'{statistics.median(values):.0f}' for values in rates.values())} |"
            for name, rates in figures["rates"].items()
        ),
        "",
        f"Medians of {figures['rounds']} interleaved rounds of {figures['seconds']:g} s, one single-threaded run a",
        "core. bfloat16 is published by `python -m export publish --precision bfloat16`; it needs a CPU with AMX and",
        "oneDNN's ops (`TF_ENABLE_ONEDNN_OPTS=1`, which the stock server has on by default), whose memory grows with",
        "every new shape of a batch. That is why float32 without them is what the embedded server runs by default.",
        "",
    ]
    return "\n".join(lines)


def pictures(figures: dict[str, Any], folder: Path) -> None:
    """None: two small tables say it."""
