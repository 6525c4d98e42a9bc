"""Mean and spread over seeds."""

from typing import Any

import pytest

from training.report import seeds


def run(seed: int, accuracy: float, dialogue: bool = True, roles: dict[str, Any] | None = None) -> dict[str, Any]:
    split = {"accuracy": accuracy, "macro_f1": 0.5, "ece": 0.05, "loss": 1.0, "by_role": roles or {}}
    views = {"splits": {"train": split, "test": split}} | ({"dialogue": {"test": split}} if dialogue else {})
    return {"recipe": {"seed": seed}, "minutes": 2.0 + seed, **views}


def test_mean_and_spread() -> None:
    found = seeds.summarise([run(0, 0.7), run(1, 0.8), run(2, 0.9)])
    assert found["seeds"] == [0, 1, 2]
    assert found["minutes"]["mean"] == 3
    assert found["splits"]["test"]["accuracy"] == pytest.approx({"mean": 0.8, "sd": 0.1, "min": 0.7, "max": 0.9})
    assert found["dialogue"]["test"]["accuracy"] == found["splits"]["test"]["accuracy"]
    assert found["splits"]["test"]["macro-F1"]["sd"] == 0


def test_what_a_run_lacks_is_left_out() -> None:
    student = {"student": {"rows": 1, "accuracy": 1.0}}
    found = seeds.summarise([run(0, 0.7, roles=student), run(1, 0.8, dialogue=False, roles=student)])
    assert "dialogue" not in found
    assert found["splits"]["test"]["student"]["mean"] == 1
    assert "teacher" not in found["splits"]["test"]


def test_section_shows_validation_and_test() -> None:
    chosen = run(1, 0.8)
    section = seeds.section(chosen | {"seeds": seeds.summarise([run(0, 0.7), chosen])})
    assert "seeds 0, 1" in section
    assert "The seed 1 was kept" in section
    assert "| test | text alone | 0.750 ± 0.071 | 0.500 ± 0.000 |" in section
    assert "| test | with context | 0.750 ± 0.071 |" in section
    assert "| train |" not in section
