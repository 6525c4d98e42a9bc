"""The circuit breaker by itself: what opens it, what closes it, what it says meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from gateway.errors import ModelServerUnavailableError
from gateway.telemetry.metrics import BreakerState
from gateway.upstream.breaker import Breaker

FAILURES = 3
FAIR_SECONDS = 2.0
RETRY_SECONDS = 0.001


class Played:
    """A breaker, its probe in the test's hands, and the states that it went through."""

    def __init__(self) -> None:
        self.states: list[BreakerState] = []
        self.probes: asyncio.Queue[asyncio.Future[bool]] = asyncio.Queue()
        """The probes that wait for the test to say whether they are answered."""
        self.closed = asyncio.Event()
        self.breaker = Breaker(FAILURES, RETRY_SECONDS, FAIR_SECONDS, self._probe, self._changed)

    def _changed(self, state: BreakerState) -> None:
        self.states.append(state)
        if state == "closed":
            self.closed.set()

    async def _probe(self) -> None:
        told = asyncio.get_running_loop().create_future()
        self.probes.put_nowait(told)
        if await told:
            self.breaker.answered(11)

    def lose(self, times: int, began: float = 10) -> None:
        for _ in range(times):
            self.breaker.lost(began, "refused")


@pytest.fixture
async def played() -> AsyncIterator[Played]:
    it = Played()
    yield it
    await it.breaker.stop()


async def test_it_opens_after_so_many_lost_calls_in_a_row(played: Played, caplog: pytest.LogCaptureFixture) -> None:
    played.breaker.answered(1)
    played.lose(FAILURES - 1)
    played.breaker.check()
    assert played.breaker.state == "closed"
    opening = time.time()
    played.lose(1)
    with pytest.raises(ModelServerUnavailableError) as refused:
        played.breaker.check()
    assert refused.value.retry_after == RETRY_SECONDS
    assert "refused" not in str(refused.value), "what gRPC said is for the log"
    assert "cannot be reached (refused); the circuit breaker is open" in caplog.text
    assert opening <= played.breaker.since <= time.time()


async def test_an_answer_between_starts_the_row_again(played: Played) -> None:
    played.lose(FAILURES - 1)
    played.breaker.answered(11)
    played.lose(FAILURES - 1, began=12)
    assert played.breaker.state == "closed"


async def test_losses_do_not_count_while_another_server_answers(played: Played) -> None:
    """One of several dies, and takes all calls along that it had."""
    played.breaker.answered(11)
    played.lose(FAILURES, began=10)
    assert played.breaker.state == "closed"


async def test_it_opens_when_nobody_answers_in_a_fair_time(played: Played, caplog: pytest.LogCaptureFixture) -> None:
    played.breaker.answered(1)
    for _ in range(FAILURES):
        played.breaker.unanswered(10, 10 + FAIR_SECONDS)
    assert played.breaker.state == "open"
    assert "the model server is silent; the circuit breaker is open" in caplog.text


async def test_callers_in_a_hurry_do_not_open_it(played: Played) -> None:
    for _ in range(100):
        played.breaker.unanswered(10, 10.001)
    assert played.breaker.state == "closed"


async def test_a_slow_server_that_answers_others_does_not_open_it(played: Played) -> None:
    for began in range(10, 110):
        played.breaker.answered(began + 0.5)
        played.breaker.unanswered(began, began + FAIR_SECONDS)
    assert played.breaker.state == "closed"


async def test_it_probes_until_the_server_answers(played: Played, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    played.breaker.answered(1)
    played.lose(FAILURES)
    failing = await played.probes.get()
    assert played.breaker.state == "half_open"
    with pytest.raises(ModelServerUnavailableError):
        played.breaker.check()
    failing.set_result(False)
    broken = await played.probes.get()
    broken.set_exception(RuntimeError("a probe that cannot be made must not be the last"))
    successful = await played.probes.get()
    successful.set_result(True)
    await played.closed.wait()
    played.breaker.check()
    assert played.states == ["open", "half_open", "open", "half_open", "open", "half_open", "closed"]
    assert "the circuit breaker is closed" in caplog.text
    assert "must not be the last" in caplog.text


async def test_before_the_first_answer_it_waits_without_an_error(
    played: Played, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    played.lose(FAILURES)
    (await played.probes.get()).set_result(True)
    await played.closed.wait()
    assert [(each.levelname, each.getMessage().partition(":")[0]) for each in caplog.records] == [
        ("INFO", "waiting for the model server"),
        ("INFO", "the model server answers"),
    ]


async def test_a_late_answer_closes_it_before_the_probe_returns(played: Played) -> None:
    played.lose(FAILURES)
    pending = await played.probes.get()
    played.breaker.answered(11)
    played.breaker.check()
    played.lose(FAILURES, began=12)
    await played.probes.get()
    assert played.states == ["open", "half_open", "closed", "open", "half_open"]
    assert pending.cancelled()
