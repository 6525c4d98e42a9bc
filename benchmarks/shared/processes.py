"""What a process has used so far, read from /proc."""

import os
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Held:
    """Memory of a process in MiB.

    Attributes:
        private: anonymous memory. The rest of what is resident are files, which the kernel can read again.
        peak: the most that was resident so far.
    """

    resident: float
    private: float
    peak: float


def cpu_seconds(pid: int) -> float:
    """User and system time."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def held(pid: int) -> Held:
    """The process's memory now."""
    kib = dict(re.findall(r"^(\w+):\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE))
    return Held(*(int(kib[name]) / 1024 for name in ("VmRSS", "RssAnon", "VmHWM")))
