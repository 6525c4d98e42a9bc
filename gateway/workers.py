"""Several worker processes on one port, and the process that watches over them.

The watching process imports neither aiohttp nor gRPC: that keeps it small, and forking it safe.
"""

import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from typing import NoReturn

START_SECONDS = 5.0
"""A worker that ends sooner than this after its start could not start."""
MAX_FAILED_STARTS = 3
"""So many workers that could not start, one after the other, and no other alive: the gateway gives up."""
FIRST_PAUSE_SECONDS = 0.1
MAX_PAUSE_SECONDS = 10.0
"""Before a worker is replaced; from the first to the last, doubled with each one that could not start."""
METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Names the directory through which prometheus-client sums up over the processes."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
_LOG = logging.getLogger(__name__)


class Workers:
    """Keeps `count` workers alive until SIGTERM or SIGINT, which they get passed on."""

    def __init__(self, count: int, work: Callable[[int], int]) -> None:
        """`work` runs in each worker and returns its exit status; it gets the lifeline, see `server.serve`."""
        self._count = count
        self._work = work
        self._lifeline = os.pipe()
        self._started: dict[int, float] = {}
        """By process id, when, on the monotonic clock."""
        self._failed_starts = 0
        self._due: list[float] = []
        """When replacements are to be started."""
        self._asked: signal.Signals | None = None
        self._status = 0

    def run(self) -> int:
        """Returns the exit status when all workers have ended: 0 if that was asked for, 1 if they could not start."""
        parent = os.getpid()
        # Taken by sigtimedwait only: no handler interrupts anything, and none is lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        metrics = tempfile.mkdtemp(prefix="gateway-metrics-")
        os.environ[METRICS_VARIABLE] = metrics
        try:
            self._due = [time.monotonic()] * self._count
            while self._started or self._due:
                self._start_due()
                found = signal.sigtimedwait(_SIGNALS, self._pause())
                if found is None:
                    continue
                if found.si_signo == signal.SIGCHLD:
                    self._reap()
                else:
                    self._stop(signal.Signals(found.si_signo))
        finally:
            # A worker passes here too, on its way to its own end.
            if os.getpid() == parent:
                shutil.rmtree(metrics, ignore_errors=True)
        return self._status

    def _pause(self) -> float:
        return max(0.0, min(self._due) - time.monotonic()) if self._due else 3600

    def _start_due(self) -> None:
        now = time.monotonic()
        while self._due and min(self._due) <= now:
            self._due.remove(min(self._due))
            process_id = os.fork()
            if process_id == 0:
                self._become_worker()
            self._started[process_id] = now
            _LOG.info("worker %s started", process_id)

    def _become_worker(self) -> NoReturn:
        # A group of its own: Ctrl-C in a terminal reaches the watching process alone, which passes it on.
        os.setpgid(0, 0)
        os.close(self._lifeline[1])
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGCHLD,))
        sys.exit(self._work(self._lifeline[0]))

    def _reap(self) -> None:
        # One signal may stand for several ends.
        while self._started:
            process_id, wait_status = os.waitpid(-1, os.WNOHANG)
            if process_id == 0:
                return
            began = self._started.pop(process_id, None)
            if began is not None:
                self._ended(process_id, os.waitstatus_to_exitcode(wait_status), time.monotonic() - began)

    def _ended(self, process_id: int, status: int, age: float) -> None:
        if self._asked:
            return
        _forget_metrics(process_id)
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        self._failed_starts = self._failed_starts + 1 if age < START_SECONDS else 0
        if self._failed_starts >= MAX_FAILED_STARTS and not self._started:
            _LOG.error("worker %s %s: giving up", process_id, how)
            self._status = 1
            self._due.clear()
            return
        pause = min(FIRST_PAUSE_SECONDS * 2**self._failed_starts, MAX_PAUSE_SECONDS)
        _LOG.warning("worker %s %s; another starts in %s s", process_id, how, pause)
        self._due.append(time.monotonic() + pause)

    def _stop(self, number: signal.Signals) -> None:
        if self._asked:
            # The workers end at once at their second signal; so does this process, with the shell's status for it.
            self._status = 128 + number
        self._asked = number
        self._due.clear()
        for process_id in self._started:
            os.kill(process_id, number)


def _forget_metrics(process_id: int) -> None:
    # Late: most watching processes never see a worker end, and it costs memory.
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(process_id)  # type: ignore[no-untyped-call]
