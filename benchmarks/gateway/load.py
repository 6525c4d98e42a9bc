"""What a request through the gateway costs, for gateways with different settings or from different checkouts.

`wrk` posts real utterances over a number of connections, each of which asks again as soon as it is answered. Model
server, gateways and wrk share the machine; the gateways take turns.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.shared import services, wrk
from benchmarks.shared.processes import cpu_seconds

WARM_UP_SECONDS = 3


@dataclass(frozen=True)
class Gateway:
    """One of the gateways that are compared.

    Attributes:
        checkout: folder of the repository whose gateway runs.
    """

    checkout: Path = Path()
    settings: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Backend:
    """The model server that all gateways ask."""

    pid: int
    address: str


@dataclass(frozen=True)
class Round:
    """One run of wrk; latencies and CPU in ms.

    Attributes:
        rate: answers a second.
        gateway, model_server: CPU of the process per request.
        failed: requests without an answer, or with one that is not 200.
    """

    rate: float
    p50: float
    p90: float
    p99: float
    gateway: float
    model_server: float
    failed: int


@dataclass(frozen=True)
class Cost:
    """All rounds of one gateway at this number of connections."""

    gateway: str
    connections: int
    rounds: tuple[Round, ...]

    def median(self, name: str) -> float:
        """Median of one of the figures over the rounds."""
        return float(statistics.median(getattr(each, name) for each in self.rounds))

    @property
    def failed(self) -> int:
        """Failed requests of all rounds."""
        return sum(each.failed for each in self.rounds)


@dataclass(frozen=True)
class Plan:
    """How the load is made; `seconds` is the length of a round."""

    path: str
    connections: Sequence[int]
    rounds: int
    seconds: int


def measure(
    gateways: Mapping[str, Gateway], backend: Backend, bodies: Path, plan: Plan, say: Callable[[str], None]
) -> list[Cost]:
    """Starts all gateways in front of one model server, and loads them by turns."""
    found: dict[tuple[str, int], list[Round]] = {
        (name, connections): [] for connections in plan.connections for name in gateways
    }
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(services.gateway(backend.address, each.settings, each.checkout))
            for name, each in gateways.items()
        }
        for pid, port in running.values():
            run(pid, backend.pid, port, plan.path, bodies, max(plan.connections), WARM_UP_SECONDS)
        for number in range(plan.rounds):
            for (name, connections), rounds in found.items():
                say(f"round {number + 1} of {plan.rounds}: {connections} connections, {name}")
                pid, port = running[name]
                rounds.append(run(pid, backend.pid, port, plan.path, bodies, connections, plan.seconds))
    return [Cost(name, connections, tuple(rounds)) for (name, connections), rounds in found.items()]


def run(gateway: int, server: int, port: int, path: str, bodies: Path, connections: int, seconds: int) -> Round:
    """One run of wrk over the bodies at `path` of the gateway at `port`; `gateway` and `server` are pids."""
    pids = gateway, server
    before = [cpu_seconds(pid) for pid in pids]
    load = wrk.load(port, path, bodies, connections, seconds)
    own, model_server = (
        (cpu_seconds(pid) - start) * 1000 / load.requests for pid, start in zip(pids, before, strict=True)
    )
    p50, p90, p99 = load.percentiles
    return Round(load.rate, p50, p90, p99, own, model_server, load.failed)
