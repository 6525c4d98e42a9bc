"""A caller may come as often as its rate says, in bursts of a second's worth, whichever worker it reaches."""

import time
from pathlib import Path

from gateway.api_keys.rate_limit import RateLimit


def test_a_slow_rate_lets_one_pass_and_says_how_long_to_wait() -> None:
    limit = RateLimit(None)
    assert limit.take(0.001) == 0
    assert 0 < limit.take(0.001) <= 1000


def test_a_burst_is_one_seconds_worth() -> None:
    limit = RateLimit(None)
    began = time.monotonic()
    passed = sum(limit.take(10) == 0 for _ in range(1000))
    assert 10 <= passed <= 10 + 10 * (time.monotonic() - began) + 1


def test_tokens_come_back() -> None:
    limit = RateLimit(None)
    while not (wait := limit.take(100)):
        pass
    assert wait <= 0.01
    time.sleep(wait)
    assert limit.take(100) == 0


def test_a_refusal_costs_nothing() -> None:
    limit = RateLimit(None)
    limit.take(0.001)
    waits = [limit.take(0.001) for _ in range(100)]
    assert max(waits) <= 1000


def test_workers_share_it(tmp_path: Path) -> None:
    one, other = RateLimit(tmp_path / "limit"), RateLimit(tmp_path / "limit")
    assert one.take(0.001) == 0
    assert other.take(0.001) > 0


def test_a_changed_rate_holds_at_once() -> None:
    limit = RateLimit(None)
    assert limit.take(0.001) == 0
    assert limit.take(0.001) > 1
    assert limit.take(1000) < 0.01
