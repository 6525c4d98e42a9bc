"""HTTP load by wrk: connections that each ask again as soon as they are answered."""

import json
from pathlib import Path

from benchmarks.gateway_load import SCRIPT
from benchmarks.serving import generators
from benchmarks.serving.rounds import PERCENTS, Load

# Longer than any answer takes, the baseline's too: what is late shows in the percentiles.
TIMEOUT_SECONDS = 60


def load(port: int, path: str, bodies: Path, connections: int, seconds: float, are_answers_few: bool = False) -> Load:
    """Posts the lines of `bodies` in turn.

    `are_answers_few`: hardly more come in these seconds than there are connections. wrk drops what is under way at its
    end, too much to count by. Connections that never pause are answered at a rate of their number over the mean
    latency; as the slowest answers are the ones that are dropped, this errs on the fast side.
    """
    flags = [f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", f"{TIMEOUT_SECONDS}s", "-s", str(SCRIPT)]
    said, cpu = generators.run([["wrk", "-t1", *flags, f"http://127.0.0.1:{port}", "--", str(bodies), path]])
    return parse(said[0], cpu, connections if are_answers_few else None)


def parse(output: str, cpu_seconds: float, connections: int | None = None) -> Load:
    """What the script printed; the rate is that of `connections` by the mean latency, if they are given.

    Raises:
        RuntimeError: not one request was answered.
    """
    line = next(line for line in output.splitlines() if line.startswith("FIGURES "))
    figures = json.loads(line.removeprefix("FIGURES "))
    if not figures["requests"]:
        raise RuntimeError(f"not one request was answered in {figures['seconds']:.0f} s; measure for longer")
    rate = connections * 1000 / figures["mean"] if connections else figures["requests"] / figures["seconds"]
    percentiles = tuple(figures[f"p{percent}"] for percent in PERCENTS)
    return Load(figures["requests"], rate, percentiles, figures["failed"], cpu_seconds)
