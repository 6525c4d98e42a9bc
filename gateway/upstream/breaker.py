"""The circuit breaker: while the model server is dead or hung, requests are refused at once."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from gateway.errors import ModelServerUnavailableError
from gateway.telemetry.metrics import BreakerState

_LOG = logging.getLogger(__name__)


class Breaker:
    """Hears how every call ended.

    It opens after so many failed calls in a row. A call fails when its connection is lost, or when it ends unanswered
    after a fair time; but neither counts if any other call was answered since it began. So a server that is merely
    slow, a caller in a hurry, and one dead server among several never open it.
    """

    def __init__(
        self,
        failures: int,
        pause_seconds: float,
        fair_seconds: float,
        probe: Callable[[], Awaitable[None]],
        changed: Callable[[BreakerState], None],
    ) -> None:
        """`probe` makes one call, which this hears of like of any other; `changed` hears each new state."""
        self.state: BreakerState = "closed"
        """half_open: a probe is on its way."""
        self.since = time.time()
        """When it last opened or closed, in seconds since 1970."""
        self.was_answered = False
        """Whether the model server has answered any call yet."""
        self._limit = failures
        self._pause_seconds = pause_seconds
        self._fair_seconds = fair_seconds
        self._probe = probe
        self._changed = changed
        self._failures = 0
        self._answered_at = 0.0
        self._probing: asyncio.Task[None] | None = None

    def check(self) -> None:
        """Call it before each call.

        Raises:
            ModelServerUnavailableError: it is not closed.
        """
        if self.state != "closed":
            raise ModelServerUnavailableError(
                "the model server does not answer; try again in a moment", retry_after=self._pause_seconds
            )

    def answered(self, at: float) -> None:
        """A call was answered at this moment of the monotonic clock, be it with an error."""
        self._answered_at = at
        self._failures = 0
        if self.state != "closed":
            self._close()
        self.was_answered = True

    def lost(self, began: float, details: str) -> None:
        """The connection of a call that began at this moment could not be made, or broke; `details` go to the log."""
        if self._answered_at < began:
            self._fail(f"cannot be reached ({details})")

    def unanswered(self, began: float, ended: float) -> None:
        """A call between these moments got no answer: its time was up, or its caller went away."""
        if self._answered_at < began and ended - began >= self._fair_seconds:
            self._fail("is silent")

    async def stop(self) -> None:
        """Ends the probing."""
        if self._probing is not None:
            self._probing.cancel()
            with suppress(asyncio.CancelledError):
                await self._probing

    def _fail(self, how: str) -> None:
        self._failures += 1
        if self.state == "closed" and self._failures >= self._limit:
            if self.was_answered:
                _LOG.error("the model server %s; the circuit breaker is open, requests are refused", how)
            else:
                _LOG.info("waiting for the model server: it %s; until it answers, requests are refused", how)
            self.since = time.time()
            self._enter("open")
            self._probing = asyncio.create_task(self._probe_until_closed())

    def _close(self) -> None:
        now = time.time()
        if self.was_answered:
            _LOG.info("the model server answers again after %.1f s; the circuit breaker is closed", now - self.since)
        else:
            _LOG.info("the model server answers")
        self.since = now
        self._enter("closed")
        if self._probing is not None and self._probing is not asyncio.current_task():
            # Another call was answered; a probing that still waits would run beside the next one.
            self._probing.cancel()

    def _enter(self, state: BreakerState) -> None:
        self.state = state
        self._changed(state)

    async def _probe_until_closed(self) -> None:
        # The first goes out at once, so that a false alarm costs a few milliseconds.
        while self._is_open():
            self._enter("half_open")
            try:
                await self._probe()
            except Exception:
                # Without another probe it would stay open for ever.
                _LOG.exception("the probe of the model server failed")
            if self._is_open():
                self._enter("open")
                await asyncio.sleep(self._pause_seconds)

    def _is_open(self) -> bool:
        return self.state != "closed"
