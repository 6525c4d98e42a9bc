"""The fleet, second by second: who serves, who starts, who is asked though gone, and what target tracking does.

Target tracking as Auto Scaling does it on requests a minute and instance: an alarm after 3 minutes above the target
raises the number to what brings the average back to it; one after 15 minutes below nine tenths of it lowers the number.
Both alarms are AWS's own and not in the template. AWS says only that it lowers more gradually than it raises; here it
lowers at once, to what the busiest of the 15 minutes needs.
"""

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from benchmarks.capacity.arrivals import Array
from benchmarks.capacity.template import Policy

MINUTE = 60
OUT_MINUTES, IN_MINUTES, IN_SHARE = 3, 15, 0.9


@dataclass(frozen=True)
class Size:
    """How the fleet is set up: requests a second and instance that scaling aims at, and its bounds.

    `start_seconds`: from a launch until the load balancer sends requests.
    """

    target: float
    fewest: int
    most: int
    start_seconds: int


@dataclass(frozen=True)
class History:
    """Of each second, [seconds]: requests, instances that serve, instances that are paid, those asked though gone."""

    requests: Array
    serving: Array
    paid: Array
    gone: Array

    @property
    def loads(self) -> Array:
        """Requests a second and instance; 0 where nobody serves."""
        asked = self.serving + self.gone
        return np.where(self.serving > 0, self.requests / np.maximum(1, asked), 0.0)

    @property
    def reaching(self) -> Array:
        """Share of the requests that the load balancer sends to somebody who serves."""
        return self.serving / np.maximum(1, self.serving + self.gone)


@dataclass
class Fleet:
    """Its state; `second` is one step."""

    policy: Policy
    size: Size
    serving: int
    scales: bool = True
    """False while a rolling update suspends scaling."""
    gone: int = 0
    """Instances that are asked, and that nobody has noticed to be gone."""
    extra: int = 0
    """Of those that serve or start, beyond what is wanted: a rollout's."""
    now: int = 0
    _starting: deque[tuple[int, int]] = field(default_factory=deque)
    _draining: deque[tuple[int, int]] = field(default_factory=deque)
    _noticed: int = 0
    _requests: float = 0.0
    _asked: float = 0.0
    _minutes: deque[float] = field(default_factory=lambda: deque(maxlen=IN_MINUTES))

    @property
    def wanted(self) -> int:
        """The desired capacity."""
        return self.serving + self.starting - self.extra

    @property
    def starting(self) -> int:
        """Launched, and not asked yet."""
        return sum(count for _, count in self._starting)

    @property
    def paid(self) -> int:
        """All that exist."""
        return self.serving + self.starting + sum(count for _, count in self._draining)

    def launch(self, count: int) -> int:
        """Starts so many; returns the second in which they serve."""
        ready = self.now + self.size.start_seconds
        if count:
            self._starting.append((ready, count))
        return ready

    def end(self, count: int) -> None:
        """Takes so many out of the load balancer; they finish what runs."""
        self.serving -= count
        self._draining.append((self.now + self.policy.draining, count))

    def lose(self, count: int) -> None:
        """So many vanish at once; the load balancer goes on asking them until its checks have failed."""
        self.serving -= count
        self.gone += count
        self._noticed = self.now + self.policy.out_of_rotation

    def second(self, requests: float) -> tuple[int, int, int]:
        """One second with so many requests; serving, paid and gone during it."""
        while self._starting and self._starting[0][0] <= self.now:
            self.serving += self._starting.popleft()[1]
        while self._draining and self._draining[0][0] <= self.now:
            self._draining.popleft()
        if self.gone and self.now >= self._noticed:
            self.gone = 0
        seen = self.serving, self.paid, self.gone
        self._requests += requests
        self._asked += self.serving + self.gone
        self.now += 1
        if self.now % MINUTE == 0:
            self._scale()
        return seen

    def _scale(self) -> None:
        """At the end of a minute."""
        # An alarm compares requests per instance; what it leads to is a number for all requests.
        average = self._requests / max(1.0, self._asked)
        needed = self._requests / MINUTE / self.size.target
        self._requests = self._asked = 0.0
        self._minutes.append(average / self.size.target)
        last = list(self._minutes)
        if not self.scales:
            return
        if len(last) >= OUT_MINUTES and min(last[-OUT_MINUTES:]) > 1:
            more = min(math.ceil(needed), self.size.most) - self.wanted
            if more > 0:
                self.launch(more)
        elif len(last) == IN_MINUTES and max(last) < IN_SHARE and not self.starting and not self.gone:
            kept = max(self.size.fewest, math.ceil(self.wanted * max(last)))
            if kept < self.wanted:
                self.end(self.wanted - kept)
                self._minutes.clear()
