"""The label lists by their fingerprint, so that an index is only ever named by the list that it counts in.

Every answer carries `label_set`, the fingerprint of its model's label list, and so does the list itself. A list is kept
under the fingerprint that came with it. It makes no difference which of several model servers gave it, or which model
has the version's number by now.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.errors import DeadlineExceededError, ModelContractError, ModelNotReadyError
from gateway.upstream.deadline import Deadline

MAX_LISTS = 8
"""Lists kept at most; the one unused for longest goes first."""

TRIES = 4
"""How often a version is asked for a list. With several model servers, calls take turns over them."""


@dataclass(frozen=True, slots=True)
class LabelList:
    """The intents of one model, in the order of their indices."""

    label_set: int
    """The fingerprint of `names`, as the model computed it."""
    names: tuple[str, ...]


class LabelLists:
    """Fetches each list once. Requests that need the same one at the same time share the fetch."""

    def __init__(self, fetch: Callable[[int, int], Awaitable[LabelList]]) -> None:
        """`fetch` asks a version for the names of so many intents; it bounds its own time."""
        self._fetch = fetch
        self._lists: dict[int, LabelList] = {}
        self._fetches: dict[tuple[int, int, int], asyncio.Task[LabelList]] = {}

    async def find(self, label_set: int, version: int, classes: int, deadline: Deadline) -> tuple[str, ...]:
        """The list [classes] with this fingerprint, which came with an answer of this version.

        Raises:
            ModelNotReadyError: the version has gone, or another model has its number now.
            ModelContractError: the version gives no list that fits its answer.
            DeadlineExceededError: the list did not come in time. The fetch goes on for the others.
            BackendError: what the fetch raised; the next caller asks again.
        """
        known = self._lists.get(label_set)
        if known is None:
            known = await self._wait(self._fetching(label_set, version, classes), deadline)
        elif len(self._lists) > 1:
            # Taken out and put in again, so that the order is the order of use.
            self._lists[label_set] = self._lists.pop(label_set)
        if len(known.names) != classes:
            raise ModelContractError(
                f"the model gives {classes} probabilities for {len(known.names)} intents; train and publish it again"
            )
        return known.names

    def _fetching(self, label_set: int, version: int, classes: int) -> "asyncio.Task[LabelList]":
        key = label_set, version, classes
        task = self._fetches.get(key)
        if task is None:
            task = self._fetches[key] = asyncio.create_task(self._learn(*key))
            task.add_done_callback(lambda done: self._fetched(key, done))
        return task

    def _fetched(self, key: tuple[int, int, int], done: "asyncio.Task[LabelList]") -> None:
        del self._fetches[key]
        # Nobody may be waiting for it any more, and an error that nobody takes would be logged.
        if not done.cancelled():
            done.exception()

    async def _learn(self, label_set: int, version: int, classes: int) -> LabelList:
        for tries_left in reversed(range(TRIES)):
            try:
                found = await self._fetch(version, classes)
            except (ModelNotReadyError, ModelContractError):
                # The server that was asked may be another one than the one that answered.
                if not tries_left:
                    raise
                continue
            # Any other list may be cut short: it was asked for as many intents as this one has.
            if found.label_set == label_set:
                self._lists[label_set] = found
                if len(self._lists) > MAX_LISTS:
                    del self._lists[next(iter(self._lists))]
                return found
        raise ModelNotReadyError(
            f"another model took the number of version {version} while it was asked; try again in a moment",
            retry_after=1,
        )

    async def _wait(self, fetch: "asyncio.Task[LabelList]", deadline: Deadline) -> LabelList:
        # wait() leaves the fetch alone when this caller's time is over, or it goes away.
        await asyncio.wait((fetch,), timeout=deadline.remaining())
        if not fetch.done():
            raise DeadlineExceededError("the model server did not name its intents in time; try again later")
        return fetch.result()
