"""Which thread pool a run gets."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from tensorflow.core.protobuf.config_pb2 import ConfigProto, RunOptions
from tensorflow.python.client import pywrap_tf_session as c_api

from model_server.graph.run_pools import RunPools, add_pools, run_pools


def options(pools: RunPools, timeout: float | None = None) -> RunOptions:
    """What a run gets that is over at once."""
    return pools.run(timeout, lambda buffer: RunOptions.FromString(c_api.TF_GetBuffer(buffer)))


@contextmanager
def running(pools: RunPools) -> Iterator[int]:
    """A run that lasts; its pool."""
    has_begun, may_end = threading.Event(), threading.Event()
    seen: list[int] = []

    def call(buffer: object) -> None:
        seen.append(RunOptions.FromString(c_api.TF_GetBuffer(buffer)).inter_op_thread_pool)
        has_begun.set()
        may_end.wait()

    thread = threading.Thread(target=pools.run, args=(None, call))
    thread.start()
    has_begun.wait()
    try:
        yield seen[0]
    finally:
        may_end.set()
        thread.join()


def test_a_lone_run_stays_in_the_first_pool() -> None:
    pools = RunPools(3)
    assert [options(pools).inter_op_thread_pool for _ in range(3)] == [0, 0, 0]


def test_runs_at_the_same_time_are_in_different_pools() -> None:
    with ExitStack() as stack:
        pools = RunPools(3)
        assert {stack.enter_context(running(pools)) for _ in range(3)} == {0, 1, 2}


def test_nobody_queues_behind_the_longest_run() -> None:
    pools = RunPools(2)
    with running(pools) as oldest, running(pools) as younger:
        assert oldest != younger
        assert options(pools).inter_op_thread_pool == younger
    assert options(pools).inter_op_thread_pool == 0


@pytest.mark.parametrize(
    ("timeout", "milliseconds"),
    [
        pytest.param(None, 0, id="no limit"),
        pytest.param(1.5, 1500, id="seconds"),
        pytest.param(0.0001, 1, id="never 0, which would be no limit"),
        pytest.param(3600, 3_600_000, id="an hour"),
    ],
)
def test_the_time_limit(timeout: float | None, milliseconds: int) -> None:
    assert options(RunPools(2), timeout).timeout_in_ms == milliseconds


def test_an_error_gives_the_pool_back() -> None:
    pools = RunPools(2)
    with pytest.raises(ZeroDivisionError):
        pools.run(None, lambda buffer: 1 // 0)
    assert options(pools).inter_op_thread_pool == 0


def test_sessions_with_one_pool_use_it() -> None:
    with running(run_pools(ConfigProto())) as first, running(run_pools(ConfigProto())) as second:
        assert first == second == 0


def test_all_sessions_share_the_pools() -> None:
    config = ConfigProto()
    add_pools(config, 5)
    assert len({pool.global_name for pool in config.session_inter_op_thread_pool}) == 5
    assert run_pools(config) is run_pools(config)
