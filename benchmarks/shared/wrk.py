"""HTTP load by wrk: connections that each ask again as soon as they are answered."""

import json
from pathlib import Path

from benchmarks.shared import generators
from benchmarks.shared.generators import Load

SCRIPT = Path(__file__).with_suffix(".lua")
# Longer than any answer takes, the baseline's too: late answers show in the percentiles.
TIMEOUT_SECONDS = 60


def load(port: int, path: str, bodies: Path, connections: int, seconds: float, are_answers_few: bool = False) -> Load:
    """Posts the lines of `bodies` in turn.

    Args:
        are_answers_few: the server answers each connection only a few times in these seconds. wrk drops the requests
            that are under way at its end, too many to count by. The rate is then connections by mean latency, which
            is a little too high, as the slowest answers are the ones that are dropped.
    """
    flags = [f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", f"{TIMEOUT_SECONDS}s", "-s", str(SCRIPT)]
    said, cpu = generators.run([["wrk", "-t1", *flags, f"http://127.0.0.1:{port}", "--", str(bodies), path]])
    return parse(said[0], cpu, connections if are_answers_few else None)


def parse(output: str, cpu_seconds: float, connections: int | None = None) -> Load:
    """Reads what the script printed; with `connections`, the rate is connections by mean latency.

    Raises:
        RuntimeError: no request was answered.
    """
    line = next(line for line in output.splitlines() if line.startswith("FIGURES "))
    figures = json.loads(line.removeprefix("FIGURES "))
    if not figures["requests"]:
        raise RuntimeError(f"not one request was answered in {figures['seconds']:.0f} s; measure for longer")
    rate = connections * 1000 / figures["mean"] if connections else figures["requests"] / figures["seconds"]
    percentiles = figures["p50"], figures["p90"], figures["p99"]
    return Load(figures["requests"], rate, percentiles, figures["failed"], cpu_seconds)
