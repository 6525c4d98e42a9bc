"""How long the gateway takes to start, and how much memory it holds, measured from outside."""

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.shared import results
from benchmarks.shared.processes import held

HELP = "start time and resident memory of the gateway alone"


@dataclass(frozen=True)
class Footprint:
    """Medians over the runs.

    Attributes:
        start_seconds: from the start of the process to the first answer on /healthz.
        python_seconds: the same for a Python that does nothing, for comparison.
        resident_mib: resident memory after that answer.
    """

    start_seconds: float
    python_seconds: float
    resident_mib: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags."""
    parser.add_argument("--runs", type=int, default=9, help="starts; the medians are reported (default: %(default)s)")
    parser.add_argument(
        "--output", type=Path, default=results.FOLDER / "footprint.json", help="JSON file (default: %(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    """Measures, writes, prints."""
    found = measure(options.runs)
    results.write(options.output, "footprint", {"runs": options.runs, **asdict(found)})
    print(f"gateway alone, median of {options.runs} starts: first answer after {found.start_seconds:.2f} s ", end="")
    print(f"(an empty Python: {found.python_seconds:.2f} s), resident {found.resident_mib:.1f} MiB")
    return 0


def measure(runs: int) -> Footprint:
    """Starts the gateway and an empty Python by turns."""
    starts, pythons, residents = [], [], []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", ""], check=True)
        pythons.append(time.perf_counter() - began)
        seconds, resident = _start_once()
        starts.append(seconds)
        residents.append(resident)
    return Footprint(statistics.median(starts), statistics.median(pythons), statistics.median(residents))


def _start_once() -> tuple[float, float]:
    environment = os.environ | {"GATEWAY_HOST": "127.0.0.1", "GATEWAY_PORT": "0"}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway"], env=environment, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        assert process.stderr
        # Its first lines name the port that it was given.
        address = next(found[0] for line in process.stderr if (found := re.search(r"http://\S+", line)))
        urllib.request.urlopen(f"{address}/healthz", timeout=10).close()
        return time.perf_counter() - began, held(process.pid).resident
    finally:
        # SIGTERM would wait for a load balancer.
        process.send_signal(signal.SIGINT)
        process.wait()
