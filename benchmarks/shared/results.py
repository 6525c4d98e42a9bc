"""The figures of one benchmark as a JSON file, with the machine that they are from."""

import json
import os
import re
import shlex
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

FOLDER = Path("benchmarks/results")
# At the import, which is before the benchmark makes its own load.
LOAD_BEFORE = os.getloadavg()[0]


def write(path: Path, name: str, figures: dict[str, object], command: str | None = None) -> None:
    """Writes `figures` with the benchmark's name, the date, the machine and `command`; the file whole or not at all.

    `command` is the line that repeats it; the one that was typed if there is none.
    """
    said = {
        "benchmark": name,
        "when": date.today().isoformat(),
        "machine": machine(),
        "command": command or typed(),
        **figures,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    sibling = path.with_name(f".{path.name}")
    sibling.write_text(json.dumps(said, indent=2) + "\n")
    sibling.replace(path)


def read(path: Path) -> dict[str, Any]:
    """What `write` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no result of a benchmark.
    """
    text = path.read_text()
    with suppress(json.JSONDecodeError):
        figures = json.loads(text)
        if isinstance(figures, dict) and {"benchmark", "when", "machine", "command"} <= figures.keys():
            return figures
    raise ValueError(f"{path} is no result of a benchmark; measure again, or take the file away")


def machine() -> dict[str, object]:
    """Cores that this process may use, the processor's name, memory in GiB, and the load before (1 minute)."""
    processor = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    assert memory
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": processor[1].strip() if processor else "unknown",
        "memory_gib": round(int(memory[1]) / 2**20, 1),
        "load_before": round(LOAD_BEFORE, 2),
    }


def typed() -> str:
    """The command line of this process, as one would type it."""
    return shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]])
