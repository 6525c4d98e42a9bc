"""Runs a job at regular intervals."""

import time
from collections.abc import Callable
from typing import NoReturn


def run_periodically(job: Callable[[], object], period: float) -> NoReturn:
    """Starts the job every `period` seconds, the first time at once; if it takes longer, again when it is done."""
    while True:
        begin = time.monotonic()
        job()
        time.sleep(max(0.0, begin + period - time.monotonic()))
