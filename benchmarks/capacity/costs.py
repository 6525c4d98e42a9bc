"""What a request costs on this machine: measured on one gateway and one model server, and split into parts.

Closed-loop load at several numbers of connections makes calls of several sizes. CPU per request is then
`each + call / rows per call`, so a straight line over 1/rows separates what a call costs from what a row costs.
"""

import os
import statistics
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import gateway_load, results
from benchmarks.capacity.errors import CostsError
from benchmarks.capacity.instance import Costs
from benchmarks.processes import cpu_seconds

CONNECTIONS = (1, 8, 32)
WARM_UP_SECONDS = 3
P90_SIGMAS = 1.2816
"""Standard deviations from the median to the 90th percentile of a normal distribution. A higher percentile would show
what else the machine did meanwhile."""


@dataclass(frozen=True)
class Round:
    """One run of wrk: rate in answers a second, latencies and CPU per request in ms."""

    connections: int
    rate: float
    p50: float
    p90: float
    p99: float
    gateway: float
    model_server: float
    rows_per_call: float
    failed: int


@dataclass(frozen=True)
class Measured:
    """What one machine of `cores` cores does.

    Attributes:
        costs: CPU seconds, without a client.
        variation: standard deviation of the logarithm of a row's cost: texts differ in length.
        capacity: most answers a second that wrk got.
        start_seconds: from the start of both processes until /readyz said 200.
        threads: batches that the model server runs at a time; batch_rows: rows in one.
    """

    costs: Costs
    variation: float
    capacity: float
    cores: int
    start_seconds: float
    threads: int
    batch_rows: int
    rounds: tuple[Round, ...]


class Pair:
    """A gateway and its model server that run: their pids, and the gateway's port."""

    def __init__(self, gateway: int, model_server: int, port: int) -> None:
        self.gateway, self.model_server, self.port = gateway, model_server, port

    def cpu_seconds(self) -> tuple[float, float]:
        """Of gateway and model server so far."""
        return cpu_seconds(self.gateway), cpu_seconds(self.model_server)

    def calls(self) -> float:
        """Predict calls so far, as the gateway counts them."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as response:
            lines = response.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("gateway_upstream_seconds_count"))


def load(pair: Pair, bodies: Path, rounds: int, seconds: int, say: Callable[[str], None]) -> list[Round]:
    """wrk with these bodies, one JSON text a line; interleaved rounds.

    Raises:
        NoLoadGeneratorError: wrk is missing.
    """
    say("costs: warming up")
    _wrk(pair, bodies, max(CONNECTIONS), WARM_UP_SECONDS)
    found = []
    for number in range(rounds):
        for connections in CONNECTIONS:
            say(f"costs: round {number + 1} of {rounds}, {connections} connections")
            found.append(_wrk(pair, bodies, connections, seconds))
    return found


def _wrk(pair: Pair, bodies: Path, connections: int, seconds: int) -> Round:
    calls = pair.calls()
    one = gateway_load.run(pair.gateway, pair.model_server, pair.port, "/predict", bodies, connections, seconds)
    rows = one.rate * seconds / max(1.0, pair.calls() - calls)
    latencies = one.p50, one.p90, one.p99
    return Round(connections, one.rate, *latencies, one.gateway, one.model_server, rows, one.failed)


def fit(rounds: Sequence[Round]) -> tuple[Costs, float]:
    """The costs in seconds, and the variation."""
    gateway = _line(rounds, [each.gateway for each in rounds])
    model = _line(rounds, [each.model_server for each in rounds])
    alone = [each for each in rounds if each.connections == 1]
    p50, p90 = (statistics.median(getattr(each, name) for each in alone) for name in ("p50", "p90"))
    used = statistics.median(each.gateway + each.model_server for each in alone)
    wait = max(0.0, p50 - used) / 1000
    costs = Costs(gateway[0], gateway[1], model[1], model[0], call_wait=wait)
    return costs, float(np.log(max(1.0, p90 / p50)) / P90_SIGMAS)


def _line(rounds: Sequence[Round], milliseconds: list[float]) -> tuple[float, float]:
    """Seconds per request and per call, neither below 0."""
    shares = np.array([1 / max(1.0, each.rows_per_call) for each in rounds])
    values = np.array(milliseconds) / 1000
    spread = shares - shares.mean()
    slope = float(spread @ (values - values.mean()) / max(spread @ spread, 1e-12))
    # A call cannot cost less than nothing, nor all of what a request costs and more.
    slope = min(max(0.0, slope), float(values.mean() / shares.mean()))
    return float(values.mean() - slope * shares.mean()), slope


def measured(rounds: Sequence[Round], start_seconds: float, threads: int, batch_rows: int) -> Measured:
    """Of this machine."""
    costs, variation = fit(rounds)
    capacity = max(
        statistics.median(each.rate for each in rounds if each.connections == connections)
        for connections in CONNECTIONS
    )
    cores = len(os.sched_getaffinity(0))
    return Measured(costs, variation, capacity, cores, start_seconds, threads, batch_rows, tuple(rounds))


def as_json(measured: Measured) -> dict[str, Any]:
    """For the results."""
    return asdict(measured)


def read(path: Path) -> Measured:
    """The costs in an earlier result.

    Raises:
        CostsError: the file is no result of this benchmark.
    """
    try:
        figures = results.read(path)["costs"]
        return Measured(
            **figures
            | {"costs": Costs(**figures["costs"]), "rounds": tuple(Round(**each) for each in figures["rounds"])}
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CostsError(f"{path}: no costs in it ({error}); leave --costs out to measure them") from None
