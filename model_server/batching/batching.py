"""A session that joins runs which feed and fetch the same tensors, and gives each caller its rows back."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from model_server.batching import rows
from model_server.batching.batch_queue import BatchQueue, BatchThreads
from model_server.config.batching_parameters import QueueParameters
from model_server.errors import Code, StatusError
from model_server.graph.session import Output, Session
from model_server.metrics import metrics

_log = logging.getLogger(__name__)

# The stock server leaves this label of the queuing latency empty.
_THREAD_POOL_NAME = ""


@dataclass(eq=False)
class _Call:
    """One caller's run.

    Attributes:
        feeds: arrays in the order of the queue's tensors, all of `size` rows.
        queued: when it came, in seconds on `time.perf_counter`; `deadline` likewise, infinite if it has none.
        values: what the run fetched, in the order of the queue's tensors.
        error: set instead of `values` if the run failed.
    """

    feeds: Sequence[np.ndarray]
    size: int
    queued: float
    deadline: float
    values: Sequence[np.ndarray] = ()
    error: StatusError | None = None


class BatchingSession:
    """Runs like the session that it wraps. Thread-safe; `close` needs all runs to have ended."""

    def __init__(self, session: Session, parameters: QueueParameters, threads: BatchThreads) -> None:
        self._session = session
        self._parameters = parameters
        self._threads = threads
        self._queues: dict[tuple[frozenset[Output], frozenset[Output]], _Joint] = {}

    def output(self, name: str) -> Output:
        """As `Session.output`."""
        return self._session.output(name)

    def run(self, feeds: Mapping[Output, np.ndarray], fetches: Sequence[Output], timeout: float | None) -> list[Any]:
        """As `Session.run`, but feeds and fetched values must agree in their first dimension.

        Raises:
            StatusError: INVALID_ARGUMENT or FAILED_PRECONDITION, they do not; UNAVAILABLE, too many batches wait;
                RESOURCE_EXHAUSTED, `timeout` was over before the run began; or the runtime's own.
        """
        key = (frozenset(feeds), frozenset(fetches))
        joint = self._queues.get(key)
        if joint is None:
            # Of two threads that come first at once, both use the one that stays.
            joint = self._queues.setdefault(key, _Joint(self._session, self._parameters, self._threads, *key))
        return joint.run(feeds, fetches, timeout)

    def close(self) -> None:
        """As `Session.close`."""
        self._session.close()


class _Joint:
    """The runs with one set of tensors to feed and one to fetch."""

    def __init__(
        self,
        session: Session,
        parameters: QueueParameters,
        threads: BatchThreads,
        feeds: Iterable[Output],
        fetches: Iterable[Output],
    ) -> None:
        self._session = session
        self._parameters = parameters
        self._feeds = [session.placeholder(feed) for feed in feeds]
        self._fetches = list(fetches)
        self._queue: BatchQueue[_Call] = BatchQueue(parameters, threads, self._process, _split)

    def run(self, feeds: Mapping[Output, np.ndarray], fetches: Sequence[Output], timeout: float | None) -> list[Any]:
        arrays = [feeds[placeholder.output] for placeholder in self._feeds]
        size = rows.common_size(arrays)
        for _ in arrays:
            metrics.input_batch_size.observe(size)
        now = time.perf_counter()
        call = _Call(arrays, size, now, float("inf") if timeout is None else now + timeout)
        # What the graph will refuse must not take others with it.
        fits = all(placeholder.fits(array) for placeholder, array in zip(self._feeds, arrays, strict=True))
        parts = self._queue.run(call, size) if fits else self._queue.run_alone(call, size)
        for part in parts:
            if part.error:
                # One of its own for each caller: a traceback belongs to one thread.
                raise StatusError(part.error.code, part.error.message)
        shares = zip(*(part.values for part in parts), strict=True)
        values = parts[0].values if len(parts) == 1 else map(np.concatenate, shares)
        found = dict(zip(self._fetches, values, strict=True))
        return [found[fetch] for fetch in fetches]

    def _process(self, calls: Sequence[_Call]) -> None:
        try:
            self._run_together(calls)
        except Exception as error:
            # Nobody may wait for ever, whatever went wrong.
            if not isinstance(error, StatusError):
                _log.exception("A batch failed")
                error = StatusError(Code.INTERNAL, f"{type(error).__name__}: {error}")
            for call in calls:
                call.error = error

    def _run_together(self, calls: Sequence[_Call]) -> None:
        now = time.perf_counter()
        for call in calls:
            metrics.queuing_latency.observe(metrics.microseconds(now - call.queued), _THREAD_POOL_NAME)
        left = max(call.deadline for call in calls) - now
        if left <= 0:
            raise StatusError(Code.RESOURCE_EXHAUSTED, "Run() timeout exceeded while waiting in batching queue")
        sizes = [call.size for call in calls]
        size = sum(sizes)
        # No rows, and nothing to pad them with.
        parameters = self._parameters
        padding = parameters.padded_size(size) - size if size else 0
        metrics.padding_size.observe(padding, str(size + padding))
        metrics.processed_batch_size.observe(size + padding)
        feeds = {
            tensor.output: rows.joined(
                tensor.name, [call.feeds[position] for call in calls], padding, parameters.pads_variable_length
            )
            for position, tensor in enumerate(self._feeds)
        }
        try:
            values = self._session.run(feeds, self._fetches, None if left == float("inf") else left)
        finally:
            metrics.wrapped_run_count.add()
        shares = [rows.divided(value, sizes, padding) for value in values]
        for position, call in enumerate(calls):
            call.values = [share[position] for share in shares]


def _split(call: _Call, sizes: Sequence[int]) -> Sequence[_Call]:
    parts = zip(*(rows.divided(array, sizes, padding=0) for array in call.feeds), strict=True)
    return [_Call(part, size, call.queued, call.deadline) for part, size in zip(parts, sizes, strict=True)]
