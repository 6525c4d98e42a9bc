"""One side, measured once."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.processes import memory

# What may be run, as the command line names it.
CHOICES = ("baseline", "gateway", "grpc", "in-process", "echo", "padding")
PERCENTS = (50, 90, 99)
GENERATOR = "load generator"
# The sides by their names in result files.
BASELINE, GATEWAY, SINGLE, BATCHED, ECHO = "baseline", "gateway", "gRPC single", "gRPC batched", "echo"
BATCHES = (1, 8, 32)
IN_PROCESS = {batch: f"in process, batch {batch}" for batch in BATCHES}
# What `padding` compares.
FIXED, FIXED_ONEDNN, OURS = "fixed 128", "fixed 128, oneDNN's ops", "ours"


@dataclass(frozen=True)
class Load:
    """What a load generator saw and used.

    Attributes:
        requests: that were answered, well or not.
        rate: of them, a second.
        percentiles: p50, p90 and p99 of their latencies, in ms.
        failed: without an answer, or with an error for one.
        cpu_seconds: of the load generator itself.
    """

    requests: int
    rate: float
    percentiles: tuple[float, ...]
    failed: int
    cpu_seconds: float


@dataclass(frozen=True)
class Round:
    """One side at so many connections.

    Attributes:
        rate: rows a second.
        p50, p90, p99: latency of a request in ms.
        cpu_ms: CPU per row in ms, by process.
    """

    side: str
    connections: int
    number: int
    rows: int
    rate: float
    p50: float
    p90: float
    p99: float
    cpu_ms: dict[str, float]
    failed: int

    def figures(self) -> dict[str, object]:
        """For the result file."""
        return asdict(self)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest value that this share of all values does not exceed; `ordered` rises and is not empty."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def held(pid: int) -> dict[str, float]:
    """Memory of a process in MiB: resident, of it private (anonymous), and the most that was resident."""
    return dict(zip(("resident", "private", "peak"), memory(pid), strict=True))
