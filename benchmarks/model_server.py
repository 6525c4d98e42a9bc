"""What the model server adds to the model: CPU per request, and memory over many shapes of input.

Works with either server; the one that `serving_config.binary` chooses is started on loopback, and stopped.
"""

import argparse
import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from benchmarks import processes
from benchmarks.texts import SENTENCE, SIGNATURE, words
from serving_config.binary import model_server_command

HELP = "CPU that the model server adds to the model, and its memory over many shapes of input"
START_SECONDS = 120
MODEL_NAME = "measured"
METHOD = "/tensorflow.serving.PredictionService/Predict"
# 480 shapes: these numbers of rows, each with these numbers of words.
ROWS, WORDS = range(1, 17), range(1, 120, 4)


@dataclass(frozen=True)
class Cost:
    """Single-row requests over `connections` at once; CPU in ms, each the values of all rounds.

    Attributes:
        server: CPU of the server process per request.
        session: CPU of a process that runs the model from as many threads, without a server, per run.
        rates: requests a second.
    """

    connections: int
    server: tuple[float, ...]
    session: tuple[float, ...]
    rates: tuple[float, ...]

    @property
    def difference(self) -> float:
        """What the server adds, from the medians."""
        return statistics.median(self.server) - statistics.median(self.session)


@dataclass(frozen=True)
class Growth:
    """Resident memory of the server in MiB, before and after `shapes` different shapes."""

    shapes: int
    before: float
    after: float


class Server:
    """A running model server and its model's input names."""

    def __init__(self, process: "subprocess.Popen[bytes]", address: str, inputs: Sequence[str]) -> None:
        self._process = process
        self._inputs = inputs
        self.address = address

    def request(self, texts: Sequence[str]) -> bytes:
        """A serialised PredictRequest with these rows for every input."""
        from tensorflow_serving.apis.predict_pb2 import PredictRequest

        request = PredictRequest()
        request.model_spec.name = MODEL_NAME
        for name in self._inputs:
            tensor = request.inputs[name]
            # DT_STRING
            tensor.dtype = 7
            tensor.tensor_shape.dim.add(size=len(texts))
            tensor.string_val.extend(text.encode() for text in texts)
        return request.SerializeToString()

    def cpu_seconds(self) -> float:
        """User and system time of the process so far."""
        return processes.cpu_seconds(self._process.pid)

    def resident_mib(self) -> float:
        """VmRSS."""
        return processes.resident_mib(self._process.pid)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    parser.add_argument(
        "--version", type=Path, default=Path("models/intent/1"), help="directory of the version (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="medians of so many (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=2, help="of load a round (default: %(default)s)")
    parser.add_argument("flags", nargs="*", help="more flags for the server, after --")


def run(options: argparse.Namespace) -> int:
    """Measures and prints; 1 if there is no model."""
    if not (options.version / "saved_model.pb").exists():
        message = f"{options.version} is no version of a model; `make serve` trains and publishes one"
        print(f"benchmarks: {message}", file=sys.stderr)
        return 1
    print(f"CPU per single-row request of {options.version}, ms: median (lowest to highest) of {options.rounds} rounds")
    print(f"load of this machine before: {os.getloadavg()[0]:.1f}", flush=True)
    for cost in measure_cpu(options.version, (1, 8), options.rounds, options.seconds, options.flags):
        print(
            f"{cost.connections} connections: server {_spread(cost.server)}, model alone {_spread(cost.session)}, "
            f"difference {cost.difference:.2f}; {statistics.median(cost.rates):.0f} requests a second"
        )
    growth = measure_memory(options.version, options.flags)
    print(
        f"memory: {growth.before:.0f} MiB, and {growth.after - growth.before:+.0f} MiB after {growth.shapes} "
        "different (batch, length) shapes"
    )
    return 0


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


@contextmanager
def connection(address: str) -> Iterator[grpc.UnaryUnaryMultiCallable]:
    """Predict on a TCP connection of its own; requests and responses as bytes."""
    with grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        yield channel.unary_unary(METHOD)


@contextmanager
def running(version: Path, flags: Sequence[str]) -> Iterator[Server]:
    """The model server with this version of a model, ready to answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {"port": port, "model_name": MODEL_NAME, "model_base_path": version.resolve().parent, "grpc_max_threads": 64}
    command = [*model_server_command(), *(f"--{name}={value}" for name, value in own.items()), *flags]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            grpc.channel_ready_future(channel).result(START_SECONDS)
        yield Server(process, f"127.0.0.1:{port}", _inputs(version))
    finally:
        process.terminate()
        process.wait()


def measure_cpu(
    version: Path, connections: Sequence[int], rounds: int, seconds: float, flags: Sequence[str]
) -> list[Cost]:
    """Server and model by turns, so that both meet the same weather on a shared machine."""
    command = [sys.executable, "-m", "benchmarks.session", str(version)]
    own = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        with running(version, flags) as server:
            request = server.request([SENTENCE])
            return [_cost(server, own, request, count, rounds, seconds) for count in connections]
    finally:
        own.stdin.close()
        own.wait()


def measure_memory(version: Path, flags: Sequence[str]) -> Growth:
    """Asks for every shape once, in an order of no kind."""
    shapes = [(rows, count) for rows in ROWS for count in WORDS]
    random.Random(0).shuffle(shapes)
    with running(version, flags) as server, connection(server.address) as predict:
        for _ in range(50):
            predict(server.request([SENTENCE]))
        before = server.resident_mib()
        for rows, count in shapes:
            predict(server.request([words(count)] * rows))
        return Growth(len(shapes), before, server.resident_mib())


def _cost(
    server: Server, own: "subprocess.Popen[str]", request: bytes, connections: int, rounds: int, seconds: float
) -> Cost:
    _load(server, request, connections, seconds)
    cpu, session, rates = [], [], []
    for _ in range(rounds):
        before = server.cpu_seconds()
        count = _load(server, request, connections, seconds)
        cpu.append((server.cpu_seconds() - before) * 1000 / count)
        rates.append(count / seconds)
        own.stdin.write(f"{count} {connections}\n")
        own.stdin.flush()
        session.append(float(own.stdout.readline()))
    return Cost(connections, tuple(cpu), tuple(session), tuple(rates))


def _load(server: Server, request: bytes, connections: int, seconds: float) -> int:
    """Each connection asks again as soon as it is answered; returns how many answers came."""
    counts = [0] * connections
    start = threading.Barrier(connections)

    def ask(position: int) -> None:
        with connection(server.address) as predict:
            predict(request)
            counts[position] += 1
            start.wait()
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                predict(request)
                counts[position] += 1

    clients = [threading.Thread(target=ask, args=(position,)) for position in range(connections)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return sum(counts)


def _inputs(version: Path) -> list[str]:
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    model = SavedModel.FromString((version / "saved_model.pb").read_bytes())
    return list(model.meta_graphs[0].signature_def[SIGNATURE].inputs)
