"""The model in processes without a server, each with its own threads, asked by turns."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SIGNATURE = "serving_default"
Batches = Sequence[Sequence[str]]


class ModelProcessError(RuntimeError):
    """A process ended before it had answered."""


@dataclass(frozen=True)
class Rate:
    """What the model did on all cores, each of which ran one batch at a time.

    Attributes:
        rate: rows a second.
        p50, p90, p99: ms of a run, which is one batch.
        cpu_ms: CPU of a row in ms.
    """

    rows: int
    rate: float
    p50: float
    p90: float
    p99: float
    cpu_ms: float


class ModelProcess:
    """One running process of `model_worker`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.pid = process.pid

    def time(self, batches: Batches, seconds: float) -> list[float]:
        """Milliseconds of each pass over the batches, one after the other until `seconds` are over; at least one pass.

        Raises:
            ModelProcessError: the process ended.
        """
        answer: list[float] = self._ask({"do": "time", "batches": batches, "seconds": seconds})
        return answer

    def answer(self, batches: Batches) -> list[list[float]]:
        """Probabilities of every row.

        Raises:
            ModelProcessError: the process ended.
        """
        answer: list[list[float]] = self._ask({"do": "answer", "batches": batches})
        return answer

    def rate(self, batches: Batches, seconds: float) -> Rate:
        """Runs as many batches at once as there are cores, over and over.

        Raises:
            ModelProcessError: the process ended.
        """
        return Rate(**self._ask({"do": "rate", "batches": batches, "seconds": seconds}))

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
            raise ModelProcessError(
                f"a process that ran the model ended with status {self._process.wait()}; what it said stands above"
            )
        return json.loads(line)


@contextmanager
def running(
    saved_model: Path, signature: str = SIGNATURE, threads: int = 1, environment: Mapping[str, str] = os.environ
) -> Iterator[ModelProcess]:
    """A process that has loaded this signature; it is ended at the end.

    Args:
        threads: within one op.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.shared.model_worker", str(saved_model), signature, str(threads)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C is for the benchmark, which ends this process.
        start_new_session=True,
    )
    try:
        model = ModelProcess(process)
        # It answers once it has loaded.
        model.answer([])
        yield model
    finally:
        # It holds nothing that could be lost.
        process.kill()
        process.wait()
