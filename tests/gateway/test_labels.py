"""The label cache: one fetch for all who wait, bounded, and nothing kept that may be another model's."""

import asyncio

import pytest

from gateway import labels
from gateway.deadline import Deadline
from gateway.errors import DeadlineExceededError, ModelNotReadyError
from gateway.labels import LabelCache


class Source:
    """What the cache asks: answers when told to, and counts."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.error: Exception | None = None

    async def fetch(self, version: int) -> tuple[str, ...]:
        self.asked.append(version)
        await self.may_answer.wait()
        if self.error:
            raise self.error
        return (f"label of {version}, answer {len(self.asked)}",)


def _deadline() -> Deadline:
    return Deadline.after(60)


async def test_those_who_ask_together_share_one_fetch() -> None:
    source = Source()
    source.may_answer.clear()
    cache = LabelCache(source.fetch)
    asking = [asyncio.create_task(cache.of(1, _deadline())) for _ in range(20)]
    await asyncio.sleep(0)
    source.may_answer.set()
    assert set(await asyncio.gather(*asking)) == {("label of 1, answer 1",)}
    assert source.asked == [1]


async def test_a_list_is_kept_while_its_version_answers_and_dropped_after_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(labels.time, "monotonic", lambda: now)
    source = Source()
    cache = LabelCache(source.fetch)
    deadline = Deadline(at=2000.0)
    for _ in range(30):
        now += labels.PAUSE_SECONDS * 0.9
        await cache.of(1, deadline)
    assert source.asked == [1]
    now += labels.PAUSE_SECONDS * 1.1
    assert await cache.of(1, deadline) == ("label of 1, answer 2",)


async def test_versions_have_lists_of_their_own() -> None:
    source = Source()
    cache = LabelCache(source.fetch)
    assert await cache.of(1, _deadline()) == ("label of 1, answer 1",)
    assert await cache.of(2, _deadline()) == ("label of 2, answer 2",)
    assert await cache.of(1, _deadline()) == ("label of 1, answer 1",)


async def test_forget_drops_all_and_starts_a_new_generation() -> None:
    source = Source()
    cache = LabelCache(source.fetch)
    await cache.of(1, _deadline())
    generation = cache.generation
    cache.forget()
    assert cache.generation != generation
    assert await cache.of(1, _deadline()) == ("label of 1, answer 2",)


async def test_a_fetch_that_failed_is_not_kept() -> None:
    source = Source()
    source.error = ModelNotReadyError("gone")
    cache = LabelCache(source.fetch)
    with pytest.raises(ModelNotReadyError):
        await cache.of(1, _deadline())
    source.error = None
    assert await cache.of(1, _deadline()) == ("label of 1, answer 2",)


async def test_who_runs_out_of_time_leaves_the_fetch_to_the_others() -> None:
    source = Source()
    source.may_answer.clear()
    cache = LabelCache(source.fetch)
    patient = asyncio.create_task(cache.of(1, _deadline()))
    await asyncio.sleep(0)
    with pytest.raises(DeadlineExceededError):
        await cache.of(1, Deadline.after(0.01))
    source.may_answer.set()
    assert await patient == ("label of 1, answer 1",)


async def test_the_cache_is_bounded_and_keeps_what_was_used_last() -> None:
    source = Source()
    cache = LabelCache(source.fetch)
    for version in (1, *range(2, labels.MAX_VERSIONS + 1), 1, labels.MAX_VERSIONS + 1):
        await cache.of(version, _deadline())
    source.asked.clear()
    await cache.of(1, _deadline())
    await cache.of(2, _deadline())
    assert source.asked == [2]
