"""What happens to a fleet: an instance refresh, a rolling update, the loss of a zone."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from benchmarks.capacity.arrivals import Array
from benchmarks.capacity.fleet import Fleet, History

REPLACE_SECONDS = 60
"""From the load balancer's verdict until Auto Scaling launches in the other zones. Assumed; AWS names no time."""


class Event(Protocol):
    """Something that is asked at the beginning of every second from `begin` on."""

    begin: int
    end: int | None
    """The second in which it is over; None while it is not."""

    def step(self, fleet: Fleet) -> None:
        """Does to the fleet what is due now."""


@dataclass
class LostZone:
    """All instances of one zone vanish; over when as many serve as before."""

    begin: int
    end: int | None = None
    _before: int = 0
    _lost: int = 0

    def step(self, fleet: Fleet) -> None:
        if fleet.now == self.begin:
            self._before = fleet.serving
            # At least one even of a single instance: the worse case.
            self._lost = math.ceil(fleet.serving / fleet.policy.zones)
            fleet.lose(self._lost)
        elif fleet.now == self.begin + fleet.policy.out_of_rotation + REPLACE_SECONDS:
            fleet.launch(self._lost)
        elif self.end is None and fleet.serving >= self._before:
            self.end = fleet.now


@dataclass
class Refresh:
    """Starts as many as the upper percentage allows, and ends as many once those are warm; scaling goes on."""

    begin: int
    end: int | None = None
    _left: int = 0
    _batch: int = 0
    _warm: int = 0

    def step(self, fleet: Fleet) -> None:
        if self.end is not None:
            return
        if fleet.now == self.begin:
            self._left = fleet.serving
        elif fleet.now < self._warm:
            return
        else:
            fleet.end(self._batch)
            fleet.extra -= self._batch
            self._left -= self._batch
        # Scaling in ends old ones first.
        self._left = min(self._left, fleet.serving)
        if self._left <= 0:
            self.end = fleet.now
            return
        running = fleet.wanted
        self._batch = min(fleet.policy.refresh.plan(running).most - running, self._left)
        self._warm = fleet.launch(self._batch) + fleet.policy.warm_up
        fleet.extra += self._batch


@dataclass
class Rolling:
    """One after the other, with scaling suspended; ends one first where there is no room for one more."""

    begin: int
    end: int | None = None
    _left: int = 0
    _ready: int = 0
    _ends_first: bool = False

    def step(self, fleet: Fleet) -> None:
        if self.end is not None:
            return
        if fleet.now == self.begin:
            fleet.scales = False
            self._left = fleet.serving
            # DesiredCapacity is a parameter, and stays what it was when the fleet was small.
            self._ends_first = fleet.policy.rolling(fleet.size.fewest).plan(fleet.serving).fewest < fleet.serving
        elif fleet.now < self._ready:
            return
        else:
            self._left -= 1
            if not self._ends_first:
                fleet.end(1)
                fleet.extra -= 1
        if not self._left:
            fleet.scales = True
            self.end = fleet.now
            return
        if self._ends_first:
            fleet.end(1)
        else:
            fleet.extra += 1
        self._ready = fleet.launch(1)


def play(fleet: Fleet, requests: Array, event: Event | None = None) -> History:
    """The whole trace: so many requests in each second [seconds]."""
    rows = np.empty((len(requests), 3), np.int64)
    for second, count in enumerate(requests.tolist()):
        if event is not None and second >= event.begin:
            event.step(fleet)
        rows[second] = fleet.second(count)
    serving, paid, gone = rows.T
    return History(requests, serving, paid, gone)
