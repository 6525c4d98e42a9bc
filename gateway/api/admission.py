"""Limits how many requests ask the model server at once and how many wait; further ones are refused."""

import asyncio
import time
from collections import deque
from contextlib import suppress

from gateway.errors import DeadlineExceededError, OverloadedError
from gateway.upstream.deadline import Deadline

_SMOOTHING = 0.05
"""Weight of the newest request in the mean time of service: some tens of requests count, a fraction of a second."""


class Admission:
    """Slots for requests, first come, first served."""

    def __init__(self, max_in_flight: int, max_queue: int) -> None:
        self._max_in_flight = max_in_flight
        self._max_queue = max_queue
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._seconds = 0.0
        self.in_flight = 0
        """Requests that hold a slot."""

    @property
    def queued(self) -> int:
        """Requests that wait for a slot."""
        return len(self._waiting)

    @property
    def rate(self) -> float:
        """Requests a second that all slots together finish while none is idle; 0 before the first is finished."""
        return self._max_in_flight / self._seconds if self._seconds else 0.0

    def slot(self, deadline: Deadline) -> "Slot":
        """`async with admission.slot(deadline) as seconds:` holds a slot; `seconds` is how long it was waited for.

        Raises:
            OverloadedError: all slots are held and the queue is full; with the time until another try makes sense.
            DeadlineExceededError: no slot got free in time.
        """
        return Slot(self, deadline)

    async def enter(self, deadline: Deadline) -> float:
        """Takes a slot; returns how many seconds that took."""
        if self.in_flight < self._max_in_flight:
            deadline.remaining()
            self.in_flight += 1
            return 0.0
        if len(self._waiting) >= self._max_queue:
            raise OverloadedError(
                "the gateway has as many requests as it takes; try again later", retry_after=self._wait_seconds()
            )
        began = time.monotonic()
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(deadline.remaining(), self._expire, turn)
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with suppress(ValueError):
                    self._waiting.remove(turn)
            elif turn.exception() is None:
                # Its turn came in the moment in which its caller went away.
                self._hand_on()
            raise
        finally:
            timer.cancel()
        return time.monotonic() - began

    def leave(self, seconds: float) -> None:
        """Gives back a slot that was held for so long."""
        self._seconds += (seconds - self._seconds) * (_SMOOTHING if self._seconds else 1)
        self._hand_on()

    def _hand_on(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            # Its caller may have gone away a moment ago.
            if not turn.done():
                turn.set_result(None)
                return
        self.in_flight -= 1

    def _expire(self, turn: "asyncio.Future[None]") -> None:
        if not turn.done():
            self._waiting.remove(turn)
            turn.set_exception(DeadlineExceededError("the gateway is busy: no turn came in time; try again later"))

    def _wait_seconds(self) -> float:
        """How long the requests that run and wait now will take."""
        return (self.in_flight + len(self._waiting)) / self.rate if self._seconds else 1.0


class Slot:
    """Made by `Admission.slot`."""

    __slots__ = ("_admission", "_deadline", "_entered")

    def __init__(self, admission: Admission, deadline: Deadline) -> None:
        self._admission = admission
        self._deadline = deadline
        self._entered = 0.0

    async def __aenter__(self) -> float:
        waited = await self._admission.enter(self._deadline)
        self._entered = time.monotonic()
        return waited

    async def __aexit__(self, *failure: object) -> None:
        self._admission.leave(time.monotonic() - self._entered)
