"""One run: starts every side, measures them by turns, and stops them."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.serving import agreement, sides, soak
from benchmarks.serving.rounds import BASELINE, BATCHES, Round
from benchmarks.shared import model_process
from benchmarks.shared.model_process import ModelProcess
from benchmarks.shared.processes import held
from benchmarks.shared.texts import utterances, write_bodies
from serving_config.binary import model_server_command

WARM_UP_SECONDS = 3
LONG_CONNECTIONS = 32


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        precision: that the classifier is published in, as `python -m export publish` takes it.
        sides: of `CHOICES`.
        seconds, baseline_seconds: of a round.
        long: seconds of the one long run through the gateway; 0 = none.
        soak: requests of the run that watches memory; 0 = none.
    """

    classifier: Path
    precision: str
    sides: Sequence[str]
    connections: Sequence[int]
    rounds: int
    seconds: float
    baseline_seconds: float
    long: float
    soak: int


def measure(plan: Plan, state: Path, say: Callable[[str], None]) -> dict[str, object]:
    """The figures; `state` is an empty folder.

    Raises:
        RuntimeError: something did not start, or gave no answer at all.
    """
    say(f"publishing {plan.classifier}")
    models = state / "models"
    _publish(plan.classifier, plan.precision, models / "intent")
    figures: dict[str, object] = {
        "classifier": str(plan.classifier),
        "precision": plan.precision,
        "model_server": "embedded" if model_server_command()[-1] == "model_server" else "stock",
        "utterances": len(utterances()),
        "data": "$WOT_DATA_DIR" if os.environ.get("WOT_DATA_DIR") else "the bundled sample",
        "connections": list(plan.connections),
        "rounds": plan.rounds,
        "seconds": plan.seconds,
        "baseline_seconds": plan.baseline_seconds,
    }
    with ExitStack() as stack:
        figures |= _Run(plan, models, state, say, stack).figures()
    return figures


def failures(figures: dict[str, Any]) -> int:
    """Requests without a good answer, in all rounds, and texts that baseline and service do not answer alike."""
    rounds = [*figures["measured"], *(figures[name] for name in ("long", "soak") if name in figures)]
    differing: int = figures.get("agreement", {}).get("differing", 0)
    return sum(int(each["failed"]) for each in rounds) + differing


class _Run:
    """The sides that were asked for, running."""

    def __init__(self, plan: Plan, models: Path, state: Path, say: Callable[[str], None], stack: ExitStack) -> None:
        self._plan, self._state, self._say = plan, state, say
        bodies = write_bodies(state)
        self._baseline: sides.Web | None = None
        self._gateway: sides.Web | None = None
        self._model: ModelProcess | None = None
        self._sides: list[sides.Side] = []
        say("starting the servers")
        if "baseline" in plan.sides:
            self._baseline = stack.enter_context(sides.baseline(plan.classifier, bodies))
            self._sides.append(self._baseline.side)
        if {"gateway", "grpc"} & {*plan.sides}:
            gateway, *straight = stack.enter_context(sides.served(models, state, bodies))
            if "gateway" in plan.sides:
                self._gateway = gateway
                self._sides.append(gateway.side)
            if "grpc" in plan.sides:
                self._sides += straight
        if "echo" in plan.sides:
            self._sides.append(stack.enter_context(sides.echo(bodies)).side)
        if "in-process" in plan.sides:
            self._model = stack.enter_context(model_process.running(models / "intent" / "1"))

    def figures(self) -> dict[str, object]:
        """Rounds, then what needs one side alone."""
        found: dict[str, object] = {}
        if self._baseline and self._gateway:
            found["agreement"] = agreement.measure(self._baseline.port, self._gateway.port, self._plan.precision)
        for side in self._sides:
            side.measure(_within(side, max(self._plan.connections)), self._seconds(side, WARM_UP_SECONDS), 0)
        found["measured"] = [asdict(each) for each in self._rounds()]
        memory = {side.name: {name: asdict(held(pid)) for name, pid in side.processes.items()} for side in self._sides}
        if self._model:
            memory["in process"] = {"model": asdict(held(self._model.pid))}
        found["memory"] = memory
        if self._gateway and self._plan.long:
            self._say(f"{LONG_CONNECTIONS} connections for {self._plan.long:g} s")
            found["long"] = {
                "seconds": self._plan.long,
                **asdict(self._gateway.side.measure(LONG_CONNECTIONS, self._plan.long, 0)),
            }
        if self._gateway and self._plan.soak:
            side = self._gateway.side
            found["soak"] = soak.measure(self._plan.soak, self._gateway.port, side.processes, self._state, self._say)
        return found

    def _rounds(self) -> list[Round]:
        plan = self._plan
        found: list[Round] = []
        for number in range(1, plan.rounds + 1):
            head = f"round {number} of {plan.rounds}"
            for connections in plan.connections:
                for side in self._sides:
                    if _within(side, connections) == connections:
                        found.append(side.measure(connections, self._seconds(side, plan.seconds), number))
                        self._say(f"{head}, {connections} connections: {_said(found[-1])}")
            if self._model is None:
                continue
            for batch in BATCHES:
                found.append(sides.in_process(self._model, batch, plan.seconds, number))
                self._say(f"{head}: {_said(found[-1])}")
        return found

    def _seconds(self, side: sides.Side, seconds: float) -> float:
        # In less, over many connections, it may not answer once.
        return self._plan.baseline_seconds if side.name == BASELINE else seconds


def _within(side: sides.Side, connections: int) -> int:
    return connections if side.most is None else min(connections, side.most)


def _said(found: Round) -> str:
    failed = f", {found.failed} failed" if found.failed else ""
    return f"{found.side} {found.rate:.0f} rows/s, p50 {found.p50:.1f}, p99 {found.p99:.1f} ms{failed}"


def _publish(classifier: Path, precision: str, model: Path) -> None:
    given = {"classifier": classifier, "precision": precision, "models": model}
    command = [sys.executable, "-m", "export", "publish", *(f"--{name}={value}" for name, value in given.items())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{classifier} could not be published: {done.stderr.strip().splitlines()[-1]}")
