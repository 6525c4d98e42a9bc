"""Training for some steps, and the section about it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.training import report
from benchmarks.training.recipes import DEFAULT, PUBLISHED, REFERENCE
from benchmarks.training.worker import Stopwatch


def test_the_package_of_the_same_name_stays_what_training_means() -> None:
    import training

    assert training.__file__ is not None
    assert Path(training.__file__).parent == Path(__file__).parents[3] / "training"


def test_only_steps_after_the_warm_up_are_measured() -> None:
    watch = Stopwatch(warm_up=2, steps=3)
    masks = [np.array([[1, 1, 1, 1]] * 2)] * 2 + [np.array([[1, 1, 0, 0], [1, 0, 0, 0]])] * 10
    seen = list(watch.through(iter(masks)))
    assert len(seen) == 5
    measured = watch.measured(lambda mask: mask)
    assert measured.padding == pytest.approx(5 / 8)
    assert measured.pieces == 1.5
    # Two rows a step.
    assert measured.rows_per_second == pytest.approx(2000 / measured.step_ms)
    assert measured.peak_mib > 1


def test_the_real_loop_trains_as_many_steps_as_asked(tiny_pair: Path) -> None:
    words = [DEFAULT, str(tiny_pair), "training/sample", "1", "3"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.training.worker", *words],
        stdout=subprocess.PIPE,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    measured = json.loads(done.stdout)
    assert 0 < measured["padding"] < 1
    assert 3 < measured["pieces"] < 64
    # All batches are full.
    assert measured["rows_per_second"] * measured["step_ms"] == pytest.approx(32_000)


def _figures() -> dict[str, Any]:
    def rounds(rate: float, mib: float) -> list[dict[str, float]]:
        one = {"step_ms": 32_000 / rate, "peak_mib": mib, "padding": 0.25, "pieces": 20.0}
        return [{"rows_per_second": rate * factor, **one} for factor in (1.1, 1, 0.9)]

    return {
        "benchmark": "training",
        "when": "2030-01-02",
        "machine": {"cores": 2, "processor": "abacus", "memory_gib": 4.0, "load_before": 0.1},
        "command": "python -m benchmarks training",
        "encoder": "minilm:3",
        "data": "the bundled sample",
        "steps": 40,
        "warm_up_steps": 8,
        "ways": {PUBLISHED: rounds(20, 2000), REFERENCE: rounds(50, 1600), DEFAULT: rounds(200, 1000)},
    }


def test_the_section_shows_medians_and_ratios() -> None:
    section = report.markdown(_figures())
    assert section.startswith("## Training\n")
    assert "| default | 200 (180 to 220) | 160 (160 to 160) | 1000 (1000 to 1000) | 25 % | 20.0 |" in section
    assert "10.0 times those of `published`, 4.0 times those of `reference`" in section
    assert "0.50 and 0.62 times theirs" in section


def test_the_picture_that_the_section_shows_is_drawn(tmp_path: Path) -> None:
    report.pictures(_figures(), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [report.PICTURE]
    assert f"(images/{report.PICTURE})" in report.markdown(_figures())
