"""When a lost call is made again: after a pause with jitter, inside the deadline, within a budget."""

import random

MAX_RETRIES = 3
"""Of one call. With several model servers the first already goes to another one."""
BASE_SECONDS = 0.025
"""Longest pause before the first retry; it doubles with each. A new connection on this machine takes a millisecond."""
CAPACITY = 10.0
"""Most retries in a burst."""
FLOOR_PER_SECOND = 1.0
"""Retries a second that need no share: a gateway with few requests could never save up for one."""


def pause_before(retry: int) -> float:
    """Seconds to wait before the retry of this number (0 = first): anything up to the limit, so that many that lost
    their calls in one moment do not come back in one moment."""
    return random.uniform(0, BASE_SECONDS * 2**retry)


class RetryBudget:
    """A token bucket: every call puts a share of a retry in, every retry takes a whole one out.

    So retries cannot multiply the load on a model server that is in trouble.
    """

    __slots__ = ("_at", "_share", "_tokens")

    def __init__(self, share: float) -> None:
        """`share`: retries as a share of all calls; 0 = no retries at all."""
        self._share = share
        self._tokens = CAPACITY
        self._at = 0.0

    def add(self) -> None:
        """Call it once for every call that is not a retry."""
        self._tokens = min(CAPACITY, self._tokens + self._share)

    def take(self, now: float) -> bool:
        """Whether a retry may be made now, in seconds of the monotonic clock; it is paid for then."""
        self._tokens = min(CAPACITY, self._tokens + (now - self._at) * FLOOR_PER_SECOND)
        self._at = now
        if self._share == 0 or self._tokens < 1:
            return False
        self._tokens -= 1
        return True
