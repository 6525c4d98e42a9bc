"""Changes one stack: makes a change set, asks, executes it and shows its events; or deletes the stack."""

from dataclasses import dataclass
from typing import Any

from cloudformation.errors import DeclinedError, FleetError
from cloudformation.operate import change_set, stacks
from cloudformation.operate.aws import Aws
from cloudformation.operate.change_set import ChangeSet, Request
from cloudformation.operate.events import Events
from cloudformation.operate.operation import Operation
from cloudformation.operate.stacks import Stack
from cloudformation.operate.terminal import Colour, Terminal


@dataclass(frozen=True)
class Consent:
    """What the operator allows on the command line."""

    is_given: bool
    """--yes: the command asks no questions."""
    shows_only: bool
    """--no-execute: changes are shown and not made."""
    wait_seconds: float
    """How long the command waits for one operation."""
    role: str | None
    """ARN of the role that CloudFormation works with; None: the stack's last one, else the operator's own rights."""


class Changer:
    """Works on one stack at a time."""

    def __init__(self, aws: Aws, terminal: Terminal, consent: Consent) -> None:
        self._client = aws.cloudformation
        self._terminal = terminal
        self._consent = consent
        self.shows_only = consent.shows_only
        self.has_pending_changes = False
        """With --no-execute: at least one stack would have changed."""

    def change(self, name: str, request: Request) -> Stack | None:
        """The stack, after the change; with --no-execute as it is, or None if it is not there.

        Raises:
            DeclinedError: the answer was no.
            RefusedError: the stack is in no state for it.
            FleetError: CloudFormation could not do it.
            StillRunningError: it is not over in time.
        """
        stack = self._cleared(stacks.find(self._client, name))
        self._terminal.say(f"{name}: {'update' if stack and not stack.is_empty else 'new stack'}", Colour.HEAD)
        role = {"RoleARN": self._consent.role} if self._consent.role else {}
        wanted = Request(request.template, request.parameters, {**request.options, **role})
        changes = change_set.make(self._client, name, stack, wanted)
        is_executed = False
        try:
            if not changes.load():
                self._terminal.say("  nothing to change")
                return stack
            changes.show(self._terminal)
            if self._consent.shows_only:
                self.has_pending_changes = True
                return stack if stack and stack.is_whole else None
            self._require_yes(f"Make these changes to {name}?")
            events = Events(self._client, changes.stack_id)
            events.skip()
            changes.execute()
            is_executed = True
        finally:
            if not is_executed:
                changes.discard()
        return self._finished(name, events, changes)

    def delete(self, stack: Stack) -> None:
        """Deletes the stack, whatever is retained excepted.

        Raises:
            FleetError, StillRunningError: as in `change`.
        """
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=stack.id)
        total = sum(len(page["StackResourceSummaries"]) for page in pages)
        # By its id: a deleted stack's events are not found by name any more.
        events = Events(self._client, stack.id)
        events.skip()
        role: Any = {"RoleARN": self._consent.role} if self._consent.role else {}
        self._client.delete_stack(StackName=stack.id, **role)
        if stack.is_empty:
            # There is nothing to wait for, and not always an event.
            return
        Operation(events, stack.name, total, self._terminal).wait(self._consent.wait_seconds)

    def _cleared(self, stack: Stack | None) -> Stack | None:
        """The stack, if a change may begin; one that never was whole is deleted first."""
        if stack is None:
            return None
        stack.require_updatable()
        if not stack.has_failed_first:
            return stack
        self._terminal.say(
            f"{stack.name} is in {stack.status}: its first creation failed, and CloudFormation lets such a stack only "
            "be deleted. Nothing serves from it.",
            Colour.CAREFUL,
        )
        if self._consent.shows_only:
            raise DeclinedError(f"{stack.name} must be deleted first, which --no-execute does not")
        self._require_yes(f"Delete {stack.name} and begin again?")
        self.delete(stack)
        return None

    def _require_yes(self, question: str) -> None:
        if not self._consent.is_given and not self._terminal.agrees(question):
            raise DeclinedError("nothing was changed; --yes agrees beforehand")

    def _finished(self, name: str, events: Events, changes: ChangeSet) -> Stack:
        Operation(events, name, len(changes.changes), self._terminal).wait(self._consent.wait_seconds)
        stack = stacks.find(self._client, changes.stack_id)
        if stack is None:
            raise FleetError(f"{name} vanished after the change; somebody else deleted it")
        return stack
