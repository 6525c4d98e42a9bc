"""What a process has used so far, read from /proc."""

import os
import re
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """User and system time."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """VmRSS."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


def memory(pid: int) -> tuple[float, float, float]:
    """In MiB: resident, of it anonymous, and the most that was resident."""
    status = Path(f"/proc/{pid}/status").read_text()
    names = ("VmRSS", "RssAnon", "VmHWM")
    resident, own, peak = (int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) / 1024 for name in names)
    return resident, own, peak
