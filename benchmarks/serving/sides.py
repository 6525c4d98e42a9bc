"""What is compared: each side is started once, and measured whenever its turn comes."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving import grpc_side, h2load
from benchmarks.serving.rounds import BASELINE, BATCHED, ECHO, GATEWAY, GENERATOR, IN_PROCESS, SINGLE, Round
from benchmarks.shared import services, wrk
from benchmarks.shared.generators import Load
from benchmarks.shared.model_process import ModelProcess
from benchmarks.shared.processes import cpu_seconds
from benchmarks.shared.texts import cut, utterances

LOOK_SECONDS = 0.3
REST_TRIES = 200


@dataclass(frozen=True)
class Side:
    """One thing to measure.

    Attributes:
        processes: pids by name, of all that work for it but the load generator.
        rows: in a request.
        ask: so many connections, so many seconds.
        most: connections at most; None = any number.
    """

    name: str
    processes: dict[str, int]
    ask: Callable[[int, float], Load]
    rows: int = 1
    most: int | None = None

    def measure(self, connections: int, seconds: float, number: int) -> Round:
        """One round."""
        before = {name: cpu_seconds(pid) for name, pid in self.processes.items()}
        load = self.ask(connections, seconds)
        rows = load.requests * self.rows
        cpu = {name: (cpu_seconds(pid) - before[name]) * 1000 / rows for name, pid in self.processes.items()}
        cpu[GENERATOR] = load.cpu_seconds * 1000 / rows
        self._rest()
        p50, p90, p99 = load.percentiles
        rate = load.rate * self.rows
        return Round(self.name, connections, number, rows, rate, p50, p90, p99, cpu, load.failed)

    def _rest(self) -> None:
        """Waits until nothing is left to do: a load generator goes away from requests that are under way.

        The baseline would go on for seconds, and take the CPU of whatever is measured next.

        Raises:
            RuntimeError: it never ends.
        """
        for _ in range(REST_TRIES):
            before = sum(map(cpu_seconds, self.processes.values()))
            time.sleep(LOOK_SECONDS)
            if sum(map(cpu_seconds, self.processes.values())) - before < LOOK_SECONDS / 10:
                return
        raise RuntimeError(f"{self.name}: still at work {REST_TRIES * LOOK_SECONDS:.0f} s after its load ended")


@dataclass(frozen=True)
class Web:
    """A side that speaks HTTP."""

    side: Side
    port: int


@contextmanager
def baseline(classifier: Path, bodies: Path) -> Iterator[Web]:
    """The original design over this classifier."""
    port = services.free_port()
    command = [sys.executable, "-m", "benchmarks.serving.baseline", str(classifier), str(port)]
    with services.listening(command, port) as pid:
        yield Web(Side(BASELINE, {"Flask": pid}, _http(port, bodies, are_answers_few=True)), port)


@contextmanager
def served(models: Path, state: Path, bodies: Path) -> Iterator[tuple[Web, Side, Side]]:
    """One model server: the gateway in front of it, and gRPC straight to it, single and batched."""
    rest_port = services.free_port()
    texts = utterances()
    with (
        services.model_server(models, state, rest_port) as (server, address),
        services.gateway(address) as (gateway, port),
    ):
        processes = {"model server": server}
        web = Web(Side(GATEWAY, {"gateway": gateway, **processes}, _http(port, bodies)), port)
        one, many = grpc_side.single(texts), grpc_side.batched(texts)
        most = max(1, grpc_side.most_rows() // grpc_side.BATCH)
        yield (
            web,
            Side(SINGLE, processes, _grpc(address, rest_port, one, state, "single")),
            Side(BATCHED, processes, _grpc(address, rest_port, many, state, "batched"), grpc_side.BATCH, most),
        )


@contextmanager
def echo(bodies: Path) -> Iterator[Web]:
    """The gateway in front of a stand-in for the model server that answers at once."""
    with services.echo() as (server, address), services.gateway(address) as (gateway, port):
        yield Web(Side(ECHO, {"gateway": gateway, "echo": server}, _http(port, bodies)), port)


def in_process(model: ModelProcess, batch: int, seconds: float, number: int) -> Round:
    """One round of the model in a process without a server."""
    found = model.rate(cut(utterances(), batch), seconds)
    cpu = {"model": found.cpu_ms}
    return Round(IN_PROCESS[batch], 0, number, found.rows, found.rate, found.p50, found.p90, found.p99, cpu, 0)


def _http(port: int, bodies: Path, are_answers_few: bool = False) -> Callable[[int, float], Load]:
    return lambda connections, seconds: wrk.load(port, "/predict", bodies, connections, seconds, are_answers_few)


def _grpc(
    address: str, rest_port: int, requests: Sequence[Sequence[str]], state: Path, name: str
) -> Callable[[int, float], Load]:
    payloads = grpc_side.write(requests, state, name)
    expected = grpc_side.answer_bytes(address, requests[0])

    def ask(connections: int, seconds: float) -> Load:
        before = grpc_side.refused(rest_port)
        load = h2load.load(address, grpc_side.METHOD, payloads, expected, connections, seconds)
        refused = grpc_side.refused(rest_port) - before
        return Load(load.requests, load.rate, load.percentiles, max(load.failed, refused), load.cpu_seconds)

    return ask
