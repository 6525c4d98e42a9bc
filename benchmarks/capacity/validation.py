"""The simulation held against one real instance on this machine, given the very same arrivals."""

import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.capacity import arrivals
from benchmarks.capacity.arrivals import Array, Trace
from benchmarks.capacity.costs import Measured, Pair
from benchmarks.capacity.instance import ANSWERED, REFUSED, Limits, simulate
from benchmarks.capacity.replay import Replayed, play

SHARES = (0.3, 0.5, 0.7, 0.85)
"""Of the measured capacity."""
CALM, BURST = 0.2, 1.2
"""The burst: shares of the capacity before and after it, and during it."""
BURST_SECONDS = (3, 5, 3)
SEED = 20


@dataclass(frozen=True)
class Seen:
    """One replay, or its simulation. Rates in requests a second, latencies of answers in ms, shares 0 to 1.

    Attributes:
        rate: answers with 200. refused: share of 503. failed: share of everything else.
        cpu: of gateway and model server, as a share of all cores.
    """

    rate: float
    p50: float
    p99: float
    refused: float
    failed: float
    cpu: float


def compare(
    pair: Pair, texts: Sequence[str], measured: Measured, limits: Limits, rounds: int, seconds: int, say: Callable
) -> dict[str, Any]:
    """All levels by turns, then the burst; for each the measured and the simulated rounds."""
    levels: dict[float, list[dict[str, Any]]] = {share: [] for share in SHARES}
    replays = []
    for number in range(rounds):
        for share in SHARES:
            say(f"validation: round {number + 1} of {rounds}, {share:.0%} of the capacity")
            trace = arrivals.constant(share * measured.capacity, seconds)
            found, replayed = _one(pair, texts, trace, measured, limits, SEED + number)
            levels[share].append(found)
            replays.append(replayed)
    bursts = []
    for number in range(rounds):
        say(f"validation: burst {number + 1} of {rounds}")
        bursts.append(_one(pair, texts, burst(measured.capacity), measured, limits, SEED + number)[0])
    return {
        "levels": [
            {"share": share, "offered": share * measured.capacity, "rounds": found} for share, found in levels.items()
        ],
        "burst": {"calm": CALM, "burst": BURST, "seconds": list(BURST_SECONDS), "rounds": bursts},
        "request_bytes": statistics.mean(each.request_bytes for each in replays),
        "response_bytes": statistics.mean(each.response_bytes for each in replays),
    }


def burst(capacity: float) -> Trace:
    """Calm, too much for a few seconds, calm."""
    shares = np.repeat([CALM, BURST, CALM], BURST_SECONDS)
    return Trace("burst", shares * capacity)


def _one(
    pair: Pair, texts: Sequence[str], trace: Trace, measured: Measured, limits: Limits, seed: int
) -> tuple[dict[str, Any], Replayed]:
    before, machine = sum(pair.cpu_seconds()), _busy_seconds()
    replayed = play(pair.port, texts, arrivals.instants(trace, seed))
    used, machine = sum(pair.cpu_seconds()) - before, _busy_seconds() - machine
    others = max(0.0, machine - used - replayed.client * len(replayed.sent)) / len(trace.rates) / measured.cores
    # What could not be sent has no instant; it counts as failed, and is not simulated.
    sent = np.sort(replayed.sent[~np.isnan(replayed.sent)])
    length = len(trace.rates)
    costs = replace(measured.costs, client_request=replayed.client)
    cores = measured.cores * (1 - min(0.9, others))
    outcome = simulate(sent, row_work(len(sent), measured.variation, seed), costs, limits, cores)
    statuses = replayed.statuses
    real = _seen(replayed.latencies, statuses == 200, statuses == 503, used / length / measured.cores, length)
    cpu = outcome.service / length / measured.cores
    model = _seen(outcome.latencies, outcome.fates == ANSWERED, outcome.fates == REFUSED, cpu, length)
    return {"measured": real.__dict__, "simulated": model.__dict__, "others": others}, replayed


def _busy_seconds() -> float:
    """Of all cores of the machine, whoever used them."""
    user, nice, system, _, _, *interrupts = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def row_work(count: int, variation: float, seed: int) -> Array:
    """The relative costs of so many rows, log-normal with mean 1."""
    return np.random.default_rng([seed, 2]).lognormal(-(variation**2) / 2, variation, count)


def _seen(latencies: Array, answered: Array, refused: Array, cpu: float, seconds: int) -> Seen:
    times = latencies[answered] * 1000
    p50, p99 = np.percentile(times, [50, 99]) if len(times) else (0.0, 0.0)
    count = len(latencies)
    failed = 1 - (answered.sum() + refused.sum()) / count
    return Seen(len(times) / seconds, float(p50), float(p99), float(refused.mean()), float(failed), cpu)


def rounds(validation: dict[str, Any]) -> list[dict[str, Any]]:
    """Every replay of what `compare` returned."""
    return [each for part in (*validation["levels"], validation["burst"]) for each in part["rounds"]]


def medians(rounds: Sequence[dict[str, Any]], side: str) -> Seen:
    """Over the rounds, of one side: `measured` or `simulated`."""
    names = Seen.__dataclass_fields__
    return Seen(**{name: statistics.median(each[side][name] for each in rounds) for name in names})


def error(rounds: Sequence[dict[str, Any]], name: str) -> float:
    """Of the simulated median against the measured one, relative to the latter."""
    real, model = (getattr(medians(rounds, side), name) for side in ("measured", "simulated"))
    return (model - real) / real if real else float(model != real)
