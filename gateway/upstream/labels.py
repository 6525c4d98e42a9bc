"""The intents by index, per model version: an index is only ever named by the list of the model that gave it.

A version number can come back with another model: rolled back and published again, or on a restarted server. So a list
is trusted for an answer only if both are proven to come from the same model. What is known of an answer, or of a list,
is that the model server made it between the moment the call was sent and the moment its response was here. The proof:

- The model server unloads and loads in different ticks of 100 ms. So two moments at most `PAUSE_SECONDS` apart, at
  which a version answered, are of one model. Answers that follow each other as closely carry the proof along; under
  load a list is thus fetched once.
- A list that was the same before and after is the list of all that lies between, up to `BRIDGE_SECONDS`: to deceive
  this, the version would have to be replaced twice in that time, the second time by a model with the first one's list.

A lost connection ends all trust (`forget`): the server behind it may be another one. Several model servers behind one
gateway must therefore mean the same model by the same number: nothing in an answer tells which of them gave it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.errors import DeadlineExceededError, ModelNotReadyError
from gateway.upstream.deadline import Deadline

PAUSE_SECONDS = 0.1
"""The shortest time for which a version is silent while another model takes its number."""

BRIDGE_SECONDS = 10.0
"""A replacement takes two looks of the model server at its directories, a second apart, and a load; two replacements
within this time, during one call that lasts as long, do not happen."""

MAX_VERSIONS = 8
"""Lists kept at most; the one unused for longest goes first."""

FETCH_TRIES = 4
"""With several model servers, calls take turns over them, and a new version is not on all of them in one moment."""


@dataclass(slots=True)
class _List:
    """A list that its version had at every moment from `first` to `last`, on the monotonic clock."""

    names: tuple[str, ...]
    first: float
    """When it was here first."""
    last: float
    """When the latest call that was answered was sent."""


_Key = tuple[int, int]
"""Version and number of intents: a list never names an answer with more or fewer probabilities."""


class LabelCache:
    """Lists by version. Requests that need the same one at the same time share one fetch."""

    def __init__(self, fetch: Callable[[int, int], Awaitable[tuple[str, ...]]]) -> None:
        """`fetch` asks the model server for so many intents of one version; it bounds its own time."""
        self._fetch = fetch
        self._lists: dict[_Key, _List] = {}
        self._fetches: dict[_Key, asyncio.Task[None]] = {}
        self._generation = 0

    @property
    def generation(self) -> int:
        """Grows with each `forget`. An answer and a list that lie on either side of it do not belong together."""
        return self._generation

    def forget(self) -> None:
        """Drops everything: whoever answers next may be another model under the same number."""
        self._lists.clear()
        self._fetches.clear()
        self._generation += 1

    def expect(self, version: int) -> None:
        """A call is sent now that this version will probably answer: fetches its list meanwhile, if it grew old."""
        now = time.monotonic()
        for key, known in self._lists.items():
            if key[0] == version and now > known.last + PAUSE_SECONDS:
                self._fetching(key)

    async def of(self, version: int, classes: int, sent: float, deadline: Deadline) -> tuple[str, ...] | None:
        """The list [classes] of the version that has just answered the call sent at this moment of the monotonic clock.

        None if the answer may be another model's than the list: ask again.

        Raises:
            DeadlineExceededError: the list did not come in time; the fetch goes on for the others.
            BackendError: what the fetch raised; the next caller asks again.
        """
        here = time.monotonic()
        key = version, classes
        # A fetch that was under way may have begun too early for this answer; one that begins now does not.
        for fetches_left in (2, 1, 0):
            known = self._lists.get(key)
            if known is not None and sent < known.first - PAUSE_SECONDS:
                # Later fetches begin even later.
                return None
            if known is not None and here <= known.last + PAUSE_SECONDS:
                known.last = max(known.last, sent)
                if len(self._lists) > 1:
                    # Taken out and put in again, so that the order is the order of use.
                    self._lists[key] = self._lists.pop(key)
                return known.names
            if fetches_left:
                await self._wait(self._fetching(key), deadline)
        return None

    def _fetching(self, key: _Key) -> "asyncio.Task[None]":
        task = self._fetches.get(key)
        if task is None:
            task = self._fetches[key] = asyncio.create_task(self._learn(key))
            # Nobody may be waiting for it when it fails.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    async def _learn(self, key: _Key) -> None:
        task = asyncio.current_task()
        try:
            for tries_left in reversed(range(FETCH_TRIES)):
                sent = time.monotonic()
                try:
                    names = await self._fetch(*key)
                    break
                except ModelNotReadyError:
                    if not tries_left:
                        raise
            if self._fetches.get(key) is task:
                self._note(key, names, sent, time.monotonic())
        finally:
            if self._fetches.get(key) is task:
                del self._fetches[key]

    def _note(self, key: _Key, names: tuple[str, ...], sent: float, here: float) -> None:
        known = self._lists.pop(key, None)
        if known is not None and known.names == names and here - known.last <= BRIDGE_SECONDS:
            known.last = max(known.last, sent)
        else:
            known = _List(names, here, sent)
        self._lists[key] = known
        if len(self._lists) > MAX_VERSIONS:
            del self._lists[next(iter(self._lists))]

    async def _wait(self, fetch: "asyncio.Task[None]", deadline: Deadline) -> None:
        # wait() leaves the fetch alone when this caller's time is over, or it goes away.
        await asyncio.wait((fetch,), timeout=deadline.remaining())
        if not fetch.done():
            raise DeadlineExceededError("the model server did not name its intents in time; try again later")
        fetch.result()
