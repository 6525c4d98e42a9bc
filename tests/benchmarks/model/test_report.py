"""The section about the model from hand-written figures."""

from pathlib import Path
from typing import Any

from benchmarks.model import ops, report
from benchmarks.model.costs import BATCHES, LENGTHS
from benchmarks.model.settings import FIXED, settings
from benchmarks.model.shapes import STEP
from benchmarks.model.trace import UNTRACED


def figures(cores: int = 2, limit: int = 64) -> dict[str, Any]:
    used = settings(cores)
    slow = {setting: 5.0 if setting.policy == FIXED else 1.25 for setting in used}
    shapes = [(batch, length) for batch in BATCHES for length in LENGTHS if length <= limit]
    return {
        "benchmark": "model",
        "when": "2030-01-02",
        "machine": {"cores": cores, "processor": "abacus", "memory_gib": 4.0, "load_before": 0.1},
        "command": "python -m benchmarks model",
        "classifier": "classifiers/default",
        "encoder": "minilm:3",
        "sequence_length": limit,
        "pieces": {"mean": 19.5, "longest": 61},
        "rounds": 3,
        "memory": [
            {"policy": "ours", "threads": 1, "onednn": onednn, "resident": [[n, 500 + n * onednn] for n in _steps()]}
            for onednn in (False, True)
        ],
        "ops": {
            "1": {"matrix products with weights": 0.6, "GELU": 0.3, ops.BETWEEN: 0.1, UNTRACED: 0.9},
            "32": {"matrix products with weights": 0.2, "GELU": 0.6, UNTRACED: 0.7},
        },
        "agreement": [{**each.as_json(), "rows": 10, "largest": 3e-7, "other_labels": 0} for each in used],
        "utterances": [
            {**each.as_json(), "batch": size, **_spread(1000 / slow[each])} for each in used for size in (1, 8, 32, 64)
        ],
        "cells": [
            {**each.as_json(), "batch": batch, "length": length, **_spread(slow[each])}
            for each in used
            for batch, length in shapes
        ],
    }


def _steps() -> range:
    return range(0, 481, STEP)


def _spread(value: float) -> dict[str, float]:
    return {"median": value, "low": value * 0.95, "high": value * 1.05}


def test_the_section_shows_the_figures() -> None:
    section = report.markdown(figures())
    assert section.startswith("## The model itself\n")
    assert "`python -m benchmarks model`" in section
    assert "| ours, 1 thread | 1.25 |" in section
    assert "| ours, 2 threads | 800 (760 to 840) |" in section
    assert "| ours, 1 thread, oneDNN ops | 500 | 540 | 620 | 740 | 980 | +480 |" in section
    assert "| GELU | 0.300 | 30 % | 0.600 | 75 % |" in section
    assert "The largest part: matrix products with weights at batch 1; GELU at batch 32." in section
    assert "10 % of its median apart in the middle cell" in section


def test_the_ratio_is_to_fixed_128_on_as_many_threads() -> None:
    rows = [line for line in report.markdown(figures()).splitlines() if " to " in line and line.startswith("| ")]
    assert [line.split(" | ")[-1] for line in rows if line.startswith("| fixed 128")] == ["1.0 |"] * 2
    assert [line.split(" | ")[-1] for line in rows if line.startswith("| ours")] == ["4.0 |"] * 3


def test_a_single_core_and_a_short_classifier_are_enough() -> None:
    section = report.markdown(figures(cores=1, limit=32))
    assert "2 threads" not in section
    assert "x 64" not in section


def test_every_picture_that_the_section_shows_is_drawn(tmp_path: Path) -> None:
    for cores in (1, 2):
        measured = figures(cores)
        report.pictures(measured, tmp_path / str(cores))
        drawn = {file.name for file in (tmp_path / str(cores)).iterdir()}
        assert drawn == {part.split(")")[0] for part in report.markdown(measured).split("(images/")[1:]}
