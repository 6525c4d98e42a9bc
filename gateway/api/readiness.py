"""Whether a request sent now would be answered: known from a recent request, or found out by a probe."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.api.drain import Drain
from gateway.errors import GatewayError, ModelNotReadyError, ModelServerUnavailableError
from gateway.telemetry.metrics import BreakerState
from gateway.upstream.backend import Backend, VersionState
from gateway.upstream.classifier import Classifier, Row
from gateway.upstream.deadline import Deadline
from gateway.upstream.question import DEFAULT

PROBE_TEXT = "Are you ready?"

RECENT_SECONDS = 2.0
"""An answer this young, with no failure since, counts as a probe: under load /readyz costs the model server nothing."""

UNKNOWN = "UNKNOWN"
"""The state of a version of which nothing is known; the model server's own word."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What /readyz says."""

    is_ready: bool
    version: int | None
    """The version that answered, or the newest that does not; None if none is known."""
    state: str
    """As in GetModelStatus: START, LOADING, AVAILABLE, UNLOADING, END or UNKNOWN."""
    since: float
    """Since when this process has seen it like this, in seconds since 1970."""
    breaker: BreakerState
    is_draining: bool
    code: str | None
    """Why not: the code of an error, or `draining`; None if ready."""
    reason: str | None
    """The same for people."""


@dataclass(frozen=True, slots=True)
class _Finding:
    version: int | None
    state: str
    code: str | None = None
    reason: str | None = None


class Prober:
    """Answers from what recent requests have met; if there are none, it sends a request of its own."""

    def __init__(self, backend: Backend, classifier: Classifier, drain: Drain, seconds: float) -> None:
        """`seconds` is the time for one probe."""
        self._backend = backend
        self._classifier = classifier
        self._drain = drain
        self._seconds = seconds
        self._probe: asyncio.Task[_Finding] | None = None
        self._last = _Finding(None, UNKNOWN)
        self._since = time.time()
        self._version = 0
        self._answered_at: float | None = None

    def answered(self, version: int) -> None:
        """A request for the default version was answered by this one."""
        self._version = version
        self._answered_at = time.monotonic()

    def doubt(self) -> None:
        """A request failed, so earlier answers prove nothing: the next question needs a probe."""
        self._answered_at = None

    async def readiness(self) -> Readiness:
        """The answer to /readyz. Questions asked at the same time share one probe."""
        finding = self._at_once() or await self._probed()
        if finding != self._last:
            self._last, self._since = finding, time.time()
        return Readiness(
            finding.code is None,
            finding.version,
            finding.state,
            self._since,
            self._backend.breaker.state,
            self._drain.draining,
            finding.code,
            finding.reason,
        )

    def _at_once(self) -> _Finding | None:
        last = self._last
        if self._drain.draining:
            return _Finding(last.version, last.state, "draining", "the gateway is about to stop; ask another one")
        try:
            self._backend.breaker.check()
        except ModelServerUnavailableError as error:
            return _Finding(last.version, UNKNOWN, error.code, str(error))
        if self._answered_at is not None and time.monotonic() - self._answered_at <= RECENT_SECONDS:
            return _Finding(self._version, "AVAILABLE")
        return None

    async def _probed(self) -> _Finding:
        if self._probe is None:
            self._probe = asyncio.create_task(self._ask())
            self._probe.add_done_callback(self._probe_ended)
        # Shielded: one who asks and goes away takes nothing from the others.
        return await asyncio.shield(self._probe)

    def _probe_ended(self, _probe: "asyncio.Task[_Finding]") -> None:
        self._probe = None

    async def _ask(self) -> _Finding:
        deadline = Deadline.after(self._seconds)
        version, state = None, UNKNOWN
        try:
            versions = await self._backend.versions(deadline)
            if versions:
                # The one that is or would be asked, unless a label points elsewhere: the newest, loaded ones first.
                best = max(versions, key=lambda each: (each.state == "AVAILABLE", each.version))
                version, state = best.version, best.state
            if state != "AVAILABLE":
                raise ModelNotReadyError(f"no version of the model is AVAILABLE: {_said(versions)}")
            answer = await self._classifier.classify([PROBE_TEXT], DEFAULT, deadline)
            if not isinstance(answer.rows[0], Row):
                raise answer.rows[0]
        except GatewayError as error:
            return _Finding(version, state, error.code, str(error))
        return _Finding(answer.version, state)


def _said(versions: Sequence[VersionState]) -> str:
    return ", ".join(
        f"version {each.version} is {each.state}" + ("" if each.error == "OK" else f" with {each.error}")
        for each in versions
    )
