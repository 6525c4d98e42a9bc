"""Lost calls are made again: only those, not too often, and not beyond the deadline."""

from collections.abc import Sequence
from typing import Any

import grpc
import pytest

from gateway.errors import (
    BackendError,
    ModelServerError,
    ModelServerOverloadedError,
    ModelServerUnavailableError,
)
from gateway.upstream.deadline import Deadline
from gateway.upstream.question import DEFAULT
from gateway.upstream.retries import BASE_SECONDS, CAPACITY, FLOOR_PER_SECOND, MAX_RETRIES, RetryBudget, pause_before
from tests.gateway.played_server import PlayedServer, backend, played, prediction

LOST = (grpc.StatusCode.UNAVAILABLE, "Socket closed")
# What the stock server says while too many batches wait.
QUEUE_FULL = (
    grpc.StatusCode.UNAVAILABLE,
    "The batch scheduling queue to which this task was submitted is full; currently 2 batches enqueued",
)


def _failing(times: int, status: tuple[grpc.StatusCode, str]) -> Any:
    """Plays a model server whose first calls end with this status."""
    left = times

    async def answer(method: str, request: Any, context: grpc.aio.ServicerContext) -> Any:
        nonlocal left
        if left:
            left -= 1
            await context.abort(*status)
        return prediction()

    return answer


async def _predict(server: PlayedServer, deadline: float = 60, **settings: Any) -> float:
    """The score, from a backend whose breaker stays out of it."""
    async with backend(model_server=f"127.0.0.1:{server.port}", breaker_failures=1000, **settings) as it:
        return (await it.predict(["a"], DEFAULT, Deadline.after(deadline))).probabilities[1]


async def test_a_lost_call_is_made_again() -> None:
    async with played(_failing(MAX_RETRIES, LOST)) as server:
        assert await _predict(server) == 0.75
        assert server.methods == ["Predict"] * (1 + MAX_RETRIES)


async def test_a_call_that_is_always_lost_is_given_up() -> None:
    async with played(_failing(100, LOST)) as server:
        with pytest.raises(ModelServerUnavailableError):
            await _predict(server)
        assert len(server.methods) == 1 + MAX_RETRIES


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (QUEUE_FULL, ModelServerOverloadedError),
        ((grpc.StatusCode.RESOURCE_EXHAUSTED, "Server Threadpool Exhausted"), ModelServerOverloadedError),
        ((grpc.StatusCode.INTERNAL, "broken"), ModelServerError),
    ],
    ids=["queue full", "no thread", "failed"],
)
async def test_an_answer_is_not_asked_for_again(status: tuple[grpc.StatusCode, str], error: type[BackendError]) -> None:
    async with played(_failing(1, status)) as server:
        with pytest.raises(error):
            await _predict(server)
        assert len(server.methods) == 1


async def test_no_retry_where_the_setting_wants_none() -> None:
    async with played(_failing(1, LOST)) as server:
        with pytest.raises(ModelServerUnavailableError):
            await _predict(server, retry_budget=0)
        assert len(server.methods) == 1


async def test_a_pause_that_would_pass_the_deadline_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client hears why its call failed, at once, instead of that its time is over."""
    monkeypatch.setattr("gateway.upstream.calls.pause_before", lambda retry: 61.0)
    async with played(_failing(100, LOST)) as server:
        with pytest.raises(ModelServerUnavailableError):
            await _predict(server)
        assert len(server.methods) == 1


def test_pauses_grow_and_vary() -> None:
    for retry in range(MAX_RETRIES):
        pauses: Sequence[float] = [pause_before(retry) for _ in range(1000)]
        limit = BASE_SECONDS * 2**retry
        assert all(0 <= pause <= limit for pause in pauses)
        # A thousand draws that leave a tenth of the range out are less likely than a hit by a meteorite.
        assert min(pauses) < limit / 10
        assert max(pauses) > limit * 9 / 10


def _take_all(budget: RetryBudget, now: float) -> int:
    taken = 0
    while budget.take(now):
        taken += 1
    return taken


def test_retries_are_a_share_of_all_calls() -> None:
    budget = RetryBudget(0.125)
    assert _take_all(budget, 100) == CAPACITY
    for _ in range(24):
        budget.add()
    assert _take_all(budget, 100) == 3


def test_a_few_retries_a_second_need_no_share() -> None:
    budget = RetryBudget(0.1)
    _take_all(budget, 100)
    assert _take_all(budget, 102) == 2 * FLOOR_PER_SECOND


def test_unused_retries_are_not_hoarded() -> None:
    budget = RetryBudget(0.1)
    _take_all(budget, 100)
    for _ in range(1000):
        budget.add()
    assert _take_all(budget, 1100) == CAPACITY
