"""How often a caller may come: a token bucket, shared by all worker processes."""

import fcntl
import mmap
import os
import struct
import time
from pathlib import Path

_FLOAT = struct.Struct("d")


class RateLimit:
    """`rate` requests a second, in bursts of at most one second's worth, and never less than one.

    Kept as one number, the time at which the bucket will be full again (the "generic cell rate algorithm" of ATM
    networks). It lies in shared memory, because a caller's requests come to any worker.
    """

    def __init__(self, file: Path | None) -> None:
        """`file`: the same one in each worker, made if needed; None where there is one process only."""
        descriptor = -1
        if file:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
            os.ftruncate(descriptor, _FLOAT.size)
        self._lock = descriptor
        self._memory = mmap.mmap(descriptor, _FLOAT.size)

    def take(self, rate: float) -> float:
        """Takes a token if there is one, and returns 0; else returns the seconds until there is one.

        `rate` may differ from call to call, because the file of keys may change.
        """
        if self._lock >= 0:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            # The same clock in all processes.
            now = time.monotonic()
            interval = 1 / rate
            burst = (max(1.0, rate) - 1) * interval
            # Never further away than an empty bucket at this rate, whatever rate it was emptied at.
            full: float = min(max(now, _FLOAT.unpack_from(self._memory)[0]), now + burst + interval)
            wait = full - burst - now
            # Sums of intervals are exact to far less than this.
            if wait > 1e-6:
                return wait
            _FLOAT.pack_into(self._memory, 0, full + interval)
            return 0.0
        finally:
            if self._lock >= 0:
                fcntl.flock(self._lock, fcntl.LOCK_UN)
