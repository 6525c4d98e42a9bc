"""One instance, request by request: the gateway's admission and combiner, the model server's batches, the cores.

A request's way: the gateway's event loop reads it; admission takes it, lets it wait, or refuses it (503); the combiner
sends it alone if a call slot is free, else with what waits when one gets free; the model server runs what waits as one
batch when a batch thread is free; the event loop answers. Each step's CPU is measured (`costs`); the cores are shared.
"""

from collections import deque
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.capacity.arrivals import Array
from benchmarks.capacity.processor import Processor, Station

ANSWERED, REFUSED, LATE = 0, 1, 2
"""What becomes of a request: 200, 503, or 504."""


@dataclass(frozen=True)
class Costs:
    """CPU seconds of each step; half of `gateway_request` is for reading, half for answering."""

    gateway_request: float
    gateway_call: float
    model_call: float
    model_row: float
    client_request: float = 0.0
    """Of a client on the same machine; a fleet has none."""
    call_wait: float = 0.0
    """Seconds of a call in which nothing runs."""


@dataclass(frozen=True)
class Limits:
    """The settings of gateway and model server that decide who waits for what."""

    max_in_flight: int
    max_queue: int
    max_calls: int
    max_combined_texts: int
    batch_threads: int
    max_batch_rows: int
    deadline: float


@dataclass(frozen=True)
class Outcome:
    """What became of every request, in their order.

    Attributes:
        latencies: seconds from arrival to answer, refusals too, float64 [requests].
        fates: ANSWERED, REFUSED or LATE, int8 [requests].
        calls: calls to the model server.
        service: core-seconds of gateway and model server; without the client's.
    """

    latencies: Array
    fates: Array
    calls: int
    service: float


def simulate(arrivals: Array, work: Array, costs: Costs, limits: Limits, cores: float) -> Outcome:
    """Plays ascending `arrivals` (s); `work` is each row's cost relative to `model_row`. Both float64 [requests]."""
    instance = _Instance(arrivals, work, costs, limits, cores)
    instance.processor.run(arrivals, instance.arrive)
    service = instance.gateway.busy + instance.model_busy
    return Outcome(instance.latencies, instance.fates, instance.calls, service)


class _Instance:
    def __init__(self, arrivals: Array, work: Array, costs: Costs, limits: Limits, cores: float) -> None:
        self._arrivals, self._work = arrivals.tolist(), work.tolist()
        self._costs, self._limits = costs, limits
        self.processor = Processor(cores)
        self._client, self.gateway = Station(self.processor), Station(self.processor)
        self._in_flight, self._calls_under_way, self._free_threads = 0, 0, limits.batch_threads
        self._queue: deque[int] = deque()
        self._combining: deque[int] = deque()
        self._called: deque[list[int]] = deque()
        self.latencies = np.full(len(arrivals), np.nan)
        self.fates = np.full(len(arrivals), -1, np.int8)
        self.calls, self.model_busy = 0, 0.0

    def arrive(self, request: int) -> None:
        self._client.do(self._costs.client_request / 2, partial(self._read, request))

    def _read(self, request: int) -> None:
        self.gateway.do(self._costs.gateway_request / 2, partial(self._admit, request))

    def _admit(self, request: int) -> None:
        if self._in_flight < self._limits.max_in_flight:
            self._in_flight += 1
            self._combine(request)
        elif len(self._queue) < self._limits.max_queue:
            self._queue.append(request)
        else:
            self._answer(request, REFUSED)

    def _combine(self, request: int) -> None:
        if self._calls_under_way < self._limits.max_calls:
            self._calls_under_way += 1
            self._call([request])
        else:
            self._combining.append(request)

    def _call(self, rows: list[int]) -> None:
        self.calls += 1
        if self._costs.call_wait:
            self.processor.after(self._costs.call_wait, partial(self._enqueue, rows))
        else:
            self._enqueue(rows)

    def _enqueue(self, rows: list[int]) -> None:
        self._called.append(rows)
        self._run_batches()

    def _run_batches(self) -> None:
        while self._free_threads and self._called:
            batch = [self._called.popleft()]
            size = len(batch[0])
            while self._called and size + len(self._called[0]) <= self._limits.max_batch_rows:
                size += len(self._called[0])
                batch.append(self._called.popleft())
            rows = sum(self._work[row] for call in batch for row in call)
            seconds = self._costs.model_call * len(batch) + self._costs.model_row * rows
            self._free_threads -= 1
            self.model_busy += seconds
            self.processor.work(seconds, partial(self._ran, batch))

    def _ran(self, batch: list[list[int]]) -> None:
        self._free_threads += 1
        for rows in batch:
            self.gateway.do(self._costs.gateway_call, partial(self._returned, rows))
        self._run_batches()

    def _returned(self, rows: list[int]) -> None:
        waiting = self._take(self._combining, self._limits.max_combined_texts)
        if waiting:
            self._call(waiting)
        else:
            self._calls_under_way -= 1
        for row in rows:
            self._leave()
            self._answer(row, ANSWERED)

    def _leave(self) -> None:
        self._in_flight -= 1
        for request in self._take(self._queue, 1):
            self._in_flight += 1
            self._combine(request)

    def _take(self, queue: deque[int], most: int) -> list[int]:
        """The longest waiting ones that are still in time; the others are told so on the way."""
        taken: list[int] = []
        while queue and len(taken) < most:
            request = queue.popleft()
            if self.processor.now - self._arrivals[request] <= self._limits.deadline:
                taken.append(request)
                continue
            if queue is self._combining:
                self._leave()
            self._answer(request, LATE)
        return taken

    def _answer(self, request: int, fate: int) -> None:
        self.gateway.do(self._costs.gateway_request / 2, partial(self._deliver, request, fate))

    def _deliver(self, request: int, fate: int) -> None:
        self._client.do(self._costs.client_request / 2, partial(self._record, request, fate))

    def _record(self, request: int, fate: int) -> None:
        latency = self.processor.now - self._arrivals[request]
        self.latencies[request] = latency
        self.fates[request] = LATE if fate == ANSWERED and latency > self._limits.deadline else fate
