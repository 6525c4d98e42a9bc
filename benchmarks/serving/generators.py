"""Load generators: established programs, run as child processes."""

import resource
import shutil
import subprocess
from collections.abc import Sequence

from benchmarks.gateway_load import NoLoadGeneratorError

PACKAGES = {"wrk": "wrk", "h2load": "nghttp2-client"}


def require(*names: str) -> None:
    """Raises NoLoadGeneratorError if one of these is not installed."""
    missing = [PACKAGES[name] for name in names if shutil.which(name) is None]
    if missing:
        raise NoLoadGeneratorError(
            f"a load generator is missing; install it with `apt-get install {' '.join(missing)}`"
        )


def run(commands: Sequence[Sequence[str]]) -> tuple[list[str], float]:
    """Runs all at once: what each wrote to standard output, and the CPU seconds of all together.

    Raises:
        RuntimeError: one of them failed; with its words.
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
    for process, words in zip(started, said, strict=True):
        if process.returncode:
            raise RuntimeError(f"{process.args[0]} failed: {words.strip()}")
    return said, _cpu_seconds() - before


def _cpu_seconds() -> float:
    # Of all children that have ended; while a load runs, no others end.
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
