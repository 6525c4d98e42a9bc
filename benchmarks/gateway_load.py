"""What a request through the gateway costs, and what it gains by combining requests into one call.

`wrk` posts real utterances over so many connections, each of which asks again as soon as it is
answered. Model server, gateway and wrk share the machine.
"""

import json
import os
import random
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import services
from benchmarks.processes import cpu_seconds

SAMPLE = Path(__file__).parent.parent / "training" / "sample"
SCRIPT = Path(__file__).with_suffix(".lua")
CONNECTIONS = (1, 8, 32)
WARM_UP_SECONDS = 3


class NoLoadGeneratorError(Exception):
    """wrk is not installed."""


@dataclass(frozen=True)
class Round:
    """One run of wrk; latencies and CPU in ms."""

    rate: float
    """Answers a second."""
    p50: float
    p90: float
    p99: float
    gateway: float
    """CPU of the gateway per request."""
    model_server: float
    failed: int
    """Requests without an answer, or with one that is not 200."""


@dataclass(frozen=True)
class Cost:
    """All rounds of one gateway at so many connections."""

    gateway: str
    connections: int
    rounds: tuple[Round, ...]

    def median(self, name: str) -> float:
        """Of one of the figures over the rounds."""
        return statistics.median(getattr(each, name) for each in self.rounds)

    @property
    def failed(self) -> int:
        """In all rounds."""
        return sum(each.failed for each in self.rounds)

    @property
    def share(self) -> float:
        """The gateway's part of the CPU that it and the model server use for a request, 0 to 1."""
        return self.median("gateway") / (self.median("gateway") + self.median("model_server"))


def measure(
    models: Path,
    gateways: dict[str, dict[str, object]],
    path: str,
    rounds: int,
    seconds: int,
    say: Callable[[str], None],
) -> list[Cost]:
    """Runs gateways with these settings in front of one model server, and asks them by turns.

    Raises:
        NoLoadGeneratorError: wrk is missing.
        NoVersionError: `models` has no version of the model.
    """
    found: dict[tuple[str, int], list[Round]] = {}
    with ExitStack() as stack:
        state = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bodies = write_bodies(state)
        server, address = stack.enter_context(services.model_server(models, state))
        running = {
            name: stack.enter_context(services.gateway(address, **settings)) for name, settings in gateways.items()
        }
        for gateway, port in running.values():
            run(gateway, server, port, path, bodies, max(CONNECTIONS), WARM_UP_SECONDS)
        for number in range(rounds):
            for connections in CONNECTIONS:
                for name, (gateway, port) in running.items():
                    say(f"round {number + 1} of {rounds}: {connections} connections, {name}")
                    one = run(gateway, server, port, path, bodies, connections, seconds)
                    found.setdefault((name, connections), []).append(one)
    return [
        Cost(name, connections, tuple(found[name, connections])) for connections in CONNECTIONS for name in gateways
    ]


def write_bodies(folder: Path) -> Path:
    """A file in `folder` with the utterances as bodies of requests, one a line."""
    bodies = folder / "bodies"
    bodies.write_text("".join(f"{json.dumps({'text': text})}\n" for text in utterances()))
    return bodies


def utterances() -> Sequence[str]:
    """Those of the data set in $WOT_DATA_DIR, else the bundled sample's; in an order of no kind."""
    folder = Path(os.environ.get("WOT_DATA_DIR") or SAMPLE)
    texts = [
        turn["text"]
        for file in sorted(folder.glob("wizard_of_tasks_*.json"))
        for conversation in json.loads(file.read_text()).values()
        for turn in conversation["turns"]
        if turn["text"]
    ]
    random.Random(0).shuffle(texts)
    return texts


def run(gateway: int, server: int, port: int, path: str, bodies: Path, connections: int, seconds: int) -> Round:
    """One run of wrk over the bodies at `path` of the gateway at `port`; `gateway` and `server` are pids.

    Raises:
        NoLoadGeneratorError: wrk is missing.
    """
    _require_wrk()
    pids = gateway, server
    before = [cpu_seconds(pid) for pid in pids]
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(SCRIPT), f"http://127.0.0.1:{port}"]
    said = subprocess.run([*command, "--", str(bodies), path], check=True, capture_output=True, text=True).stdout
    line = next(line for line in said.splitlines() if line.startswith("FIGURES "))
    figures = json.loads(line.removeprefix("FIGURES "))
    spent = [(cpu_seconds(pid) - start) * 1000 / figures["requests"] for pid, start in zip(pids, before, strict=True)]
    latencies = figures["p50"], figures["p90"], figures["p99"]
    return Round(figures["requests"] / figures["seconds"], *latencies, *spent, figures["failed"])


def _require_wrk() -> None:
    if shutil.which("wrk") is None:
        raise NoLoadGeneratorError("wrk is needed to make the load; install it with `apt-get install wrk`")
