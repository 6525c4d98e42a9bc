"""Processes that run the model, each with its own threads and its own way to pad, all asked by turns."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from model_server.process.memory import ONEDNN_OPS

FIXED, LONGEST, MULTIPLE, OURS = "fixed 128", "longest", "multiple of 8", "ours"
POLICIES = (FIXED, LONGEST, MULTIPLE, OURS)
SIGNATURES = {FIXED: "fixed", LONGEST: "longest", MULTIPLE: "multiple", OURS: "serving_default"}
# Policy -> its SavedModel in the folder that `policies.write` fills.
SAVED_MODELS = dict.fromkeys(POLICIES, "policies") | {OURS: "exported"}

Batches = Sequence[Sequence[str]]


class WorkerError(Exception):
    """A process ended before it had answered."""


@dataclass(frozen=True)
class Setting:
    """How the model is run.

    Attributes:
        threads: within one op; between ops it is one.
        onednn: whether oneDNN's ops are used, which the embedded server leaves out.
    """

    policy: str
    threads: int
    onednn: bool = False

    @property
    def name(self) -> str:
        """For people."""
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{self.policy}, {threads}" + (", oneDNN ops" if self.onednn else "")

    def as_json(self) -> dict[str, object]:
        """For the result file."""
        return asdict(self)


def settings(cores: int) -> list[Setting]:
    """Every policy on one thread and on all cores, and ours on one thread with oneDNN's ops."""
    every = [Setting(policy, threads) for threads in sorted({1, cores}) for policy in POLICIES]
    return [*every, Setting(OURS, 1, onednn=True)]


class Worker:
    """One running process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """For /proc."""
        return self._process.pid

    def time(self, batches: Batches, seconds: float) -> list[float]:
        """Milliseconds of each pass over the batches: passes until `seconds` are over, and at least one.

        Raises:
            WorkerError: the process ended.
        """
        return self._ask({"do": "time", "batches": batches, "seconds": seconds})

    def answer(self, batches: Batches) -> list[list[float]]:
        """Probabilities of every row.

        Raises:
            WorkerError: the process ended.
        """
        return self._ask({"do": "answer", "batches": batches})

    def _ask(self, request: dict[str, object]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise WorkerError(
                f"a process that ran the model ended with status {self._process.wait()}; what it said stands above"
            )
        return json.loads(line)


@contextmanager
def running(wanted: Sequence[Setting], folder: Path) -> Iterator[dict[Setting, Worker]]:
    """A process for each setting, over the SavedModels in the folder; all are ended at the end."""
    with ExitStack() as stack:
        yield {setting: stack.enter_context(_running(setting, folder)) for setting in wanted}


@contextmanager
def _running(setting: Setting, folder: Path) -> Iterator[Worker]:
    words = str(folder / SAVED_MODELS[setting.policy]), SIGNATURES[setting.policy], str(setting.threads)
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.model.worker", *words],
        env=environment(setting.onednn),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C is for the one who asks; it ends them.
        start_new_session=True,
    )
    try:
        yield Worker(process)
    finally:
        # It holds nothing that could be lost.
        process.kill()
        process.wait()


def environment(onednn: bool) -> dict[str, str]:
    """As the embedded server sets it up, but for oneDNN's ops where they are asked for."""
    return os.environ | {ONEDNN_OPS: str(int(onednn))}
