"""Texts of several requests in one Predict: while calls are under way, what comes in waits and goes together.

No timer: a request that finds a free call slot is sent at once, on its own.

Requests with dialogue go together with their like only. The signature `dialogue` would take the others too, but would
refuse them with the rest if the model lacks it.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from contextvars import Context, copy_context
from dataclasses import dataclass

from gateway.errors import (
    BackendError,
    ContextNotSupportedError,
    DeadlineExceededError,
    ModelContractError,
    ModelServerError,
    UnknownVersionError,
)
from gateway.upstream.backend import Answer, Backend
from gateway.upstream.deadline import Deadline
from gateway.upstream.question import Dialogue, Target


@dataclass(slots=True, eq=False)
class _Member:
    """A request that waits for its slot, or for the call that it shares."""

    texts: Sequence[str]
    target: Target
    deadline: Deadline
    dialogue: Sequence[Dialogue] | None
    context: Context
    """Of its task: the first member's request id goes with the call."""
    result: "asyncio.Future[Answer | None]"
    """None if the shared call failed by one of its texts: then each member asks in a call of its own."""
    call: "_Call | None" = None

    def goes_with(self, other: "_Member") -> bool:
        """Whether one call can ask both: the same version, by the same signature."""
        return self.target == other.target and (self.dialogue is None) == (other.dialogue is None)


@dataclass(slots=True, eq=False)
class _Call:
    """One Predict for all its members."""

    members: list[_Member]
    task: "asyncio.Task[None] | None" = None

    def left(self) -> None:
        """A member went away; after the last one nobody wants the answer any more."""
        if self.task is not None and all(each.result.done() for each in self.members):
            self.task.cancel()


class Combiner:
    """Stands between classifier and backend."""

    def __init__(self, backend: Backend, max_texts: int, slots: int) -> None:
        """`slots`: calls under way at once, of at most `max_texts` texts, unless one request has more.

        With `max_texts` = 1 nothing is combined: every request has a call of its own, at once.
        """
        self._backend = backend
        self._max_texts = max_texts
        self._free = slots
        self._waiting: deque[_Member] = deque()

    async def predict(
        self, texts: Sequence[str], target: Target, deadline: Deadline, dialogue: Sequence[Dialogue] | None = None
    ) -> Answer:
        """As `Backend.predict`, maybe in one call with the texts of others.

        The others are not noticed: each request keeps its own deadline, its own cancellation, and its own errors.

        Raises:
            UnknownVersionError: `target` names a version or label that is not served.
            ContextNotSupportedError: there is a dialogue, and the version has no signature for it.
            BackendError: no usable answer; see the tree in `errors`.
        """
        if self._max_texts == 1:
            return await self._backend.predict(texts, target, deadline, dialogue)
        if self._free:
            # Then nobody waits.
            self._free -= 1
            try:
                return await self._backend.predict(texts, target, deadline, dialogue)
            finally:
                self._release()
        result = await self._together(texts, target, deadline, dialogue)
        # A text that the model cannot take must fail nobody but who sent it.
        return result or await self._backend.predict(texts, target, deadline, dialogue)

    async def _together(
        self, texts: Sequence[str], target: Target, deadline: Deadline, dialogue: Sequence[Dialogue] | None
    ) -> Answer | None:
        loop = asyncio.get_running_loop()
        member = _Member(texts, target, deadline, dialogue, copy_context(), loop.create_future())
        timer = loop.call_later(deadline.remaining(), self._expire, member)
        self._waiting.append(member)
        try:
            return await member.result
        except asyncio.CancelledError:
            self._leave(member)
            raise
        finally:
            timer.cancel()

    def _expire(self, member: _Member) -> None:
        if not member.result.done():
            member.result.set_exception(
                DeadlineExceededError("the model server did not answer in time; try again later")
            )

    def _leave(self, member: _Member) -> None:
        if member.call is not None:
            member.call.left()
        else:
            with suppress(ValueError):
                self._waiting.remove(member)

    def _release(self) -> None:
        """A call slot is free again: the longest waiting request gets it, and takes along what fits."""
        members: list[_Member] = []
        others: deque[_Member] = deque()
        room = self._max_texts
        for each in self._waiting:
            if each.result.done():
                # Its caller went away a moment ago.
                continue
            size = len(each.texts)
            # The first one goes however large it is.
            if not members or (size <= room and each.goes_with(members[0])):
                members.append(each)
                room -= size
            else:
                others.append(each)
        self._waiting = others
        if not members:
            self._free += 1
            return
        call = _Call(members)
        for each in members:
            each.call = call
        call.task = asyncio.get_running_loop().create_task(self._make(call), context=members[0].context)
        # Not in the task itself: one that is cancelled at once never begins.
        call.task.add_done_callback(lambda _: self._release())

    async def _make(self, call: _Call) -> None:
        members = call.members
        texts = [text for each in members for text in each.texts]
        dialogue = None
        if members[0].dialogue is not None:
            dialogue = [around for each in members for around in each.dialogue or ()]
        latest = max((each.deadline for each in members), key=lambda deadline: deadline.at)
        try:
            answer = await self._backend.predict(texts, members[0].target, latest, dialogue)
        except Exception as error:
            for each in members:
                if each.result.done():
                    continue
                if len(members) == 1 or not _may_be_by_one_text(error):
                    each.result.set_exception(error)
                else:
                    each.result.set_result(None)
        else:
            begin = 0
            for each in members:
                end = begin + len(each.texts)
                if not each.result.done():
                    each.result.set_result(_part(answer, begin, end))
                begin = end


def _may_be_by_one_text(error: Exception) -> bool:
    """Whether the other texts of the call may be answered without the one that caused this error.

    Not if the server is away or out of time, or if the version that all of them asked for is not there.
    """
    if isinstance(error, UnknownVersionError | ContextNotSupportedError):
        return False
    return not isinstance(error, BackendError) or isinstance(error, ModelServerError | ModelContractError)


def _part(answer: Answer, begin: int, end: int) -> Answer:
    size = answer.classes
    return Answer(
        answer.version,
        answer.label_indices[begin:end],
        answer.probabilities[begin * size : end * size],
        size,
        answer.label_set,
        answer.model_seconds,
    )
