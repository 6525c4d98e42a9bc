"""gRPC load by h2load: HTTP/2 connections with one call at a time on each, without pauses.

h2load posts one file for ever, so several of them, each with another payload, make the mixture. It takes every HTTP 200
for a success, and gRPC's errors come with HTTP 200 too: whoever calls this says how long a good answer is, and what is
missing from the bytes that came counts as failed.
"""

import math
import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.shared import generators
from benchmarks.shared.generators import Load

HEADERS = ("content-type: application/grpc", "te: trailers")
# Of a gRPC message in an HTTP/2 body: a byte for compression, four for the length.
PREFIX_BYTES = 5


@dataclass(frozen=True)
class Run:
    """What one h2load did: latencies in ms, and requests that brought no good answer."""

    latencies: tuple[float, ...]
    failed: int


def framed(message: bytes) -> bytes:
    """A serialised message as gRPC sends it."""
    return b"\0" + len(message).to_bytes(4) + message


def load(
    address: str, method: str, payloads: Sequence[Path], answer_bytes: int, connections: int, seconds: float
) -> Load:
    """Posts framed payloads; `answer_bytes` is the length of a good answer without its prefix.

    With fewer connections than payloads, the payloads take their turns, each for an equal part of the time.
    """
    expected = PREFIX_BYTES + answer_bytes

    def at_once(shares: Sequence[tuple[Path, int]], seconds: float) -> tuple[list[Run], float]:
        logs = [payload.with_suffix(".log") for payload, _ in shares]
        for log in logs:
            # h2load appends.
            log.unlink(missing_ok=True)
        commands = [
            _command(f"http://{address}{method}", payload, log, clients, seconds)
            for (payload, clients), log in zip(shares, logs, strict=True)
        ]
        said, cpu = generators.run(commands)
        return [read(words, log.read_text(), expected) for words, log in zip(said, logs, strict=True)], cpu

    if connections >= len(payloads):
        runs, cpu = at_once(list(zip(payloads, shared(connections, len(payloads)), strict=True)), seconds)
        latencies = sorted(latency for run in runs for latency in run.latencies)
        rate = len(latencies) / seconds
    else:
        part = seconds / len(payloads)
        turns = [at_once([(payload, connections)], part) for payload in payloads]
        runs, cpu = [run for found, _ in turns for run in found], sum(spent for _, spent in turns)
        # As many of each payload, though the short ones were asked more often.
        least = min(len(run.latencies) for run in runs)
        latencies = sorted(latency for run in runs for latency in run.latencies[:least])
        rate = statistics.harmonic_mean([len(run.latencies) / part for run in runs])
    return Load(
        requests=sum(len(run.latencies) for run in runs),
        rate=rate,
        percentiles=(percentile(latencies, 50), percentile(latencies, 90), percentile(latencies, 99)),
        failed=sum(run.failed for run in runs),
        cpu_seconds=cpu,
    )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest value that this share of all values does not exceed; `ordered` rises and is not empty."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def shared(connections: int, payloads: int) -> Iterator[int]:
    """Connections for each payload, as equal as can be."""
    for number in range(payloads):
        yield connections // payloads + (number < connections % payloads)


def read(output: str, log: str, expected: int) -> Run:
    """From what h2load printed and its log of requests: start, status, microseconds, with tabs between.

    Raises:
        RuntimeError: not one call was answered, or the output is not h2load's.
    """
    rows = [line.split("\t") for line in log.splitlines()]
    data = re.search(r"^traffic: .*\((\d+)\) data$", output, re.MULTILINE)
    if not data:
        raise RuntimeError(f"h2load did not say how many bytes came: {output.strip()}")
    if not rows:
        raise RuntimeError("h2load got not one answer; measure for longer, or see whether the server runs")
    good = min(int(data[1]) // expected, sum(status == "200" for _, status, _ in rows))
    return Run(tuple(int(microseconds) / 1000 for _, _, microseconds in rows), len(rows) - good)


def _command(url: str, payload: Path, log: Path, clients: int, seconds: float) -> list[str]:
    headers = [word for header in HEADERS for word in ("-H", header)]
    flags = [f"-c{clients}", "-m1", f"--duration={round(seconds * 1000)}ms", f"--log-file={log}"]
    return ["h2load", *flags, *headers, "-d", str(payload), url]
