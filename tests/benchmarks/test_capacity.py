"""Traces, costs, replay, and the whole command from measured costs on."""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from aiohttp import web

from benchmarks import results
from benchmarks.capacity import arrivals, command, costs, replay, response
from benchmarks.capacity.errors import CostsError, TraceError
from benchmarks.capacity.instance import Costs


def test_a_trace_is_read(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text("seconds,requests\n0,600\n60,60\n180,0\n")

    trace = arrivals.read(path)

    assert trace.rates.tolist() == [10.0] * 60 + [0.5] * 120 + [0.0] * 120


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", ":1: the first line must be seconds,requests"),
        ("time,requests\n0,1\n", ":1: the first line must be seconds,requests"),
        ("seconds,requests\n0,1\n", "two lines of figures"),
        ("seconds,requests\n5,1\n9,1\n", ":2: the first second must be 0, not 5"),
        ("seconds,requests\n0,1\n9,1\n9,1\n", ":4: seconds must ascend, 9 does not"),
        ("seconds,requests\n0,1\n9,many\n", ":3: 9,many is not a whole second"),
        ("seconds,requests\n0,1\n9,1,1\n", ":3: 9,1,1 is not a whole second"),
        ("seconds,requests\n0,1\n9,-1\n", ":3: -1 requests cannot arrive"),
        ("seconds,requests\n0,1\n9,nan\n", ":3: nan requests cannot arrive"),
    ],
)
def test_a_bad_trace_is_told_where(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(content)

    with pytest.raises(TraceError) as caught:
        arrivals.read(path)

    assert complaint in str(caught.value)


def test_a_missing_trace_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="cannot be read"):
        arrivals.read(tmp_path / "none.csv")


def test_instants_are_the_counts_of_the_same_seed() -> None:
    trace = arrivals.constant(40, 300)

    instants = arrivals.instants(trace, 3)

    assert (np.diff(instants) >= 0).all()
    assert np.array_equal(np.bincount(instants.astype(int), minlength=300), arrivals.counts(trace, 3))
    assert len(instants) == pytest.approx(40 * 300, rel=0.03)
    assert not np.array_equal(instants[:100], arrivals.instants(trace, 4)[:100])


def test_a_day_has_its_peak_and_its_step() -> None:
    day = arrivals.daily(200)

    assert day.rates.max() == pytest.approx(200)
    assert day.busiest / 3600 == pytest.approx(arrivals.PEAK_HOUR, abs=0.1)
    assert 0 < arrivals.STEP_HOUR * 3600 - day.steepest <= 600


def planted(connections: int, rows: float) -> costs.Round:
    gateway, model = 0.2 + 0.5 / rows, 3.0 + 1.0 / rows
    return costs.Round(connections, 400.0, 6.0, 8.0, 10.0, gateway, model, rows, 0)


def test_fixed_and_per_row_parts_are_told_apart() -> None:
    found, variation = costs.fit([planted(1, 1.0), planted(8, 2.0), planted(32, 6.0)])

    assert found.gateway_request == pytest.approx(0.0002)
    assert found.gateway_call == pytest.approx(0.0005)
    assert found.model_row == pytest.approx(0.003)
    assert found.model_call == pytest.approx(0.001)
    # 6 ms at the median, of which 4.7 ms are CPU.
    assert found.call_wait == pytest.approx(0.0013)
    assert variation == pytest.approx(0.2245, abs=1e-3)


def test_costs_are_never_negative() -> None:
    rounds = [planted(1, 1.0), planted(8, 2.0)]
    upside_down = [
        costs.Round(**{**asdict(each), "gateway": 1 / each.gateway, "model_server": 5 * each.rows_per_call})
        for each in rounds
    ]

    found, _ = costs.fit(upside_down)

    assert min(asdict(found).values()) >= 0
    assert found.model_row > 0


@pytest.mark.parametrize("content", ["{}", "no JSON", '{"benchmark": "capacity", "costs": {}}'])
def test_a_file_without_costs_is_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "costs.json"
    path.write_text(content)

    with pytest.raises(CostsError, match="leave --costs out"):
        costs.read(path)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A gateway that refuses every third request."""
    asked: list[str] = []

    async def predict(request: web.Request) -> web.Response:
        asked.append((await request.json())["text"])
        return web.json_response({"asked": len(asked)}, status=503 if len(asked) % 3 == 0 else 200)

    app = web.Application()
    app.router.add_post("/predict", predict)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()
    assert len(asked) == 60
    assert set(asked) == {"a", "b"}


async def test_a_replay_sends_all_and_notes_what_it_is_told(port: int) -> None:
    instants = np.sort(np.random.default_rng(0).random(60) * 0.3)

    replayed = await asyncio.to_thread(replay.play, port, ["a", "b"], instants)

    assert np.bincount(replayed.statuses)[[200, 503]].tolist() == [40, 20]
    assert (replayed.sent >= instants).all()
    assert (replayed.latencies > 0).all()
    assert replayed.request_bytes > 50
    assert replayed.response_bytes > 50


def earlier(path: Path) -> None:
    """A result with costs and a validation, but without fleets."""
    measured = costs.Measured(
        Costs(0.0002, 0.0005, 0.001, 0.003), 0.2, 400.0, 2, 6.0, 2, 32, (planted(1, 1.0), planted(32, 6.0))
    )
    seen = {"rate": 100.0, "p50": 5.0, "p99": 20.0, "refused": 0.0, "failed": 0.0, "cpu": 0.4}
    rounds = [{"measured": seen, "simulated": seen | {"p99": 25.0}, "others": 0.01}]
    levels = [{"share": share, "offered": 400 * share, "rounds": rounds} for share in (0.3, 0.85)]
    validation = {
        "levels": levels,
        "burst": {"calm": 0.2, "burst": 1.2, "seconds": [3, 5, 3], "rounds": rounds},
        "request_bytes": 180.0,
        "response_bytes": 400.0,
    }
    results.write(path, "capacity", {"costs": costs.as_json(measured), "validation": validation})


def test_from_earlier_costs_to_tables_and_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response, "REQUESTS", 2000)
    earlier(tmp_path / "costs.json")
    (tmp_path / "trace.csv").write_text("seconds,requests\n0,1800000\n3600,3600000\n")
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    words = ["--costs", tmp_path / "costs.json", "--trace", tmp_path / "trace.csv", "--pictures", tmp_path / "pictures"]
    options = parser.parse_args([*map(str, words), "--output", str(tmp_path / "new" / "capacity.json")])

    assert command.run(options) == 0

    said = capsys.readouterr().out
    assert said.startswith("## Capacity\n")
    assert "| 85% of the best rate | 5.0 → 5.0 (+0%) | 20.0 → 25.0 (+25%) |" in said
    assert "the largest error is 0% of p50 and 25% of p99" in " ".join(said.split())
    figures = json.loads((tmp_path / "new" / "capacity.json").read_text())
    (fleet,) = figures["fleets"]
    lean, proof = fleet["plans"]
    assert f"| {fleet['peak']:,.0f} | zone-proof |" in said
    assert proof["instances"][2] > lean["instances"][2]
    assert proof["usd_a_month"]["fleet"] > lean["usd_a_month"]["fleet"]
    assert proof["lost_zone"]["refused"] < lean["lost_zone"]["refused"]
    assert proof["lost_zone"]["refusing_seconds"] == figures["policy"]["out_of_rotation"]
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == {
        f"performance-capacity-{name}.png" for name in ("validation", "day", "zone")
    }
    for picture in (tmp_path / "pictures").iterdir():
        assert f"(images/{picture.name})" in said


def test_an_objective_that_no_instance_meets_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    earlier(tmp_path / "costs.json")
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    options = parser.parse_args(
        ["--costs", str(tmp_path / "costs.json"), "--p99", "1", "--output", str(tmp_path / "capacity.json")]
    )

    assert command.run(options) == 1

    assert "give a larger --p99" in capsys.readouterr().err
    assert not (tmp_path / "capacity.json").exists()
