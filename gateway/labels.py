"""The intents by index, per model version: an index is only ever named by the list of the version that gave it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.deadline import Deadline
from gateway.errors import DeadlineExceededError

PAUSE_SECONDS = 0.1
"""Trust in a list ends when its version was silent for longer than this.

A version number can come back with another model: rolled back and published again, or on a restarted server. The model
server unloads and loads in different ticks of 100 ms, so its version is silent for at least that long. Under load the
pause never happens; a request after a pause pays two small calls.
"""

MAX_VERSIONS = 8
"""Lists kept at most; the one unused for longest goes first."""


@dataclass(slots=True)
class _Entry:
    fetch: "asyncio.Task[tuple[str, ...]]"
    seen: float
    """When the version last answered, on the monotonic clock."""


class LabelCache:
    """Lists by version. Requests that need the same one at the same time share one fetch."""

    def __init__(self, fetch: Callable[[int], Awaitable[tuple[str, ...]]]) -> None:
        """`fetch` asks the model server for the list of one version; it bounds its own time."""
        self._fetch = fetch
        self._entries: dict[int, _Entry] = {}
        self._generation = 0

    @property
    def generation(self) -> int:
        """Grows with each `forget`. An answer and a list that lie on either side of it do not belong together."""
        return self._generation

    def forget(self) -> None:
        """Drops everything: whoever answers next may be another model under the same number."""
        self._entries.clear()
        self._generation += 1

    def drop(self, version: int) -> None:
        """Drops the list of one version, if there is one."""
        self._entries.pop(version, None)

    async def of(self, version: int, deadline: Deadline) -> tuple[str, ...]:
        """The list of the version that has just answered.

        Raises:
            DeadlineExceededError: the list did not come in time; the fetch goes on for the others.
            BackendError: what the fetch raised; the next caller asks again.
        """
        now = time.monotonic()
        # Taken out and put in again, so that the order of the entries is the order of use.
        entry = self._entries.pop(version, None)
        if entry is None or now - entry.seen > PAUSE_SECONDS:
            entry = _Entry(asyncio.ensure_future(self._fetch(version)), now)
        entry.seen = now
        self._entries[version] = entry
        if len(self._entries) > MAX_VERSIONS:
            del self._entries[next(iter(self._entries))]
        if not entry.fetch.done():
            # wait() leaves the fetch alone when this caller's time is over.
            await asyncio.wait((entry.fetch,), timeout=deadline.remaining())
        if not entry.fetch.done():
            raise DeadlineExceededError("the model server did not name its intents in time; try again later")
        try:
            return entry.fetch.result()
        except BaseException:
            if self._entries.get(version) is entry:
                self.drop(version)
            raise
