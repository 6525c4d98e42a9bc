"""The label cache: a list names an answer only if both are proven to come from the same model, and few fetches do."""

import asyncio
from types import SimpleNamespace

import pytest

from gateway.errors import DeadlineExceededError, ModelNotReadyError
from gateway.upstream import labels
from gateway.upstream.deadline import Deadline
from gateway.upstream.labels import BRIDGE_SECONDS, FETCH_TRIES, MAX_VERSIONS, PAUSE_SECONDS, LabelCache

OLD, NEW = ("stop", "chitchat"), ("misc", "request_next_step")
SHORT, LONG = PAUSE_SECONDS * 0.9, PAUSE_SECONDS * 1.1


class Clock:
    """What the cache takes for the time."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Source:
    """What the cache asks: answers when told to, after so many seconds on the clock, and counts."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.names = OLD
        self.seconds = 0.0
        self.error: Exception | None = None
        self.failures = 10**6
        """How often it fails with that error."""
        self.asked: list[int] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def fetch(self, version: int, classes: int) -> tuple[str, ...]:
        self.asked.append(version)
        names = self.names
        await self.may_answer.wait()
        self.clock.now += self.seconds
        if self.error and self.failures:
            self.failures -= 1
            raise self.error
        return names


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    # In this module only: the event loop and the deadlines keep the real one.
    monkeypatch.setattr(labels, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


@pytest.fixture
def source(clock: Clock) -> Source:
    return Source(clock)


@pytest.fixture
def cache(source: Source) -> LabelCache:
    return LabelCache(source.fetch)


async def ask(cache: LabelCache, clock: Clock, version: int = 1, seconds: float = 0.001) -> tuple[str, ...] | None:
    """The names for an answer to a call of so many seconds, which is sent now."""
    sent = clock.now
    clock.now += seconds
    return await cache.of(version, len(OLD), sent, Deadline.after(60))


async def settled() -> None:
    """Lets the tasks that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_those_who_ask_together_share_one_fetch(cache: LabelCache, clock: Clock, source: Source) -> None:
    source.may_answer.clear()
    asking = [asyncio.create_task(cache.of(1, len(OLD), clock.now, Deadline.after(60))) for _ in range(20)]
    await settled()
    source.may_answer.set()
    assert await asyncio.gather(*asking) == [OLD] * 20
    assert source.asked == [1]


async def test_a_list_is_kept_while_its_version_answers_and_fetched_again_after_a_pause(
    cache: LabelCache, clock: Clock, source: Source
) -> None:
    for _ in range(30):
        assert await ask(cache, clock) == OLD
        clock.now += SHORT - 0.001
    assert source.asked == [1]
    source.names = NEW
    clock.now += LONG
    assert await ask(cache, clock) == NEW
    assert source.asked == [1, 1]


async def test_answers_that_crossed_on_the_way_are_named_alike(cache: LabelCache, clock: Clock, source: Source) -> None:
    """Sent first, here last."""
    sent = clock.now
    clock.now += SHORT / 3
    assert await ask(cache, clock) == OLD
    clock.now += SHORT / 3
    assert await cache.of(1, len(OLD), sent, Deadline.after(60)) == OLD
    assert source.asked == [1]


async def test_a_list_is_fetched_while_the_call_is_under_way_if_it_grew_old(
    cache: LabelCache, clock: Clock, source: Source
) -> None:
    cache.expect(1)
    await settled()
    assert source.asked == [], "nothing is known of this version"
    await ask(cache, clock)
    cache.expect(1)
    await settled()
    assert source.asked == [1], "its list is fresh"
    clock.now += 3600
    sent = clock.now
    cache.expect(1)
    await settled()
    assert source.asked == [1, 1]
    clock.now += SHORT
    assert await cache.of(1, len(OLD), sent, Deadline.after(60)) == OLD
    assert source.asked == [1, 1]


async def test_a_list_from_before_a_slow_answer_does_not_name_the_model_that_took_the_number_meanwhile(
    cache: LabelCache, clock: Clock, source: Source
) -> None:
    await ask(cache, clock)
    clock.now += 3600
    sent = clock.now
    cache.expect(1)
    await settled()
    source.names = NEW
    clock.now += LONG
    assert await cache.of(1, len(OLD), sent, Deadline.after(60)) is None
    assert await ask(cache, clock) == NEW


async def test_a_list_from_after_a_slow_answer_does_not_name_it(
    cache: LabelCache, clock: Clock, source: Source
) -> None:
    assert await ask(cache, clock, seconds=LONG) is None
    assert await ask(cache, clock, seconds=LONG) == OLD, "now the list before is known"


async def test_a_list_that_is_the_same_before_and_after_a_slow_answer_names_it(
    cache: LabelCache, clock: Clock, source: Source
) -> None:
    await ask(cache, clock)
    assert await ask(cache, clock, seconds=BRIDGE_SECONDS / 2) == OLD
    assert source.asked == [1, 1]
    assert await ask(cache, clock, seconds=BRIDGE_SECONDS * 2) is None


async def test_a_slow_fetch_proves_what_was_sent_after_it(cache: LabelCache, clock: Clock, source: Source) -> None:
    source.seconds = LONG
    assert await ask(cache, clock) is None
    assert await ask(cache, clock) == OLD


async def test_a_fetch_that_began_too_early_is_followed_by_another(
    cache: LabelCache, clock: Clock, source: Source
) -> None:
    await ask(cache, clock)
    clock.now += LONG
    source.may_answer.clear()
    cache.expect(1)
    await settled()
    source.names = NEW
    sent = clock.now
    clock.now += LONG
    asking = asyncio.create_task(cache.of(1, len(OLD), sent, Deadline.after(60)))
    await settled()
    source.may_answer.set()
    assert await asking is None, "the list changed while the answer was on its way"
    assert source.asked == [1, 1, 1]


async def test_versions_have_lists_of_their_own(cache: LabelCache, clock: Clock, source: Source) -> None:
    assert await ask(cache, clock, version=1) == OLD
    source.names = NEW
    assert await ask(cache, clock, version=2) == NEW
    assert await ask(cache, clock, version=1) == OLD


async def test_forget_ends_all_trust_and_starts_a_new_generation(
    cache: LabelCache, clock: Clock, source: Source
) -> None:
    await ask(cache, clock)
    generation = cache.generation
    cache.forget()
    assert cache.generation != generation
    source.names = NEW
    assert await ask(cache, clock) == NEW


async def test_a_list_that_was_under_way_when_all_was_forgotten_is_not_kept(
    cache: LabelCache, clock: Clock, source: Source
) -> None:
    source.may_answer.clear()
    asking = asyncio.create_task(ask(cache, clock))
    await settled()
    cache.forget()
    source.names = NEW
    source.may_answer.set()
    assert await asking == NEW
    assert await ask(cache, clock) == NEW


async def test_a_fetch_that_failed_is_not_kept(cache: LabelCache, clock: Clock, source: Source) -> None:
    source.error = ModelNotReadyError("gone")
    with pytest.raises(ModelNotReadyError):
        await ask(cache, clock)
    source.error = None
    assert await ask(cache, clock) == OLD


async def test_a_version_that_the_asked_server_does_not_have_is_asked_for_again(
    cache: LabelCache, clock: Clock, source: Source
) -> None:
    """The next call goes to another server."""
    source.error, source.failures = ModelNotReadyError("not here"), FETCH_TRIES - 1
    assert await ask(cache, clock) == OLD


async def test_who_runs_out_of_time_leaves_the_fetch_to_the_others(
    cache: LabelCache, clock: Clock, source: Source
) -> None:
    source.may_answer.clear()
    patient = asyncio.create_task(ask(cache, clock))
    await settled()
    with pytest.raises(DeadlineExceededError):
        await cache.of(1, len(OLD), clock.now, Deadline.after(0.01))
    source.may_answer.set()
    assert await patient == OLD
    assert source.asked == [1]


async def test_the_cache_is_bounded_and_keeps_what_was_used_last(
    cache: LabelCache, clock: Clock, source: Source
) -> None:
    for version in (1, *range(2, MAX_VERSIONS + 1), 1, MAX_VERSIONS + 1):
        await ask(cache, clock, version)
    source.asked.clear()
    await ask(cache, clock, 1)
    await ask(cache, clock, 2)
    assert source.asked == [2]
