"""Which of the process's single-threaded pools runs a graph.

With one pool for all cores, the ops of a single request spread over its threads: measured on two cores, a row of a
small BERT then costs a third more CPU, and takes longer than on one thread. With a pool for each core a run stays on
one thread, and runs at the same time are on different ones.
"""

import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from tensorflow.core.protobuf.config_pb2 import ConfigProto, RunOptions
from tensorflow.python.client import pywrap_tf_session as c_api

from model_server.graph import wire

Result = TypeVar("Result")

# A serialised RunOptions is one or both of these, each followed by its number: the time limit in ms, and the pool.
_TIMEOUT = wire.varint(RunOptions.TIMEOUT_IN_MS_FIELD_NUMBER << 3)
_POOL = wire.varint(RunOptions.INTER_OP_THREAD_POOL_FIELD_NUMBER << 3)


def add_pools(config: ConfigProto, count: int) -> None:
    """Gives the sessions of this process, which share them by their names, `count` pools of one thread."""
    for number in range(count):
        config.session_inter_op_thread_pool.add(num_threads=1, global_name=f"run{number}")


class RunPools:
    """Chooses a pool for each run: the one with the shortest expected wait."""

    def __init__(self, count: int) -> None:
        # Per pool, when its runs began, oldest first.
        self._starts: list[dict[object, float]] = [{} for _ in range(count)]
        self._lock = threading.Lock()
        self._numbers = [_POOL + wire.varint(number) for number in range(count)]
        self._options = [c_api.TF_NewBufferFromString(number) for number in self._numbers]

    def run(self, timeout: float | None, call: Callable[[Any], Result]) -> Result:
        """What `call` returns, which gets a buffer with RunOptions; `timeout` in seconds."""
        key, now = object(), time.perf_counter()
        with self._lock:
            waits = [_expected_wait(starts, now) for starts in self._starts]
            # The first of equals: its caches are the warmest.
            pool = waits.index(min(waits))
            self._starts[pool][key] = now
        try:
            if timeout is None:
                return call(self._options[pool])
            # At least 1 ms: 0 would mean no limit.
            milliseconds = max(1, int(timeout * 1000))
            options = c_api.TF_NewBufferFromString(self._numbers[pool] + _TIMEOUT + wire.varint(milliseconds))
            try:
                return call(options)
            finally:
                c_api.TF_DeleteBuffer(options)
        finally:
            with self._lock:
                del self._starts[pool][key]


def _expected_wait(starts: dict[object, float], now: float) -> float:
    """Assumes that every run takes as long again as the oldest has so far, so no run queues behind a very long one."""
    return len(starts) * (now - next(iter(starts.values()))) if starts else 0.0


def run_pools(config: ConfigProto) -> RunPools:
    """The pools of sessions with this config, shared by all of them: single-threaded ones, or the only or first one."""
    pools = config.session_inter_op_thread_pool
    return _shared(len(pools) if pools and all(pool.num_threads == 1 for pool in pools) else 1)


@cache
def _shared(count: int) -> RunPools:
    return RunPools(count)
