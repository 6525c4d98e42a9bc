"""One side, measured once."""

from dataclasses import dataclass

# What may be run, as the command line names it.
CHOICES = ("baseline", "gateway", "grpc", "in-process", "echo")
GENERATOR = "load generator"
# The sides by their names in result files.
BASELINE, GATEWAY, SINGLE, BATCHED, ECHO = "baseline", "gateway", "gRPC single", "gRPC batched", "echo"
BATCHES = (1, 8, 32)
IN_PROCESS = {batch: f"in process, batch {batch}" for batch in BATCHES}


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
