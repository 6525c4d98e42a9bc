"""Mean and spread over seeds."""

import dataclasses

import pytest

from tests.training.hand import answers, rows
from training.fit import recipe
from training.report import seeds
from training.report.evaluate import Group, measure
from training.report.metrics import Metrics

FIGURES = measure(answers(rows(["ask", "stop"]), ["ask", "stop"]))


def run(seed: int, accuracy: float, dialogue: bool = True, **roles: Group) -> Metrics:
    split = dataclasses.replace(FIGURES, accuracy=accuracy, macro_f1=0.5, by_role=roles)
    chosen = recipe.load("default", seed=seed)
    return Metrics(chosen, 2.0 + seed, {"train": split, "test": split}, {"test": split} if dialogue else None)


def test_mean_and_spread() -> None:
    found = seeds.summarise([run(0, 0.7), run(1, 0.8), run(2, 0.9)])
    assert found.seeds == [0, 1, 2]
    assert found.minutes.mean == 3
    spread = found.splits["test"]["accuracy"]
    assert (spread.mean, spread.sd, spread.min, spread.max) == pytest.approx((0.8, 0.1, 0.7, 0.9))
    assert found.dialogue is not None
    assert found.dialogue["test"]["accuracy"] == spread
    assert found.splits["test"]["macro-F1"].sd == 0


def test_what_a_run_lacks_is_left_out() -> None:
    student = Group(rows=1, accuracy=1.0)
    found = seeds.summarise([run(0, 0.7, student=student), run(1, 0.8, dialogue=False, student=student)])
    assert found.dialogue is None
    assert found.splits["test"]["student"].mean == 1
    assert "teacher" not in found.splits["test"]


def test_section_shows_validation_and_test() -> None:
    section = seeds.section(seeds.summarise([run(0, 0.7), run(1, 0.8)]), kept=1)
    assert "seeds 0, 1" in section
    assert "The seed 1 was kept" in section
    assert "| test | text alone | 0.750 ± 0.071 | 0.500 ± 0.000 |" in section
    assert "| test | with context | 0.750 ± 0.071 |" in section
    assert "| train |" not in section
