"""The events of a stack: read as they happen, and searched for the first cause of a failure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef


@dataclass(frozen=True)
class Event:
    """One change of state, of a resource or of the whole stack."""

    id: str
    time: datetime
    logical_id: str
    type: str
    status: str
    reason: str
    is_of_stack: bool

    @property
    def is_failure(self) -> bool:
        """A resource failed, by itself or because another did."""
        return self.status.endswith("_FAILED")

    @property
    def is_cause(self) -> bool:
        """A failure of its own: what CloudFormation stops because something else failed says so."""
        return self.is_failure and not self.is_of_stack and "cancelled" not in self.reason.lower()

    @property
    def is_begin(self) -> bool:
        """Work on the resource, or on the stack, is under way."""
        return self.status.endswith("_IN_PROGRESS")

    @property
    def is_end(self) -> bool:
        """The operation on the stack is over."""
        return self.is_of_stack and not self.is_begin


class Events:
    """The events of one stack after a certain one, each handed out once."""

    def __init__(self, client: "CloudFormationClient", stack_id: str) -> None:
        self._client = client
        self._stack_id = stack_id
        self._last = ""

    def skip(self) -> None:
        """Forgets what has happened until now, so that `new` begins after it."""
        newest = self._client.describe_stack_events(StackName=self._stack_id)["StackEvents"]
        self._last = newest[0]["EventId"] if newest else ""

    def new(self) -> list[Event]:
        """What has happened since the last call, oldest first."""
        events = list(self._unseen())
        if events:
            self._last = events[0].id
        return events[::-1]

    def _unseen(self) -> Iterator[Event]:
        # AWS answers newest first: the pages end where the known events begin.
        for page in self._client.get_paginator("describe_stack_events").paginate(StackName=self._stack_id):
            for answer in page["StackEvents"]:
                if answer["EventId"] == self._last:
                    return
                yield _event(answer)


def first_cause(events: list[Event]) -> Event | None:
    """The failure that the others followed from, in events that are ordered oldest first."""
    return next((event for event in events if event.is_cause), None)


def last_operation(events: list[Event]) -> list[Event]:
    """The part of a stack's events, oldest first, that belongs to its newest operation."""
    begins = [
        place
        for place, event in enumerate(events)
        if event.is_of_stack and event.status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
    ]
    return events[begins[-1] :] if begins else events


def _event(answer: "StackEventTypeDef") -> Event:
    return Event(
        id=answer["EventId"],
        time=answer["Timestamp"],
        logical_id=answer.get("LogicalResourceId", ""),
        type=answer.get("ResourceType", ""),
        status=answer.get("ResourceStatus", ""),
        reason=" ".join(answer.get("ResourceStatusReason", "").split()),
        is_of_stack=answer.get("PhysicalResourceId") == answer["StackId"],
    )
