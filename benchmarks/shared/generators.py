"""Load generators: established programs, run as child processes."""

import resource
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

PACKAGES = {"wrk": "wrk", "h2load": "nghttp2-client"}
PERCENTS = (50, 90, 99)


class NoLoadGeneratorError(Exception):
    """A load generator is not installed; the text says how to install it."""


@dataclass(frozen=True)
class Load:
    """What a load generator saw and used.

    Attributes:
        requests: answered requests, also those answered with an error.
        rate: requests a second.
        percentiles: p50, p90 and p99 of the latency, in ms.
        failed: requests without an answer, or with an error for one.
        cpu_seconds: of the load generator itself.
    """

    requests: int
    rate: float
    percentiles: tuple[float, float, float]
    failed: int
    cpu_seconds: float


def require(*names: str) -> None:
    """Raises NoLoadGeneratorError if one of these is not installed."""
    missing = [PACKAGES[name] for name in names if shutil.which(name) is None]
    if missing:
        raise NoLoadGeneratorError(
            f"a load generator is missing; install it with `apt-get install {' '.join(missing)}`"
        )


def run(commands: Sequence[Sequence[str]]) -> tuple[list[str], float]:
    """Runs all commands at the same time; the output of each, and the CPU seconds of all together.

    Raises:
        RuntimeError: one of them failed; the text has its output.
    """
    before = _cpu_seconds()
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for command in commands
    ]
    try:
        said = [process.communicate()[0] for process in started]
    except BaseException:
        for process in started:
            process.kill()
            process.wait()
        raise
    for command, process, words in zip(commands, started, said, strict=True):
        if process.returncode:
            raise RuntimeError(f"{command[0]} failed: {words.strip()}")
    return said, _cpu_seconds() - before


def _cpu_seconds() -> float:
    # Of all children that have ended; while a load runs, no others end.
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
