"""Gathers tasks in batches, and limits how many batches run at the same time.

The queue has no threads of its own. Whoever opens a batch leads it: waits until it may run, runs it for all who joined
meanwhile, and wakes them. A lone request is thus run in its own thread, with nothing handed over.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from model_server.config.batching_parameters import QueueParameters
from model_server.errors import Code, StatusError, invalid_argument

Work = TypeVar("Work")


def _signal() -> threading.Lock:
    """A lock that is held already. Acquiring it waits until another thread releases it. Cheaper than an Event."""
    signal = threading.Lock()
    signal.acquire()
    return signal


class BatchThreads:
    """Limits how many batches of all queues run at the same time; they start in the order in which they came."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._turns: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = _signal()
            self._turns.append(turn)
        turn.acquire()

    def __exit__(self, *failure: object) -> None:
        with self._lock:
            if self._turns:
                self._turns.popleft().release()
            else:
                self._free += 1


@dataclass(eq=False)
class Task(Generic[Work]):
    """A part of a batch: `size` rows of work. `done` is called once it was run, in the thread that ran it."""

    work: Work
    size: int
    done: Callable[[], None]


@dataclass(eq=False)
class _Batch(Generic[Work]):
    tasks: list[Task[Work]] = field(default_factory=list)
    size: int = 0
    # Released as soon as no further task can join.
    closed: threading.Lock = field(default_factory=_signal)


class BatchQueue(Generic[Work]):
    """The batches of one kind that have not started yet; only the newest still takes tasks."""

    def __init__(
        self,
        parameters: QueueParameters,
        threads: BatchThreads,
        process: Callable[[Sequence[Work]], None],
        split: Callable[[Work, Sequence[int]], Sequence[Work]],
    ) -> None:
        """`process` runs a batch and must not raise; `split` cuts work into parts of the given sizes."""
        self._parameters = parameters
        self._threads = threads
        self._process = process
        self._split = split
        self._waiting = 0
        self._open: _Batch[Work] | None = None
        self._lock = threading.Lock()

    def run(self, work: Work, size: int) -> Sequence[Work]:
        """Returns once the work was processed: the work itself or, if it was split, the parts in order.

        Raises:
            StatusError: INVALID_ARGUMENT, too large; UNAVAILABLE, too many batches wait.
        """
        self._check_size(size)
        with self._lock:
            self._check_capacity(size)
            sizes = self._part_sizes(size)
            done = [_signal() for _ in sizes]
            parts = self._split(work, sizes) if len(sizes) > 1 else [work]
            tasks = [Task(*each) for each in zip(parts, sizes, (signal.release for signal in done), strict=True)]
            led = [batch for task in tasks if (batch := self._join(task))]
        # The batches after the first one start in threads of their own, not one after the other.
        for batch in led[1:]:
            threading.Thread(target=self._lead, args=(batch,), name="batch", daemon=True).start()
        if led:
            self._lead(led[0])
        for signal in done:
            signal.acquire()
        return parts

    def run_alone(self, work: Work, size: int) -> Sequence[Work]:
        """Like `run`, but no other work joins the batch."""
        self._check_size(size)
        with self._threads:
            self._process([work])
        return [work]

    def _check_size(self, size: int) -> None:
        limit = self._parameters.max_task_size
        if size > limit:
            raise invalid_argument(f"Task size {size} is larger than maximum input batch size {limit}")

    def _check_capacity(self, size: int) -> None:
        parameters = self._parameters
        limit, largest, filled = parameters.max_enqueued_batches, parameters.max_batch_size, self._filled()
        # A queue without a waiting batch has an empty open one.
        batches = max(1, self._waiting)
        complaint = "The batch scheduling queue to which this task was submitted is full; "
        if parameters.splits_tasks:
            capacity = (limit - batches) * largest + largest - filled
            if size > capacity:
                raise StatusError(
                    Code.UNAVAILABLE,
                    f"{complaint}task size is {size} but scheduling capacity is only {capacity} "
                    f"(num_enqueued_batches={batches}, max_enqueued_batches={limit}, open_batch_size={filled}, "
                    f"max_execution_batch_size={largest})",
                )
        elif filled + size > largest and batches >= limit:
            raise StatusError(
                Code.UNAVAILABLE,
                f"{complaint}currently {batches} batches enqueued and max_enqueued_batches is {limit}",
            )

    def _filled(self) -> int:
        """Rows in the newest waiting batch."""
        if self._open:
            return self._open.size
        return self._parameters.max_batch_size if self._waiting else 0

    def _part_sizes(self, size: int) -> list[int]:
        largest = self._parameters.max_batch_size
        room = largest - self._filled()
        if not self._parameters.splits_tasks or size <= room:
            return [size]
        sizes = [room] if room else []
        while (left := size - sum(sizes)) > 0:
            sizes.append(min(left, largest))
        return sizes

    def _join(self, task: Task[Work]) -> _Batch[Work] | None:
        """Adds the task; returns the batch if it is a new one, which the caller then has to lead."""
        batch = self._open
        if batch and batch.size + task.size > self._parameters.max_batch_size:
            self._close(batch)
            batch = None
        is_new = batch is None
        if batch is None:
            batch = self._open = _Batch()
            self._waiting += 1
        batch.tasks.append(task)
        batch.size += task.size
        if batch.size >= self._parameters.max_batch_size:
            self._close(batch)
        return batch if is_new else None

    def _close(self, batch: _Batch[Work]) -> None:
        self._open = None
        batch.closed.release()

    def _lead(self, batch: _Batch[Work]) -> None:
        if self._parameters.timeout:
            batch.closed.acquire(timeout=self._parameters.timeout)
        with self._threads:
            with self._lock:
                # Until this moment, others could join.
                if self._open is batch:
                    self._open = None
                self._waiting -= 1
            self._process([task.work for task in batch.tasks])
        for task in batch.tasks:
            task.done()
