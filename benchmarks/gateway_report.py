"""The figures of `gateway_load` and `gateway_overload` for people (Markdown) and for programs (JSON)."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.gateway_load import Cost
from benchmarks.gateway_overload import Overload, Scene


def markdown(costs: Sequence[Cost], overload: Overload) -> str:
    """Two tables, and what follows from the second."""
    lines = [
        "| connections | requests | requests/s | p50 ms | p90 ms | p99 ms | gateway CPU ms | model server CPU ms "
        "| gateway's share | failed |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for cost in costs:
        lines.append(
            f"| {cost.connections} | {cost.gateway} | {cost.median('rate'):.0f} | {cost.median('p50'):.1f} "
            f"| {cost.median('p90'):.1f} | {cost.median('p99'):.1f} | {cost.median('gateway'):.2f} "
            f"| {cost.median('model_server'):.2f} | {cost.share:.0%} | {cost.failed} |"
        )
    lines += [
        "",
        "| overload | connections | answered | p50 ms | p99 ms | refused, Retry-After | their p99 ms | else |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for scene in overload.scenes:
        refusals = f"{scene.count('refused')} | {scene.median(99, 'refused'):.1f}"
        lines.append(
            f"| {scene.name} | {scene.connections} | {scene.count('accepted')} | {scene.median(50):.1f} "
            f"| {scene.median(99):.1f} | {refusals} | {scene.failed} |"
        )
    lines.append("")
    for scene in (overload.patient, overload.pressing):
        full, alone = (scene.median(99) / each.median(99) for each in (overload.full, overload.alone))
        lines.append(
            f"{scene.name}: p99 of the answered {full:.1f} times that of as many as are taken, {alone:.1f} times "
            "that of one at a time\n"
        )
    memory = ", ".join(f"{each:.1f}" for each in overload.memory)
    return "\n".join([*lines, f"memory of the gateway after each round: {memory} MiB"])


def write(path: Path, costs: Sequence[Cost], overload: Overload) -> None:
    """The figures of every round; the file whole or not at all."""
    figures = {
        "load": [dataclasses.asdict(cost) for cost in costs],
        "overload": [_figures(scene) for scene in overload.scenes],
        "memory_mib": overload.memory,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    sibling = path.with_name(f".{path.name}")
    sibling.write_text(json.dumps(figures, indent=2) + "\n")
    sibling.replace(path)


def failures(costs: Sequence[Cost], overload: Overload) -> int:
    """Requests without a good answer, and refusals that say not when to come back."""
    return sum(each.failed for each in (*costs, *overload.scenes))


def _figures(scene: Scene) -> dict[str, object]:
    return {
        "scene": scene.name,
        "connections": scene.connections,
        "rounds": [
            {
                "answered": len(each.accepted),
                "refused": len(each.refused),
                "else": dict(each.others),
                **{f"p{percent}_ms": each.percentile(percent) for percent in (50, 90, 99)},
                "refused_p99_ms": each.percentile(99, "refused"),
            }
            for each in scene.rounds
        ],
    }
