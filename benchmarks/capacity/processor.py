"""Simulated time: cores that jobs share, and stations where jobs queue.

The cores are shared equally (processor sharing): with n jobs on c cores each advances at min(1, c/n). All advance at
the same speed, so one clock of work done per job ("virtual time") orders their ends, and an event costs a heap
operation.
"""

import heapq
from collections import deque
from collections.abc import Callable
from functools import partial

from benchmarks.capacity.arrivals import Array

Action = Callable[[], None]


class Processor:
    """The cores of one machine, and its clock."""

    def __init__(self, cores: float) -> None:
        self._cores = cores
        self._virtual = 0.0
        self._jobs: list[tuple[float, int, Action]] = []
        self._timers: list[tuple[float, int, Action]] = []
        self._number = 0
        self.now = 0.0
        self.busy = 0.0
        """Core-seconds used so far."""

    def work(self, seconds: float, then: Action) -> None:
        """Begins a job of so much CPU."""
        self._number += 1
        heapq.heappush(self._jobs, (self._virtual + seconds, self._number, then))

    def after(self, seconds: float, then: Action) -> None:
        """Waits without a core."""
        self._number += 1
        heapq.heappush(self._timers, (self.now + seconds, self._number, then))

    def run(self, arrivals: Array, arrive: Callable[[int], None]) -> None:
        """Until everything that arrived is done with."""
        jobs, timers, infinite = self._jobs, self._timers, float("inf")
        coming = iter(enumerate(arrivals.tolist()))
        index, arrival = next(coming, (0, infinite))
        while True:
            count = len(jobs)
            speed = 1.0 if count <= self._cores else self._cores / count
            end = self.now + max(0.0, jobs[0][0] - self._virtual) / speed if count else infinite
            at = min(end, timers[0][0] if timers else infinite, arrival)
            if at == infinite:
                return
            self._virtual += (at - self.now) * speed
            self.busy += (at - self.now) * speed * count
            self.now = at
            if at == end:
                heapq.heappop(jobs)[2]()
            elif at == arrival:
                arrive(index)
                index, arrival = next(coming, (0, infinite))
            else:
                heapq.heappop(timers)[2]()


class Station:
    """Does a number of jobs at a time, first come, first served: a thread, or an event loop with `width` 1."""

    def __init__(self, processor: Processor, width: int = 1) -> None:
        self._processor = processor
        self._free = width
        self._waiting: deque[tuple[float, Action]] = deque()
        self.busy = 0.0
        """CPU seconds of all jobs so far, also of those that wait."""

    def do(self, seconds: float, then: Action) -> None:
        """`then` follows when the job is done; at once if it costs nothing."""
        if not seconds:
            then()
            return
        self.busy += seconds
        if self._free:
            self._free -= 1
            self._processor.work(seconds, partial(self._done, then))
        else:
            self._waiting.append((seconds, then))

    def _done(self, then: Action) -> None:
        if self._waiting:
            seconds, following = self._waiting.popleft()
            self._processor.work(seconds, partial(self._done, following))
        else:
            self._free += 1
        then()
