"""Bounded slots and a bounded queue: who gets in, in which order, and what the others are told."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from types import SimpleNamespace

import pytest

from gateway.api import admission
from gateway.api.admission import Admission
from gateway.errors import DeadlineExceededError, OverloadedError
from gateway.upstream.deadline import Deadline
from tests.gateway.conftest import MODEL, PATIENT
from tests.gateway.relay import Relay
from tests.gateway.running import gateway


def _deadline(seconds: float = 60) -> Deadline:
    return Deadline.after(seconds)


async def settled() -> None:
    """Lets the tasks that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


class Visit:
    """A request that holds its slot until told to leave."""

    def __init__(self, it: Admission, seconds: float = 60) -> None:
        self.is_in = False
        self.waited = -1.0
        self._end = asyncio.Event()
        self.task = asyncio.create_task(self._run(it, _deadline(seconds)))

    async def _run(self, it: Admission, deadline: Deadline) -> None:
        async with it.slot(deadline) as self.waited:
            self.is_in = True
            await self._end.wait()

    async def leave(self) -> None:
        self._end.set()
        await self.task
        await settled()


async def test_who_finds_a_free_slot_does_not_wait() -> None:
    it = Admission(2, 0)
    async with it.slot(_deadline()) as first, it.slot(_deadline()) as second:
        assert (first, second) == (0, 0)
        assert (it.in_flight, it.queued) == (2, 0)
    assert it.in_flight == 0


async def test_the_others_wait_and_come_in_their_order() -> None:
    it = Admission(1, 3)
    visits = [Visit(it) for _ in range(4)]
    await settled()
    assert (it.in_flight, it.queued) == (1, 3)
    for position, visit in enumerate(visits):
        assert [each.is_in for each in visits] == [True] * (position + 1) + [False] * (3 - position)
        await visit.leave()
    assert (it.in_flight, it.queued) == (0, 0)
    assert visits[0].waited == 0
    assert 0 < visits[1].waited < visits[2].waited < visits[3].waited


@pytest.mark.parametrize("max_queue", [0, 2])
async def test_a_full_queue_refuses_at_once(max_queue: int) -> None:
    it = Admission(1, max_queue)
    visits = [Visit(it) for _ in range(1 + max_queue)]
    await settled()
    with pytest.raises(OverloadedError):
        await it.slot(_deadline()).__aenter__()
    assert (it.in_flight, it.queued) == (1, max_queue)
    await visits[0].leave()
    Visit(it)
    await settled()
    assert (it.in_flight, it.queued) == (1, max_queue)


async def test_the_wait_that_is_told_comes_from_the_measured_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(admission, "time", SimpleNamespace(monotonic=lambda: now))
    it = Admission(4, 2)
    assert it.rate == 0
    for seconds in [2.0] * 50 + [0.5] * 200:
        async with it.slot(_deadline()):
            now += seconds
    # Four slots, half a second each.
    assert it.rate == pytest.approx(8, rel=0.01)
    visits = [Visit(it) for _ in range(6)]
    await settled()
    with pytest.raises(OverloadedError) as caught:
        await it.slot(_deadline()).__aenter__()
    assert caught.value.retry_after == pytest.approx(len(visits) / 8, rel=0.01)


async def test_before_anything_was_measured_a_second_is_told() -> None:
    it = Admission(1, 0)
    async with it.slot(_deadline()):
        with pytest.raises(OverloadedError) as caught:
            await it.slot(_deadline()).__aenter__()
    assert caught.value.retry_after == 1


async def test_time_runs_out_in_the_queue() -> None:
    it = Admission(1, 2)
    holder = Visit(it)
    hasty, patient = Visit(it, seconds=0.01), Visit(it)
    with pytest.raises(DeadlineExceededError):
        await hasty.task
    assert (it.in_flight, it.queued) == (1, 1)
    await holder.leave()
    assert patient.is_in


async def test_a_request_whose_time_is_over_does_not_come_in() -> None:
    it = Admission(1, 1)
    with pytest.raises(DeadlineExceededError):
        await it.slot(Deadline(at=0)).__aenter__()
    assert it.in_flight == 0


async def test_who_goes_away_leaves_the_queue() -> None:
    it = Admission(1, 2)
    holder = Visit(it)
    gone, patient = Visit(it), Visit(it)
    await settled()
    gone.task.cancel()
    await settled()
    assert (it.in_flight, it.queued) == (1, 1)
    await holder.leave()
    assert patient.is_in


@pytest.mark.parametrize("is_its_turn", [True, False], ids=["its turn has just come", "its turn is about to come"])
async def test_who_goes_away_in_the_moment_of_its_turn_hands_it_on(is_its_turn: bool) -> None:
    it = Admission(1, 2)
    async with AsyncExitStack() as holder:
        await holder.enter_async_context(it.slot(_deadline()))
        gone, patient = Visit(it), Visit(it)
        await settled()
        if not is_its_turn:
            gone.task.cancel()
    # Nothing is awaited here, so its task has not run since.
    gone.task.cancel()
    await settled()
    assert (gone.is_in, patient.is_in) == (False, True)
    assert (it.in_flight, it.queued) == (1, 0)


async def test_a_failed_request_frees_its_slot() -> None:
    it = Admission(1, 0)
    with pytest.raises(RuntimeError):
        async with it.slot(_deadline()):
            raise RuntimeError
    assert it.in_flight == 0


def test_beyond_the_limits_requests_are_refused_with_the_time_to_come_back(line: Relay) -> None:
    limits = {"max_in_flight": 2, "max_queue": 1}
    with (
        gateway(model_server=f"127.0.0.1:{line.port}", **PATIENT, **limits) as running,
        ThreadPoolExecutor() as clients,
    ):
        running.predict("warm")
        line.hold(b"held")
        taken = [clients.submit(running.predict, "held") for _ in range(3)]
        line.held.wait()
        while "gateway_queued 1.0" not in running.get("/metrics").body.decode():
            pass
        refused = running.predict("one too many")
        assert refused.error[:2] == (503, "overloaded")
        assert refused.headers["Retry-After"].isdecimal()
        assert int(refused.headers["Retry-After"]) >= 1
        assert {running.get(path).status for path in ("/healthz", "/status", "/metrics")} == {200}
        line.release()
        assert {each.result().json["intent"] for each in taken} == {MODEL.intent("held")}
        assert running.predict("and again").status == 200
