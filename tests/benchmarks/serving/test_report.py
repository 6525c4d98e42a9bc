"""Claims, section and pictures from figures written by hand."""

import argparse
import copy
from pathlib import Path
from typing import Any

import pytest

from benchmarks.serving import command, comparison, report
from benchmarks.serving.claims import claims
from benchmarks.serving.measured import Measured


def _round(side: str, connections: int, number: int, rate: float, p50: float, cpu: dict[str, float]) -> dict[str, Any]:
    figures = {"side": side, "connections": connections, "number": number, "rows": 100, "rate": rate, "failed": 0}
    return figures | {"p50": p50, "p90": p50 * 1.5, "p99": p50 * 2, "cpu_ms": cpu | {"load generator": 0.1}}


def _held(resident: float, private: float) -> dict[str, float]:
    return {"resident": resident, "private": private, "peak": resident}


MEASURED = [
    each
    for number in (1, 2, 3)
    for each in (
        _round("baseline", 1, number, 10, 100, {"Flask": 100}),
        _round("baseline", 32, number, 10 + number, 2500, {"Flask": 100}),
        _round("gateway", 1, number, 610, 1.6, {"gateway": 0.3, "model server": 1.0}),
        _round("gateway", 32, number, 1800 + 200 * number, 15, {"gateway": 0.2, "model server": 0.8}),
        _round("gRPC single", 32, number, 2500, 12, {"model server": 0.8}),
        _round("echo", 32, number, 4000, 8, {"gateway": 0.2, "echo": 0.1}),
        _round("in process, batch 1", 0, number, 2000, 1, {"model": 1}),
        _round("in process, batch 8", 0, number, 3000, 5, {"model": 0.6}),
    )
]
FIGURES: dict[str, Any] = {
    "benchmark": "serving",
    "when": "2026-01-02",
    "machine": {"cores": 2, "processor": "Some CPU", "memory_gib": 8.0, "load_before": 0.1},
    "command": "python -m benchmarks serving --soak 200000",
    "classifier": "classifiers/default",
    "model_server": "embedded",
    "utterances": 1013,
    "data": "the bundled sample",
    "connections": [1, 32],
    "rounds": 3,
    "seconds": 8,
    "baseline_seconds": 12,
    "measured": MEASURED,
    "memory": {"gateway": {"gateway": _held(55, 30), "model server": _held(600, 300)}},
    "agreement": {"texts": 20, "differing": 0, "largest_difference": 1e-6},
    "long": _round("gateway", 32, 0, 2100, 14, {"gateway": 0.2, "model server": 0.8}) | {"seconds": 60},
    "soak": {
        "connections": 16,
        "warm_up_requests": 5000,
        "requests": 205000,
        "failed": 0,
        "points": [
            {"requests": 3000, "gateway": _held(55, 30), "model server": _held(500, 200)},
            {"requests": 6000, "gateway": _held(56, 31), "model server": _held(600, 300)},
            {"requests": 205000, "gateway": _held(58, 31), "model server": _held(620, 315)},
        ],
    },
}


def _met(figures: dict[str, Any]) -> dict[str, bool]:
    return {claim.aim: claim.met for claim in claims(figures)}


def test_all_claims_hold_where_the_figures_are_good() -> None:
    found = _met(FIGURES)
    assert len(found) == 9
    assert all(found.values())


@pytest.mark.parametrize(
    ("words", "place", "value"),
    [
        ("p99 at most 3 times", ("long", "p99"), 43),
        ("under 60 MiB", ("soak", "points", 1, "gateway", "resident"), 60.5),
        ("private memory grows", ("soak", "points", 2, "model server", "private"), 331),
    ],
)
def test_one_bad_figure_breaks_its_claim_alone(words: str, place: tuple, value: object) -> None:
    figures = copy.deepcopy(FIGURES)
    *way, last = place
    parent: Any = figures
    for key in way:
        parent = parent[key]
    parent[last] = value
    assert [aim for aim, met in _met(figures).items() if not met] == [aim for aim in _met(FIGURES) if words in aim]


def test_slow_rounds_break_what_compares_them() -> None:
    figures = copy.deepcopy(FIGURES)
    for each in figures["measured"]:
        if each["side"] == "gateway":
            each["rate"] /= 2
            each["p50"] *= 2
            each["cpu_ms"]["gateway"] *= 2
    broken = [aim for aim, met in _met(figures).items() if not met]
    assert len(broken) == 6
    assert all("connection" in aim for aim in broken)


def test_what_was_not_measured_is_not_claimed() -> None:
    figures = FIGURES | {"measured": [each for each in MEASURED if each["side"] == "echo"], "memory": {}}
    for name in ("long", "soak", "agreement"):
        figures.pop(name)
    assert claims(figures) == []
    assert "### Aims" not in report.markdown(figures)


def test_ratios_are_taken_round_by_round() -> None:
    ratio = Measured(FIGURES).ratio(("gateway", 32), ("baseline", 32), "rate")
    assert ratio.values == (2000 / 11, 2200 / 12, 2400 / 13)
    assert ratio.text(".1f") == "183.3 (181.8 to 184.6)"


def test_the_limit_is_the_best_batch_in_process() -> None:
    assert Measured(FIGURES).limit() == "in process, batch 8"


def test_the_load_generator_has_no_share() -> None:
    assert Measured(FIGURES).share("gateway", 32, "gateway").median == pytest.approx(0.2)


def test_the_section_has_its_command_claims_and_tables() -> None:
    text = report.markdown(FIGURES)
    assert text.startswith("## ")
    assert FIGURES["command"] in text
    assert "9 of 9 are met" in text
    assert "| gateway | 32 | 2200 (2000 to 2400) | 15.0 | 22.5 | 30.0 |" in text
    assert "| 32 | 183 (182 to 185) | 167 (167 to 167) | 73% (67% to 80%) | 88% (80% to 96%) |" in text


def test_pictures_are_drawn(tmp_path: Path) -> None:
    report.pictures(FIGURES, tmp_path / "images")
    drawn = {path.name for path in (tmp_path / "images").iterdir()}
    assert drawn == {f"performance-serving-default-{name}.png" for name in ("rates", "latency", "cpu", "soak")}
    assert all(f"images/{name}" in report.markdown(FIGURES) for name in drawn)


def test_failures_of_every_part_are_counted() -> None:
    assert comparison.failures(FIGURES) == 0
    figures = copy.deepcopy(FIGURES)
    figures["measured"][0]["failed"] = 1
    figures["long"]["failed"] = 2
    figures["soak"]["failed"] = 3
    figures["agreement"]["differing"] = 4
    assert comparison.failures(figures) == 10


def test_unknown_sides_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert parser.parse_args(["--sides", "gateway,grpc", "--connections", "32"]).connections == (32,)
    with pytest.raises(SystemExit):
        parser.parse_args(["--sides", "gatewya"])
    assert "choose of baseline, gateway" in capsys.readouterr().err
